"""What is built and installed: nothing is missing, nothing is too much, and it runs on its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from guardduty_lens.catalogue.examples import same_json
from guardduty_lens.version import __version__

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/ec2-network-connection-canary"
NOT_CORE = (
    "botocore",
    "boto3",
    "orjson",
    "pytest",
    "hypothesis",
    "babel",
    "setuptools",
    "mypy",
)


def run(*line, **options):
    """Run a command; what it says is shown where it fails."""
    result = subprocess.run(
        [str(part) for part in line], capture_output=True, timeout=300, check=False, **options
    )
    assert result.returncode == 0, (result.stdout + result.stderr).decode()
    return result


def shipped_files():
    """Give the files of the package that are, or will be, under version control."""
    names = run(
        "git", "ls-files", "-co", "--exclude-standard", "plugin/guardduty_lens", cwd=ROOT
    ).stdout.decode()
    return {name for name in names.splitlines() if (ROOT / name).is_file()}


def asset_files():
    """Give the files of the folders beside the package that are, or will be, under version control."""
    folders = ("pipelines", "dashboards", "saved_objects", "alerts")
    names = run("git", "ls-files", "-co", "--exclude-standard", *folders, cwd=ROOT).stdout.decode()
    return {name for name in names.splitlines() if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build sdist and wheel from a copy, so that nothing old is in them and nothing new stays here."""
    source = tmp_path_factory.mktemp("source")
    names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).stdout.decode().splitlines()
    for name in names:
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source, cwd=source)
    return target


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"guardduty_lens-{__version__}.dist-info/METADATA").decode()
    return Parser().parsestr(text)


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Install the wheel with its core dependencies, and nothing else, into an environment of its own."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    line = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run(*line, wheel)
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path):
    """Give what a process gets that knows nothing of the checkout."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {"cwd": tmp_path, "env": outside}


# --- what is built -------------------------------------------------------------------------------------


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assets = {name for name in names if name.startswith("guardduty_lens/assets/")}
    assert names - assets == {name.removeprefix("plugin/") for name in shipped_files()}
    assert assets == {f"guardduty_lens/assets/{name}" for name in asset_files()}
    assert "guardduty_lens/assets/pipelines/opensearch/index_template/guardduty-lens-log.json" in assets
    assert "guardduty_lens/py.typed" in names
    assert any(name.endswith(".yml") for name in names)
    assert any(name.endswith(".json") for name in names)


def test_the_wheel_is_for_any_platform(wheel):
    assert wheel.name == f"guardduty_lens-{__version__}-py3-none-any.whl"


def test_the_sdist_holds_what_it_is_built_from(built):
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {member.name.split("/", 1)[-1] for member in archive.getmembers() if member.isfile()}
    assert names >= shipped_files()
    assert names >= asset_files()
    assert names >= {"pyproject.toml", "setup.py", "LICENSE", "NOTICE", "README.md"}


def test_the_wheel_holds_the_licences_of_what_others_wrote(wheel):
    with zipfile.ZipFile(wheel) as archive:
        folder = f"guardduty_lens-{__version__}.dist-info/licenses/"
        names = {name.removeprefix(folder) for name in archive.namelist() if name.startswith(folder)}
        notice = archive.read(f"{folder}NOTICE").decode()
    named = set(re.findall(r"LICENSES/[\w.-]+\.txt", notice))
    assert named == {f"LICENSES/{path.name}" for path in (ROOT / "LICENSES").iterdir()}
    page = "guardduty_lens/visuals/report/html/"
    assert names == {"LICENSE", "NOTICE", *named, f"plugin/{page}echarts.LICENSE"}
    assert f"{page}echarts.LICENSE" in notice


def test_the_metadata_names_the_core_dependencies_alone(metadata):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = metadata.get_all("Requires-Dist")
    core = [line for line in required if "extra ==" not in line]
    assert sorted(line.replace(" ", "") for line in core) == sorted(project["dependencies"])
    assert metadata["Name"] == "guardduty-lens"
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


# --- what is installed ---------------------------------------------------------------------------------


def test_the_command_runs_outside_the_checkout(environment, elsewhere):
    command = environment / "guardduty-lens"
    result = run(
        command, "filter", GOLDEN / "input.json", "-o", "out.jsonl", "--summary", "s.json", **elsewhere
    )
    record = json.loads((elsewhere["cwd"] / "out.jsonl").read_bytes())
    expected = json.loads((GOLDEN / "expected.json").read_bytes())
    assert same_json({key: record.get(key) for key in expected}, expected)
    assert b"1 record" in result.stderr
    sample = run(command, "sample", "-n", 50, "--shape", "mixed", **elsewhere).stdout
    assert run(command, "filter", "-q", input=sample, **elsewhere).stdout.count(b"\n") == 50


def test_every_command_has_what_it_needs(environment, elsewhere):
    command = environment / "guardduty-lens"
    assert run(command, "--version", **elsewhere).stdout.decode().split()[-1] == __version__
    for line in (
        ("fields", "list"),
        ("fields", "lint"),
        ("fields", "test"),
        ("fields", "docs"),
        ("fields", "schema"),
        ("compile", "dashboards", "-o", "boards"),
    ):
        run(command, *line, **elsewhere)


def test_nothing_but_the_core_is_there(environment, elsewhere):
    code = f"from importlib.util import find_spec; print([name for name in {NOT_CORE} if find_spec(name)])"
    assert run(environment / "python", "-c", code, **elsewhere).stdout == b"[]\n"


def test_every_module_imports_without_a_warning(environment, elsewhere):
    code = (
        "import guardduty_lens, importlib, pkgutil\n"
        "for module in pkgutil.walk_packages(guardduty_lens.__path__, 'guardduty_lens.'):\n"
        "    try:\n"
        "        importlib.import_module(module.name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        # The forward protocol is nothing without its extra; all else imports it when it is used.\n"
        "        assert error.name in ('msgpack', 'orjson'), (module.name, error)\n"
    )
    run(environment / "python", "-W", "error", "-c", "import guardduty_lens", **elsewhere)
    run(environment / "python", "-W", "error", "-c", code, **elsewhere)


def test_the_wheel_built_from_a_used_folder_holds_nothing_deleted(built, tmp_path):
    [sdist] = built.glob("*.tar.gz")
    # Not by tarfile, whose safe filter Python 3.11.2 does not have.
    run("tar", "-xzf", sdist, "-C", tmp_path)
    [source] = tmp_path.iterdir()
    left_over = source / "build/lib/guardduty_lens/assets/pipelines/deleted.json"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("{}")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, source, cwd=source)
    [path] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert "guardduty_lens/assets/pipelines/opensearch/index_template/guardduty-lens-log.json" in names
    assert not any("deleted" in name for name in names)


def test_the_installed_package_finds_its_assets(environment, elsewhere):
    code = (
        "from guardduty_lens.assets import asset_folder\n"
        "print(*(path.name for path in (asset_folder('pipelines') / 'opensearch').iterdir()))"
    )
    found = run(environment / "python", "-c", code, **elsewhere).stdout.decode().split()
    assert {"component_template", "index_template", "elasticsearch"} <= set(found)


def test_what_is_installed_is_not_the_checkout(environment, elsewhere):
    code = "import guardduty_lens; print(guardduty_lens.__file__)"
    place = run(environment / "python", "-c", code, **elsewhere).stdout.decode()
    assert Path(place.strip()).is_relative_to(environment.parent)
