"""The resources of an attack sequence: `service.detection.sequence.resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part

BLOCKED = {
    "publicAclAccess": "BLOCKED",
    "publicPolicyAccess": "BLOCKED",
    "publicAclIgnoreBehavior": "IGNORED",
    "publicBucketRestrictBehavior": "RESTRICTED",
}


def _resource(scene: Scene, kind: str, uid: str, name: str, data: Part) -> Part:
    made: Part = {
        "uid": uid,
        "name": name,
        "accountId": scene.site.account,
        "resourceType": kind,
        "region": scene.site.region,
        "service": kind.partition("_")[0].lower(),
        "cloudPartition": scene.site.partition,
    }
    return made | data


def credentials(scene: Scene) -> list[Part]:
    """Give the access key whose credentials were misused."""
    key = scene.chance.pick(scene.site.access_keys)
    scene.words["who"] = scene.words["user"] = f"{key['userType']}/{key['userName']}"
    details = {name: key[name] for name in ("principalId", "userName", "userType")}
    uid = key["accessKeyId"]
    return [_resource(scene, "ACCESS_KEY", uid, uid, {"data": {"accessKey": details}})]


def data_store(scene: Scene) -> list[Part]:
    """Give a bucket, one of its objects and the access key that read it."""
    key = credentials(scene)
    bucket = scene.chance.pick(scene.site.buckets)
    scene.words["who"] = bucket["name"]
    name = "exports/customers.csv"
    object_uid = f"{bucket['arn']}/{name}"
    about_object = {"s3Object": {"eTag": scene.chance.hex(32), "key": name, "versionId": "null"}}
    return [
        _resource(scene, "S3_BUCKET", bucket["arn"], bucket["name"], _bucket(bucket, object_uid)),
        _resource(scene, "S3_OBJECT", object_uid, name, {"data": about_object}),
        *key,
    ]


def _bucket(bucket: Part, object_uid: str) -> Part:
    details = {
        "ownerId": bucket["owner"]["id"],
        "createdAt": bucket["createdAt"],
        "encryptionType": bucket["defaultServerSideEncryption"]["encryptionType"],
        "effectivePermission": bucket["publicAccess"]["effectivePermission"],
        "publicReadAccess": "BLOCKED",
        "publicWriteAccess": "BLOCKED",
        "accountPublicAccess": BLOCKED,
        "bucketPublicAccess": BLOCKED,
        "s3ObjectUids": [object_uid],
    }
    return {"data": {"s3Bucket": details}, "tags": bucket["tags"]}


def _instance(scene: Scene, instance: Part) -> list[Part]:
    first = instance["networkInterfaces"][0]
    uid = scene.site.arn("ec2", f"instance/{instance['instanceId']}")
    name = first["networkInterfaceId"]
    interface_uid = scene.site.arn("ec2", f"network-interface/{name}")
    details = {
        "availabilityZone": instance["availabilityZone"],
        "imageDescription": instance["imageDescription"],
        "instanceState": instance["instanceState"],
        "IamInstanceProfile": instance["iamInstanceProfile"],
        "instanceType": instance["instanceType"],
        "ec2NetworkInterfaceUids": [interface_uid],
    }
    interface = {
        "ipv6Addresses": first["ipv6Addresses"],
        "privateIpAddresses": first["privateIpAddresses"],
        "publicIp": first.get("publicIp", ""),
        "securityGroups": first["securityGroups"],
        "subNetId": first["subnetId"],
        "vpcId": first["vpcId"],
    }
    about = {"data": {"ec2Instance": details}, "tags": instance["tags"]}
    about_interface = {"data": {"ec2NetworkInterface": interface}}
    return [
        _resource(scene, "EC2_INSTANCE", uid, instance["instanceId"], about),
        _resource(scene, "EC2_NETWORK_INTERFACE", interface_uid, name, about_interface),
    ]


def instance_group(scene: Scene) -> list[Part]:
    """Give an instance and what it shares with the others of its group."""
    instance = scene.chance.pick(scene.site.instances)
    made = _instance(scene, instance)
    members = {"ec2InstanceUids": [made[0]["uid"]]}
    group = scene.site.arn("autoscaling", f"autoScalingGroup:{scene.chance.uuid()}:autoScalingGroupName/web")
    profile = instance["iamInstanceProfile"]["arn"]
    scene.words["who"] = "EC2 instance group web"
    about_group = {"data": {"autoscalingAutoScalingGroup": members}}
    about_profile = {"data": {"iamInstanceProfile": members}}
    return [
        *made,
        _resource(scene, "AUTOSCALING_AUTO_SCALING_GROUP", group, "web", about_group),
        _resource(scene, "IAM_INSTANCE_PROFILE", profile, profile.rpartition("/")[2], about_profile),
    ]


def eks(scene: Scene) -> list[Part]:
    """Give an EKS cluster, a workload, its container and the node."""
    cluster = scene.chance.pick(scene.site.eks_clusters)
    workload = scene.chance.pick(scene.site.kubernetes)["kubernetesWorkloadDetails"]
    container = workload["containers"][0]
    node = _instance(scene, scene.chance.pick(scene.site.instances))
    scene.words["who"] = f"EKS cluster {cluster['name']}"
    details = {name: cluster[name] for name in ("arn", "createdAt", "status", "vpcId")}
    about_cluster = {"data": {"eksCluster": {**details, "ec2InstanceUids": [node[0]["uid"]]}}}
    about_workload = {
        "kubernetesWorkload": {
            "type": "DEPLOYMENTS",
            "namespace": workload["namespace"],
            "containerUids": [container["id"]],
        }
    }
    return [
        _resource(scene, "EKS_CLUSTER", cluster["arn"], cluster["name"], about_cluster),
        _resource(scene, "KUBERNETES_WORKLOAD", workload["uid"], workload["name"], {"data": about_workload}),
        _container(scene, container),
        *node,
    ]


def _container(scene: Scene, container: Part) -> Part:
    details = {"image": container["image"], "imageUid": f"sha256:{scene.chance.hex(64)}"}
    return _resource(scene, "CONTAINER", container["id"], container["name"], {"data": {"container": details}})


def ecs(scene: Scene) -> list[Part]:
    """Give an ECS cluster, its task and the container."""
    cluster = scene.chance.pick(scene.site.ecs_clusters)
    task = cluster["taskDetails"]
    container = task["containers"][0]
    scene.words["who"] = f"ECS cluster {cluster['name']}"
    details = {
        "createdAt": task["createdAt"],
        "taskDefinitionArn": task["definitionArn"],
        "launchType": task["launchType"],
        "containerUids": [container["id"]],
    }
    inside = {"ecsCluster": {"status": "ACTIVE", "ec2InstanceUids": []}}
    about_cluster = {"data": inside, "tags": cluster["tags"]}
    return [
        _resource(scene, "ECS_CLUSTER", cluster["arn"], cluster["name"], about_cluster),
        _resource(scene, "ECS_TASK", task["arn"], task["group"], {"data": {"ecsTask": details}}),
        _container(scene, container),
    ]


BUILDERS: dict[str, Callable[[Scene], list[Part]]] = {
    "IAM": credentials,
    "S3": data_store,
    "EC2": instance_group,
    "EKS": eks,
    "ECS": ecs,
}
"""By the resource type of `AttackSequence:<resource type>/...`."""
