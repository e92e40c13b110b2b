"""Containers, Kubernetes and ECS workloads and Lambda functions, as `resource` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardduty_lens.samples.instances import security_groups
from guardduty_lens.samples.site import Part, Site, tags
from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance

CREATED_EARLIEST = 1_700_000_000_000
CREATED_LATEST = 1_767_000_000_000


def created(chance: Chance) -> float:
    """Give a time of creation in seconds since 1970, with milliseconds, as GuardDuty writes such times."""
    return chance.between(CREATED_EARLIEST, CREATED_LATEST) / 1000


def container(chance: Chance) -> Part:
    """Give a container with its image and mounts."""
    name, image, prefix = chance.pick(words("containers"))
    return {
        "containerRuntime": chance.pick(("containerd", "docker")),
        "id": chance.hex(64),
        "name": name,
        "image": image,
        "imagePrefix": prefix,
        "volumeMounts": [{"name": "data", "mountPath": chance.pick(("/data", "/var/log", "/host"))}],
        "securityContext": {"privileged": chance.likely(0.2), "allowPrivilegeEscalation": chance.likely(0.3)},
    }


def eks_cluster(chance: Chance, site: Site, index: int) -> Part:
    """Give an EKS cluster."""
    name = f"{chance.pick(words('teams'))}-{chance.pick(words('environments'))}-{index}"
    return {
        "name": name,
        "arn": site.arn("eks", f"cluster/{name}"),
        "vpcId": f"vpc-0{chance.hex(16)}",
        "status": "ACTIVE",
        "tags": tags(chance, name),
        "createdAt": created(chance),
    }


def kubernetes(chance: Chance) -> Part:
    """Give `kubernetesDetails`: a user and a workload."""
    return {"kubernetesUserDetails": _kubernetes_user(chance), "kubernetesWorkloadDetails": _workload(chance)}


def _kubernetes_user(chance: Chance) -> Part:
    name, groups = chance.pick(words("kubernetes_users"))
    made: Part = {"username": name, "uid": chance.uuid(), "groups": groups}
    if chance.likely(0.2):
        made["sessionName"] = [chance.pick(words("people"))]
    if chance.likely(0.1):
        made["impersonatedUser"] = {"username": "system:admin", "groups": ["system:masters"]}
    return made


def _workload(chance: Chance) -> Part:
    host_path = chance.pick(("/", "/var/log", "/var/run/docker.sock", "/etc/kubernetes"))
    inside = container(chance)
    return {
        "name": f"{inside['name']}-{chance.hex(8)}",
        "type": chance.pick(words("workload_types")),
        "uid": chance.uuid(),
        "namespace": chance.pick(words("namespaces")),
        "hostNetwork": chance.likely(0.2),
        "hostIPC": False,
        "hostPID": chance.likely(0.1),
        "serviceAccountName": chance.pick(("default", "deployer", "metrics-reader")),
        "containers": [inside],
        "volumes": [{"name": "data", "hostPath": {"path": host_path}}],
    }


def ecs_cluster(chance: Chance, site: Site, index: int) -> Part:
    """Give an ECS cluster with the task a finding is about."""
    name = f"{chance.pick(words('applications'))}-cluster-{index}"
    return {
        "name": name,
        "arn": site.arn("ecs", f"cluster/{name}"),
        "status": "ACTIVE",
        "activeServicesCount": chance.between(1, 9),
        "registeredContainerInstancesCount": chance.between(0, 6),
        "runningTasksCount": chance.between(1, 24),
        "tags": tags(chance, name),
        "taskDetails": _task(chance, site, name),
    }


def _task(chance: Chance, site: Site, cluster: str) -> Part:
    family = chance.pick(words("applications"))
    started = created(chance)
    return {
        "arn": site.arn("ecs", f"task/{cluster}/{chance.hex(32)}"),
        "definitionArn": site.arn("ecs", f"task-definition/{family}:{chance.between(1, 60)}"),
        "version": str(chance.between(1, 9)),
        "createdAt": started,
        "startedAt": round(started + 12.5, 3),
        "startedBy": f"ecs-svc/{chance.between(10**17, 10**18)}",
        "tags": tags(chance, family),
        "volumes": [{"name": "scratch", "hostPath": {"path": "/mnt/scratch"}}],
        "containers": [container(chance)],
        "group": f"service:{family}",
        "launchType": chance.pick(("FARGATE", "EC2")),
    }


def function(chance: Chance, site: Site, index: int) -> Part:
    """Give a Lambda function, half of them in a VPC."""
    name = f"{chance.pick(words('applications'))}-handler-{index}"
    made: Part = {
        "functionArn": site.arn("lambda", f"function:{name}"),
        "functionName": name,
        "description": "Handles events of the order queue",
        "lastModifiedAt": created(chance),
        "revisionId": chance.uuid(),
        "functionVersion": "$LATEST",
        "role": site.iam_arn("role/LambdaExecution"),
        "tags": tags(chance, name),
    }
    if chance.likely(0.5):
        made["vpcConfig"] = {
            "subnetIds": [f"subnet-0{chance.hex(16)}", f"subnet-0{chance.hex(16)}"],
            "vpcId": f"vpc-0{chance.hex(16)}",
            "securityGroups": security_groups(chance),
        }
    return made
