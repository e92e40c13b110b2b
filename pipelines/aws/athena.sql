-- Tables for Athena over s3://lake/guardduty, and views of them. One statement at a time.
-- day = '1970-01-01' holds records that tell no date.

CREATE EXTERNAL TABLE IF NOT EXISTS guardduty_records (
  `document_id` string,
  `record_kind` string,
  `finding_type` string,
  `threat_purpose` string,
  `threat_resource_affected` string,
  `threat_family` string,
  `threat_variant` string,
  `threat_name` string,
  `threat_artifact` string,
  `severity_score` double,
  `severity_label` string,
  `severity_rank` bigint,
  `finding_id` string,
  `finding_arn` string,
  `title` string,
  `account_id` string,
  `finding_region` string,
  `detector_id` string,
  `feature_name` string,
  `console_url` string,
  `created_at` timestamp,
  `updated_at` timestamp,
  `first_seen` timestamp,
  `eventLastSeen` timestamp,
  `event_count` bigint,
  `is_archived` boolean,
  `is_sample` boolean,
  `resource_type` string,
  `resource_role` string,
  `resource_id` string,
  `resource_name` string,
  `resource_tags` array<string>,
  `instance_id` string,
  `instance_type` string,
  `image_id` string,
  `vpc_ids` array<string>,
  `subnet_ids` array<string>,
  `security_group_names` array<string>,
  `security_group_ids` array<string>,
  `public_ips` array<string>,
  `private_ips` array<string>,
  `bucket_names` array<string>,
  `bucket_permissions` array<string>,
  `object_keys` array<string>,
  `db_engine` string,
  `db_users` array<string>,
  `volume_arns` array<string>,
  `user_name` string,
  `user_type` string,
  `principal_id` string,
  `access_key_id` string,
  `api_names` array<string>,
  `api_services` array<string>,
  `api_error_codes` array<string>,
  `user_agents` array<string>,
  `remote_account_ids` array<string>,
  `action_type` string,
  `action_blocked` boolean,
  `connection_direction` string,
  `network_protocols` array<string>,
  `remote_ips` array<string>,
  `remote_countries` array<string>,
  `remote_country_codes` array<string>,
  `remote_cities` array<string>,
  `remote_asns` array<string>,
  `remote_organizations` array<string>,
  `remote_locations` array<struct<lat:double,lon:double>>,
  `remote_ports` array<bigint>,
  `local_ports` array<bigint>,
  `local_ips` array<string>,
  `domains` array<string>,
  `intel_list_names` array<string>,
  `intel_threat_names` array<string>,
  `process_names` array<string>,
  `process_paths` array<string>,
  `process_users` array<string>,
  `file_hashes` array<string>,
  `malware_names` array<string>,
  `malware_paths` array<string>,
  `container_names` array<string>,
  `container_images` array<string>,
  `kubernetes_cluster` string,
  `kubernetes_namespace` string,
  `kubernetes_workload` string,
  `kubernetes_user` string,
  `ecs_cluster` string,
  `ecs_task` string,
  `model_ids` array<string>,
  `sequence_uid` string,
  `sequence_signals` array<string>,
  `sequence_indicators` array<string>,
  `sequence_actors` array<string>,
  `sequence_resources` array<string>,
  `custom_rule` string,
  `linked_findings` array<string>,
  `mitre_tactic_names` array<string>,
  `mitre_tactic_ids` array<string>,
  `mitre_technique_ids` array<string>,
  `mitre_technique_names` array<string>,
  `lens_warnings` array<string>,
  `event` string
)
PARTITIONED BY (`day` string)
STORED AS PARQUET
LOCATION 's3://lake/guardduty/records/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '1970-01-01,NOW+1DAYS',
  'storage.location.template' = 's3://lake/guardduty/records/day=${day}/'
);

CREATE OR REPLACE VIEW guardduty_updates AS
SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY document_id ORDER BY "$path") AS copy_number
  FROM guardduty_records
) WHERE copy_number = 1;

CREATE OR REPLACE VIEW guardduty_findings AS
SELECT * FROM (
  SELECT *, row_number() OVER (
    PARTITION BY coalesce("finding_id", "finding_arn")
    ORDER BY "updated_at" DESC, "event_count" DESC, "is_archived" DESC
  ) AS age
  FROM guardduty_updates WHERE "record_kind" = 'finding'
) WHERE age = 1;

CREATE EXTERNAL TABLE IF NOT EXISTS guardduty_dead_letters (
  reason string,
  message string,
  source string,
  position struct<line:bigint,byte:bigint,inside:string>,
  raw string,
  raw_base64 string
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://lake/guardduty/dead_letters/';
