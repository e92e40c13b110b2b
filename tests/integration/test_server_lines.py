"""Which OpenSearch is run on which Java, and what is said where something is missing."""

from pathlib import Path

import pytest
from programs import skipped_where_missing
from servers import MissingError, ServerError, java
from servers.artifacts import obtain
from servers.java import obtain_java
from servers.lines import LINES, chosen_line


class Machine:
    """A machine without Java and Maven, by its folder of Javas and its programs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        for variable in ("OPENSEARCH_VERSION", "OPENSEARCH_JAVA_HOME", "JAVA_HOME", "CI"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("PATH", str(folder / "bin"))
        monkeypatch.setattr(java, "JAVAS", folder / "jvm")

    def has_java(self, *majors: int) -> Path:
        for major in majors:
            program = self.folder / "jvm" / str(major) / "bin" / "java"
            program.parent.mkdir(parents=True)
            program.write_text(f"#!/bin/sh\necho 'openjdk version \"{major}.0.1\"' >&2\n")
            program.chmod(0o755)
        return program.parents[1]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("majors", "version", "taken"),
    [
        ((17,), "2.19.4", 17),
        ((11, 17, 20), "2.19.4", 20),
        ((17, 21), "3.8.0", 21),
        ((17, 25), "3.8.0", 25),
    ],
)
def test_the_newest_line_that_the_newest_java_runs(machine, majors, version, taken) -> None:
    machine.has_java(*majors)
    line = chosen_line()
    assert line.version == version
    assert obtain_java(line.java).name == str(taken)


def test_the_version_that_is_asked_for_on_a_java_that_it_runs_on(machine, monkeypatch) -> None:
    machine.has_java(17, 21, 25)
    monkeypatch.setenv("OPENSEARCH_VERSION", "2.19.4")
    line = chosen_line()
    assert line.version == "2.19.4"
    assert obtain_java(line.java).name == "21"  # Java 25 has no security manager any more


def test_a_version_that_no_test_runs_on_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("OPENSEARCH_VERSION", "2.11.1")
    with pytest.raises(ServerError) as refused:
        chosen_line()
    assert str(refused.value) == "OPENSEARCH_VERSION is 2.11.1; the tests run on 3.8.0 or 2.19.4"


def test_the_java_that_the_variable_names_is_the_only_one(machine, monkeypatch) -> None:
    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(machine.has_java(25, 17)))
    assert chosen_line().version == "2.19.4"


@pytest.mark.parametrize("number", [0, 1])
def test_a_machine_without_java_is_told_the_package(machine, number) -> None:
    assert chosen_line() == LINES[-1]
    oldest = (21, 17)[number]
    with pytest.raises(MissingError) as missing:
        obtain_java(LINES[number].java)
    assert str(missing.value) == (
        f"needs Java {oldest}: apt-get install openjdk-{oldest}-jre-headless, "
        "or set OPENSEARCH_JAVA_HOME to one's home"
    )


def test_a_machine_without_maven_is_told_the_package(machine, monkeypatch) -> None:
    monkeypatch.setenv("GUARDDUTY_LENS_CACHE", str(machine.folder))
    with pytest.raises(MissingError) as missing:
        obtain(LINES[0].server)
    assert str(missing.value) == "needs maven: apt-get install maven; it downloads the test servers"


@pytest.mark.parametrize(
    ("ci", "name", "skipped"),
    [("", "Java 17", True), ("", "maven", True), ("true", "Java 17", False), ("true", "Java 21", True)],
)
def test_in_ci_nothing_is_skipped_but_what_debian_12_lacks(ci, name, skipped, monkeypatch) -> None:
    monkeypatch.setenv("CI", ci)
    around = skipped_where_missing()
    next(around)
    with pytest.raises(BaseException) as outcome:  # noqa: PT011
        around.throw(MissingError(name, "advice"))
    assert isinstance(outcome.value, pytest.skip.Exception) == skipped
    assert str(outcome.value) == f"needs {name}: advice"
