"""What engines other than Python cannot do."""

from collections.abc import Iterable

from guardduty_lens.extractors import Extractor


class NotCompiledError(ValueError):
    """Something in a plan that another engine cannot do."""


def fields_left_out(extractors: Iterable[Extractor], field_prefix: str = "") -> dict[str, list[str]]:
    """Give the keys that are not added, by the name of the extractor that only Python can run."""
    return {each.name: [f"{field_prefix}{field.name}" for field in each.fields] for each in extractors}
