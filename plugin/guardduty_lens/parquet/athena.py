"""Statements for Amazon Athena: tables over what the Spark job and `--to parquet` write, and two views.

Facts: Amazon Athena user guide, "CREATE TABLE", "Set up partition projection" (no partition is ever added by
hand) and "OpenX JSON SerDe".
"""

from collections.abc import Sequence

from guardduty_lens.parquet.columns import DAY, DOCUMENT_ID, EVENT, NO_DAY, Columns
from guardduty_lens.parquet.writer import FOLDER, LETTERS
from guardduty_lens.visuals.sql import quoted

FILE = "athena.sql"

_HEAD = """-- Tables for Athena over {location}, and views of them. One statement at a time.
-- {day} = '{no_day}' holds records that tell no date.
"""

_TABLE = """CREATE EXTERNAL TABLE IF NOT EXISTS guardduty_records (
{columns}
)
PARTITIONED BY (`{day}` string)
STORED AS PARQUET
LOCATION '{location}/{folder}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.{day}.type' = 'date',
  'projection.{day}.format' = 'yyyy-MM-dd',
  'projection.{day}.range' = '{no_day},NOW+1DAYS',
  'storage.location.template' = '{location}/{folder}/{day}=${{{day}}}/'
);
"""

# Each update once, however often it came; then the last of each finding, as the cluster's state has it.
_UPDATES = """CREATE OR REPLACE VIEW guardduty_updates AS
SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY {document_id} ORDER BY "$path") AS copy_number
  FROM guardduty_records
) WHERE copy_number = 1;
"""

_FINDINGS = """CREATE OR REPLACE VIEW guardduty_findings AS
SELECT * FROM (
  SELECT *, row_number() OVER (
    PARTITION BY coalesce({finding_id}, {finding_arn})
    ORDER BY {updated_at} DESC, {event_count} DESC, {is_archived} DESC
  ) AS age
  FROM guardduty_updates WHERE {record_kind} = 'finding'
) WHERE age = 1;
"""

_DEAD_LETTERS = """CREATE EXTERNAL TABLE IF NOT EXISTS guardduty_dead_letters (
  reason string,
  message string,
  source string,
  position struct<line:bigint,byte:bigint,inside:string>,
  raw string,
  raw_base64 string
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION '{location}/{letters}/';
"""


def athena_sql(columns: Columns, location: str) -> str:
    """Give the statements, for a location such as `s3://lake/guardduty`."""
    place = location.rstrip("/").replace("'", "''")
    named: Sequence[tuple[str, str]] = [
        (DOCUMENT_ID, "string"),
        *((column.name, column.hive_type) for column in columns.fields),
        (EVENT, "string"),
    ]
    head = _HEAD.format(location=place, day=DAY, no_day=NO_DAY)
    table = _TABLE.format(
        columns=",\n".join(f"  {_name(name)} {kind}" for name, kind in named),
        location=place,
        folder=FOLDER,
        day=DAY,
        no_day=NO_DAY,
    )
    keys = {name: quoted(key) for name, key in columns.base.items()}
    views = _UPDATES.format(document_id=DOCUMENT_ID), _FINDINGS.format(**keys)
    letters = _DEAD_LETTERS.format(location=place, letters=LETTERS)
    return "\n".join([head, table, *views, letters])


def _name(name: str) -> str:
    """Give a name as Hive's DDL writes it."""
    return "`" + name.replace("`", "``") + "`"
