import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.kql import kql
from guardduty_lens.visuals.model import AnyOf, Test

FIELDS = fields_of(Lens(extractors=()).plan)


@pytest.mark.parametrize(
    ("where", "query"),
    [
        ([{}], ""),
        ([{"finding_type": Test(is_=["a"])}], 'finding_type.keyword: "a"'),
        ([{"is_sample": Test(is_=[False])}], "is_sample: false"),
        ([{"local_ports": Test(is_=[22, 80])}], "local_ports: (22 or 80)"),
        ([{"title": Test(not_=["a", "b"])}], 'not title.keyword: ("a" or "b")'),
        ([{"title": Test(exists=True)}], "title.keyword: *"),
        ([{"sequence_uid": Test(exists=False)}], "not sequence_uid.keyword: *"),
        (
            [{"created_at": Test(from_="now-7d", below="now-1d")}],
            'created_at >= "now-7d" and created_at < "now-1d"',
        ),
        (
            [{"title": Test(is_=["a"])}, {"is_sample": Test(is_=[True])}],
            '(title.keyword: "a") or (is_sample: true)',
        ),
        ([{"title": Test(is_=["a"])}, {}], ""),
    ],
)
def test_conditions(where: AnyOf, query: str) -> None:
    assert kql("log", where, FIELDS) == query


def test_fields_with_a_prefix() -> None:
    fields = fields_of(Lens(extractors=(), field_prefix="gd_").plan)
    assert kql("log", [{"title": Test(is_=["a"])}], fields) == 'gd_title.keyword: "a"'


@given(st.text())
def test_a_text_ends_where_its_quotes_end(value: str) -> None:
    """A quoted string is anything but quotes and backslashes, or a backslash and one character."""
    query = kql("log", [{"title": Test(is_=[value])}], FIELDS)
    written = query.removeprefix("title.keyword: ")
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', written, re.DOTALL)
    assert re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL) == value
