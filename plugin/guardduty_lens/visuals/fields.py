"""Which fields an index has, of which type, and what they are called where values are counted."""

from collections.abc import Mapping

import msgspec

from guardduty_lens.engine.plan import Plan
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.mappings import INGEST_LAG, INGESTED_AT
from guardduty_lens.visuals.model import Index

NUMBERS = frozenset({"byte", "integer", "long", "double"})
TEXTS = frozenset({"label", "id", "text", "url", "ip"})
"""Types that are indexed as words, and whole under `.keyword`."""

KEYWORD = "keyword"
"""The type of texts that are indexed whole under their own name, as the counters' are."""

CLOUDTRAIL = {
    "eventTime": "date",
    INGESTED_AT: "date",
    "requestParameters.bucketName": KEYWORD,  # within a flat_object
    **dict.fromkeys(("eventName", "eventSource", "awsRegion", "recipientAccountId", "errorCode"), "label"),
}
STATS = {
    "@timestamp": "date",
    "run_id": KEYWORD,
    "version": KEYWORD,
    "final": "boolean",
    "payloads": "long",
    **{
        f"events.{name}": "long"
        for name in ("in", "records", "filtered", "rejected", "control", "undelivered")
    },
    **{
        f"delivered.{name}": "long"
        for name in ("log_created", "log_duplicates", "state_written", "state_older")
    },
}
TAGS = {
    "@timestamp": "date",
    **dict.fromkeys(("name", "label", "version", "service"), "label"),
}
TIMES: Mapping[Index, str] = {
    "log": "eventLastSeen",
    "state": "eventLastSeen",
    "stats": "@timestamp",
    "cloudtrail": "eventTime",
    "tags": "@timestamp",
}
"""The time field of each index; those of records take the field prefix."""


class Fields(msgspec.Struct, frozen=True):
    """The fields of each index, by their names in the catalogue; records have `prefix` before them."""

    types: Mapping[Index, Mapping[str, str]]
    prefix: str = ""
    several: frozenset[str] = frozenset()
    """Fields of records that hold several values."""

    def type_of(self, index: Index, field: str) -> str | None:
        """Give a field's type; None where the index has no such field."""
        return self.types[index].get(field)

    def name(self, index: Index, field: str) -> str:
        """Give the name of a field in documents: the catalogue's, behind the prefix.

        >>> Fields({"log": {"title": "text"}}, "gd_").name("log", "title")
        'gd_title'
        """
        own = index in ("log", "state") and not field.startswith("@")
        return f"{self.prefix}{field}" if own else field

    def counted(self, index: Index, field: str) -> str:
        """Give the name under which a field's whole values are counted and compared.

        >>> Fields({"log": {"title": "text"}}).counted("log", "title")
        'title.keyword'
        """
        whole = self.types[index][field] in TEXTS
        return self.name(index, field) + (".keyword" if whole else "")

    def is_many(self, index: Index, field: str) -> bool:
        """Tell whether a field may have thousands of values in an index: ids, addresses, lists of names."""
        own = index in ("log", "state") and field in self.several
        return own or self.types[index][field] in ("id", "ip", "text", "url")

    def time(self, index: Index) -> str:
        """Give the name of an index's time field in documents."""
        return self.name(index, TIMES[index])


def fields_of_lens(lens: Lens) -> Fields:
    """Give the fields of a lens: those of its plan, and what its extractors add."""
    added = [field for extractor in lens.extractors for field in extractor.fields]
    several = frozenset(field.name for field in added if field.cardinality == "many")
    fields = fields_of(lens.plan, {field.name: str(field.type) for field in added})
    return msgspec.structs.replace(fields, several=fields.several | several)


def fields_of(plan: Plan, extra: Mapping[str, str] | None = None) -> Fields:
    """Give the fields of a plan, and `extra` ones that extractors add, by name without the prefix."""
    records = {entry.field: str(entry.type) for entry in plan.entries if not entry.hidden} | dict(extra or {})
    records |= {"@timestamp": "date", INGESTED_AT: "date", INGEST_LAG: "double"}
    types: dict[Index, Mapping[str, str]] = {
        "log": records,
        "state": records,
        "stats": STATS,
        "cloudtrail": CLOUDTRAIL,
        "tags": TAGS,
    }
    several = frozenset(entry.field for entry in plan.entries if entry.cardinality == "many")
    return Fields(types, plan.field_prefix, several)
