"""Which resource and which activity a finding type has: one table, the first pattern that matches."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from guardduty_lens.samples import actions, clusters, intelligence, malware, resources, runtime, sequences
from guardduty_lens.samples.scene import Scene
from guardduty_lens.samples.tables import TypeFacts, active_types, first_match, table

if TYPE_CHECKING:
    from collections.abc import Iterable

BuildResource = Callable[[Scene], dict[str, Any]]
Build = Callable[[Scene], None]
Row = tuple[str, BuildResource, Build, Build, str, float]

TARGET, ACTOR = "TARGET", "ACTOR"
INSTANCE_VOLUMES = resources.with_volumes(resources.instance)
CONTAINER_VOLUMES = resources.with_volumes(resources.container)
ECS_VOLUMES = resources.with_volumes(resources.ecs)
KUBERNETES_VOLUMES = resources.with_volumes(resources.kubernetes)

LISTED, CUSTOM = intelligence.listed, intelligence.custom
FILE, NONE = intelligence.file_hash, intelligence.none

ROWS: tuple[Row, ...] = (
    # pattern, resource, activity, evidence, resource role, how often compared with others
    ("AttackSequence:*", resources.sequence, sequences.sequence, NONE, TARGET, 0.3),
    # custom detection rules: a changed resource, or credentials alone
    ("CredentialAccess:EC2/*", resources.keyed_instance, actions.api_call, NONE, TARGET, 0.3),
    ("DefenseImpairment:EC2/*", resources.keyed_instance, actions.api_call, NONE, TARGET, 0.3),
    ("Exfiltration:EC2/*", resources.keyed_instance, actions.api_call, NONE, TARGET, 0.3),
    ("LateralMovement:EC2/*", resources.keyed_instance, actions.api_call, NONE, TARGET, 0.3),
    ("Persistence:EC2/*", resources.keyed_instance, actions.api_call, NONE, TARGET, 0.3),
    ("*:RDS/ModifyAuthenticationProcess", resources.keyed_database, actions.api_call, NONE, TARGET, 0.3),
    ("*:RDS/TransferDataToCloudAccount", resources.keyed_database, actions.api_call, NONE, TARGET, 0.3),
    ("*:RDS/ExploitPublicFacingApplication", resources.keyed_database, actions.api_call, NONE, TARGET, 0.3),
    ("DefenseImpairment:S3/*", resources.bucket, actions.api_call, NONE, TARGET, 0.3),
    ("Exfiltration:S3/TransferDataToCloudAccount", resources.bucket, actions.api_call, NONE, TARGET, 0.3),
    ("Impact:S3/DataDestruction", resources.bucket, actions.api_call, NONE, TARGET, 0.3),
    ("Persistence:Lambda/*", resources.keyed_function, actions.api_call, NONE, TARGET, 0.3),
    ("*:IAM/*", resources.access_key, actions.api_call, NONE, TARGET, 0.5),
    ("*:Organizations/*", resources.access_key, actions.api_call, NONE, TARGET, 0.3),
    ("*:Route53Resolver/*", resources.access_key, actions.api_call, NONE, TARGET, 0.3),
    ("*:RolesAnywhere/*", resources.access_key, actions.api_call, NONE, TARGET, 0.3),
    ("*:SageMaker/*", resources.access_key, actions.api_call, NONE, TARGET, 0.3),
    ("*:SES/*", resources.access_key, actions.api_call, NONE, TARGET, 0.3),
    # malware
    ("Object:S3/*", resources.s3_object, malware.object_scan, NONE, TARGET, 1),
    ("*!Snapshot", resources.snapshot, malware.backup_scan, NONE, TARGET, 0.3),
    ("*!AMI", resources.image, malware.backup_scan, NONE, TARGET, 0.3),
    ("*:EC2/*!RecoveryPoint", resources.instance_recovery_point, malware.backup_scan, NONE, TARGET, 0.3),
    ("*:S3/*!RecoveryPoint", resources.bucket_recovery_point, malware.backup_scan, NONE, TARGET, 0.3),
    ("Execution:Container/*", CONTAINER_VOLUMES, malware.volume_scan, NONE, TARGET, 0.4),
    ("Execution:ECS/*", ECS_VOLUMES, malware.volume_scan, NONE, TARGET, 0.4),
    ("Execution:Kubernetes/*File", KUBERNETES_VOLUMES, malware.volume_scan, NONE, TARGET, 0.4),
    ("Execution:EC2/*", INSTANCE_VOLUMES, malware.volume_scan, NONE, TARGET, 0.8),
    # EC2
    ("Recon:EC2/PortProbeEMR*", resources.instance, actions.port_probe, LISTED, TARGET, 4),
    ("Recon:EC2/PortProbe*", resources.instance, actions.port_probe, LISTED, TARGET, 60),
    ("Recon:EC2/Portscan", resources.instance, actions.port_scan, NONE, ACTOR, 12),
    ("Impact:EC2/WinRMBruteForce", resources.instance, actions.brute_force, NONE, TARGET, 3),
    ("*:EC2/*BruteForce", resources.instance, actions.brute_force, NONE, TARGET, 25),
    ("*:EC2/*DomainRequest.Custom", resources.instance, actions.dns, CUSTOM, ACTOR, 2),
    ("*:EC2/DNSDataExfiltration", resources.instance, actions.dns, NONE, ACTOR, 2),
    ("*:EC2/MetadataDNSRebind", resources.instance, actions.dns, NONE, TARGET, 1),
    ("*:EC2/*DomainRequest*", resources.instance, actions.dns, LISTED, ACTOR, 5),
    ("*:EC2/*!DNS", resources.instance, actions.dns, LISTED, ACTOR, 5),
    ("Behavior:EC2/*", resources.instance, actions.traffic, NONE, ACTOR, 10),
    ("*:EC2/MaliciousIPCaller.Custom", resources.instance, actions.outbound, CUSTOM, ACTOR, 6),
    ("*:EC2/DenialOfService*", resources.instance, actions.outbound, NONE, ACTOR, 1),
    ("*:EC2/*", resources.instance, actions.outbound, LISTED, ACTOR, 3),
    # IAM
    ("*InstanceCredentialExfiltration*", resources.instance_key, actions.api_call, NONE, TARGET, 3),
    ("Policy:IAMUser/*", resources.root_key, actions.api_call, NONE, TARGET, 15),
    ("Impact:IAMUser/AnomalousModelInvocation", resources.model, actions.unusual_api_call, NONE, TARGET, 1),
    ("Impact:IAMUser/CostHarvesting", resources.model, actions.api_call, NONE, TARGET, 1),
    ("Impact:IAMUser/PromptInjection*", resources.model, actions.api_call, NONE, TARGET, 1),
    ("*:IAMUser/AnomalousBehavior", resources.access_key, actions.unusual_api_call, NONE, TARGET, 18),
    ("*:IAMUser/MaliciousIPCaller.Custom", resources.access_key, actions.api_call, CUSTOM, TARGET, 3),
    ("*:IAMUser/MaliciousIPCaller", resources.access_key, actions.api_call, LISTED, TARGET, 5),
    ("*:IAMUser/TorIPCaller", resources.access_key, actions.api_call, LISTED, TARGET, 4),
    ("*:IAMUser/*", resources.access_key, actions.api_call, NONE, TARGET, 3),
    # S3
    ("*:S3/AnomalousBehavior*", resources.bucket, actions.unusual_api_call, NONE, TARGET, 6),
    ("*:S3/MaliciousIPCaller.Custom", resources.bucket, actions.api_call, CUSTOM, TARGET, 1),
    ("*:S3/MaliciousIPCaller", resources.bucket, actions.api_call, LISTED, TARGET, 2),
    ("*:S3/TorIPCaller", resources.bucket, actions.api_call, LISTED, TARGET, 2),
    ("*:S3/*", resources.bucket, actions.api_call, NONE, TARGET, 3),
    # EKS, Lambda, RDS
    ("*:Kubernetes/*IPCaller.Custom", resources.kubernetes, clusters.kubernetes_call, CUSTOM, TARGET, 1),
    ("*:Kubernetes/*IPCaller", resources.kubernetes, clusters.kubernetes_call, LISTED, TARGET, 2),
    ("*:Kubernetes/*", resources.kubernetes, clusters.kubernetes_call, NONE, TARGET, 3),
    ("*:Lambda/*.Custom", resources.function, actions.outbound, CUSTOM, ACTOR, 1),
    ("*:Lambda/*", resources.function, actions.outbound, LISTED, ACTOR, 1),
    ("*:RDS/AnomalousBehavior*", resources.database, actions.database_login, NONE, TARGET, 5),
    ("*:RDS/*", resources.database, actions.database_login, LISTED, TARGET, 2),
    # Runtime Monitoring
    ("*:Runtime/MaliciousFileExecuted*", resources.workload, runtime.behaviour, FILE, TARGET, 1),
    ("*:Runtime/*!DNS", resources.workload, runtime.query, LISTED, ACTOR, 1.5),
    ("*:Runtime/*DomainRequest*", resources.workload, runtime.query, LISTED, ACTOR, 1.5),
    ("*:Runtime/MetadataDNSRebind", resources.workload, runtime.query, NONE, TARGET, 0.5),
    ("*:Runtime/*BitcoinTool.B", resources.workload, runtime.connection, LISTED, ACTOR, 2),
    ("*:Runtime/C&CActivity.B", resources.workload, runtime.connection, LISTED, ACTOR, 1),
    ("Trojan:Runtime/*", resources.workload, runtime.connection, LISTED, ACTOR, 1),
    ("*:Runtime/Tor*", resources.workload, runtime.connection, LISTED, ACTOR, 1),
    ("*:Runtime/*", resources.workload, runtime.behaviour, NONE, TARGET, 2),
)


class Plan(NamedTuple):
    """How findings of one type are built."""

    facts: TypeFacts
    build_resource: BuildResource
    build_activity: Build
    build_evidence: Build
    role: str
    weight: float
    title: str
    description: str


def _plan(facts: TypeFacts) -> Plan:
    rows: Iterable[Any] = ROWS
    _, resource, activity, evidence, role, weight = first_match(rows, facts.name)
    _, title, description = first_match(table("texts")["texts"], facts.name)
    return Plan(facts, resource, activity, evidence, role, weight, title, description)


@cache
def plans() -> tuple[Plan, ...]:
    """Give the plans of all active types, in AWS's order."""
    return tuple(_plan(facts) for facts in active_types())


SLOTS = 8192


@cache
def weighted_plans() -> tuple[Plan, ...]:
    """Give the plans, each as often as its weight says; every one at least once."""
    total = sum(plan.weight for plan in plans())
    return tuple(plan for plan in plans() for _ in range(max(1, round(SLOTS * plan.weight / total))))
