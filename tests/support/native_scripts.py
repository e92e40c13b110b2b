"""The scripts that run inside shippers, under plain Ruby and LuaJIT, with the shipper played by `hosts/`."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import re2
from programs import program

from guardduty_lens.compilers.fluent_bit import fluent_bit_files
from guardduty_lens.compilers.logstash import logstash_files
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.names import Names

HOSTS = Path(__file__).parent / "hosts"

Document = dict[str, Any]


class ScriptError(Exception):
    """What a script, or its interpreter, complained of."""


class Outcome(msgspec.Struct):
    """What became of a record: its members, and where it belongs."""

    record: Document
    index: str | None
    id: str | None
    time: Any


class LogstashScript:
    """`compile logstash`, run by the real Ruby."""

    def __init__(self, folder: Path, plan: Plan, names: Names | None = None) -> None:
        self.files = _written(folder, logstash_files(plan, names or Names("")))

    def outcomes(self, documents: Iterable[Document]) -> list[Outcome]:
        lines = "".join(json.dumps(document) + "\n" for document in documents)
        return [self._outcome(json.loads(line)) for line in _lines(self._run(lines))]

    def own_tests(self) -> list[str]:
        return _lines(self._run("", "--tests"))

    def _run(self, given: str, *options: str) -> str:
        script, plan = self.files["guardduty-lens.rb"], self.files["guardduty-plan.json"]
        return _output([program("ruby", "ruby"), "-W", HOSTS / "logstash.rb", script, plan, *options], given)

    def _outcome(self, found: Document) -> Outcome:
        event, metadata = found["event"], found["metadata"]
        time = event.pop("@timestamp")
        assert event.pop("@version") == "1"
        return Outcome(event, metadata.get("guardduty_index"), metadata.get("guardduty_id"), time)


class FluentBitScript:
    """`compile fluent-bit`, run by the real LuaJIT; the parser filter between two steps is played here."""

    def __init__(self, folder: Path, plan: Plan, names: Names | None = None) -> None:
        self.files = _written(folder, fluent_bit_files(plan, names or Names("")))
        self._plan = json.loads(self.files["guardduty-plan.json"].read_text("utf-8"))
        config = self.files["fluent-bit.yaml"].read_text("utf-8")
        self._steps = re.findall(r"^ +call: (\w+)$", config, re.MULTILINE)
        self._parsers = [_parser(*found) for found in _PARSER.findall(config)]

    def outcomes(self, documents: Sequence[Document]) -> list[Outcome]:
        records = documents
        for step in self._steps:
            found = [json.loads(line) for line in _lines(self._run(step, records))]
            assert all(result["code"] == 1 for result in found)
            records = [self._parsed(result["record"]) for result in found]
        return [self._outcome(result["record"], result["time"]) for result in found]

    def _run(self, step: str, records: Iterable[Document]) -> str:
        lines = "".join(_lua(record) + "\n" for record in records)
        return _output(
            [program("luajit", "luajit"), HOSTS / "fluent_bit.lua", self.files["lens.lua"], step], lines
        )

    def _parsed(self, record: Document) -> Document:
        """Do what Fluent Bit's parser filter does: named groups that captured something, at the top."""
        for key, match in self._parsers:
            found = match(record[key]) if key in record else None
            captured = found.groupdict() if found else {}
            record = {name: text for name, text in captured.items() if text} | record
        return record

    def _outcome(self, record: Document, time: Any) -> Outcome:
        index, name = (record.pop(self._plan["keys"][key], None) for key in ("index", "id"))
        return Outcome(record, None if index == self._plan["foreign"] else index, name, time)


_PARSER = re.compile(r"- name: (lens-regex-\d+)\n    format: regex\n    regex: (\".*\")\n")


def _parser(name: str, quoted: str) -> tuple[str, Callable[[str], Any]]:
    number = name.rpartition("-")[2]
    pattern = json.loads(quoted).replace("(?<", "(?P<")
    return f"lensregex{number}input", re2.compile(pattern).match


def _written(folder: Path, files: dict[str, str]) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in files}


def _output(command: Sequence[str | Path], given: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], input=given.encode(), capture_output=True, timeout=600, check=False
    )
    if done.returncode or done.stderr:
        raise ScriptError(done.stderr.decode())
    return done.stdout.decode()


def _lines(text: str) -> list[str]:
    # No `splitlines`: findings have line separators of their own.
    return text.removesuffix("\n").split("\n")


def _lua(value: Any) -> str:
    """Write a value as the expression that `hosts/fluent_bit.lua` reads."""
    if isinstance(value, dict):
        return "M{" + ",".join(f"[{_lua(key)}]={_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "A{" + ",".join(map(_lua, value)) + "}"
    if isinstance(value, str):
        return '"' + "".join(f"\\{octet:03d}" for octet in value.encode()) + '"'
    return "N" if value is None else json.dumps(value)
