"""Every way in which a finding may travel: functions from a value to the bytes that arrive."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

TOPIC = "arn:aws:sns:us-east-1:111122223333:findings"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:findings"
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/findings"

Transport = Callable[[Any], bytes]


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def raw(value: Any) -> bytes:
    return text(value).encode()


def with_crlf(lines: str) -> bytes:
    return lines.replace("\n", "\r\n").encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- messages of AWS's transports, around a text or bytes -------------------------------------------


def sns_http(message: str) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Amazon GuardDuty",
        "Message": message,
        "Timestamp": "2025-01-01T00:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "c2lnbmF0dXJl",
        "SigningCertURL": "https://sns.example.com/certificate.pem",
        "UnsubscribeURL": "https://sns.example.com/?Action=Unsubscribe",
        "MessageAttributes": {},
    }


def sns_lambda(message: str) -> dict[str, Any]:
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{TOPIC}:1",
        "Sns": sns_http(message),
    }
    return {"Records": [record]}


def sqs_lambda(*bodies: str) -> dict[str, Any]:
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": "h",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "md5OfBody": "0",
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
            "awsRegion": "us-east-1",
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def sqs_receive(body: str) -> dict[str, Any]:
    message = {"MessageId": "m", "ReceiptHandle": "h", "MD5OfBody": "0", "Body": body}
    return {"Messages": [message], "ResponseMetadata": {"HTTPStatusCode": 200}}


def cloudwatch_logs(*messages: str) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/aws/events/guardduty",
        "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": [
            {"id": str(number), "timestamp": 1735689600000 + number, "message": message}
            for number, message in enumerate(messages)
        ],
    }


def awslogs(*messages: str) -> dict[str, Any]:
    return {"awslogs": {"data": b64(gzip.compress(raw(cloudwatch_logs(*messages)), mtime=0))}}


def packed_logs(value: Any) -> bytes:
    return members(raw(cloudwatch_logs(text(value))))


def kinesis_lambda(*data: bytes) -> dict[str, Any]:
    records = [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": str(number),
                "data": b64(each),
                "approximateArrivalTimestamp": 1735689600.5,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"shardId-0:{number}",
            "eventName": "aws:kinesis:record",
            "eventSourceARN": STREAM,
        }
        for number, each in enumerate(data)
    ]
    return {"Records": records}


def kinesis_get_records(data: bytes) -> dict[str, Any]:
    record = {
        "SequenceNumber": "1",
        "ApproximateArrivalTimestamp": "2025-01-01T00:00:00+00:00",
        "Data": b64(data),
        "PartitionKey": "1",
    }
    return {"Records": [record], "NextShardIterator": "i", "MillisBehindLatest": 0}


def firehose_transformation(data: bytes) -> dict[str, Any]:
    record = {"recordId": "1", "approximateArrivalTimestamp": 1735689600000, "data": b64(data)}
    return {"invocationId": "i", "deliveryStreamArn": STREAM, "region": "us-east-1", "records": [record]}


def firehose_http(data: bytes) -> dict[str, Any]:
    return {"requestId": "r", "timestamp": 1735689600000, "records": [{"data": b64(data)}]}


def docker(line: str) -> dict[str, Any]:
    return {"log": line + "\n", "stream": "stdout", "time": "2025-01-01T00:00:00.000000000Z"}


def fluent_bit(inner: Any) -> dict[str, Any]:
    return {"date": 1735689600.5, "log": inner, "kubernetes": {"pod_name": "p", "labels": {"app": "a"}}}


def beats(line: str) -> dict[str, Any]:
    return {
        "@timestamp": "2025-01-01T00:00:00.000Z",
        "log": {"file": {"path": "/var/log/findings.json"}, "offset": 0},
        "message": line,
        "event": {"dataset": "generic"},
    }


def search_hit(inner: Any) -> dict[str, Any]:
    return {"_index": "guarddutylogs-2025.01", "_id": "1", "_score": 1.0, "_source": inner}


def dead_letter(data: bytes, *, as_base64: bool = False) -> dict[str, Any]:
    letter = {"reason": "not_json", "message": "m", "source": "-", "position": {"line": 1, "byte": 0}}
    return letter | ({"raw_base64": b64(data)} if as_base64 else {"raw": data.decode()})


def halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def members(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


# Each holds the value once.
SINGLE: dict[str, Transport] = {
    "compact": lambda value: json.dumps(value, separators=(",", ":")).encode(),
    "escaped to ASCII": lambda value: json.dumps(value).encode(),
    "pretty printed": lambda value: json.dumps(value, indent=2, ensure_ascii=False).encode(),
    "pretty printed with tabs and CRLF": lambda value: with_crlf(json.dumps(value, indent="\t")),
    "line": lambda value: raw(value) + b"\n",
    "line with CRLF": lambda value: raw(value) + b"\r\n",
    "byte order mark": lambda value: b"\xef\xbb\xbf" + raw(value),
    "blank lines around": lambda value: b"\n \r\n\n" + raw(value) + b"\n\n",
    "comma behind": lambda value: raw(value) + b",\n",
    "gzip": lambda value: members(raw(value)),
    "gzip of several members": lambda value: members(*halves(raw(value)), b"\n"),
    "array": lambda value: raw([value]),
    "array in an array": lambda value: raw([[value]]),
    "text in text": lambda value: raw(text(value)),
    "text in text in text": lambda value: raw(text(text(value))),
    "array of text": lambda value: raw([text(value)]),
    "sns http": lambda value: raw(sns_http(text(value))),
    "sns lambda": lambda value: raw(sns_lambda(text(value))),
    "sqs lambda": lambda value: raw(sqs_lambda(text(value))),
    "sqs receive-message": lambda value: raw(sqs_receive(text(value))),
    "sns in sqs lambda": lambda value: raw(sqs_lambda(text(sns_http(text(value))))),
    "sns in sqs receive-message": lambda value: raw(sqs_receive(text(sns_http(text(value))))),
    "sns lambda in sqs": lambda value: raw(sqs_lambda(text(sns_lambda(text(value))))),
    "cloudwatch logs": lambda value: raw(awslogs(text(value))),
    "cloudwatch logs decoded": lambda value: raw(cloudwatch_logs(text(value))),
    "cloudwatch logs in kinesis": lambda value: raw(kinesis_lambda(packed_logs(value))),
    "cloudwatch logs in firehose": lambda value: raw(firehose_transformation(packed_logs(value))),
    "kinesis lambda": lambda value: raw(kinesis_lambda(raw(value))),
    "kinesis lambda, gzip": lambda value: raw(kinesis_lambda(members(raw(value)))),
    "kinesis get-records": lambda value: raw(kinesis_get_records(raw(value))),
    "firehose transformation": lambda value: raw(firehose_transformation(raw(value))),
    "firehose transformation, line": lambda value: raw(firehose_transformation(raw(value) + b"\n")),
    "firehose http": lambda value: raw(firehose_http(raw(value))),
    "firehose http, gzip": lambda value: raw(firehose_http(members(raw(value)))),
    "docker": lambda value: raw(docker(text(value))),
    "log as text": lambda value: raw(fluent_bit(text(value))),
    "log as object": lambda value: raw(fluent_bit(value)),
    "message as text": lambda value: raw(beats(text(value))),
    "message as object": lambda value: raw({"message": value, "host": "h"}),
    "message as array": lambda value: raw({"message": [value], "host": "h"}),
    "event as text": lambda value: raw({"event": text(value), "sourcetype": "aws:guardduty", "time": 1.5}),
    "event as object": lambda value: raw({"event": value, "sourcetype": "aws:guardduty", "time": 1.5}),
    "search hit": lambda value: raw(search_hit(value)),
    "search hit of a message": lambda value: raw(search_hit({"message": text(value), "@version": "1"})),
    "search hit of text": lambda value: raw(search_hit(text(value))),
    "docker in fluent bit": lambda value: raw(fluent_bit(text(docker(text(value))))),
    "sqs in a log": lambda value: raw(docker(text(sqs_lambda(text(value))))),
    "input transformer": lambda value: raw({"finding": value}),
    "input transformer with more": lambda value: raw({"title": "New finding", "alert": value, "n": 1}),
    "dead letter": lambda value: raw(dead_letter(raw(value))),
    "dead letter in base64": lambda value: raw(dead_letter(raw(value), as_base64=True)),
    "dead letter of a message": lambda value: raw(dead_letter(raw(sqs_lambda(text(value))))),
    "everything": lambda value: members(
        raw(docker(text(sqs_lambda(text(sns_http(text(awslogs(json.dumps(value, indent=1))))))))) + b"\r\n"
    ),
}

# Each holds the value three times.
THRICE: dict[str, Transport] = {
    "lines": lambda value: (raw(value) + b"\n") * 3,
    "lines with CRLF, the last without": lambda value: b"\r\n".join([raw(value)] * 3),
    "concatenated": lambda value: raw(value) * 3,
    "concatenated, pretty printed": lambda value: json.dumps(value, indent=2).encode() * 3,
    "commas between": lambda value: b", ".join([raw(value)] * 3),
    "lines with commas": lambda value: b",\n".join([raw(value)] * 3),
    "pretty printed with blank lines": lambda value: b"\n\n".join([json.dumps(value, indent=4).encode()] * 3),
    "byte order marks": lambda value: (b"\xef\xbb\xbf" + raw(value) + b"\n") * 3,
    "array of three": lambda value: raw([value, value, value]),
    "pretty printed array": lambda value: json.dumps([value, value, value], indent=2).encode(),
    "gzip, a member each": lambda value: members(*[raw(value) + b"\n"] * 3),
    "sqs batch": lambda value: raw(sqs_lambda(text(value), text(sns_http(text(value))), text(text(value)))),
    "kinesis batch": lambda value: raw(kinesis_lambda(raw(value), members(raw(value)), raw(value) + b"\n")),
    "several log events": lambda value: raw(awslogs(text(value), text(value) + "\n", text(text(value)))),
    "several in one message": lambda value: raw(sns_http((text(value) + "\n") * 3)),
    "concatenated in firehose": lambda value: raw(firehose_transformation(raw(value) * 3)),
    "mixed": lambda value: raw(value) + raw(sns_http(text(value))) + b"\n" + raw([docker(text(value))]),
}

# For a finding without an envelope, in camelCase or PascalCase.
OF_FINDINGS: dict[str, Transport] = {
    "get-findings": lambda finding: raw({"Findings": [finding]}),
    "get-findings on the wire": lambda finding: raw({"findings": [finding]}),
    "get-findings with metadata": lambda finding: raw(
        {"Findings": [finding], "ResponseMetadata": {"RequestId": "r", "HTTPStatusCode": 200}}
    ),
    "get-findings in a log": lambda finding: raw(docker(text({"Findings": [finding]}))),
    "detail alone": lambda finding: raw({"detail": finding}),
    "envelope with keys missing": lambda finding: raw({"source": "aws.guardduty", "detail": finding}),
    "batch of findings": lambda finding: raw({"records": [finding]}),
}

# For an event with an envelope, which stays the same around its detail as text.
OF_ENVELOPES: dict[str, Transport] = {
    "detail as text": lambda event: raw(event | {"detail": text(event["detail"])}),
    "detail as pretty text": lambda event: raw(event | {"detail": json.dumps(event["detail"], indent=2)}),
    "detail as text in sqs": lambda event: raw(sqs_lambda(text(event | {"detail": text(event["detail"])}))),
}
