from types import SimpleNamespace

import pytest

from guardduty_lens import Lens, rules
from guardduty_lens.findings.severity import AWS, SEED_2020, Band, SeverityScheme
from guardduty_lens.rules import RuleError

TYPES = {
    "record_kind": "label",
    "finding_type": "label",
    "title": "text",
    "remote_ips": "ip",
    "severity_score": "double",
    "event_count": "long",
    "remote_ports": "integer",
    "is_sample": "boolean",
    "updated_at": "date",
    "remote_locations": "geo_point",
}
FIELDS = {
    "record_kind": "finding",
    "finding_type": "Recon:EC2/Portscan",
    "title": 'Instance i-1 is "scanning" [prod]',
    "remote_ips": ["198.51.100.7", "203.0.113.9"],
    "severity_score": 5,
    "remote_ports": [22, 443],
    "is_sample": False,
    "updated_at": "2025-01-01T00:00:00Z",
}


def record(record_kind="finding", **fields):
    """Give what rules read of a record."""
    return SimpleNamespace(kind=record_kind, fields={"record_kind": record_kind} | fields)


def holds(text: str, fields=FIELDS) -> bool:
    name, test = rules.parse_condition(text, TYPES)
    assert name == text.strip()
    return test(fields)


@pytest.mark.parametrize(
    "condition",
    [
        "severity_score",
        "!event_count",
        "finding_type=Recon:EC2/Portscan",
        "finding_type = Recon:EC2/Portscan",
        "finding_type  =\tRecon:EC2/Portscan",
        'finding_type="Recon:EC2/Portscan"',
        "finding_type='Recon:EC2/Portscan'",
        "finding_type!=Recon:EC2/Other",
        "finding_type ~ Recon:*",
        "finding_type ~ *EC2*",
        "finding_type ~ Recon:EC2/Portsca?",
        "title ~ 'Instance i-1 *'",
        "title = 'Instance i-1 is \"scanning\" [prod]'",
        "title ~ *[prod]",
        "title ~ '*\"scanning\"*'",
        "remote_ips=203.0.113.9",
        "remote_ips=198.51.100.7",
        "remote_ips!=192.0.2.1",
        "remote_ips ~ 203.0.113.*",
        "severity_score=5",
        "severity_score=5.0",
        "severity_score!=6",
        "severity_score<5.1",
        "severity_score<=5",
        "severity_score>4.9",
        "severity_score >= 5",
        "severity_score>=-1",
        "remote_ports>100",
        "remote_ports<100",
        "remote_ports=22",
        "remote_ports!=23",
        "is_sample=false",
        "is_sample!=true",
        "event_count!=1",
        "updated_at ~ 2025-*",
        "severity_score>4 and remote_ips=203.0.113.9 and !event_count",
        "severity_score>4  and\tis_sample=false",
        "severity_score>4 ",
    ],
)
def test_conditions_that_hold(condition):
    assert holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "event_count",
        "!severity_score",
        "finding_type=Recon:EC2",
        "finding_type=recon:ec2/portscan",
        "finding_type!=Recon:EC2/Portscan",
        "finding_type ~ Recon",
        "finding_type ~ recon:*",
        "finding_type ~ Recon:EC2/Ports?",
        "title ~ *[p]*",
        "remote_ips=192.0.2.1",
        "remote_ips!=203.0.113.9",
        "severity_score<5",
        "severity_score>5",
        "severity_score=6",
        "event_count=1",
        "event_count<1",
        "event_count>=0",
        "remote_ports>443",
        "remote_ports!=22",
        "is_sample=true",
        "title ~ '*scanning [prod]'",
        "severity_score>4 and remote_ips=192.0.2.1",
        "event_count and severity_score",
    ],
)
def test_conditions_that_do_not_hold(condition):
    assert not holds(condition)


@pytest.mark.parametrize("value", ["it's", "'it's", 'say "x"', "a and b", " x ", "", "a=b", "!x", "ü"])
def test_quoted_values_are_kept_as_they_are(value):
    quote = '"' if '"' not in value else "'"
    condition = f"title={quote}{value}{quote}"
    assert holds(condition, {"title": value})
    assert not holds(condition, {"title": value.strip("'\" ") + "."})


@pytest.mark.parametrize(
    ("condition", "title"),
    [("title='\"x\"'", '"x"'), ("title=\"'x'\"", "'x'"), ("title ~ '\"*'", '"x')],
)
def test_quotes_inside_quotes_belong_to_the_value(condition, title):
    assert holds(condition, {"title": title})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("scanner: remote_ips=198.51.100.7", "scanner"),
        ("our-scanner_2.x:  remote_ips=198.51.100.7", "our-scanner_2.x"),
        ("remote_ips=198.51.100.7", "remote_ips=198.51.100.7"),
        ("title and severity_score", "title and severity_score"),
    ],
)
def test_names(text, name):
    found, test = rules.parse_condition(text, TYPES)
    assert found == name
    assert test(FIELDS)
    assert rules.drop_if(text, TYPES).name == name
    assert rules.keep_if(text, TYPES).name == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["character 1"]),
        ("   ", ["character"]),
        ("=5", ["character 1"]),
        ("severity_score>", ["character 15"]),
        ("severity_score > 5 and", ["character"]),
        ("severity_score > 5 and ", ["character"]),
        ("severity_score > 5 or is_sample=true", ["'and'", "character 19"]),
        ("severity_score>5 is_sample=true", ["'and'"]),
        ("severity_score>5andis_sample", ["severity_score"]),
        ("severity_scor>5", ["severity_scor", "severity_score"]),
        ("finding_typ", ["finding_typ", "did you mean 'finding_type'"]),
        ("zzz=1", ["no field 'zzz'"]),
        ("!severity_score=5", ["!"]),
        ("severity_score=high", ["high", "double"]),
        ("severity_score>''", ["double"]),
        ("severity_score=nan", ["nan"]),
        ("severity_score<inf", ["inf"]),
        ("severity_score=1e400", ["1e400"]),
        ("is_sample=yes", ["true or false", "yes"]),
        ("is_sample=True", ["true or false"]),
        ("is_sample>true", [">", "number"]),
        ("finding_type>5", [">", "number", "label"]),
        ("updated_at>=2025", [">=", "date"]),
        ("severity_score~5*", ["~", "text"]),
        ("is_sample~t*", ["~", "text"]),
        ("title='open", ["character"]),
        ("title=a'b", ["character"]),
    ],
)
def test_errors_say_what_is_wrong(text, parts):
    with pytest.raises(RuleError) as caught:
        rules.parse_condition(text, TYPES)
    for part in parts:
        assert part in str(caught.value)


def test_an_unknown_field_far_from_any_gets_no_hint():
    with pytest.raises(RuleError) as caught:
        rules.parse_condition("zzz=1", TYPES)
    assert "mean" not in str(caught.value)


def test_drop_if_and_keep_if_are_opposites():
    for fields in ({"severity_score": 3}, {"severity_score": 8}, {}):
        dropped = rules.drop_if("severity_score>5", TYPES).drops(record(**fields))
        kept_out = rules.keep_if("severity_score>5", TYPES).drops(record(**fields))
        assert dropped != kept_out
        assert dropped == (fields.get("severity_score") == 8)


def test_only_kinds():
    rule = rules.only_kinds(["finding", "health"])
    kinds = ("finding", "health", "other", "api_call")
    assert [rule.drops(record(record_kind=kind)) for kind in kinds] == [False, False, True, True]


def test_samples_and_archived():
    samples, archived = rules.exclude_samples(), rules.exclude_archived()
    assert samples.drops(record(is_sample=True, is_archived=False))
    assert not samples.drops(record(is_sample=False, is_archived=True))
    assert not samples.drops(record(record_kind="other"))
    assert archived.drops(record(is_sample=False, is_archived=True))
    assert not archived.drops(record(is_sample=True, is_archived=False))
    assert not archived.drops(record(record_kind="other"))


def scored(score, label, rank):
    return record(severity_score=score, severity_label=label, severity_rank=rank)


LOW, MEDIUM, HIGH = scored(2, "Low", 1), scored(5, "Medium", 2), scored(8.9, "High", 3)
CRITICAL, ODD = scored(9, "Critical", 4), scored(0.5, "Unknown", 0)
NONE = record(severity_label="Unknown", severity_rank=0)
FOREIGN = record(record_kind="other_aws")


@pytest.mark.parametrize(
    ("least", "dropped"),
    [
        ("Unknown", []),
        ("Low", []),
        ("Medium", [LOW]),
        ("medium", [LOW]),
        ("HIGH", [LOW, MEDIUM]),
        ("Critical", [LOW, MEDIUM, HIGH]),
        ("0", []),
        ("2", []),
        ("2.1", [LOW]),
        ("5.0", [LOW]),
        ("8.9", [LOW, MEDIUM]),
        ("9", [LOW, MEDIUM, HIGH]),
        ("10", [LOW, MEDIUM, HIGH, CRITICAL]),
    ],
)
def test_min_severity_keeps_unknown_and_other_kinds(least, dropped):
    rule = rules.min_severity(least, AWS)
    every = [LOW, MEDIUM, HIGH, CRITICAL, ODD, NONE, FOREIGN]
    assert [item for item in every if rule.drops(item)] == dropped
    assert rule.name == "min-severity"


def test_min_severity_by_the_labels_of_the_scheme():
    reserved = scored(9.5, "Reserved", 0)
    rule = rules.min_severity("High", SEED_2020)
    assert [rule.drops(item) for item in (LOW, MEDIUM, HIGH, reserved)] == [True, True, False, False]
    own = SeverityScheme(
        name="own", bands=(Band(label="Page", rank=2, at_least=8), Band(label="Mail", rank=1))
    )
    rule = rules.min_severity("page", own)
    assert [rule.drops(scored(8, "Page", 2)), rule.drops(scored(7, "Mail", 1))] == [False, True]


@pytest.mark.parametrize("text", ["", "Sever", "5,0", "Reserved", "nan", "inf", "-inf"])
def test_min_severity_refuses_what_is_no_label_and_no_score(text):
    with pytest.raises(RuleError) as caught:
        rules.min_severity(text, AWS)
    assert "Critical" in str(caught.value)


def finding(number, severity, **service):
    parts = {"schemaVersion": "2.0", "service": service, "severity": severity}
    return {"type": "Recon:EC2/Portscan", "id": f"f{number}"} | parts


def test_rules_of_a_lens_count_what_they_drop_by_name():
    lens = Lens(extractors=())
    types = lens.field_types()
    lens.rules = (
        rules.exclude_samples(),
        rules.min_severity("medium", lens.plan.scheme),
        rules.drop_if("noise: threat_name=Portscan and event_count>10", types),
    )
    payload = [
        finding(1, 2),
        finding(2, 8, additionalInfo={"sample": True}),
        finding(3, 8, count=11),
        finding(4, 8, count=3),
        finding(5, "high"),
        {"a": 1},
    ]
    given = list(lens.process(payload))
    assert [item.fields.get("finding_id") for item in given] == ["f4", "f5", None]
    assert lens.counters.filtered == {"min-severity": 1, "exclude-samples": 1, "noise": 1}
    assert lens.counters.records == {"finding": 2, "other": 1}
    assert lens.counters.findings == {"High": 1, "Unknown": 1}
    assert lens.counters.warnings == {"severity_unusable": 1}
    assert lens.counters.events == 6


def test_rules_see_fields_by_their_catalogue_names_under_a_prefix():
    lens = Lens(extractors=(), field_prefix="gd_")
    lens.rules = (rules.drop_if("severity_label=Low", lens.field_types()),)
    [given] = lens.process([finding(1, 2), finding(2, 5)])
    assert given.to_dict()["gd_finding_id"] == "f2"
    assert lens.counters.filtered == {"severity_label=Low": 1}
