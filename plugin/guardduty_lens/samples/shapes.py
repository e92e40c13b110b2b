"""The shapes in which findings are delivered, each as one line of bytes.

Facts about the envelopes: the EventBridge, S3 export and GetFindings pages of the GuardDuty documentation;
the Lambda event formats of SNS, SQS, CloudWatch Logs and Firehose.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from guardduty_lens.samples.api_form import api_page
from guardduty_lens.samples.chance import Chance, iso, iso_seconds
from guardduty_lens.samples.estate import ADMINISTRATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardduty_lens.samples.findings import Delivery

encode = msgspec.json.encode
Batch = list["Delivery"]

TO_ADMINISTRATOR = 0.2
"""Share of the members' findings whose event comes from the administrator's account."""
SIGNATURE = "EXAMPLEx2Jf5Qb0u4Zk1c9aTq7YwLr8="
HTTP_SHARE = 0.75
"""Share of SNS notifications in the form of HTTP and SQS subscriptions; the others are Lambda events."""


def _event(delivery: Delivery, chance: Chance) -> dict[str, Any]:
    """Wrap a finding as EventBridge does: a new event id each time, a little after the update."""
    finding = delivery.finding
    account = finding["accountId"]
    if finding["partition"] == "aws" and chance.likely(TO_ADMINISTRATOR):
        account = ADMINISTRATOR
    return {
        "version": "0",
        "id": chance.uuid(),
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": account,
        "time": iso_seconds(delivery.updated + chance.between(1000, 300_000)),
        "region": finding["region"],
        "resources": [],
        "detail": finding,
    }


def _event_text(delivery: Delivery, chance: Chance) -> str:
    return encode(_event(delivery, chance)).decode()


def _arn(delivery: Delivery, service: str, rest: str) -> str:
    finding = delivery.finding
    return f"arn:{finding['partition']}:{service}:{finding['region']}:{finding['accountId']}:{rest}"


def _sent(delivery: Delivery) -> int:
    """Give a time after that of any event of the delivery, in milliseconds since 1970."""
    return delivery.updated + 301_000


def eventbridge(batch: Batch, chance: Chance) -> bytes:
    """Write an EventBridge event."""
    return encode(_event(batch[0], chance))


def finding(batch: Batch, _chance: Chance) -> bytes:
    """Write a bare finding, as a line of the S3 export."""
    return encode(batch[0].finding)


def api(batch: Batch, _chance: Chance) -> bytes:
    """Write a page of GetFindings as the AWS CLI prints it, on one line."""
    return encode(api_page([delivery.finding for delivery in batch]))


def sns(batch: Batch, chance: Chance) -> bytes:
    """Write an SNS notification: as HTTP subscribers get it, or as a Lambda function gets it."""
    notification = _notification(batch[0], chance)
    if chance.likely(HTTP_SHARE):
        return encode(notification)
    return encode({"Records": [_sns_record(batch[0], notification)]})


def _notification(delivery: Delivery, chance: Chance) -> dict[str, Any]:
    host = f"https://sns.{delivery.finding['region']}.amazonaws.com/"
    topic = _arn(delivery, "sns", "guardduty-findings")
    return {
        "Type": "Notification",
        "MessageId": chance.uuid(),
        "TopicArn": topic,
        "Message": _event_text(delivery, chance),
        "Timestamp": iso(_sent(delivery)),
        "SignatureVersion": "1",
        "Signature": SIGNATURE,
        "SigningCertURL": f"{host}SimpleNotificationService-EXAMPLE.pem",
        "UnsubscribeURL": f"{host}?Action=Unsubscribe&SubscriptionArn={topic}:EXAMPLE",
    }


def _sns_record(delivery: Delivery, notification: dict[str, Any]) -> dict[str, Any]:
    inside = {key: value for key, value in notification.items() if not key.endswith("URL")}
    inside["Subject"] = None
    inside["SigningCertUrl"] = notification["SigningCertURL"]
    inside["UnsubscribeUrl"] = notification["UnsubscribeURL"]
    inside["MessageAttributes"] = {}
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": _arn(delivery, "sns", "guardduty-findings:EXAMPLE"),
        "Sns": inside,
    }


def sqs(batch: Batch, chance: Chance) -> bytes:
    """Write the Lambda event of an SQS queue, fed by EventBridge or by SNS."""
    through_sns = chance.likely(0.4)
    return encode({"Records": [_sqs_record(delivery, chance, through_sns) for delivery in batch]})


def _sqs_record(delivery: Delivery, chance: Chance, through_sns: bool) -> dict[str, Any]:
    body = encode(_notification(delivery, chance)).decode() if through_sns else _event_text(delivery, chance)
    return {
        "messageId": chance.uuid(),
        "receiptHandle": f"AQEBEXAMPLE{chance.hex(24)}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(_sent(delivery)),
            "SenderId": "AIDAEXAMPLESENDER",
            "ApproximateFirstReceiveTimestamp": str(_sent(delivery) + 12),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": _arn(delivery, "sqs", "guardduty-findings"),
        "awsRegion": delivery.finding["region"],
    }


def cloudwatch_logs(batch: Batch, chance: Chance) -> bytes:
    """Write the Lambda event of a CloudWatch Logs subscription: gzip in base64, equal for equal findings."""
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": batch[0].finding["accountId"],
        "logGroup": "/aws/events/guardduty",
        "logStream": chance.uuid(),
        "subscriptionFilters": ["guardduty-lens"],
        "logEvents": [_log_event(delivery, chance) for delivery in batch],
    }
    packed = gzip.compress(encode(data), compresslevel=1, mtime=0)
    return encode({"awslogs": {"data": base64.b64encode(packed).decode()}})


def _log_event(delivery: Delivery, chance: Chance) -> dict[str, Any]:
    number = f"{delivery.updated:056d}"
    return {"id": number, "timestamp": _sent(delivery), "message": _event_text(delivery, chance)}


def firehose(batch: Batch, chance: Chance) -> bytes:
    """Write the Lambda event of a Firehose transformation."""
    return encode(
        {
            "invocationId": chance.uuid(),
            "deliveryStreamArn": _arn(batch[0], "firehose", "deliverystream/guardduty-findings"),
            "region": batch[0].finding["region"],
            "records": [_firehose_record(delivery, chance) for delivery in batch],
        }
    )


def _firehose_record(delivery: Delivery, chance: Chance) -> dict[str, Any]:
    return {
        "recordId": f"{chance.hex(40)}000000",
        "approximateArrivalTimestamp": _sent(delivery),
        "data": base64.b64encode(encode(_event(delivery, chance))).decode(),
    }


class Shape(NamedTuple):
    """How payloads of a shape are written, and how many findings one of them holds."""

    write: Callable[[Batch, Chance], bytes]
    smallest: int
    largest: int


WRITERS: dict[str, Shape] = {
    "eventbridge": Shape(eventbridge, 1, 1),
    "finding": Shape(finding, 1, 1),
    "api": Shape(api, 50, 50),
    "s3-export": Shape(finding, 1, 1),
    "sns": Shape(sns, 1, 1),
    "sqs": Shape(sqs, 1, 10),
    "cloudwatch-logs": Shape(cloudwatch_logs, 2, 6),
    "firehose": Shape(firehose, 3, 12),
}
"""All shapes but `mixed`. A page of GetFindings holds at most 50 findings, an SQS batch 10 records."""
