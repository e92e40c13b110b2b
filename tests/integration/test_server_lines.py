"""Which OpenSearch is run on which Java, and what is said where something is missing."""

import os
import shlex
import sys
from pathlib import Path

import pytest
from missing import skipped_where_missing
from servers import MissingError, ServerError, java, packages
from servers.artifacts import obtain
from servers.java import obtain_java
from servers.lines import LINES, chosen_line

# What apt-get and apt-cache of a machine do: each offered package is a Java of its number.
APT_GET = """import os, pathlib, sys
root = pathlib.Path({root!r})
with (root / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
if "install" in sys.argv:
    package = sys.argv[-1]
    if package not in {offered!r}:
        sys.exit("E: Unable to locate package " + package)
    program = root / "jvm" / package / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\\necho \\'openjdk version "%s.0.1"\\' >&2\\n' % package.split("-")[1])
    program.chmod(0o755)
"""
APT_CACHE = """import sys
if sys.argv[-1] not in {offered!r}:
    sys.exit(100)
print("Package:", sys.argv[-1])
"""
OF_17, OF_21, OF_25 = (f"openjdk-{major}-jre-headless" for major in (17, 21, 25))


class Machine:
    """A machine without Java and Maven, by its folder of Javas and its programs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        for variable in ("OPENSEARCH_VERSION", "OPENSEARCH_JAVA_HOME", "JAVA_HOME", "CI"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("PATH", str(folder / "bin"))
        monkeypatch.setattr(java, "JAVAS", folder / "jvm")
        packages.update.cache_clear()

    def has_java(self, *majors: int) -> Path:
        for major in majors:
            program = self.folder / "jvm" / str(major) / "bin" / "java"
            program.parent.mkdir(parents=True)
            program.write_text(f"#!/bin/sh\necho 'openjdk version \"{major}.0.1\"' >&2\n")
            program.chmod(0o755)
        return program.parents[1]

    def is_debian(self, *offered: str, root: bool) -> None:
        self.monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        (self.folder / "bin").mkdir()
        for name, text in (("apt-get", APT_GET), ("apt-cache", APT_CACHE)):
            script = self.folder / f"{name}.py"
            script.write_text(text.format(root=str(self.folder), offered=offered))
            program = self.folder / "bin" / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {script} "$@"\n')
            program.chmod(0o755)

    def apt_get_calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


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
    with pytest.raises(MissingError) as missing:
        obtain_java(LINES[0].java)
    assert str(missing.value) == (
        "needs Java 21: OPENSEARCH_JAVA_HOME is not one of 21 to 99; unset or change it"
    )


@pytest.mark.parametrize(
    ("offered", "installed", "version"),
    [((OF_17,), OF_17, "2.19.4"), ((OF_21, OF_25), OF_25, "3.8.0")],
    ids=["bookworm", "trixie"],
)
def test_root_installs_the_newest_java_and_waits_for_apt_s_lock(machine, offered, installed, version) -> None:
    machine.is_debian(*offered, root=True)
    line = chosen_line()
    assert line.version == version
    assert obtain_java(line.java).name == installed
    options = "-o DPkg::Lock::Timeout=300"
    install = f"{options} install -y -qq --no-install-recommends {installed}"
    update = [f"{options} update -qq"] if OF_25 not in offered else []
    assert machine.apt_get_calls() == [*update, install]


@pytest.mark.parametrize(
    ("offered", "package"), [((OF_17,), OF_17), ((OF_21, OF_25), OF_21)], ids=["bookworm", "trixie"]
)
def test_a_user_without_java_is_told_the_package(machine, offered, package) -> None:
    machine.is_debian(*offered, root=False)
    with pytest.raises(MissingError) as missing:
        chosen_line()
    assert str(missing.value) == f"needs Java 17: apt-get install {package}, or set OPENSEARCH_JAVA_HOME"
    assert missing.value.packaged
    assert machine.apt_get_calls() == []


@pytest.mark.parametrize("root", [True, False])
def test_a_java_that_the_distribution_does_not_have(machine, root) -> None:
    machine.has_java(17)
    machine.is_debian(OF_17, root=root)
    with pytest.raises(MissingError) as missing:
        obtain_java(LINES[0].java)
    assert str(missing.value) == (
        "needs Java 21: no package known here has one that serves; set OPENSEARCH_JAVA_HOME"
    )
    assert not missing.value.packaged


def test_what_apt_says_is_told(machine) -> None:
    machine.is_debian(root=True)
    with pytest.raises(ServerError, match=r"E: Unable to locate package maven"):
        packages.install("maven")
    assert [call.split()[2] for call in machine.apt_get_calls()] == ["install", "update", "install"]


def test_a_user_without_maven_is_told_the_package(machine, monkeypatch) -> None:
    machine.is_debian("maven", root=False)
    monkeypatch.setenv("GUARDDUTY_LENS_CACHE", str(machine.folder))
    with pytest.raises(MissingError) as missing:
        obtain(LINES[0].server)
    assert str(missing.value) == "needs maven: apt-get install maven; it downloads the test servers"


@pytest.mark.parametrize(
    ("root", "ci", "missing", "skipped"),
    [
        (False, "", MissingError("Java 17", "advice"), True),
        (False, "", MissingError("maven", "advice"), True),
        (False, "true", MissingError("Java 17", "advice"), False),
        (True, "", MissingError("Java 17", "advice", packaged=False), False),
        (True, "", MissingError("maven", "advice"), False),
        (True, "", MissingError("Java 21", "advice"), False),
        (True, "", MissingError("Java 21", "advice", packaged=False), True),
        (False, "true", MissingError("Java 21", "advice", packaged=False), True),
    ],
)
def test_a_test_is_skipped_only_for_what_cannot_be_installed(root, ci, missing, skipped, monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setenv("CI", ci)
    around = skipped_where_missing()
    next(around)
    with pytest.raises(BaseException) as outcome:  # noqa: PT011
        around.throw(missing)
    assert isinstance(outcome.value, pytest.skip.Exception) == skipped
    assert str(outcome.value) == str(missing)
