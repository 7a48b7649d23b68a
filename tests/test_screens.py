"""Screens: a default answer fits a terminal, whatever its width."""

import pytest

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
