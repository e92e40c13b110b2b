"""Python extractors: fields that a user's own code adds, found by entry point.

An installed distribution names an `Extractor` in the entry point group `guardduty_lens.extractors`; see
`examples/owner_extractor`. Installing one is trusting it: it runs in this process.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from guardduty_lens.catalogue.model import ENVELOPE_KEYS, Cardinality, FieldType
from guardduty_lens.catalogue.types import CHECKS, unique_key

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "guardduty_lens.extractors"


class ExtractorError(ValueError):
    """An extractor that cannot be used, and why."""


class ExtractorField(msgspec.Struct, frozen=True, kw_only=True):
    """A field that an extractor may add; a value of another type is left out, and warned of."""

    name: str
    type: FieldType
    description: str
    cardinality: Cardinality = "one"


class Extractor(msgspec.Struct, frozen=True, kw_only=True):
    """A function of a finding's event and the fields added so far, to further fields by name.

    `extract` must not change its arguments. What it raises becomes the warning `extractor_failed:<name>`.
    """

    name: str
    fields: tuple[ExtractorField, ...]
    extract: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]

    def run(self, event: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Give the fields that pass their checks, and whether all of what came did."""
        try:
            given = dict(self.extract(event, fields))
        except Exception:  # noqa: BLE001 - the boundary to code that is not ours: warned of, counted, logged
            _log_failure(self.name)
            return {}, False
        made = {}
        for field in self.fields:
            value = _checked(given.get(field.name), field)
            if value is not None:
                made[field.name] = value
        wanted = {name for name, value in given.items() if not _is_empty(value)}
        return made, wanted <= made.keys()


def _log_failure(name: str) -> None:
    import logging  # costs a tenth of the start-up, and is mostly not needed

    logging.getLogger(__name__).debug("extractor %s failed", name, exc_info=True)


def _checked(value: Any, field: ExtractorField) -> Any:
    def check(item: Any) -> bool:
        return CHECKS[field.type](item) and not (isinstance(item, str) and _is_half_a_pair(item))

    if field.cardinality == "one":
        return value if check(value) else None
    if not isinstance(value, list | tuple):
        return None
    return list({unique_key(item): item for item in value if check(item)}.values()) or None


def _is_half_a_pair(text: str) -> bool:
    """Tell whether a text cannot be encoded: half of a surrogate pair is no character."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, list | tuple | dict) and not value)


def installed_extractors() -> tuple[Extractor, ...]:
    """Load every installed extractor, by name.

    Raises ExtractorError where one cannot be loaded, is no Extractor, or takes a name that is not free.
    """
    from importlib.metadata import entry_points

    found = entry_points(group=ENTRY_POINT_GROUP)
    extractors = tuple(_load(point) for point in sorted(found, key=lambda point: point.name))
    check_names(extractors)
    return extractors


def _load(point: "EntryPoint") -> Extractor:
    try:
        loaded = point.load()
    except Exception as error:
        raise ExtractorError(f"extractor {point.name} ({point.value}) cannot be loaded: {error}") from error
    if not isinstance(loaded, Extractor):
        raise ExtractorError(f"extractor {point.name} ({point.value}) is no guardduty_lens.Extractor")
    return loaded


def check_names(extractors: Sequence[Extractor], taken: Iterable[str] = ()) -> None:
    """Raise ExtractorError where two fields would have one name, or an envelope key's."""
    seen = set(taken) | ENVELOPE_KEYS
    for extractor in extractors:
        for field in extractor.fields:
            if field.name in seen:
                raise ExtractorError(f"extractor {extractor.name}: the field name {field.name!r} is taken")
            seen.add(field.name)
