"""The spliced way, the exact way and the plain interpreter give the same record of anything."""

import json
from pathlib import Path

import pytest
from engines import Engines
from finding_events import EVENT, compact, event
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutations

from guardduty_lens.findings.severity import SEED_2020
from guardduty_lens.samples import generate_payloads

TESTS = Path(__file__).parents[2]
GOLDEN = sorted((TESTS / "golden").glob("*/input.json"))
CATALOGUES = {
    "built-in": None,
    "every operation": TESTS / "catalogue/valid/every_operation.yml",
    "odd": Path(__file__).parent / "catalogues/odd.yml",
    "interpreted": Path(__file__).parent / "catalogues/interpreted.yml",
}
SAMPLES = 500


@pytest.fixture(scope="module", params=CATALOGUES)
def engines(request):
    return Engines(CATALOGUES[request.param])


@pytest.fixture(scope="module")
def builtin():
    return Engines()


@pytest.mark.parametrize("shape", ["eventbridge", "finding"])
def test_samples(builtin, shape):
    for raw in generate_payloads(SAMPLES, 3, shape):
        builtin.check(raw, spliced=True)


@pytest.mark.parametrize("most", [0, 3, 10_000])
def test_samples_when_every_combination_gets_its_function_at_once(monkeypatch, most):
    monkeypatch.setattr("guardduty_lens.engine.specialise.OFTEN", 1)
    monkeypatch.setattr("guardduty_lens.engine.specialise.MOST_FUNCTIONS", most)
    engines = Engines()
    for raw in generate_payloads(150, 8, "eventbridge"):
        engines.check(raw, spliced=True)
    for path in GOLDEN:
        engines.check(path.read_bytes().strip())


def test_samples_with_prefix_and_another_scheme():
    engines = Engines(prefix="gd_", scheme=SEED_2020)
    for raw in generate_payloads(100, 4, "eventbridge"):
        assert all(key.startswith("gd_") for key in engines.check(raw, spliced=True).added())


@pytest.mark.parametrize("layout", ["eventbridge", "bare"])
def test_every_node_made_odd(engines, layout):
    for what, mutated in mutations(EVENT if layout == "eventbridge" else EVENT["detail"]):
        try:
            engines.check(compact(mutated))
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error


@pytest.mark.parametrize("number", range(len(GOLDEN)), ids=[path.parent.name for path in GOLDEN])
def test_golden_findings_made_odd(builtin, number):
    # A fifth of the mutations of each, another fifth for the next: all kinds in a fraction of the time.
    value = json.loads(GOLDEN[number].read_bytes())
    for turn, (what, mutated) in enumerate(mutations(value)):
        if turn % 5 == number % 5 and turn < 2_000:
            try:
                builtin.check(compact(mutated))
            except AssertionError as error:
                raise AssertionError(f"{what}: {error}") from error


def test_what_the_catalogues_give(engines):
    record = engines.check(compact(EVENT))
    assert record.fields["finding_type"] == "UnauthorizedAccess:EC2/SSHBruteForce"
    assert record.fields["severity_label"] == "High"


def test_security_hub_keeps_its_warning_where_a_catalogue_reads_it(engines):
    asff = {"Compliance": {"Status": "FAILED"}}
    assert "asff_partial" in engines.check(compact(event(asff=asff))).fields["lens_warnings"]


LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=6)
LEAVES |= st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.sampled_from(
    ["key", "values", "name", "uid", "tags", "location", "lat", "lon", "sequence", "signals", "actors"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(list(EVENT["detail"])), VALUES, max_size=4), VALUES)
def test_any_values_in_a_finding(changes, sequence):
    detail = EVENT["detail"] | {"service": {"detection": {"sequence": sequence}}} | changes
    BUILTIN.check(compact(EVENT | {"detail": detail}))
    BUILTIN.check(compact(detail))


BUILTIN = Engines()
