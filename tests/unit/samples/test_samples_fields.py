"""The samples feed every field of the catalogue; the paths here are written by hand, on purpose."""

import json
import re

import pytest

from guardduty_lens.samples import generate_findings

ACTION = "service.action"
REMOTES = [
    f"{ACTION}.networkConnectionAction.remoteIpDetails",
    f"{ACTION}.awsApiCallAction.remoteIpDetails",
    f"{ACTION}.portProbeAction.portProbeDetails[*].remoteIpDetails",
    f"{ACTION}.kubernetesApiCallAction.remoteIpDetails",
    f"{ACTION}.rdsLoginAttemptAction.remoteIpDetails",
]
SEQUENCE = "service.detection.sequence"
INTERFACES = "resource.instanceDetails.networkInterfaces[*]"
WORKLOAD = "resource.kubernetesDetails.kubernetesWorkloadDetails"


def remote(rest):
    return [f"{path}.{rest}" for path in REMOTES]


# one row a field of the catalogue; every path of a row must occur, not just one
PATHS = {
    "finding_type": ["type"],
    "severity_score": ["severity"],
    "finding_id": ["id"],
    "finding_arn": ["arn"],
    "title": ["title"],
    "account_id": ["accountId"],
    "finding_region": ["region"],
    "detector_id": ["service.detectorId"],
    "feature_name": ["service.featureName"],
    "console_url": ["partition"],
    "created_at": ["createdAt"],
    "updated_at": ["updatedAt"],
    "first_seen": ["service.eventFirstSeen"],
    "eventLastSeen": ["service.eventLastSeen"],
    "event_count": ["service.count"],
    "is_archived": ["service.archived"],
    "is_sample": ["service.additionalInfo.sample", "service.additionalInfo.value"],
    "resource_type": ["resource.resourceType"],
    "resource_role": ["service.resourceRole"],
    "resource_id": [
        "resource.instanceDetails.instanceId",
        "resource.s3BucketDetails[*].arn",
        "resource.eksClusterDetails.arn",
        "resource.ecsClusterDetails.arn",
        "resource.lambdaDetails.functionArn",
        "resource.rdsDbInstanceDetails.dbInstanceArn",
        "resource.rdsLimitlessDbDetails.dbShardGroupArn",
        "resource.ebsSnapshotDetails.snapshotArn",
        "resource.ec2ImageDetails.imageArn",
        "resource.recoveryPointDetails.recoveryPointArn",
        "resource.containerDetails.id",
        "resource.accessKeyDetails.accessKeyId",
        f"{SEQUENCE}.resources[*].uid",
    ],
    "resource_name": [
        "resource.s3BucketDetails[*].name",
        "resource.eksClusterDetails.name",
        "resource.ecsClusterDetails.name",
        "resource.lambdaDetails.functionName",
        "resource.rdsDbInstanceDetails.dbInstanceIdentifier",
        "resource.rdsLimitlessDbDetails.dbShardGroupIdentifier",
        "resource.containerDetails.name",
        "resource.accessKeyDetails.userName",
    ],
    "resource_tags": [
        "resource.instanceDetails.tags[*].key",
        "resource.s3BucketDetails[*].tags[*].key",
        "resource.eksClusterDetails.tags[*].key",
        "resource.ecsClusterDetails.tags[*].key",
        "resource.ecsClusterDetails.taskDetails.tags[*].key",
        "resource.lambdaDetails.tags[*].key",
        "resource.rdsDbInstanceDetails.tags[*].key",
        "resource.rdsLimitlessDbDetails.tags[*].key",
    ],
    "instance_id": ["resource.instanceDetails.instanceId"],
    "instance_type": ["resource.instanceDetails.instanceType"],
    "image_id": ["resource.instanceDetails.imageId"],
    "vpc_ids": [
        f"{INTERFACES}.vpcId",
        "resource.eksClusterDetails.vpcId",
        "resource.lambdaDetails.vpcConfig.vpcId",
    ],
    "subnet_ids": [f"{INTERFACES}.subnetId", "resource.lambdaDetails.vpcConfig.subnetIds[*]"],
    "security_group_names": [
        f"{INTERFACES}.securityGroups[*].groupName",
        "resource.lambdaDetails.vpcConfig.securityGroups[*].groupName",
    ],
    "security_group_ids": [
        f"{INTERFACES}.securityGroups[*].groupId",
        "resource.lambdaDetails.vpcConfig.securityGroups[*].groupId",
    ],
    "public_ips": [f"{INTERFACES}.publicIp"],
    "private_ips": [f"{INTERFACES}.privateIpAddress"],
    "bucket_names": ["resource.s3BucketDetails[*].name"],
    "bucket_permissions": ["resource.s3BucketDetails[*].publicAccess.effectivePermission"],
    "object_keys": ["resource.s3BucketDetails[*].s3ObjectDetails[*].key"],
    "db_engine": ["resource.rdsDbInstanceDetails.engine", "resource.rdsLimitlessDbDetails.engine"],
    "db_users": ["resource.rdsDbUserDetails.user", f"{ACTION}.rdsLoginAttemptAction.LoginAttributes[*].user"],
    "volume_arns": ["resource.ebsVolumeDetails.scannedVolumeDetails[*].volumeArn"],
    "user_name": ["resource.accessKeyDetails.userName"],
    "user_type": ["resource.accessKeyDetails.userType"],
    "principal_id": ["resource.accessKeyDetails.principalId"],
    "access_key_id": ["resource.accessKeyDetails.accessKeyId"],
    "api_names": [f"{ACTION}.awsApiCallAction.api", f"{ACTION}.kubernetesApiCallAction.verb"],
    "api_services": [f"{ACTION}.awsApiCallAction.serviceName"],
    "api_error_codes": [f"{ACTION}.awsApiCallAction.errorCode"],
    "user_agents": [f"{ACTION}.awsApiCallAction.userAgent", f"{ACTION}.kubernetesApiCallAction.userAgent"],
    "remote_account_ids": [f"{ACTION}.awsApiCallAction.remoteAccountDetails.accountId"],
    "action_type": [f"{ACTION}.actionType"],
    "action_blocked": [
        f"{ACTION}.networkConnectionAction.blocked",
        f"{ACTION}.portProbeAction.blocked",
        f"{ACTION}.dnsRequestAction.blocked",
    ],
    "connection_direction": [f"{ACTION}.networkConnectionAction.connectionDirection"],
    "network_protocols": [
        f"{ACTION}.networkConnectionAction.protocol",
        f"{ACTION}.dnsRequestAction.protocol",
    ],
    "remote_ips": [*remote("ipAddressV4"), *remote("ipAddressV6"), f"{SEQUENCE}.endpoints[*].ip"],
    "remote_countries": [*remote("country.countryName"), f"{SEQUENCE}.endpoints[*].location.country"],
    "remote_country_codes": remote("country.countryCode"),
    "remote_cities": [*remote("city.cityName"), f"{SEQUENCE}.endpoints[*].location.city"],
    "remote_asns": [*remote("organization.asn"), f"{SEQUENCE}.endpoints[*].autonomousSystem.number"],
    "remote_organizations": [
        *remote("organization.asnOrg"),
        f"{SEQUENCE}.endpoints[*].autonomousSystem.name",
    ],
    "remote_locations": [*remote("geoLocation.lat"), f"{SEQUENCE}.endpoints[*].location.lon"],
    "remote_ports": [
        f"{ACTION}.networkConnectionAction.remotePortDetails.port",
        f"{SEQUENCE}.endpoints[*].port",
    ],
    "local_ports": [
        f"{ACTION}.networkConnectionAction.localPortDetails.port",
        f"{ACTION}.portProbeAction.portProbeDetails[*].localPortDetails.port",
    ],
    "local_ips": [
        f"{ACTION}.networkConnectionAction.localIpDetails.ipAddressV4",
        f"{ACTION}.portProbeAction.portProbeDetails[*].localIpDetails.ipAddressV4",
    ],
    "domains": [
        f"{ACTION}.dnsRequestAction.domain",
        f"{ACTION}.awsApiCallAction.domainDetails.domain",
        f"{SEQUENCE}.endpoints[*].domain",
    ],
    "intel_list_names": ["service.evidence.threatIntelligenceDetails[*].threatListName"],
    "intel_threat_names": ["service.evidence.threatIntelligenceDetails[*].threatNames[*]"],
    "process_names": [
        "service.runtimeDetails.process.name",
        "service.runtimeDetails.context.modifyingProcess.name",
        f"{SEQUENCE}.actors[*].process.name",
    ],
    "process_paths": [
        "service.runtimeDetails.process.executablePath",
        "service.runtimeDetails.context.modifyingProcess.executablePath",
        f"{SEQUENCE}.actors[*].process.path",
    ],
    "process_users": [
        "service.runtimeDetails.process.user",
        "service.runtimeDetails.context.modifyingProcess.user",
    ],
    "file_hashes": [
        "service.runtimeDetails.process.executableSha256",
        "service.evidence.threatIntelligenceDetails[*].threatFileSha256",
        "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[*].filePaths[*].hash",
        "service.malwareScanDetails.threats[*].itemPaths[*].hash",
        "service.malwareScanDetails.threats[*].hash",
        "service.malwareScanDetails.threats[*].itemDetails[*].hash",
        "resource.s3BucketDetails[*].s3ObjectDetails[*].hash",
    ],
    "malware_names": [
        "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[*].name",
        "service.malwareScanDetails.threats[*].name",
    ],
    "malware_paths": [
        "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[*].filePaths[*].filePath",
        "service.malwareScanDetails.threats[*].itemPaths[*].nestedItemPath",
        "service.malwareScanDetails.threats[*].itemDetails[*].itemPath",
    ],
    "container_names": [
        "resource.containerDetails.name",
        f"{WORKLOAD}.containers[*].name",
        "resource.ecsClusterDetails.taskDetails.containers[*].name",
    ],
    "container_images": [
        "resource.containerDetails.image",
        f"{WORKLOAD}.containers[*].image",
        "resource.ecsClusterDetails.taskDetails.containers[*].image",
        f"{SEQUENCE}.resources[*].data.container.image",
    ],
    "kubernetes_cluster": ["resource.eksClusterDetails.name"],
    "kubernetes_namespace": [f"{WORKLOAD}.namespace", f"{ACTION}.kubernetesApiCallAction.namespace"],
    "kubernetes_workload": [f"{WORKLOAD}.name"],
    "kubernetes_user": ["resource.kubernetesDetails.kubernetesUserDetails.username"],
    "ecs_cluster": ["resource.ecsClusterDetails.name"],
    "ecs_task": ["resource.ecsClusterDetails.taskDetails.arn"],
    "model_ids": ["resource.modelDetails[*].modelId"],
    "sequence_uid": [f"{SEQUENCE}.uid"],
    "sequence_signals": [f"{SEQUENCE}.signals[*].name"],
    "sequence_indicators": [f"{SEQUENCE}.sequenceIndicators[*].key"],
    "sequence_actors": [f"{SEQUENCE}.actors[*].user.name", f"{SEQUENCE}.actors[*].process.name"],
    "sequence_resources": [f"{SEQUENCE}.resources[*].uid"],
    "custom_rule": ["customDetectionRuleName"],
    "linked_findings": [f"{SEQUENCE}.signals[*].uid", "associatedAttackSequenceArn"],
}
ONE_OF_THE_TYPE = re.compile(
    r"(?P<purpose>\w+):(?P<resource>\w+)/(?P<family>[^.!]+)(?:\.(?P<variant>[^!]+))?(?:!(?P<artifact>.+))?"
)


def collect(value, path, found):
    """Note every path that has a value: no null, no empty text, list or object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            collect(inner, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        for inner in value:
            collect(inner, f"{path}[*]", found)
    elif value not in (None, ""):
        found.add(path)


@pytest.fixture(scope="module")
def findings():
    return list(generate_findings(2000, 42))


@pytest.fixture(scope="module")
def occurring(findings):
    found = set()
    for finding in findings:
        collect(finding, "", found)
    return found


@pytest.mark.parametrize("field", PATHS)
def test_every_source_of_a_field_occurs(field, occurring):
    assert [path for path in PATHS[field] if path not in occurring] == []


def test_parts_of_the_type_occur(findings):
    matches = [ONE_OF_THE_TYPE.fullmatch(finding["type"]) for finding in findings]
    for part in ("purpose", "resource", "family", "variant", "artifact"):
        assert any(match[part] for match in matches)


def test_attack_tactics_and_techniques_occur(findings):
    sequences = [finding["service"].get("detection", {}).get("sequence") for finding in findings]
    values = {"ATTACK_TACTIC": set(), "ATTACK_TECHNIQUE": set()}
    keys = set()
    for sequence in filter(None, sequences):
        for indicator in sequence["sequenceIndicators"]:
            keys.add(indicator["key"])
            values.get(indicator["key"], set()).update(indicator["values"])
    assert "Defense Evasion" in values["ATTACK_TACTIC"]
    assert any(re.fullmatch(r"T\d{4}(\.\d{3})? - .+", value) for value in values["ATTACK_TECHNIQUE"])
    assert keys > set(values)


def test_samples_are_marked_in_both_places(findings):
    marked = [
        f["service"]["additionalInfo"] for f in findings if f["service"]["additionalInfo"].get("sample")
    ]
    assert marked
    assert all(json.loads(info["value"])["sample"] is True for info in marked)
