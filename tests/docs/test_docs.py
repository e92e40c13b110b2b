"""What the documents say is so: commands, options, targets, folders and links exist."""

import doctest
import importlib
import pkgutil
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

import guardduty_lens
from guardduty_lens.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "plugin/guardduty_lens"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
SCRIPTS = sorted([ROOT / "Makefile", *ROOT.glob("tools/*.sh")])

FENCE = re.compile(r"^```[^\n]*\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}[^\n]*\n)+", re.MULTILINE)
SPAN = re.compile(r"(?<!`)(?P<fence>`{1,2})(?!`)(?P<code>[^\n]+?)(?<!`)(?P=fence)(?!`)")
COMMAND = re.compile(r"(?:^|[\s;|(&])(?:\S+/)?guardduty-lens(?P<rest>\s.*)?$")


def code_of(text):
    """Give the lines of code of a Markdown text: of blocks, with continuations joined, and of spans."""
    blocks = [match["code"] for match in FENCE.finditer(text)]
    rest = FENCE.sub("", text)
    blocks += [match[0] for match in INDENTED.finditer(rest)]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *(match["code"] for match in SPAN.finditer(rest))]


def command_lines():
    for path in DOCUMENTS:
        for line in code_of(path.read_text(encoding="utf-8")):
            for part in re.split(r"\||&&|;", line):
                found = COMMAND.search(part.split(" # ")[0].rstrip())
                if found and found["rest"]:
                    yield path.relative_to(ROOT), found["rest"].strip()


def commands(command=main, names=()):
    """Give every command of the tree with its names."""
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*names, name))


TREE = dict(commands())
LINES = sorted(set(command_lines()))


def without_placeholders(words):
    """Take away `…`, `...` and the brackets of what may be left out."""
    bare = [word.strip("[]") for word in words]
    return [word for word in bare if word and word not in {"…", "..."}]


# --- commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("document", "line"), LINES, ids=[f"{path}: {line}" for path, line in LINES])
def test_command_lines_are_understood(document, line):
    words = without_placeholders(shlex.split(line))
    names = []
    while words and isinstance(TREE[tuple(names)], click.Group) and not words[0].startswith("-"):
        assert (*names, words[0]) in TREE, f"{document}: there is no command {words[0]}"
        names.append(words.pop(0))
    command = TREE[tuple(names)]
    try:
        values, _, _ = command.make_parser(click.Context(command)).parse_args(words)
    except click.UsageError as error:
        raise AssertionError(f"{document}: {error.format_message()}") from error
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice) and parameter.name in values:
            given = values[parameter.name]
            for value in given if isinstance(given, list) else [given]:
                parameter.type.convert(value, parameter, None)


def test_documents_show_commands():
    assert len(LINES) >= 5


@pytest.mark.parametrize("names", [names for names in TREE if names], ids=" ".join)
def test_every_command_is_documented(names):
    if isinstance(TREE[names], click.Group):
        return
    shown = {line for _, line in LINES}
    assert any(line == " ".join(names) or line.startswith(" ".join(names) + " ") for line in shown)


@pytest.mark.parametrize("names", TREE, ids=lambda names: " ".join(names) or "guardduty-lens")
def test_every_command_and_option_has_help(names):
    command = TREE[names]
    assert command.help
    assert command.help.split("\n")[0].rstrip().endswith((".", ":", ","))
    assert names == () or names[-1] == command.name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
        else:
            assert parameter.metavar or parameter.make_metavar(click.Context(command)), parameter.name
    assert command.get_help(click.Context(command, info_name=" ".join(names)))


def test_the_list_of_commands_is_that_of_the_tree():
    assert {names[0] for names in TREE if len(names) == 1} == COMMANDS.keys()
    for _, line in COMMANDS.values():
        assert line.endswith(".")


# --- targets, folders, links -----------------------------------------------------------------------------


def targets():
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_targets_exist():
    for path in [*DOCUMENTS, *SCRIPTS]:
        text = path.read_text(encoding="utf-8")
        code = "\n".join(code_of(text)) if path.suffix == ".md" else ""
        for target in re.findall(r"\bmake ([a-z][a-z-]*)\b", code):
            assert target in targets(), f"{path.relative_to(ROOT)}: make {target}"


def folders():
    """Give every folder that is, or will be, under version control, with a slash at its end."""
    line = ["git", "ls-files", "-co", "--exclude-standard"]
    names = subprocess.run(line, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()
    return {f"{parent.as_posix()}/" for name in names for parent in Path(name).parents if parent.name}


def test_architecture_names_folders_that_exist():
    known = folders()
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {
        folder
        for line in code_of(text)
        if "://" not in line
        for folder in re.findall(r"(?<![\w./-])(?:[\w.-]+/)+(?![\w*])", line)
    }
    assert len(named) >= 5
    missing = [
        name for name in named if name not in known and not any(each.endswith(f"/{name}") for each in known)
    ]
    assert missing == []


def test_architecture_names_every_folder_of_the_package():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert {name for name in names if f"{name}/" not in text} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", SPAN.sub("", text)):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.split("#")[0]).exists(), target


# --- examples in code ------------------------------------------------------------------------------------


def test_examples_in_docstrings_hold():
    attempted = 0
    modules = pkgutil.walk_packages(guardduty_lens.__path__, "guardduty_lens.")
    for name in ["guardduty_lens", *(module.name for module in modules)]:
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted >= 5


@pytest.mark.parametrize("shipper", ["fluent-bit", "fluentd", "logstash", "rsyslog", "syslog-ng"])
def test_a_shipper_s_page_says_install_before_anything_is_sent(shipper):
    text = (ROOT / "pipelines" / shipper / "README.md").read_text(encoding="utf-8")
    assert "**First of all**" in text.split("`guardduty-lens install --url URL`")[0]
    assert "(../../docs/opensearch.md#sending-before-install)" in text
    assert "\n### Sending before install\n" in (ROOT / "docs/opensearch.md").read_text(encoding="utf-8")
