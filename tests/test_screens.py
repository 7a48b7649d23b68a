"""Screens: a default answer fits a terminal, whatever its width."""

import json
import math
import os
import re
import shlex
import subprocess
from functools import cache
from unittest import mock

import pytest

from distillplan.render.blocks import LINES, CommandLine
from distillplan.render.odds_view import percent
from distillplan.render.table import as_table
from distillplan.units.quantities import format_count, format_flops
from tests.documentation import ROOT, workbench
from tests.shell import run
from tests.terminal import WIDTHS, screens

MOST_LINES = 24
"""Of an answer at 80 columns: what a terminal shows at once."""
SCROLL = {"fit", "laws"}
"""Commands whose answers are as long as what they are of; and ``check`` of everything."""
TABLES = "\n".join(
    (ROOT / one).read_text(encoding="utf-8") for one in ("README.md", "docs/questions.md")
)
README = [*dict.fromkeys(re.findall(r"\| `distillplan ([^`]+)` \|", TABLES))]
"""Commands of the tables of questions."""
PLANS = [
    "'256 h100-sxm for 3 weeks' --student 3B --teacher llama-3.1-8b",
    "1e21 --student 1B --teacher 7B:2T --quick",
    "1e24 --student 1B --teacher 405B:15T",
]
"""Further questions for `budget`."""
OTHERS = [
    "compare compare.yaml --baseline alone --quick",
    "compare lifetime.yaml",
    "compare machines.yaml",
    "teachers '8 h100-sxm for 3 days' --student 1B --tokenizer llama-3",
    "family 1e23 --students 300M,1B,3B,8B,20B,70B,200B --quick",
    "family '256 h100-sxm for 2 weeks' --students 8x1B,4x3B,qwen3-8b --teacher qwen3-32b",
    "family 1e22 --students 1B,3B,8B --cascade --teacher llama-3.1-8b --weights 1,1,4",
    "family --students 300M,1B,3B --loss 2.45,2.25,2.15 --gpu h100-sxm",
    "target --loss 2.2 --student 1B --teacher llama-3.2-3b --gpu h100-sxm",
    "target --loss 2.3 --minimize student --compute 1e21",
    "target --loss 2.2 --law besiroglu2024",
    "crossover --student 1B --teacher 7B:2T --accounting exists",
    "crossover --student 3B --gain 0.05,0.003,-0.01 --accounting train",
    "predict --student 1B --tokens 900B --teacher 100B:15T",
    "predict --student 1B --tokens 100B",
    "budget 1e22 --student 3B --teacher 7B:2T --logits cached --laws all",
    "budget 1e21 --student 1B --laws besiroglu2024,kaplan2020",
]
"""Odd ones."""


@pytest.mark.parametrize(
    "command", [*README, *(f"budget {one}" for one in PLANS), *OTHERS], ids=str
)
def test_an_answer_fits_its_terminal(command):
    words = shlex.split(command)
    on_a_terminal = ["-o", "map"] if words[0] == "sweep" and "-o" not in words else []
    found = screens(*words, *on_a_terminal)
    if "-o" in words or words[0] == "schema":  # for a program
        return
    assert not {width: line for width in WIDTHS for line in found[width] if len(line) > width}
    if words[0] not in SCROLL and words != ["check"]:
        assert len(found[80]) <= (MOST_LINES if command in README else LINES)


def test_the_tables_of_questions_have_commands():
    assert len(README) >= 50


@pytest.mark.parametrize("command", PLANS[:2], ids=str)
def test_the_reasoning_fits_its_terminal(command):
    for width, lines in screens("budget", *shlex.split(command), "--why").items():
        assert max(map(len, lines)) <= width
        assert len(lines) > LINES


@pytest.mark.parametrize("width", [20, 60, 80])
def test_a_shell_takes_a_command_as_it_is_shown(width, tmp_path):
    """A shell reads what was copied from the screen and says the words that it was given."""
    words = ["64 h100-sxm for 7 days", "--student", "1B", "--law", f"{tmp_path}/it's {'x' * 90}"]
    with mock.patch.dict(os.environ, {"COLUMNS": str(width)}):
        shown = as_table([CommandLine(f"printf %s/ {shlex.join(words)}")])
    assert max(map(len, shown.splitlines())) <= width
    done = subprocess.run(["/bin/sh", "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{one}/" for one in words)


@cache
def said(command: str) -> str:
    """What a command says, with room for every column."""
    return run(*shlex.split(command), folder=workbench(), COLUMNS="200").stdout


def answers(command: str) -> tuple[str, dict]:
    """The screen of a command and its document."""
    return said(command), json.loads(said(f"{command} -o json"))


def cells(screen: str, first: str) -> list[str]:
    """The cells of the row that begins so."""
    line = next(one for one in screen.splitlines() if one.strip("→ ").startswith(first))
    return re.split(r" {2,}", line.strip("→ "))


def test_a_comparison_shows_the_numbers_of_its_document():
    screen, found = answers("compare compare.yaml")
    for one in found["plans"]:
        best = (
            one["options"][0]
            if one["verdict"] != "distill"
            else next(option for option in one["options"] if option["decides"])
        )
        shown = cells(screen, one["name"])
        assert f"{best['loss']:.3f}" in shown
        odds = [percent(one["odds"][side]) for side in ("distill", "supervised")]
        assert shown[2:4] == odds


def test_a_target_shows_the_numbers_of_its_document():
    screen, found = answers("target --loss 2.2 --student 1B")
    alone, *_ = found["ways"]
    deciding = next(one for one in found["ways"] if one["decides"])
    times = deciding["total_flops"] / alone["total_flops"]
    assert math.isclose(deciding["over_supervised"], times, rel_tol=1e-9)
    assert cells(screen, "pretrain ")[1] == format_flops(alone["total_flops"])
    assert cells(screen, "train and run")[1:3] == [
        format_flops(deciding["total_flops"]),
        f"{times:.2f}",
    ]
    assert screen.startswith("Pretrain: ")  # it takes less
    cheaper = [one for one in found["ways"] if (one["over_supervised"] or 1) < 1]
    _, _, decides = screen.partition("Decides")
    assert len(cheaper) == decides.count("times what pretraining takes") == 2


def test_a_target_within_a_tie_is_too_close_to_call():
    """Far along the plateau of Equation 8, 0.009 nats are a third more compute."""
    command = "target --match 3B:60B --student 1B --teacher llama-3.2-3b"
    screen, found = answers(command)
    (deciding,) = [one for one in found["ways"] if one["decides"]]
    assert abs(deciding["option"]["gain_nats"]) < found["scenario"]["tie_nats"]
    assert screen.startswith("Too close to call: ")


def test_crossovers_show_the_numbers_of_their_document():
    screen, found = answers("crossover --student 1B,3B")
    for row in found["rows"]:
        shown = cells(screen, f"{format_count(row['student_params'])}  ")
        assert row["accounting"] != "free" or shown[2:] == [
            f"{format_flops(window['to'])} ({window['odds']['distill']:.0%})"
            for level in row["levels"]
            for window in level["windows"]
        ]


def test_a_prediction_shows_the_numbers_of_its_document():
    screen, found = answers("predict --student 1B --tokens 100B --teacher-loss 2.0")
    for name, side in (("pretrain", "supervised"), ("distill", "distilled")):
        low, high = found[f"{side}_loss_band"]
        assert cells(screen, f"{name} ")[1:] == [
            f"{found[f'{side}_loss']:.3f}",
            f"{low:.3f} to {high:.3f}",
        ]
    times = found["supervised_equivalent_tokens"] / found["student_tokens"]
    assert f"{times:.3g} times as many" in screen
    low, high = found["gain_band"]
    assert low < 0 < high
    assert "the gain may be none" in screen


@pytest.mark.parametrize("details", ["", " --details"])
def test_a_prediction_beyond_the_searched_teachers_names_no_best_one(details):
    words = f"predict --student 200B --tokens 50T --teacher-loss 1.4{details}"
    screen = run(*words.split(), COLUMNS="300").stdout
    assert "200B parameters" in screen
    assert "est for this student" not in screen


def test_what_distilling_loses_may_be_none_too():
    screen, found = answers("predict --student 1B --tokens 300B --teacher-loss 1.85")
    assert found["gain_nats"] < 0 < found["gain_band"][1]
    assert "the disadvantage may be none" in screen


def test_laws_that_disagree_name_the_odd_one_out():
    command = "budget 1.2e22 --student 3B --logits cached --teacher 7B:2T --laws all"
    screen, found = answers(command)
    verdicts = {one["law"]: one["verdict"] for one in found["said"] if one["verdict"]}
    (odd,) = [law for law, verdict in verdicts.items() if verdict != "distill"]
    assert screen.startswith("The laws disagree: 3 say distill, 1 say")
    assert f"Odd one out {odd}: " in screen


def test_teachers_show_the_numbers_of_their_document():
    screen, found = answers("teachers 1e22 --student 1.5B --tokenizer llama-3")
    best = found["teachers"][0]
    shown = next(
        line for line in screen.splitlines() if line.strip("→ ").startswith(best["model"]["name"])
    )
    assert {
        f"{best['gain_nats']:+.3f}",
        f"{best['odds']['distill']:.0%}",
        format_count(best["distilled"]["student_tokens"]),
    } <= {*shown.split()}


@pytest.mark.parametrize(
    "command",
    [
        "compare compare.yaml --quick",
        "target --loss 2.2 --student 1B",
        "crossover --student 1B --teacher 7B:2T --accounting exists",
        "predict --student 1B --tokens 100B --teacher-loss 2.0",
        "budget 1e21 --student 1B --laws besiroglu2024,kaplan2020",
        "teachers 1e21 --student 1B --tokenizer gpt-neox",
    ],
)
def test_details_are_another_screen(command):
    assert said(command) != said(f"{command} --details")
    assert "--details" in said(command)


def test_details_do_not_change_a_document():
    command = "predict --student 1B --tokens 100B --teacher-loss 2.0 -o json"
    assert said(command) == said(f"{command} --details")


@pytest.mark.parametrize(("name", "may_teach"), [("llama-3.1-8b", True), ("llama-3-8b", False)])
def test_a_model_whose_license_forbids_it_is_not_offered_as_a_teacher(name, may_teach):
    """Section 1.b.v of Meta's Llama 3 license, which 3.1 lifted with conditions."""
    assert (f"--teacher {name}" in run("models", name).stdout) is may_teach


@pytest.mark.parametrize(
    "command",
    [
        "budget 1e21 --student 1B",
        "estimate --model llama-3.2-1b --tokens 100B --gpu h100-sxm",
        "predict --student 1B --tokens 100B",
        "crossover --student 1B",
        "pilot 1e21 --student 1B",
        "onpolicy --student llama-3.2-1b",
        "serve --student 1B --loss 2.4",
    ],
)
def test_a_license_that_forbids_it_is_read_first(command):
    """As above, whatever is asked of the teacher."""
    screen = said(f"{command} --teacher llama-3-8b")
    above = screen.partition("\n\n")[0]
    assert "outputs may not improve" in " ".join(above.split())
    allowed = said(f"{command} --teacher llama-3.1-8b").partition("\n\n")[0]
    assert "License" not in allowed
