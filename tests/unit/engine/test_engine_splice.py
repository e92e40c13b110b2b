"""What the spliced path takes, what it leaves to the exact one, and that the original's bytes survive."""

import json
from decimal import Decimal

import pytest
from engines import Engines, empty_values, strict_json
from finding_events import EVENT, bare, compact, enveloped, event

from guardduty_lens.lens import Lens
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import Rejected

ENGINES = Engines()


def record_of(raw):
    [record] = Lens(extractors=()).process(raw)
    return record


def reject_of(raw):
    record = record_of(raw)
    assert isinstance(record, Rejected)
    assert ENGINES.engine.splice(raw) is None
    return record


# --- the original ------------------------------------------------------------------------------------


def test_an_envelope_is_the_beginning_of_the_record():
    raw = enveloped()
    assert ENGINES.check(raw, spliced=True).to_json().startswith(raw[:-1] + b',"resource_type":')


def test_a_bare_finding_is_wrapped():
    record = ENGINES.check(bare(), spliced=True)
    before, after = record.to_json().split(bare())
    assert json.loads(before + b"0}") == {
        "version": "0",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": "2025-03-04T05:06:00.000Z",
        "resources": [],
        "detail": 0,
    }
    assert after.startswith(b',"resource_type":')


@pytest.mark.parametrize(
    "text",
    [
        "1e400",
        "-1e400",
        "0.1e-400",
        "123456789012345678901234567890",
        "-0.0",
        "-0",
        "1E5",
        "0.10",
        "8.0",
        "9007199254740993",
        '"\\u0041\\/\\ud83d\\ude00"',
        '"a\\u0000b"',
        "[ 1 ,\t2 ]",
        '{ "a" : { } }',
    ],
)
@pytest.mark.parametrize("layout", [enveloped, bare])
def test_values_survive_byte_for_byte(layout, text):
    raw = layout(f',"odd":{text}')
    record = record_of(raw)
    assert f'"odd":{text}'.encode() in record.to_json()
    assert strict_json(record.to_json())["detail"].keys() == {*EVENT["detail"], "odd"}
    ENGINES.check(raw, spliced=True)


@pytest.mark.parametrize("place", ["severity", "service.count"])
@pytest.mark.parametrize(
    "text", ["1e400", "-1e400", "0.1e-400", "123456789012345678901234567890", "-0.0", "1E1", "10.0", "9.5e0"]
)
def test_odd_numbers_where_fields_are_read(place, text):
    old = b'"severity":8' if place == "severity" else b'"count":3'
    new = old[: old.index(b":") + 1] + text.encode()
    record = ENGINES.check(enveloped().replace(old, new))
    number = Decimal(text) if abs(Decimal(text)) > 1 else float(text)  # the smallest ones are 0.0
    field = "severity_score" if place == "severity" else "event_count"
    limit = Decimal(10) ** 308 if place == "severity" else 2**53
    fits = abs(number) < limit and (place == "severity" or number == int(number))
    assert (field in record.fields) == fits
    assert strict_json(record.to_json())


def test_line_breaks_go_and_blanks_stay():
    raw = json.dumps(EVENT, indent=1).replace("\n", "\r\n").encode()
    record = ENGINES.check(raw, spliced=True)
    assert record.to_json().startswith(raw.replace(b"\r\n", b"")[:-1])
    assert b"\n" not in record.to_json()


def test_blanks_around_a_payload():
    assert record_of(b" \t" + enveloped() + b" \r\n\t ").to_json() == record_of(enveloped()).to_json()


def test_missing_envelope_keys_are_added_and_present_ones_stay():
    raw = compact({"source": None, "region": 7, "zz": 1, "detail": EVENT["detail"]})
    record = ENGINES.check(raw)
    assert record.to_json().startswith(raw[:-1] + b',"version":"0","detail-type":"GuardDuty Finding"')
    assert record.event["source"] is None
    assert record.event["region"] == 7
    assert record.event["account"] == "111122223333"
    assert record.fields["lens_warnings"] == ["kind_guessed"]


# --- keys of ours that are there already ---------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    [
        ',"threat_name":"x"',
        ',"threat_name":null',
        ',"\\u0074hreat_name":"x"',
        ',"severity_label":["x"],"lens_warnings":{}',
        ',"threat_name":1,"threat_name":2',
    ],
)
def test_keys_of_ours_are_replaced(member):
    record = ENGINES.check(enveloped(outer=member), spliced=False)
    assert strict_json(record.to_json()) == strict_json(record_of(enveloped()).to_json())


def test_our_names_inside_a_finding_are_the_findings_own():
    record = ENGINES.check(bare(',"threat_name":"x"'), spliced=True)
    assert record.event["detail"]["threat_name"] == "x"
    assert record.fields["threat_name"] == "SSHBruteForce"


def test_foreign_keys_stay():
    record = ENGINES.check(enveloped(outer=',"zz":{"threat_name":1}'), spliced=True)
    assert record.event["zz"] == {"threat_name": 1}


def test_with_a_prefix_only_prefixed_keys_are_ours():
    engines = Engines(prefix="gd_")
    raw = enveloped(outer=',"threat_name":"kept"')
    record = engines.check(raw, spliced=True)
    assert record.to_dict()["threat_name"] == "kept"
    assert record.to_dict()["gd_threat_name"] == "SSHBruteForce"
    engines.check(enveloped(outer=',"gd_threat_name":"x"'), spliced=False)


def test_a_second_pass_changes_nothing():
    for raw in (enveloped(), bare()):
        once = record_of(raw).to_json()
        assert record_of(once).to_json() == once


def test_a_second_pass_over_loose_json_changes_no_value():
    once = record_of(json.dumps(EVENT, indent=2).encode()).to_json()
    twice = record_of(once).to_json()
    assert strict_json(twice) == strict_json(once)
    assert list(strict_json(twice)) == list(strict_json(once))
    assert record_of(twice).to_json() == twice


# --- duplicate keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", [',"type":"Recon:EC2/Portscan"', ',"id":"f2"', ',"severity":2'])
def test_the_last_of_duplicate_keys_counts(member):
    raw = enveloped(member)
    expected = record_of(compact(json.loads(raw)))
    assert record_of(raw).added() == expected.added()


def test_duplicate_details():
    assert record_of(enveloped(outer=',"detail":{}')).kind == "other_aws"
    first = b'{"detail":{"type":"x"},' + enveloped()[1:]
    assert record_of(first).added() == record_of(enveloped()).added()


# --- what is no text, or too deep ----------------------------------------------------------------------


@pytest.mark.parametrize("layout", [enveloped, bare])
def test_bytes_that_are_no_utf8_are_rejected_wherever_they_stand(layout):
    for member in (',"odd":"?"', ',"?":1'):
        raw = layout(member).replace(b"?", b"\xff")
        assert reject_of(raw).reason == "not_utf8"


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00x"', '"\\ud83d\\u0041"'])
@pytest.mark.parametrize("member", [',"odd":%s', ',"title":%s', ",%s:1"])
def test_half_a_surrogate_pair_is_rejected(member, text):
    assert reject_of(enveloped(member % text)).reason == "not_json"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(opening, closing):
    def nested(depth, layout):
        inner = f"{opening * depth}{'' if opening == '[' else 1}{closing * depth}"
        return layout(f',"odd":{inner}')

    for layout in (enveloped, bare):
        assert record_of(nested(800, layout)).kind == "finding"
        assert reject_of(nested(50_000, layout)).reason == "too_deep"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_limit_to_depth_holds_on_every_way(opening, closing):
    def nested(depth, layout):
        inner = f"{opening * depth}{'' if opening == '[' else 1}{closing * depth}"
        return layout(f',"odd":{inner}')

    lens = Lens(extractors=(), limits=Limits(nesting=400))
    for layout, around in ((enveloped, 2), (bare, 1)):
        for depth, rejected in ((399, False), (400, False), (401, True), (1_000, True)):
            [outcome] = lens.process(nested(depth - around, layout))
            assert isinstance(outcome, Rejected) == rejected


def test_the_deepest_record_passes_again():
    for layout, depth in ((enveloped, 398), (bare, 399)):
        once = record_of(layout(f',"odd":{"[" * depth}{"]" * depth}'))
        if not isinstance(once, Rejected):
            assert record_of(once.to_json()).to_json() == once.to_json()


# --- what is not for this path -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"1",
        b'"text"',
        b"",
        b"{",
        enveloped()[:-1],
        enveloped() + b"}",
        b'{"detail":{}}',
        b'{"detail":null}',
        compact({"Type": "Recon:EC2/Portscan", "Id": "f1", "Severity": 2, "Service": {}}),
        compact([EVENT]),
    ],
)
def test_left_to_the_exact_path(raw):
    assert ENGINES.engine.splice(raw) is None


def test_an_empty_object_gets_its_kind_alone():
    record = record_of(b"{}")
    assert record.to_json() == b'{"record_kind":"other"}'
    assert record.to_dict() == {"record_kind": "other"}


def test_a_detail_inside_a_bare_finding():
    assert ENGINES.check(bare(',"detail":{"a":1}'), spliced=False).kind == "finding"
    assert ENGINES.check(bare(',"detail":null'), spliced=True).kind == "finding"


# --- long arrays ---------------------------------------------------------------------------------------


def signals(count):
    names = [{"name": f"s{number}", "uid": f"u{number}"} for number in range(count)]
    return {"service": {"detection": {"sequence": {"signals": names}}}}


def threats(*counts):
    lists = [{"threatNames": [f"{at}.{n}" for n in range(count)]} for at, count in enumerate(counts)]
    return {"service": {"evidence": {"threatIntelligenceDetails": lists}}}


@pytest.mark.parametrize(
    ("detail", "field", "count", "capped"),
    [
        (signals(1_000), "sequence_signals", 1_000, False),
        (signals(1_001), "sequence_signals", 1_000, True),
        (threats(500, 500), "intel_threat_names", 1_000, False),
        (threats(500, 501), "intel_threat_names", 1_000, True),
        (threats(*[0] * 1_000, 3), "intel_threat_names", None, True),
        (threats(*[0] * 999, 3), "intel_threat_names", 3, False),
    ],
)
def test_no_more_than_a_thousand_elements_are_looked_at(detail, field, count, capped):
    record = ENGINES.check(compact(event(detail)), spliced=not capped)
    assert len(record.fields.get(field, ())) == (count or 0)
    assert record.fields.get("lens_warnings", []) == (["fan_out_capped"] if capped else [])


def test_elements_that_do_not_match_count_as_looked_at():
    indicators = [{"key": "OTHER", "values": ["x"]}] * 1_000
    indicators.append({"key": "ATTACK_TACTIC", "values": ["Impact"]})
    detail = {"service": {"detection": {"sequence": {"sequenceIndicators": indicators}}}}
    record = ENGINES.check(compact(event(detail)), spliced=False)
    assert "fan_out_capped" in record.fields["lens_warnings"]
    assert record.fields["mitre_tactic_names"] != ["Impact"]


def test_a_hostile_finding_costs_no_seconds():
    threat_names = {"threatNames": ["x"] * 50}
    raw = compact(event({"service": {"evidence": {"threatIntelligenceDetails": [threat_names] * 20_000}}}))
    assert ENGINES.check(raw, spliced=False).fields["intel_threat_names"] == ["x"]


def test_nothing_empty_is_written():
    for raw in (enveloped(), bare(), b"{}", compact(event({"service": None, "resource": None}))):
        assert empty_values(record_of(raw).added()) == []
