"""S3 buckets, databases and access keys, as `resource` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardduty_lens.samples.site import Part, Site, tags
from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance

BUCKET_EARLIEST = 1_560_000_000_000
BUCKET_LATEST = 1_760_000_000_000


def access_key(chance: Chance) -> Part:
    """Give the credentials of a user or of an assumed role."""
    if chance.likely(0.55):
        return {
            "accessKeyId": f"AKIA{chance.letters(9)}EXAMPLE",
            "principalId": f"AIDA{chance.letters(9)}EXAMPLE",
            "userType": "IAMUser",
            "userName": chance.pick(words("people")),
        }
    session = chance.pick(("botocore-session-1768435200", "i-0a1b2c3d4e5f60718", "alice.martin", "ci"))
    return {
        "accessKeyId": f"ASIA{chance.letters(9)}EXAMPLE",
        "principalId": f"AROA{chance.letters(9)}EXAMPLE:{session}",
        "userType": "AssumedRole",
        "userName": chance.pick(words("roles")),
    }


def root_key(chance: Chance, site: Site) -> Part:
    """Give the credentials of the account's root user."""
    return {
        "accessKeyId": f"ASIA{chance.letters(9)}EXAMPLE",
        "principalId": site.account,
        "userType": "Root",
        "userName": "Root",
    }


def bucket(chance: Chance, site: Site, index: int) -> Part:
    """Give a bucket with its permissions; one in four is public."""
    purpose = f"{chance.pick(words('applications'))}-{chance.pick(words('environments'))}"
    name = f"example-{purpose}-{site.region}-{site.number}-{index}"
    public = chance.likely(0.25)
    return {
        "arn": f"arn:{site.partition}:s3:::{name}",
        "name": name,
        "type": chance.pick(("Destination", "Destination", "Source")),
        "createdAt": chance.between(BUCKET_EARLIEST, BUCKET_LATEST) / 1000,
        "owner": {"id": chance.hex(64)},
        "tags": tags(chance, name),
        "defaultServerSideEncryption": _encryption(chance, site),
        "publicAccess": {
            "permissionConfiguration": _permissions(public),
            "effectivePermission": "PUBLIC" if public else "NOT_PUBLIC",
        },
    }


def _encryption(chance: Chance, site: Site) -> Part:
    if chance.likely(0.6):
        return {"encryptionType": "AES256"}
    return {"encryptionType": "aws:kms", "kmsMasterKeyArn": site.arn("kms", f"key/{chance.uuid()}")}


def _permissions(public: bool) -> Part:
    return {
        "bucketLevelPermissions": {
            "accessControlList": {"allowsPublicReadAccess": False, "allowsPublicWriteAccess": False},
            "bucketPolicy": {"allowsPublicReadAccess": public, "allowsPublicWriteAccess": False},
            "blockPublicAccess": _block(not public),
        },
        "accountLevelPermissions": {"blockPublicAccess": _block(blocks=False)},
    }


def _block(blocks: bool) -> Part:
    return {
        "ignorePublicAcls": blocks,
        "restrictPublicBuckets": blocks,
        "blockPublicAcls": blocks,
        "blockPublicPolicy": blocks,
    }


def s3_object(chance: Chance, bucket_arn: str) -> Part:
    """Give one object of a bucket; the hash is that of malicious content."""
    key = chance.pick(words("object_keys"))
    return {
        "objectArn": f"{bucket_arn}/{key}",
        "key": key,
        "eTag": chance.hex(32),
        "hash": chance.hex(64),
        "versionId": chance.hex(32),
    }


def database(chance: Chance, site: Site, index: int) -> Part:
    """Give an RDS or Aurora instance."""
    engine, version = chance.pick(words("engines"))
    application = chance.pick(words("applications"))
    name = f"{application}-db-{index}"
    return {
        "dbInstanceIdentifier": name,
        "engine": engine,
        "engineVersion": version,
        "dbClusterIdentifier": f"{application}-cluster",
        "dbInstanceArn": site.arn("rds", f"db:{name}"),
        "dbiResourceId": f"db-{chance.letters(26)}",
        "tags": tags(chance, name),
    }


def limitless_database(chance: Chance, site: Site, index: int) -> Part:
    """Give an Aurora Limitless shard group."""
    application = chance.pick(words("applications"))
    name = f"{application}-shards-{index}"
    return {
        "dbShardGroupIdentifier": name,
        "dbShardGroupResourceId": f"shardgroup-{chance.hex(16)}",
        "dbShardGroupArn": site.arn("rds", f"shard-group:shardgroup-{chance.hex(16)}"),
        "engine": "aurora-postgresql",
        "engineVersion": "16.4-limitless",
        "dbClusterIdentifier": f"{application}-limitless",
        "tags": tags(chance, name),
    }


def database_user(chance: Chance) -> Part:
    """Give the database user of a login."""
    return {
        "user": chance.pick(words("database_users")),
        "application": chance.pick(("psql", "pgadmin", "mysql", "DBeaver")),
        "database": chance.pick(words("applications")),
        "ssl": chance.pick(("TLSv1.3", "TLSv1.2", "No")),
        "authMethod": chance.pick(("PASSWORD", "SCRAM-SHA-256", "IAM")),
    }
