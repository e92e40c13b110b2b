"""Records as Parquet: read back by DuckDB, equal to what `filter` writes; the same again changes nothing."""

import gzip
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command_line import json_lines
from counted_findings import UPDATES
from exports import exports
from finding_events import EVENT, compact, event
from fuzzed import fuzzed

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.documents import Documents, is_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.parquet import writer as writer_module
from guardduty_lens.parquet.athena import athena_sql
from guardduty_lens.parquet.columns import Columns
from guardduty_lens.parquet.stores import FolderStore
from guardduty_lens.parquet.writer import ParquetWriter
from guardduty_lens.record import Event, Record
from guardduty_lens.samples import generate_payloads

CORPUS = Path(__file__).parents[2] / "corpus"
PIPELINES = Path(__file__).parents[3] / "pipelines"


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Read all that is there, each row as a dictionary."""
    with duckdb.connect(":memory:") as connection:
        found = connection.execute(
            "SELECT * FROM read_parquet(?, hive_partitioning = true, hive_types = {'day': VARCHAR})",
            [f"{folder}/records/*/*.parquet"],
        )
        names = [each[0] for each in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def as_written(value: Any) -> Any:
    """Give a value of Parquet as a record has it, dates aside."""
    return [as_written(each) for each in value] if isinstance(value, list) else value


def moment(text: str) -> datetime | None:
    """Read a date to the microsecond, as Parquet keeps it; None where it is none."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read


def expect_equal(record: dict[str, Any], row: dict[str, Any], lens: Lens) -> None:
    types = lens.field_types()
    added = {name: value for name, value in record.items() if name in types}
    assert json.loads(row["event"]) == {key: value for key, value in record.items() if key not in types}
    for name, kind in types.items():
        wanted = added.get(name)
        if kind == "date" and wanted is not None and not isinstance(wanted, list):
            wanted = moment(wanted)
        assert as_written(row[name]) == wanted, name


def test_the_corpus_is_as_filter_writes_it(command, tmp_path) -> None:
    lens = Lens(extractors=())
    (tmp_path / "broken.json").write_bytes(b'{"type": "Recon:EC2/Portscan", "id": "cut short')
    command("filter", CORPUS, "-o", "out.jsonl")
    line = ("filter", CORPUS, "broken.json", "--to", "parquet", "-o", "lake", "--summary", "summary.json")
    assert command(*line).code == 1
    records = json_lines((tmp_path / "out.jsonl").read_bytes())
    rows = rows_of(tmp_path / "lake")
    assert len(rows) == len(records) > 100
    summary = json.loads((tmp_path / "summary.json").read_text())["events"]
    assert (summary["records"], summary["rejected"]) == (len(rows), 1)
    expect_all_equal(records, rows, lens)


def expect_all_equal(records: list[dict[str, Any]], rows: list[dict[str, Any]], lens: Lens) -> None:
    """Rows are in partitions; the event is what tells which record each is of."""
    key = lambda event: json.dumps(event, sort_keys=True)  # noqa: E731
    types = lens.field_types()
    by_event = {key({k: v for k, v in each.items() if k not in types}): each for each in records}
    for row in rows:
        expect_equal(by_event[key(json.loads(row["event"]))], row, lens)


def test_odd_values_of_any_kind_are_as_filter_writes_them(command, tmp_path) -> None:
    base = [json.loads(each) for each in generate_payloads(60, 5, "eventbridge")]
    given = [compact(each) for each in fuzzed(base, 600, 8)]
    lines = b"\n".join(dict.fromkeys(given))
    command("filter", "-o", "out.jsonl", stdin=lines)
    assert command("filter", "--to", "parquet", "-o", "lake", stdin=lines).code == 0
    records = json_lines((tmp_path / "out.jsonl").read_bytes())
    rows = rows_of(tmp_path / "lake")
    assert len(rows) == len(records) > 500
    expect_all_equal(records, rows, Lens(extractors=()))


def test_document_ids_are_those_of_the_cluster(command, tmp_path) -> None:
    command("filter", CORPUS, "--to", "parquet", "-o", "lake", "--dead-letters", "/dev/null")
    found = {row["document_id"] for row in rows_of(tmp_path / "lake")}
    documents, lens = Documents(Names("")), Lens(extractors=())
    named = set()
    for path in sorted(CORPUS.rglob("*.json*")):
        for record in lens.process(path.read_bytes()):
            if isinstance(record, Record) and not is_foreign(record):
                [first, *_] = documents.of(record, 1_700_000_000_000)
                if not re.fullmatch("[0-9a-f]{64}", first.id):
                    named.add(first.id)
    assert len(named) > 50
    assert named <= found


@pytest.mark.parametrize(
    ("updated", "day"),
    [
        ("2026-01-31T23:59:59.999Z", "2026-01-31"),
        ("2026-01-31T23:30:00-02:00", "2026-02-01"),
        ("2025-02-25 20:40:06.000000000", "2025-02-25"),
        ("yesterday", "1970-01-01"),
        ("99999-01-01T00:00:00Z", "1970-01-01"),
        ("1969-12-31T00:00:00Z", "1970-01-01"),
    ],
)
def test_days_are_those_of_updates_in_utc(command, tmp_path, updated: str, day: str) -> None:
    given = event({"updatedAt": updated}) | {"time": None}
    command("filter", "--to", "parquet", "-o", "lake", stdin=compact(given))
    [row] = rows_of(tmp_path / "lake")
    assert row["day"] == day
    assert json.loads(row["event"])["detail"]["updatedAt"] == updated


def test_who_tells_no_update_is_in_the_day_of_its_event(command, tmp_path) -> None:
    other = {"source": "aws.health", "detail-type": "x", "time": "2026-03-04T05:06:07Z", "id": "e1"}
    trail = {"eventSource": "guardduty.amazonaws.com", "eventName": "X", "eventTime": "2026-03-05T00:00:00Z"}
    command("filter", "--to", "parquet", "-o", "lake", stdin=compact(other) + b"\n" + compact(trail))
    rows = {row["day"]: row for row in rows_of(tmp_path / "lake")}
    assert set(rows) == {"2026-03-04", "2026-03-05"}
    assert rows["2026-03-04"]["document_id"] == "e1"


def put(folder: Path, objects: dict[str, bytes]) -> None:
    for key, body in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def test_the_same_again_takes_the_place_of_what_was_there(command, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(writer_module, "SPOOL_BYTES", 400_000)  # so that there are several files a day
    objects = exports(300)
    put(tmp_path / "archive", objects)
    line = ("replay", "archive", "--to", "parquet", "-o", "lake")
    command(*line)
    first = files_in(tmp_path / "lake")
    days = {key.rpartition("/")[0][-10:].replace("/", "-") for key in objects}
    assert {name.split("/")[1] for name in first} == {f"day={day}" for day in days}
    assert len(first) > len(days)
    command(*line)
    assert files_in(tmp_path / "lake") == first
    assert len(rows_of(tmp_path / "lake")) == 300

    # Of a part of the days only these are written anew.
    some = sorted(days)[5]
    command(*line, "--since", some, "--until", some)
    assert len(rows_of(tmp_path / "lake")) == 300

    # More, and less, of a day.
    key = next(key for key in objects if some.replace("-", "/") in key)
    (tmp_path / "archive" / key).with_name("more.jsonl").write_bytes(gzip.decompress(objects[key]))
    command(*line)
    rows = rows_of(tmp_path / "lake")
    number = gzip.decompress(objects[key]).count(b"\n")
    assert len(rows) == 300 + number
    assert len({row["document_id"] for row in rows}) == 300
    for path in (tmp_path / "archive" / key).parent.iterdir():
        path.unlink()
    (tmp_path / "archive" / key).write_bytes(b"")
    command(*line)
    assert len(rows_of(tmp_path / "lake")) == 300 - number


def test_folders_without_days_and_files_are_wholes(command, tmp_path) -> None:
    put(tmp_path, {"in/a.json": compact(UPDATES[0]), "in/sub/b.json": compact(UPDATES[1])})
    for _ in range(2):
        command("filter", "in", "--to", "parquet", "-o", "lake")
    assert len(rows_of(tmp_path / "lake")) == 2
    (tmp_path / "in/a.json").unlink()
    command("filter", "in", "--to", "parquet", "-o", "lake")
    assert len(rows_of(tmp_path / "lake")) == 1
    put(tmp_path, {"one.json": compact(UPDATES[2]), "two.json": compact(UPDATES[3])})
    for _ in range(2):
        for name in ("one.json", "two.json"):
            command("filter", name, "--to", "parquet", "-o", "lake")
    assert len(rows_of(tmp_path / "lake")) == 3


def test_standard_input_takes_nothings_place(command, tmp_path) -> None:
    for _ in range(2):
        command("filter", "--to", "parquet", "-o", "lake", stdin=compact(EVENT))
    assert len(rows_of(tmp_path / "lake")) == 2


def test_types_are_those_of_the_catalogue(command, tmp_path) -> None:
    command("filter", "--to", "parquet", "-o", "lake", stdin=compact(EVENT))
    with duckdb.connect(":memory:") as connection:
        described = connection.execute(f"DESCRIBE FROM '{tmp_path}/lake/records/*/*.parquet'").fetchall()
    types = {name: kind for name, kind, *_ in described}
    assert types["severity_score"] == "DOUBLE"
    assert types["event_count"] == "BIGINT"
    assert types["is_archived"] == "BOOLEAN"
    assert types["updated_at"] == "TIMESTAMP"
    assert types["security_group_names"] == "VARCHAR[]"
    points = {kind.removesuffix("[]") for kind in types.values() if kind.startswith("STRUCT")}
    assert points == {"STRUCT(lat DOUBLE, lon DOUBLE)"}
    lens = Lens(extractors=())
    assert set(types) == {*lens.field_types(), "document_id", "event", "day"}


def test_a_line_that_does_not_fit_is_kept_and_takes_no_other_with_it(tmp_path) -> None:
    lens = Lens(extractors=())
    good = [next(lens.process(each)) for each in UPDATES]
    bad = Record("finding", Event(b'{"id":"bad"}'), b"", {"severity_score": "much"}, b"", None, ())
    refused: list[tuple[bytes, str]] = []
    store = FolderStore(tmp_path / "lake")
    with ParquetWriter(Columns(lens), store, refuse=lambda *told: refused.append(told)) as writer:
        for record in [*good[:5], bad, *good[5:]]:
            writer.write(record, "group")
        writer.flush()
    [(line, why)] = refused
    assert json.loads(line)["event"] == {"id": "bad"}
    assert "much" in why
    assert len(rows_of(tmp_path / "lake")) == len(good)
    assert sum(writer.rows.values()) == len(good)
    assert writer.rows["2025-03-01"] == sum("2025-03-01" in each["time"] for each in UPDATES)


def test_what_is_refused_is_counted_and_in_the_dead_letters(command, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Columns, "reading", lambda self, read=Columns.reading: read(self).replace(
        "\"title\": 'VARCHAR'", "\"title\": 'BIGINT'"
    ))  # fmt: skip
    stdin = b"\n".join(compact(event({"title": title})) for title in ("7", "no number", "8"))
    result = command("filter", "--to", "parquet", "-o", "lake", "--dead-letters", "dead.jsonl", stdin=stdin)
    assert result.code == 1
    assert "2 records" in result.err
    assert "not_parquet 1" in result.err
    [letter] = json_lines((tmp_path / "dead.jsonl").read_bytes())
    assert letter["reason"] == "not_parquet"
    assert json.loads(letter["raw"])["detail"]["title"] == "no number"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["filter", "--to", "parquet"], "--to parquet needs --output FOLDER"),
        (["filter", "--to", "parquet", "-o", "a", "--flatten"], "do not go with --to parquet"),
        (["filter", "--to", "parquet", "-o", "a", "--url", "http://localhost"], "goes with --to opensearch"),
        (["filter", "--to", "parquet", "-o", "file"], "cannot write file"),
        (["filter", "--to", "parquet", "-o", "no/such/folder"], "there is no folder no/such"),
        (["replay", "file", "--to", "parquet", "-o", "a", "--cursor", "c"], "--cursor does not go with"),
        (["filter", "--to", "parquet", "-o", "a", "--fields", "fields"], "do not tell the columns"),
        (["filter", "--protocol", "rsyslog-omprog", "--to", "parquet", "-o", "a"], "does not go with"),
    ],
)
def test_what_does_not_go_is_told(command, tmp_path, line: list[str], says: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields/own.yml").write_text(
        "fields:\n- {field: Day, type: label, description: A day., from: [detail.title], examples: "
        "[{given: {detail: {title: x}}, gives: x}]}\n"
    )
    result = command(*line, stdin=b"")
    assert result.code == 2, result.err
    assert says in result.err


def test_athenas_tables_are_those_of_the_built_in_fields() -> None:
    shipped = (PIPELINES / "aws/athena.sql").read_text("utf-8")
    assert shipped == athena_sql(Columns(Lens(extractors=())), "s3://lake/guardduty")


def test_athenas_views_give_each_update_once_and_each_finding_as_it_is(command, tmp_path) -> None:
    lines = b"".join(compact(each) + b"\n" for each in [*UPDATES, *UPDATES[:3]])
    command("filter", "--to", "parquet", "-o", "lake", stdin=lines)
    statements = athena_sql(Columns(Lens(extractors=())), "s3://lake").split(";\n")
    views = [each[each.index("CREATE") :] for each in statements if "CREATE OR REPLACE VIEW" in each]
    assert len(views) == 2
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            'CREATE VIEW guardduty_records AS SELECT *, filename AS "$path" '
            f"FROM read_parquet('{tmp_path}/lake/records/*/*.parquet', filename = true)"
        )
        for view in views:
            connection.execute(view)
        assert connection.execute("SELECT count(*) FROM guardduty_records").fetchall() == [(15,)]
        assert connection.execute("SELECT count(*) FROM guardduty_updates").fetchall() == [(12,)]
        found = connection.execute(
            "SELECT finding_id, severity_label, updated_at::DATE FROM guardduty_findings ORDER BY finding_id"
        ).fetchall()
    assert len(found) == 10
    assert ("f4", "High") in {row[:2] for row in found}  # its second update
    assert all(row[2] >= date(2025, 3, 1) for row in found)


def test_a_location_is_quoted(command, tmp_path) -> None:
    assert command("compile", "athena", "--location", "s3://lake/o'clock", "-o", "out").code == 0
    assert "'s3://lake/o''clock/records/'" in (tmp_path / "out/athena.sql").read_text("utf-8")
    assert command("compile", "athena", "--location", "lake", "-o", "out").code == 2
