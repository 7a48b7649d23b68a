"""Screens of machines, runs and checks: short, no wider than the terminal, true to the document."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from distillplan.render.blocks import LINES
from tests.shell import run
from tests.terminal import WIDTHS, asked, screens

COMMANDS = [
    "estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64",
    "estimate --model 1B --teacher llama-3.1-8b --tokens 100B --gpu a100-80gb --gpus 16",
    "estimate --model 1B --teacher llama-3.1-8b --tokens 100B --gpu a100-80gb --logits cached",
    "estimate --model 7B --tokens 140B --gpu l4",
    "estimate --model llama-3.1-405b --tokens 100B --gpu h100-sxm --gpus 16",
    "estimate --model qwen3-30b-a3b --teacher llama-3.1-70b --tokens 100B --gpu tpu-v4",
    "serve --match 2B:40B --student 1B --teacher 3B:100B --logits cached --per-day 1B",
    "serve --match 2B:40B --student 1B --teacher 3B:100B --per-day 1B --gpu l4 --request 1000:200",
    "onpolicy --student 1.5B --teacher 7B",
    "onpolicy --student 7B --gpu h100-sxm --gpus 64 --answer-tokens 1000",
    "onpolicy --student qwen3-8b --teacher qwen3-32b --gpu h100-sxm --answer-tokens 8k",
    "gpus h100-sxm",
    "gpus v100-16gb",
    "gpus rtx-5090",
    "models llama-3.1-8b",
    "models deepseek-v3",
    "pilot 1e21 --student 1B --teacher 7B:2T --logits cached --share 20%",
    "pilot 1e21 --student 1B --teacher 7B:2T",
    "track plan.json losses.csv --batch-tokens 524288",
    "track plan.json losses.csv --batch-tokens 524288 --schedule cosine",
    "fit few_runs.csv --anchor busbridge2025 --resamples 64",
    "check",
    "check memory",
    "check throughput",
    "check transfer",
]
"""Those of the README, and odd ones: no price, nothing to run, what fits nowhere."""
EXAMPLE = re.compile(r"--model 7B --tokens 140B --gpu")
"""Of a screen that answers no question about a run."""
SCALES = [10.0**power for power in range(-26, 16)]
SCALES += [1 / seconds for seconds in (60.0, 3600.0, 86_400.0, 31_557_600.0)]


@cache
def document_of(command: str) -> str:
    """The document of a command's answer."""
    return asked(*shlex.split(command)).document


def screen_of(command: str) -> str:
    """What a command says at 80 columns."""
    return "\n".join(asked(*shlex.split(command)).said)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_screen_fits_its_terminal(command):
    found = screens(*shlex.split(command))
    assert len(found[80]) <= LINES
    for width in WIDTHS:
        assert max(map(len, found[width])) <= width


@pytest.mark.parametrize("command", ["gpus", "models"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_keeps_each_name_on_one_line(command, width):
    lines = screens(command)[width]
    (names,) = [one for key, one in json.loads(document_of(command)).items() if key == command]
    shown = {line.partition(" ")[0] for line in lines}
    assert {one.get("name") or one["gpu"]["name"] for one in names} <= shown
    assert max(map(len, lines)) <= width


LONG = {"check", "check transfer"}
"""They compute every published number, twice."""


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in COMMANDS]
)
def test_details_are_more_and_change_no_document(command):
    detailed = f"{command} --details"
    assert len(screen_of(detailed).splitlines()) > len(screen_of(command).splitlines()) - 1
    assert "--details" in screen_of(command)
    assert document_of(command) == document_of(detailed)


def leaves(document: object) -> Iterator[object]:
    """Every number and text in a document."""
    if isinstance(document, dict):
        for key, one in document.items():
            yield key
            yield from leaves(one)
    elif isinstance(document, list):
        yield float(len(document))
        for one in document:
            yield from leaves(one)
    elif document is not None:
        yield document


def numbers(text: str) -> list[str]:
    """The numbers of three or more digits in a text: fewer are in any document."""
    found = re.findall(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)
    return [one for one in found if len(re.sub(r"\D", "", one.partition("e")[0]).lstrip("0")) >= 3]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_screen_shows_numbers_of_its_document(command):
    """Each number of three digits is one of the document in some unit, or stands in its words."""
    found = json.loads(document_of(command))
    told = [*leaves(found)]
    values = [abs(float(one)) for one in told if isinstance(one, int | float)]
    values += [abs(value - 1) for value in values]  # a ratio is shown as a difference
    bills = [(one["option"] or {}).get("gpu_hours") for one in found.get("models", ())]
    hours = [one["mid"] for one in bills if one is not None]
    values += [one / hours[0] for one in hours]  # of training, to the larger model's
    for step in found.get("steps", ()):  # a pair of runs is one row
        values.append(sum(one["total_flops"] for one in step["runs"]))
    scaled = np.sort(np.outer(values, SCALES), axis=None)
    words = " ".join([command, *(one for one in told if isinstance(one, str))])
    unknown = []
    for shown in numbers(EXAMPLE.sub("", " ".join(screen_of(command).split()))):
        plain = shown.replace(",", "").partition("e")[0]
        decimals = len(plain.partition(".")[2])
        low, high = (float(plain) + side * 10.0**-decimals for side in (-1, 1))
        near = scaled[np.searchsorted(scaled, low) : np.searchsorted(scaled, high, "right")]
        known = shown in words or any(f"{one:.{decimals}f}" == plain for one in near)
        unknown += [] if known else [shown]
    assert not unknown


def test_the_worst_of_a_group_is_the_farthest_beyond_what_is_allowed():
    """Recounted from the rows of the document."""
    rows = json.loads(document_of("check"))["rows"]
    of = [one for one in rows if one["where"].split(",")[0] == "Figure 6"]
    (line,) = [one for one in screen_of("check").splitlines() if one.startswith("Figure 6")]
    assert line.split()[2:4] == [str(len(of)), str(sum(not one["passed"] for one in of))]
    worst = max(
        of, key=lambda one: one["difference"] / one["high" if one["difference"] > 0 else "low"]
    )
    assert line.split()[4] == f"{worst['difference']:+.2%}"


def test_a_model_that_may_not_teach_is_not_shown_as_a_teacher():
    """Llama 3's license of April 2024 forbids it, that of Llama 3.1 does not."""
    assert "--teacher" not in screen_of("models llama-3-8b")
    assert "--teacher llama-3.1-8b" in screen_of("models llama-3.1-8b")


def test_a_list_has_no_details():
    for command in ("gpus", "models"):
        assert run(command, "--details").returncode == 2
