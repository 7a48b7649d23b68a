"""Completion: what the shells get by the protocols of Typer's scripts, and at what price."""

from pathlib import Path

import pytest
import typer.main

from distillplan.cli.app import COMMANDS, app
from distillplan.cli.completion import BY_COMMAND, BY_OPTION, commands
from distillplan.files.example_files import EXAMPLE_FILES
from distillplan.hardware import gpu_catalog
from distillplan.laws import law_catalog
from distillplan.models.known_model import known_model
from distillplan.questions.glossary.explanation import explain
from distillplan.scenarios import key_table
from distillplan.schemas.reader import schema_names
from tests.starts import FIRST, starts


@pytest.fixture(scope="module")
def completed():
    """What is offered to a shell for the end of a line, and what slow packages were imported."""
    with starts(Path(), loaded=FIRST) as shell_of:

        def asked(shell, line):
            given = {
                "_DISTILLPLAN_COMPLETE": f"complete_{shell}",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(line.split(" ")) - 1),
                "_TYPER_COMPLETE_ARGS": line,
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            }
            found = shell_of.run(environment=given, packages=("numpy", "scipy"))
            return found.stdout.decode(), found.stderr.decode()

        yield asked


LINES = {
    "distillplan budget 1e21 --teacher llama-3.1-": ["llama-3.1-8b", "llama-3.1-70b"],
    "distillplan budget 1e21 --student qwen3-0": ["qwen3-0.6b"],
    "distillplan estimate --tokens 1B --gpu h100": ["h100-sxm", "h100-pcie", "h100-nvl"],
    "distillplan budget 1e21 --law kap": ["kaplan2020"],
    "distillplan budget 1e21 --laws al": ["all"],
    "distillplan estimate --country FR": ["FRA"],
    "distillplan estimate --country fra": ["fra", "france"],
    "distillplan models phi-": ["phi-4"],
    "distillplan gpus ": ["h100-sxm", "t4"],
    "distillplan laws busb": ["busbridge2025"],
    "distillplan schema pl": ["plan"],
    "distillplan example comp": ["compare.yaml"],
    "distillplan explain teacher_too": ["teacher_too_strong", "teacher_too_weak"],
    "distillplan explain patient": ["patient-teacher"],
    "distillplan help bu": ["budget"],
    "distillplan ex": ["explain", "example"],
}
"""Lines, and some of what is offered for their last words."""


ASKED = [
    (shell, line)
    for shell in ("bash", "zsh", "fish")
    for line in LINES
    if shell == "bash" or "--" not in line or "--gpu" in line
]
"""Every line to one shell, and a line of each kind to the others."""


@pytest.mark.parametrize(("shell", "line"), ASKED)
def test_names_are_completed_without_slow_imports(completed, shell, line):
    offered, imported = completed(shell, line)
    assert imported == ""
    found = [one.partition("\t")[0] for one in offered.splitlines()]
    if shell == "zsh":
        found = offered.replace("(", '"').split('"')
    assert set(LINES[line]) <= set(found)
    assert all(one.startswith(line.split(" ")[-1]) for one in found) or shell == "zsh"


def test_commands_have_their_help_beside_them(completed):
    assert completed("fish", "distillplan val")[0].startswith("validate\tCheck a scenario file")


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("distillplan budget 1e21 --acc", "--accounting"),
        ("distillplan models --lic", "--license"),
        ("distillplan gpus h100-sxm -o ma", "markdown"),
        ("distillplan models --tokenizer llama-3 -o js", "json"),
    ],
)
def test_other_words_are_completed_by_the_command_itself(completed, line, some):
    assert some in completed("bash", line)[0].splitlines()


@pytest.mark.parametrize("line", ["distillplan compare ", "distillplan qq", "distillplan gpus zz"])
def test_where_nothing_is_known_nothing_is_said(completed, line):
    offered, _ = completed("bash", line)
    assert offered.strip() == ""


def test_every_option_that_takes_a_name_completes_it():
    for word in ("law", "gpu", "country", "teacher", "student"):
        key = key_table.TABLE.find(word)
        assert key is not None
        assert set(key.flags) <= set(BY_OPTION), word
    group = typer.main.get_command(app)
    there = {
        flag
        for name in COMMANDS
        for one in group.get_command(None, name).params
        for flag in one.opts
    }
    assert set(BY_OPTION) <= there
    assert set(BY_COMMAND) <= set(COMMANDS)
    assert set(commands()) == set(COMMANDS)


def test_what_is_offered_is_taken():
    for name in BY_OPTION["--teacher"]():
        known_model(name)
    for name in BY_OPTION["--gpu"]():
        gpu_catalog.gpu(name)
    for name in BY_OPTION["--law"]():
        law_catalog.law(name)
    for name in BY_OPTION["--country"]():
        gpu_catalog.grid(name)
        gpu_catalog.grid(name.lower())
    for word in BY_COMMAND["explain"]():
        explain(word)
    assert tuple(BY_COMMAND["schema"]()) == schema_names()
    assert list(BY_COMMAND["example"]()) == list(EXAMPLE_FILES)
