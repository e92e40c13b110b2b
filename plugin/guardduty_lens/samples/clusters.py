"""`service.action` of EKS audit log findings."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from guardduty_lens.samples import profiles
from guardduty_lens.samples.tables import first_match, table, words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part

Request = tuple[str, str, str, int]

BINDINGS = ("RoleBindingCreated", "AdminAccessToDefaultServiceAccount", "AnonymousAccessGranted")
"""Ends of the types that are about a new role binding."""


@cache
def _request(finding_type: str) -> Request:
    _, verb, resource, subresource, status = first_match(table("apis")["kubernetes"], finding_type)
    return verb, resource, subresource, status


def kubernetes_call(scene: Scene) -> None:
    """Call the Kubernetes API."""
    verb, resource, subresource, status = _request(scene.facts.name)
    workload = scene.resource["kubernetesDetails"]["kubernetesWorkloadDetails"]
    remote = scene.remote()
    namespace = "kube-system" if scene.facts.name.endswith("KubeSystemPod") else workload["namespace"]
    path = f"/api/v1/namespaces/{namespace}/{resource}"
    action: Part = {
        "requestUri": f"{path}/{workload['name']}/{subresource}" if subresource else path,
        "verb": verb,
        "resource": resource,
        "namespace": namespace,
        "resourceName": workload["name"],
        "sourceIPs": [remote["ipAddressV4"]],
        "userAgent": scene.chance.pick(words("kubernetes_agents")),
        "remoteIpDetails": remote,
        "statusCode": status,
    }
    if subresource:
        action["subresource"] = subresource
        action["parameters"] = "container=web&stdin=true&tty=true"
    scene.words["api"] = f"{verb} {resource}"
    scene.act("KUBERNETES_API_CALL", "kubernetesApiCallAction", action)
    _say_what_changed(scene, namespace)
    if "AnomalousBehavior" in scene.facts.name:
        scene.service["detection"] = {"anomaly": profiles.anomaly(scene, "UserAgent", action["userAgent"])}


def _say_what_changed(scene: Scene, namespace: str) -> None:
    action = scene.service["action"]
    name, chance = scene.facts.name, scene.chance
    if name.endswith("PermissionChecked"):
        checked = {"verb": "list", "resource": "secrets", "namespace": namespace}
        action["kubernetesPermissionCheckedDetails"] = {**checked, "allowed": chance.likely(0.5)}
    elif name.endswith("RoleCreated"):
        role = {"kind": "ClusterRole", "name": "cluster-reader", "uid": chance.uuid()}
        action["kubernetesRoleDetails"] = role
    elif name.endswith(BINDINGS):
        binding = {"kind": "ClusterRoleBinding", "name": "default-admin", "uid": chance.uuid()}
        role = {"roleRefName": "cluster-admin", "roleRefKind": "ClusterRole"}
        action["kubernetesRoleBindingDetails"] = {**binding, **role}
