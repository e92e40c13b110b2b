"""What a catalogue file may say: the one model behind the linter, the JSON Schema and the plan.

A file is a mapping with `group`, optional `tables`, and `fields`: a list of entries. The meaning of
every operation is in `operations/`, one file each.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from guardduty_lens.findings.severity import Band

FieldType = Literal[
    "label", "id", "text", "url", "date", "ip", "boolean", "byte", "integer", "long", "double", "geo_point"
]
Cardinality = Literal["one", "many"]
FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Text = Annotated[str, Meta(min_length=1)]
Scalar = str | int | float | bool
TableValue = Scalar | list[Scalar]

# EventBridge's own keys: an added field may never take their place.
ENVELOPE_KEYS = frozenset(
    {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
)


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common settings of everything a file holds."""


class PathOptions(_Part, frozen=True):
    """The values as they are, save those listed in `except`."""

    except_: Annotated[list[Text], Meta(min_length=1)] | None = msgspec.field(default=None, name="except")


class KindOptions(_Part, frozen=True):
    """Fixed code: what an event is."""


class WarningsOptions(_Part, frozen=True):
    """Fixed code: what could not be understood."""


class FindingTypeOptions(_Part, frozen=True):
    """The canonical finding type, or one part of it."""

    part: Literal["purpose", "resource", "family", "variant", "artifact"] | None = None


class RegexOptions(_Part, frozen=True):
    """One named group of a portable regular expression that must match the whole string."""

    pattern: Text
    group: Text


class Delimiter(_Part, frozen=True):
    """A literal to cut at; where an optional one is not found, the part after it is not there."""

    text: Text
    optional: bool = False


class SplitOptions(_Part, frozen=True):
    """One part (counted from 1) of a string cut at literal delimiters, each found after the last."""

    at: Annotated[list[Text | Delimiter], Meta(min_length=1)]
    part: Annotated[int, Meta(ge=1)]


class BandsOptions(_Part, frozen=True):
    """The label of the numeric range: of the chosen severity scheme, or of bands given here."""

    scheme: Literal["severity"] | None = None
    bands: Annotated[list[Band], Meta(min_length=1)] | None = None
    default: Text | None = None


class LookupOptions(_Part, frozen=True):
    """What a table says of a string: a table of the file or of the catalogue, or entries given here."""

    table: Text | None = None
    entries: dict[str, TableValue] | None = None
    default: TableValue | None = None


class Leaf(_Part, frozen=True):
    """One leaf of an element: where it is, what it is called in the value, whether it must be there."""

    path: Text
    name: Text | None = None
    required: bool = True


class ObjectsOptions(_Part, frozen=True):
    """Several leaves of one element as one value: joined by `text`, else an object."""

    leaves: Annotated[list[Leaf], Meta(min_length=1)]
    text: Text | None = None


class TemplateOptions(_Part, frozen=True):
    """The first of the texts whose `{field}` parts are all there; `{field:url}` is percent-encoded."""

    texts: Annotated[list[Text], Meta(min_length=1)]


class NumberOptions(_Part, frozen=True):
    """A number as it is, or text of at most 3 digits, a dot and at most 6 digits."""


class TextOptions(_Part, frozen=True):
    """Text as it is, or a whole number's digits."""


class ConstantOptions(_Part, frozen=True):
    """Always this value."""

    value: Scalar


class CaseOptions(_Part, frozen=True):
    """The ASCII letters of a string in one case."""

    to: Literal["lower", "upper"]


class ParseJsonOptions(_Part, frozen=True):
    """The value at a path inside a JSON text."""

    path: Text


class Operation(_Part, frozen=True):
    """Exactly one operation and its options."""

    path: PathOptions | None = None
    kind: KindOptions | None = None
    warnings: WarningsOptions | None = None
    finding_type: FindingTypeOptions | None = None
    regex: RegexOptions | None = None
    split: SplitOptions | None = None
    bands: BandsOptions | None = None
    lookup: LookupOptions | None = None
    objects: ObjectsOptions | None = None
    template: TemplateOptions | None = None
    number: NumberOptions | None = None
    text: TextOptions | None = None
    constant: ConstantOptions | None = None
    case: CaseOptions | None = None
    parse_json: ParseJsonOptions | None = None

    @property
    def name(self) -> str:
        """The operation's name; `path` where none is given."""
        return next((name for name in OPERATION_NAMES if getattr(self, name) is not None), "path")

    @property
    def options(self) -> Any:
        """The options of the operation."""
        return getattr(self, self.name) or PathOptions()


OPERATION_NAMES: tuple[str, ...] = Operation.__struct_fields__


class Source(_Part, frozen=True):
    """Where values come from: a path from the record's top, or several single values joined by `/`.

    `outside_model` is the reason why AWS's model of a finding does not know the path.
    """

    path: Text | None = None
    join: Annotated[list[Text], Meta(min_length=2)] | None = None
    operation: Operation | None = None
    outside_model: Text | None = None


class Condition(_Part, frozen=True):
    """A path that exists, equals a value, or is one of several; exactly one of them."""

    path: Text
    exists: bool | None = None
    equals: Scalar | None = None
    one_of: Annotated[list[Scalar], Meta(min_length=1)] | None = None


class Example(_Part, frozen=True):
    """A test of an entry and a line of its documentation.

    `given` is laid over the smallest finding (see `examples.SMALLEST_FINDING`), a null takes a key
    away; with `alone` it stands for itself. Exactly one of `gives` and `gives_nothing`, or `warns`.
    """

    given: dict[str, Any]
    gives: Any | UnsetType = UNSET
    gives_nothing: bool = False
    warns: list[Text] | None = None
    alone: bool = False


class Entry(_Part, frozen=True):
    """One field of a record: where it comes from and what it means."""

    field: FieldName
    type: FieldType
    description: Text
    examples: Annotated[list[Example], Meta(min_length=1)]
    cardinality: Cardinality = "one"
    from_: Annotated[list[Text | Source], Meta(min_length=1)] | None = msgspec.field(
        default=None, name="from"
    )
    operation: Operation | None = None
    gather: Literal["all", "first"] = "all"
    when: Condition | None = None
    default: Scalar | None = None
    hidden: bool = False

    def sources(self) -> list[Source]:
        """Give the sources, each with the operation that applies to it."""
        operation = self.operation or Operation(path=PathOptions())
        sources = [Source(path=item) if isinstance(item, str) else item for item in self.from_ or [Source()]]
        return [
            source if source.operation else msgspec.structs.replace(source, operation=operation)
            for source in sources
        ]


class CatalogueFile(_Part, frozen=True):
    """One file of a catalogue: a group of fields."""

    fields: Annotated[list[Entry], Meta(min_length=1)]
    group: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")] = "custom"
    about: Text | None = None
    tables: dict[str, dict[str, TableValue]] | None = None
