"""Screens: a default answer fits a terminal, whatever its width."""

import os
import shlex
import subprocess
from unittest import mock

import pytest

from distillplan.render.blocks import CommandLine
from distillplan.render.table import as_table
from tests.shell import run

MOST_LINES = 22
"""Of a plan at 80 columns: an 80 x 24 terminal less the command and the next prompt."""
PLANS = [
    ["1e21", "--student", "1B"],
    ["1e21", "--student", "1B", "--teacher", "7B:2T"],
    ["1e21", "--student", "1B", "--teacher-loss", "1.95", "--teacher-params", "7B"],
    ["1e21", "--student", "1B", "--teacher", "7B:2T", "--logits", "cached"],
    ["1e22", "--student", "3B", "--students", "8"],
    ["1e21"],
    ["64 h100-sxm for 7 days", "--student", "1B"],
    ["$20k", "--gpu", "h100-sxm", "--student", "1B"],
    ["1e22", "--inference-tokens", "1T"],
    ["1e22", "--student", "1B", "--max-unique-tokens", "30B"],
    ["256 h100-sxm for 3 weeks", "--student", "3B", "--teacher", "llama-3.1-8b"],
]
"""Questions of the README and of the issue."""


@pytest.mark.parametrize("words", PLANS, ids=" ".join)
def test_a_plan_fits_its_terminal(words):
    for width in (60, 80, 120):
        lines = run("budget", *words, COLUMNS=str(width)).stdout.splitlines()
        assert max(map(len, lines)) <= width
        assert width < 80 or len(lines) <= MOST_LINES


@pytest.mark.parametrize("words", PLANS[:2], ids=" ".join)
def test_the_reasoning_fits_its_terminal(words):
    for width in (60, 80, 120):
        lines = run("budget", *words, "--why", COLUMNS=str(width)).stdout.splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) > MOST_LINES


@pytest.mark.parametrize("width", [20, 60, 80])
def test_a_shell_takes_a_command_as_it_is_shown(width, tmp_path):
    """A shell reads what was copied from the screen and says the words that it was given."""
    words = ["64 h100-sxm for 7 days", "--student", "1B", "--law", f"{tmp_path}/it's {'x' * 90}"]
    with mock.patch.dict(os.environ, {"COLUMNS": str(width)}):
        shown = as_table([CommandLine(f"printf %s/ {shlex.join(words)}")])
    assert max(map(len, shown.splitlines())) <= width
    done = subprocess.run(["/bin/sh", "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{one}/" for one in words)
