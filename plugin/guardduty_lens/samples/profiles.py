"""What the anomaly models say: in `additionalInfo` for IAM and S3, in `service.detection` elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part


def api_profile(scene: Scene) -> dict[str, Any]:
    """Give the free keys of an anomalous API call: texts that join names by ` , `."""
    chance = scene.chance
    api = scene.words["api"]
    agent = chance.pick(words("user_agents"))
    service = scene.service["action"]["awsApiCallAction"]["serviceName"]
    number, holder = chance.pick(words("organizations"))[:2]
    network = f"asnNumber: {number} asnOrg: {holder}"
    user = scene.words["user"].rpartition(" ")[2]
    return {
        "userAgent": {"fullUserAgent": agent, "userAgentCategory": agent.partition("/")[0]},
        "anomalies": {"anomalousAPIs": f"{service}:[{api}:success]"},
        "profiledBehavior": {
            "rareProfiledAPIsAccountProfiling": f"{api} , GetCallerIdentity",
            "frequentProfiledAPIsAccountProfiling": "DescribeInstances , AssumeRole , PutObject",
            "frequentProfiledUserNamesAccountProfiling": "deploy-bot , terraform-ci",
            "rareProfiledASNsUserIdentityProfiling": network,
            "infrequentProfiledUserAgentsAccountProfiling": agent,
            "infrequentProfiledUserNamesAccountProfiling": "",
            "infrequentProfiledAPIsUserIdentityProfiling": "ListBuckets , GetBucketLocation",
            "frequentProfiledAPIsUserIdentityProfiling": "PutMetricData",
            "frequentProfiledASNsAccountProfiling": "asnNumber: 64499 asnOrg: EXAMPLE-CLOUD",
            "frequentProfiledUserTypesAccountProfiling": "ASSUMED_ROLE , IAM_USER",
        },
        "unusualBehavior": {
            "unusualAPIsUserIdentityProfiling": api,
            "unusualASNsAccountProfiling": network,
            "unusualUserNamesAccountProfiling": user,
            "unusualUserAgentsUserIdentityProfiling": agent,
            "unusualUserTypesAccountProfiling": "",
            "isUnusualUserIdentity": "false",
        },
    }


def anomaly(scene: Scene, feature: str, text: str) -> Part:
    """Give `detection.anomaly`: profiles, and what of the behaviour was unusual."""
    country = scene.chance.pick(words("places"))[0]
    unseen = {"profileType": "FREQUENCY", "profileSubtype": "UNSEEN", "observations": {"text": [text]}}
    usual = {"profileType": "FREQUENCY", "profileSubtype": "FREQUENT", "observations": {"text": [country]}}
    volume = {"profileType": "VOLUME", "profileSubtype": "AVERAGE", "observations": {"number": [12, 340]}}
    return {
        "profiles": {"account": {feature: [usual, volume]}},
        "unusual": {"behavior": {"account": {feature: unseen}}},
    }
