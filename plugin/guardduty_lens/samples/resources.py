"""The `resource` of a finding, by kind of resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardduty_lens.samples import stores
from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part


ANONYMOUS = {"username": "system:anonymous", "groups": ["system:unauthenticated"]}


def instance(scene: Scene) -> Part:
    """Give an EC2 instance."""
    details = scene.chance.pick(scene.site.instances)
    scene.words["who"] = details["instanceId"]
    return {"resourceType": "Instance", "instanceDetails": details}


def access_key(scene: Scene) -> Part:
    """Give credentials."""
    details = scene.chance.pick(scene.site.access_keys)
    user = f"{details['userType']} : {details['userName']}"
    scene.words["user"] = user
    scene.words["who"] = user
    return {"resourceType": "AccessKey", "accessKeyDetails": details}


def root_key(scene: Scene) -> Part:
    """Give credentials of the root user."""
    scene.words["user"] = scene.words["who"] = "Root"
    return {"resourceType": "AccessKey", "accessKeyDetails": scene.site.root_keys[0]}


def instance_key(scene: Scene) -> Part:
    """Give credentials of an instance's role, with the instance."""
    made = access_key(scene)
    made["instanceDetails"] = scene.chance.pick(scene.site.instances)
    return made


def keyed_instance(scene: Scene) -> Part:
    """Give an instance and the credentials that changed it."""
    return access_key(scene) | instance(scene)


def model(scene: Scene) -> Part:
    """Give credentials, the models they invoked and the guardrail that looked on."""
    made = access_key(scene)
    guardrail = scene.site.arn("bedrock", f"guardrail/{scene.site.detector_id[:12]}")
    made["modelDetails"] = [{"modelId": scene.chance.pick(words("models"))}]
    made["bedrockGuardrailDetails"] = {
        "guardrailArn": guardrail,
        "guardrailVersion": "3",
        "guardrails": [{"arn": guardrail, "version": "3"}],
        "guardrailAction": scene.chance.pick(("GUARDRAIL_INTERVENED", "NONE")),
        "guardrailSource": "INPUT",
        "contentPolicyFilters": [{"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": "BLOCKED"}],
    }
    return made


def bucket(scene: Scene) -> Part:
    """Give one or two buckets and the credentials that used them."""
    details = scene.chance.pick(scene.site.buckets)
    buckets = [details]
    if scene.chance.likely(0.1):
        buckets.append(scene.chance.pick(scene.site.buckets))
    made = access_key(scene)
    made["resourceType"] = "S3Bucket"
    made["s3BucketDetails"] = buckets
    scene.words["who"] = scene.words["bucket"] = details["name"]
    return made


def s3_object(scene: Scene) -> Part:
    """Give a bucket with a malicious object."""
    details = scene.chance.pick(scene.site.buckets)
    scene.words["who"] = details["name"]
    objects = [stores.s3_object(scene.chance, details["arn"])]
    return {"resourceType": "S3Object", "s3BucketDetails": [{**details, "s3ObjectDetails": objects}]}


def kubernetes(scene: Scene) -> Part:
    """Give an EKS cluster with a Kubernetes user and workload."""
    cluster = scene.chance.pick(scene.site.eks_clusters)
    inside = scene.chance.pick(scene.site.kubernetes)
    if "Anonymous" in scene.facts.name:
        inside = {**inside, "kubernetesUserDetails": ANONYMOUS}
    scene.words["who"] = cluster["name"]
    scene.words["user"] = inside["kubernetesUserDetails"]["username"]
    return {"resourceType": "EKSCluster", "eksClusterDetails": cluster, "kubernetesDetails": inside}


def ecs(scene: Scene) -> Part:
    """Give an ECS cluster with its task, on an instance half of the time."""
    cluster = scene.chance.pick(scene.site.ecs_clusters)
    scene.words["who"] = cluster["name"]
    made = {"resourceType": "ECSCluster", "ecsClusterDetails": cluster}
    if scene.chance.likely(0.5):
        made["instanceDetails"] = scene.chance.pick(scene.site.instances)
    return made


def container(scene: Scene) -> Part:
    """Give a container on an instance."""
    details = scene.chance.pick(scene.site.containers)
    scene.words["who"] = details["name"]
    return {
        "resourceType": "Container",
        "containerDetails": details,
        "instanceDetails": scene.chance.pick(scene.site.instances),
    }


def workload(scene: Scene) -> Part:
    """Give what Runtime Monitoring watches: an instance, EKS, ECS or a container."""
    return scene.chance.pick((instance, instance, kubernetes, kubernetes, ecs, container))(scene)


def function(scene: Scene) -> Part:
    """Give a Lambda function."""
    details = scene.chance.pick(scene.site.functions)
    scene.words["who"] = details["functionName"]
    return {"resourceType": "Lambda", "lambdaDetails": details}


def keyed_function(scene: Scene) -> Part:
    """Give a Lambda function and the credentials that changed it."""
    return access_key(scene) | function(scene)


def database(scene: Scene) -> Part:
    """Give a database and the user of the login; one in six is Aurora Limitless."""
    user = stores.database_user(scene.chance)
    scene.words["user"] = user["user"]
    if scene.chance.likely(1 / 6):
        shards = scene.chance.pick(scene.site.limitless)
        scene.words["who"] = shards["dbShardGroupIdentifier"]
        return {"resourceType": "RDSLimitlessDB", "rdsLimitlessDbDetails": shards, "rdsDbUserDetails": user}
    details = scene.chance.pick(scene.site.databases)
    scene.words["who"] = details["dbInstanceIdentifier"]
    return {"resourceType": "RDSDBInstance", "rdsDbInstanceDetails": details, "rdsDbUserDetails": user}


def keyed_database(scene: Scene) -> Part:
    """Give a database and the credentials that changed it."""
    made = access_key(scene)
    details = scene.chance.pick(scene.site.databases)
    scene.words["who"] = details["dbInstanceIdentifier"]
    return made | {"resourceType": "RDSDBInstance", "rdsDbInstanceDetails": details}


def with_volumes(build: Callable[[Scene], Part]) -> Callable[[Scene], Part]:
    """Add the scanned EBS volumes to what a builder gives."""

    def build_with_volumes(scene: Scene) -> Part:
        made = build(scene)
        made["ebsVolumeDetails"] = {
            "scannedVolumeDetails": [_volume(scene, "/dev/xvda")],
            "skippedVolumeDetails": [_volume(scene, "/dev/sdf")] if scene.chance.likely(0.3) else [],
        }
        return made

    return build_with_volumes


def _volume(scene: Scene, device: str) -> Part:
    chance, site = scene.chance, scene.site
    return {
        "volumeArn": site.arn("ec2", f"volume/vol-0{chance.hex(16)}"),
        "volumeType": chance.pick(("gp3", "gp2", "io1")),
        "deviceName": device,
        "volumeSizeInGB": chance.pick((8, 30, 100, 500)),
        "encryptionType": chance.pick(("UNENCRYPTED", "EBS_CMK", "EBS_AWS_MANAGED_KEY")),
        "snapshotArn": site.arn("ec2", f"snapshot/snap-0{chance.hex(16)}"),
        "kmsKeyArn": site.arn("kms", f"key/{chance.uuid()}"),
    }


def snapshot(scene: Scene) -> Part:
    """Give an EBS snapshot."""
    arn = scene.site.arn("ec2", f"snapshot/snap-0{scene.chance.hex(16)}")
    scene.words["who"] = arn
    return {"resourceType": "EBSSnapshot", "ebsSnapshotDetails": {"snapshotArn": arn}}


def image(scene: Scene) -> Part:
    """Give a machine image."""
    arn = scene.site.arn("ec2", f"image/ami-0{scene.chance.hex(16)}")
    scene.words["who"] = arn
    return {"resourceType": "EC2Image", "ec2ImageDetails": {"imageArn": arn}}


def instance_recovery_point(scene: Scene) -> Part:
    """Give a recovery point of AWS Backup that holds an instance."""
    return _recovery_point(scene, "EC2RecoveryPoint")


def bucket_recovery_point(scene: Scene) -> Part:
    """Give a recovery point of AWS Backup that holds a bucket, continuously backed up."""
    made = _recovery_point(scene, "S3RecoveryPoint")
    span = {"startTime": scene.seconds(before=86_400), "endTime": scene.seconds(before=600)}
    made["recoveryPointDetails"]["continuousScanDetails"] = span
    return made


def _recovery_point(scene: Scene, kind: str) -> Part:
    arn = scene.site.arn("backup", f"recovery-point:{scene.chance.uuid()}")
    scene.words["who"] = arn
    details = {"recoveryPointArn": arn, "backupVaultName": "Default"}
    return {"resourceType": kind, "recoveryPointDetails": details}


def sequence(_scene: Scene) -> Part:
    """Say that the resources are those of the attack sequence."""
    return {"resourceType": "AttackSequence"}
