"""How the page makes rows of cells for what it filters by: the reference that its JavaScript is held to.

Recomputed are counts of findings and of updates, sums, means, the least and the most. Findings are counted
right, because each is in one cell of a bucket, whatever combinations its updates have. Keys that the page
does not hold (`SplitData.hidden`) are missing, which can be seen only where a filter brings them among the
first.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from guardduty_lens.visuals.report.data import Cells, Combination, MeasureData, SplitData
from guardduty_lens.visuals.rows import Row

Number = float | int | None
Bucket = tuple[int, ...]


class Recomputed(msgspec.Struct, frozen=True):
    """A panel's splits, measures and cells, as `PanelData` has them."""

    splits: Sequence[SplitData]
    measures: Sequence[MeasureData]
    above: Sequence[Cells]
    findings: Cells | None
    records: Cells | None

    def rows(self, passing: Sequence[bool]) -> list[Row]:
        """Give the rows for the scopes that pass."""
        cells = [self.findings if each.of == "findings" else self.records for each in self.measures]
        values = [_by_bucket(found, each, passing) for found, each in zip(cells, self.measures, strict=True)]
        orders = [_by_bucket(found, _first_of(self.measures[0]), passing) for found in self.above]
        buckets = _walk(self.splits, [*orders, values[0]], ()) if self.splits else iter([()])
        return [
            Row(
                tuple(split.keys[place] for split, place in zip(self.splits, bucket, strict=True)),
                tuple(
                    found.get(bucket, None if each.of in ("min", "max", "avg") else 0)
                    for found, each in zip(values, self.measures, strict=True)
                ),
            )
            for bucket in buckets
        ]


def allowed(scopes: Sequence[Sequence[Combination]], passes: Callable[[Combination], bool]) -> list[bool]:
    """Tell of each scope whether it passes: whether any of its combinations does."""
    return [any(map(passes, scope)) for scope in scopes]


def _first_of(measure: MeasureData) -> MeasureData:
    """Give a measure as the cells above have it: in the first column."""
    return msgspec.structs.replace(measure, column=0, count_column=1 if measure.of == "avg" else None)


def _by_bucket(cells: Cells | None, measure: MeasureData, passing: Sequence[bool]) -> dict[Bucket, Number]:
    """Put the cells of each bucket together."""
    gathered: dict[Bucket, list[int]] = {}
    for row, scope in enumerate(cells.scope if cells else ()):
        if passing[scope]:
            gathered.setdefault(tuple(keys[row] for keys in cells.keys), []).append(row)  # type: ignore[union-attr]
    return {bucket: _together(cells, measure, rows) for bucket, rows in gathered.items() if cells}


def _together(cells: Cells, measure: MeasureData, rows: Sequence[int]) -> Number:
    there = [value for row in rows if (value := cells.values[measure.column][row]) is not None]
    if measure.of in ("min", "max"):
        return (min if measure.of == "min" else max)(there, default=None)
    if measure.count_column is None:
        return sum(there)
    number = sum(cells.values[measure.count_column][row] or 0 for row in rows)
    return sum(there) / number if number else None


def _walk(
    splits: Sequence[SplitData], levels: Sequence[dict[Bucket, Number]], above: Bucket
) -> Iterator[Bucket]:
    """Give the buckets that are shown, level by level, in their order."""
    level = len(above)
    if level == len(splits):
        yield above
        return
    split = splits[level]
    keys = {bucket[level]: value for bucket, value in levels[level].items() if bucket[:level] == above}
    if split.kind == "groups" and len(splits) == 1:
        keys = {place: keys.get(place) for place in range(len(split.keys))}
    for place in _ordered(split, keys):
        yield from _walk(splits, levels, (*above, place))


def _ordered(split: SplitData, keys: dict[int, Number]) -> list[int]:
    if split.kind != "field":
        return sorted(keys)
    sign = 1 if split.ascending else -1
    ranked = sorted(keys, key=lambda place: ((value := keys[place]) is None, sign * (value or 0), place))
    return ranked[: split.size]
