"""What people get wrong first: each is told with its cause and the next step, and has its exit code."""

import json
import os
import shlex
import subprocess
import sys

import pytest
from command_line import json_lines
from faulty_cluster import faulty_cluster
from finding_events import EVENT, compact

GOOD = compact(EVENT) + b"\n"
LETTERS = "guardduty-lens-dead-letters.jsonl"
LOOKED_FOR = "looked for *.json *.jsonl *.ndjson *.log (also with .gz) in it and below"
SUCCESS = "--allow-empty takes that for success"


def told(result):
    return [line for line in result.err.splitlines() if line.startswith("guardduty-lens: ")]


# --- the hint to replay -----------------------------------------------------------------------------


def raws(path):
    return [letter["raw"] for letter in json_lines(path.read_bytes())]


def hint_of(result):
    [line] = [each for each in result.err.splitlines() if "try it again with: " in each]
    return line.split("try it again with: guardduty-lens ")[1]


def test_the_hint_to_replay_works_as_printed_again_and_again(command, tmp_path):
    result = command("filter", stdin=b"one\n" + GOOD + b"two\n")
    seen = [tmp_path / LETTERS]
    for number in (1, 2):
        assert hint_of(result) == f"replay {seen[-1].name}"
        result = command(*hint_of(result).split())
        seen.append(tmp_path / f"guardduty-lens-dead-letters.{number}.jsonl")
        assert result.code == 1
        assert result.err.startswith("2 payloads, 2 events: 0 records, 0 filtered, 2 rejected, 0 control\n")
    assert [raws(path) for path in seen] == [["one", "two"]] * 3
    assert sorted(tmp_path.iterdir()) == sorted(seen)


def test_a_file_replayed_twice_is_whole_and_each_replay_has_its_own_rejects(command, tmp_path):
    command("filter", stdin=b"one\n")
    for _ in range(2):
        assert command("replay", LETTERS).code == 1
    for name in (LETTERS, "guardduty-lens-dead-letters.1.jsonl", "guardduty-lens-dead-letters.2.jsonl"):
        assert raws(tmp_path / name) == ["one"]


def test_a_replay_without_rejects_leaves_no_file(command, tmp_path):
    command("filter", stdin=b"one\n")
    letter = json_lines((tmp_path / LETTERS).read_bytes())[0] | {"raw": GOOD.decode()}
    (tmp_path / LETTERS).write_bytes(compact(letter) + b"\n")
    result = command("replay", LETTERS)
    assert (result.code, len(result.records)) == (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == [LETTERS]


def test_the_hint_quotes_what_a_shell_would_take_apart(command):
    result = command("filter", "--dead-letters", "my letters.jsonl", stdin=b"one\n")
    assert hint_of(result) == "replay 'my letters.jsonl'"


def test_the_hint_to_replay_goes_to_the_same_cluster(command, tmp_path):
    (tmp_path / "secret").write_text("pass\n")
    with faulty_cluster() as cluster:
        options = ["--to", "opensearch", "--url", cluster.url, "--user", "me", "--password-file", "secret"]
        options += ["--index-prefix", "a-", "--no-state", "--drop-if", "x: account_id=1"]
        result = command("filter", *options, stdin=b"one\n" + GOOD)
        hint = hint_of(result)
        letter = json_lines((tmp_path / LETTERS).read_bytes())[0] | {"raw": GOOD.decode()}
        (tmp_path / LETTERS).write_bytes(compact(letter) + b"\n")
        again = command(*shlex.split(hint))
    assert shlex.split(hint)[:2] == ["replay", LETTERS]
    assert sorted(shlex.split(hint)[2:]) == sorted(options)
    assert "pass" not in hint.replace("--password-file", "")
    assert again.code == 0
    assert [name for names in cluster.ids for name in names].count(cluster.ids[0][0]) == 2


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["-o", "out.jsonl"], "--output out.1.jsonl"),
        (
            ["--add-only", "--field-prefix", "gd_", "--output", "out.jsonl"],
            "--field-prefix gd_ --add-only --output out.1.jsonl",
        ),
        (["--to", "parquet", "-o", "lake"], "--to parquet --output lake"),
        (
            ["--min-severity", "High", "--only", "finding", "--only", "health"],
            "--only finding --only health --min-severity High",
        ),
    ],
    ids=["file", "add-only", "parquet", "rules"],
)
def test_the_hint_to_replay_has_the_options_of_the_run(command, tmp_path, options, hint):
    result = command("filter", *options, stdin=b"one\n" + GOOD)
    said = hint_of(result)
    assert sorted(said.split()) == sorted(["replay", LETTERS, *hint.split()])
    before = {path: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    assert command(*said.split()).code == 1
    assert all(path.read_bytes() == held for path, held in before.items())  # nothing was written over


def test_the_hint_of_a_report_makes_records_for_it(command, tmp_path):
    result = command("report", "-", stdin=b"one\n" + GOOD)
    assert hint_of(result) == f"replay {LETTERS} --output mended.jsonl, and make the report of that file, too"


# --- dead letters that could not be saved -----------------------------------------------------------


def test_the_summary_says_how_many_rejects_were_saved(process, tmp_path):
    # The second of them does not fit into the file any more.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400)); "
    run = f"{limit}from guardduty_lens.cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", run, "filter", "--summary", "s.json"],
        cwd=tmp_path,
        input=b"one\n" + GOOD + b"two" * 100 + b"\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3
    lines = result.stderr.decode().splitlines()
    assert lines[0] == (
        f"guardduty-lens: cannot write dead letters to {LETTERS}: File too large; "
        "see what is wrong with it, or name another place with --dead-letters"
    )
    assert (
        f"  1 of 2 rejected could not be saved in {LETTERS}: they are in the input alone; "
        "mend that, and give the input again" in lines
    )
    assert f"  1 of 2 rejected is in {LETTERS}; try it again with: guardduty-lens replay {LETTERS}" in lines


def test_a_summary_for_programs_says_it_too(command, tmp_path):
    result = command("filter", "--dead-letters", "/dev/full", "--summary", "s.json", stdin=b"one\n")
    assert result.code == 3
    assert "rejected input is in" not in result.err
    assert json.loads((tmp_path / "s.json").read_bytes())["not_saved"] == 1


# --- places that cannot be written ------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
def test_a_folder_where_a_file_is_to_be(command, tmp_path, option):
    (tmp_path / "out").mkdir()
    result = command("filter", option, "out", stdin=GOOD)
    assert result.code == 2
    assert "cannot write out: it is a folder; name a file in it, such as out/records.jsonl" in result.err


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
def test_a_folder_that_is_not_there(command, option):
    result = command("filter", option, "nowhere/out", stdin=GOOD)
    assert result.code == 2
    assert "cannot write nowhere/out: there is no folder nowhere; make it, or name another file" in result.err


@pytest.mark.parametrize(
    ("option", "what", "code"),
    [("--output", "records", 2), ("--dead-letters", "dead letters", 3), ("--summary", "the summary", 3)],
)
def test_a_place_without_permission_is_named(command, tmp_path, monkeypatch, option, what, code):
    (tmp_path / "locked").mkdir()

    def refuse(path, mode="r", *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    real = type(tmp_path).open

    def opened(path, *rest, **options):
        return (refuse if path.parent.name == "locked" else real)(path, *rest, **options)

    monkeypatch.setattr(type(tmp_path), "open", opened)  # root may write anywhere
    result = command("filter", option, "locked/x", stdin=GOOD + b"one\n")
    assert result.code == code
    assert (
        f"cannot write {what} to locked/x: Permission denied; let this user write there, "
        f"or name another place with {option}" in result.err
    )


def test_a_cursor_that_cannot_be_written_is_named(command, tmp_path, monkeypatch):
    (tmp_path / "a.json").write_bytes(GOOD)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
    result = command("replay", "a.json", "--cursor", "c.json", "-o", "out.jsonl")
    assert result.code == 3
    assert "cannot write the cursor to c.json: No space left on device; free some space there" in result.err


# --- nothing to read ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["filter", "replay"])
@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ([], "and saw 0 other files"),
        (["notes.txt"], "and saw 1 other file, such as in/notes.txt; name a file itself to have it read"),
        (["x/b.csv", "a.md"], "and saw 2 other files, such as in/a.md; name a file itself to have it read"),
    ],
)
def test_a_folder_with_nothing_to_read(command, tmp_path, name, files, seen):
    (tmp_path / "in/x").mkdir(parents=True)
    (tmp_path / "out.jsonl").write_text("yesterday's")
    for file in files:
        (tmp_path / "in" / file).touch()
    result = command(name, "in", "-o", "out.jsonl")
    assert result.code == 1
    assert told(result) == [f"guardduty-lens: nothing to read in in: {LOOKED_FOR}, {seen}. {SUCCESS}"]
    assert (tmp_path / "out.jsonl").read_text() == "yesterday's"
    result = command(name, "in", "-o", "out.jsonl", "--allow-empty")
    assert (result.code, told(result)) == (0, [])


def test_one_folder_of_several_with_nothing_to_read(command, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.json").write_bytes(GOOD)
    for options in ((), ("--workers", 2)):
        result = command("filter", "a.json", "in", *options)
        assert (result.code, len(result.records)) == (1, 1)
        assert told(result)[-1].startswith("guardduty-lens: nothing to read in in: ")
    result = command("filter", "in", "--workers", 2, "-o", "out.jsonl")
    assert result.code == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_empty_files_are_no_mistake(command, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").touch()
    for arguments in (["in"], ["in/a.json"], ["-"]):
        result = command("filter", *arguments)
        assert (result.code, told(result)) == (0, [])


def test_a_selection_that_matches_nothing(command, tmp_path):
    (tmp_path / "in/111122223333/2026/01/31").mkdir(parents=True)
    (tmp_path / "in/111122223333/2026/01/31/a.json").write_bytes(GOOD)
    options = ("--account", "444455556666", "--since", "2026-01-01")
    words = (
        "guardduty-lens: nothing to read in in: 1 file there, none of them within "
        "--account 444455556666 --since 2026-01-01"
    )
    result = command("replay", "in", *options)
    assert (result.code, told(result)) == (1, [f"{words}. {SUCCESS}"])
    result = command("replay", "in", *options, "--dry-run")
    assert (result.code, told(result)) == (1, [f"{words}. {SUCCESS}"])
    assert result.out == "0 sources, 0.0 MB, would be replayed\n"
    assert command("replay", "in", *options, "--allow-empty").code == 0


def test_what_the_cursor_says_is_done_is_no_mistake(command, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_bytes(GOOD)
    for records in (1, 0):
        result = command("replay", "in", "--cursor", "c.json")
        assert (result.code, len(result.records), told(result)) == (0, records, [])


def test_a_report_of_an_empty_folder(command, tmp_path):
    (tmp_path / "in").mkdir()
    result = command("report", "in")
    assert result.code == 1
    assert (
        told(result)[0]
        == f"guardduty-lens: nothing to read in in: {LOOKED_FOR}, and saw 0 other files. {SUCCESS}"
    )
    assert not (tmp_path / "report.html").exists()


def test_a_folder_that_cannot_be_listed_is_not_passed_over(command, tmp_path, monkeypatch):
    (tmp_path / "in/locked").mkdir(parents=True)
    (tmp_path / "in/a.json").write_bytes(GOOD)
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read anything
    for name in ("filter", "replay", "report"):
        result = command(name, "in")
        assert result.code == 3
        assert told(result) == ["guardduty-lens: could not read in/locked: Permission denied"]


# --- words that are nearly right ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["filer", "in"], "no such command 'filer'; did you mean filter?"),
        (["Replay", "in"], "no such command 'Replay'; did you mean replay?"),
        (["fields", "lst"], "no such command 'lst'; did you mean list?"),
        (["compile", "opensearh"], "no such command 'opensearh'; did you mean opensearch?"),
        (["in"], "no such command 'in'; to enrich what is in it: guardduty-lens filter in"),
        (["fields", "xyz"], "no such command 'xyz'; there are docs, lint, list, schema, test"),
        (
            ["--output", "x", "filter", "in"],
            "no such option: --output; options of a command come after its name: "
            "guardduty-lens COMMAND --output",
        ),
    ],
    ids=" ".join,
)
def test_the_nearest_command_is_named(command, tmp_path, line, words):
    (tmp_path / "in").mkdir()
    result = command(*line)
    assert result.code == 2
    assert result.err.splitlines()[-1] == f"Error: {words}"


def test_the_nearest_option_is_named(command):
    result = command("filter", "--min-severty", "High")
    assert result.code == 2
    assert "--min-severty" in result.err
    assert "--min-severity" in result.err


def test_the_module_is_the_command(tmp_path):
    line = [sys.executable, "-m", "guardduty_lens", "filer"]
    result = subprocess.run(line, cwd=tmp_path, capture_output=True, timeout=60, check=False, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "Usage: guardduty-lens [OPTIONS] COMMAND [ARGS]..."
    assert "no such command 'filer'; did you mean filter?" in result.stderr


# --- words ------------------------------------------------------------------------------------------


def test_two_equal_signs_are_one_too_many(command):
    result = command("filter", "--drop-if", "severity_label==High", stdin=GOOD)
    assert result.code == 2
    assert "no operator == in 'severity_label==High': write =" in result.err
    assert command("filter", "--drop-if", "finding_id=='='", stdin=GOOD).code == 2
    assert command("filter", "--drop-if", "finding_id='=x'", stdin=GOOD).code == 0


@pytest.mark.parametrize("name", ["filter", "report"])
def test_a_place_in_s3_is_for_replay(command, name):
    result = command(name, "s3://bucket/prefix")
    assert result.code == 2
    words = "s3://bucket/prefix: files and folders are read here; `replay` reads s3://BUCKET/PREFIX"
    assert words in " ".join(result.err.split())


def test_one_is_not_many(command, tmp_path):
    result = command("filter", stdin=GOOD)
    assert result.err.startswith("1 payload, 1 event: 1 record, 0 filtered")
    (tmp_path / "empty.yml").write_text("")
    result = command("fields", "lint", "empty.yml")
    assert (result.code, result.err) == (1, "1 problem\n")
    assert result.out == "empty.yml:1:1: the file should be a mapping, but is empty\n"


def test_an_example_without_a_value_gives_nothing(command, tmp_path):
    (tmp_path / "a.yml").write_text(
        "fields:\n  - {field: a, type: label, description: It is., from: [detail.region],\n"
        "     examples: [{given: {detail: {region: null}}, gives: x}]}\n"
    )
    assert "the example gives nothing, not 'x'" in command("fields", "lint", "a.yml").out


# --- files that cannot be written, by other commands -------------------------------------------------

MAY_NOT = "Permission denied; let this user write there, or name another place with --output"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["report", "-", "-o", "locked/r.html"], "cannot write the page to locked/r.html"),
        (["compile", "opensearch", "-o", "locked"], "cannot write files to locked/"),
        (["compile", "logstash", "-o", "locked"], "cannot write files to locked/"),
    ],
    ids=["report", "opensearch", "logstash"],
)
def test_a_folder_without_permission_is_named(command, tmp_path, monkeypatch, line, words):
    (tmp_path / "locked").mkdir()
    real = type(tmp_path).write_text

    def written(path, *rest, **options):
        if "locked" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(type(tmp_path), "write_text", written)  # root may write anywhere
    result = command(*line, stdin=GOOD)
    assert result.code == 2
    assert words in result.err
    assert MAY_NOT in result.err
    assert list((tmp_path / "locked").rglob("*.*")) == []
