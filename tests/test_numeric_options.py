"""No option of any command takes a number that is none: the error names the option."""

import re

import pytest
import typer

from distillplan.cli.app import COMMANDS, app
from tests.shell import run

NUMBERS = frozenset(
    ("N", "K", "TOKENS", "LOSS", "PARAMS", "NATS", "BITS", "BYTES", "MFU", "SHARE", "USD", "PUE")
) | {
    "COMPUTE",
    "TIME",
    "CHANCE",
    "LINE",
    "VALUES",
    "LIST",
    "MODEL",
    "MODEL[:TOKENS]",
    "PARAMS:TOKENS",
}
"""What the help shows for an option that takes a number, or several, or may."""
ESTIMATED = ["--model", "1B", "--tokens", "100B", "--gpu", "h100-sxm"]
PLOTTED = ["1e21", "--student", "1B", "--gpu", "h100-sxm", "-o", "picture.svg"]
BASE = {
    "budget": ["1e21", "--student", "1B", "--gpu", "h100-sxm", "--quick"],
    "pilot": ["1e21", "--student", "1B", "--teacher", "7B:2T", "--gpu", "h100-sxm"],
    "sweep": ["--compute", "1e21", "--student", "1B"],
    "target": ["--loss", "2.3", "--student", "1B"],
    "family": ["1e21", "--students", "1B"],
    "teachers": ["1e21", "--student", "1B"],
    "crossover": ["--student", "1B"],
    "predict": ["--student", "1B", "--tokens", "100B", "--teacher", "7B:2T"],
    "estimate": ESTIMATED,
    "serve": [
        *("--match", "2B:40B", "--student", "1B", "--teacher", "3B:100B", "--gpu", "h100-sxm"),
        *("--request", "1000:200"),
    ],
    "onpolicy": [
        *("--student", "1.5B", "--teacher", "7B", "--gpu", "h100-sxm"),
        *("--answer-tokens", "1000"),
    ],
    "fit": ["runs.csv"],
    "track": ["plan.json", "losses.csv"],
    "demo": ["kernel"],
    **dict.fromkeys(("plot losses", "plot map", "plot teacher", "plot optimum"), PLOTTED),
    "plot estimate": [*ESTIMATED, "-o", "picture.svg"],
}
"""A command line that would be answered."""
NONE = ("nan", "inf", "-inf", "1e999", "NaN", "-1")
"""Each option is asked with the last and two of the others, in turn: one parser reads most."""
SIGNED = frozenset(("--gain",))
"""What may be negative."""


def numeric_options():
    """(command, option) for all that Typer knows."""
    group = typer.main.get_command(app)
    for command in COMMANDS:
        for one in group.get_command(None, command).params:
            kind = type(one.type).__name__
            if one.metavar in NUMBERS or kind.startswith(("Float", "Int")):
                yield command, one.opts[0]


OPTIONS = [*numeric_options()]


def test_the_table_has_the_numbers_of_all_commands():
    assert {command for command, _ in OPTIONS} == {*BASE}
    assert len(OPTIONS) > 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("numbers")
    (found / "plan.json").write_text(run("budget", "1e21", "--student", "1B", "-o", "json").stdout)
    (found / "losses.csv").write_text("tokens,loss\n1e9,3.5\n2e9,3.2\n3e9,3.1\n")
    (found / "runs.csv").write_text("params,tokens,loss\n1e8,1e9,3.5\n1e8,2e9,3.4\n2e8,2e9,3.3\n")
    return found


@pytest.mark.parametrize("command", BASE)
def test_what_is_no_number_is_refused_by_its_option(folder, command):
    *others, negative = NONE
    for place, (its, option) in enumerate(OPTIONS):
        texts = {others[place % len(others)], others[(place + 1) % len(others)], negative}
        for text in texts - ({negative} if option in SIGNED else set()):
            if its == command:
                refused(folder, command, option, text)


@pytest.mark.parametrize("command", [one for one in BASE if not one.startswith("plot ")])
def test_what_an_error_tells_to_write_can_be_written(folder, command):
    # but for --ep, as the model is dense
    for option in [option for its, option in OPTIONS if its == command and option != "--ep"]:
        text = advice(refused(folder, command, option, "foo"))
        if text is not None:  # else any word may be the name of a model
            error = typed(folder, command, option, text).stderr  # of what is missing beside it
            assert "write e.g." not in error, (option, error)
            assert not re.search(rf"{option}: '?{re.escape(text)}", error), (option, error)


def advice(error):
    """The first example of an error, if it has one."""
    found = re.search(r"write (?:e\.g\.|it as) (?:'([^']+)'|(\S+?),?(?:\s|$))", error)
    return found and (found[1] or found[2])


def refused(folder, command, option, text):
    """The error of what is refused."""
    found = typed(folder, command, option, text)
    assert found.returncode == 2, (option, text, found.stdout[:300])
    assert (option if option.startswith("-") else option.upper()) in found.stderr
    assert not found.stdout
    assert "Traceback" not in found.stderr
    return found.stderr


def typed(folder, command, option, text):
    words = BASE[command]
    if not option.startswith("-"):
        words = [*words[1:], "--", text]
    elif option in words:
        at = words.index(option)
        words = [*words[:at], f"{option}={text}", *words[at + 2 :]]
    else:
        words = [*words, f"{option}={text}"]
    return run(*command.split(), *words, folder=folder)
