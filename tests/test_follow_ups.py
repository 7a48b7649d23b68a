"""The commands and options that an answer prints run as they stand, and say what was promised."""

import json
import re
import shlex

import pytest

from tests.shell import run

pytestmark = pytest.mark.slow

STORED = ("--logits", "stored", "--logit-format")
TEACHER = ("--teacher", "llama-3.1-8b")
PLANS = [
    ("1e22", "--student", "3B", "--students", "4", *TEACHER, *STORED, "sampled"),
    ("1e22", "--student", "3B", "--students", "4", *TEACHER, *STORED, "full"),
    ("1e21", "--student", "1B", "--students", "4", *TEACHER, *STORED, "top-k", "--logit-k", "12"),
    ("1e21", "--student", "1B", "--students", "16", *STORED, "full"),
    ("1e21", "--student", "1B", "--students", "16", "--logits", "stored", "--logit-months", "2"),
    ("1e21", "--student", "1B", *TEACHER, "--logits", "cached"),
    ("1e21", "--student", "1B", *TEACHER, "--logits", "cached", "--accounting", "free"),
    ("1e20", "--student", "1B", "--teacher", "7B:2T", "--accounting", "train"),
    (
        *("1e20", "--student", "1B", "--teacher", "7B:2T", "--accounting", "train_shared"),
        *("--logit-format", "full"),
    ),
    ("1e22", "--student", "3B", "--logits", "cached", "--accounting", "free"),
    ("1e22", "--student", "3B", "--accounting", "train_shared", "--logit-format", "full"),
    ("--student", "1B:50B", "--teacher", "7B:2T"),
    ("--student", "1B", "--teacher", "7B:2T", "--gpu-hours", "300", "--gpu", "h100-sxm"),
    ("$2k", "--gpu", "h100-sxm", "--student", "1B", *TEACHER, *STORED, "sampled"),
    (
        *("64 h100-sxm for 2 days", "--student", "1B", *TEACHER, "--precision", "fp8"),
        *("--checkpointing", "full", "--mfu", "35%", "--price", "3", "--country", "FRA"),
    ),
    (
        *("64 h100-sxm for 90 days", "--student", "3B", *TEACHER, "--logits", "cached"),
        *("--layout", "auto"),
    ),
    ("1e21", "--student", "1B", "--gpu", "l4", "--gpus", "8", *TEACHER, "--deadline", "60d"),
    ("1e21", "--student", "qwen3-1.7b", "--teacher", "qwen3-4b", "--max-unique-tokens", "20B"),
    ("1e21", "--student", "1B", "--teacher-loss", "2.0", "--logits", "cached"),
    ("1e21", "--student", "1B", *TEACHER, "--inference-tokens", "50B", "--tie", "0.02"),
]


def commands_of(page):
    """The commands of a page; where one is broken over lines a shell reads on."""
    whole = page.replace("\\\n", " ")
    lines = [" ".join(one.split()) for one in whole.splitlines()]
    return [one for one in lines if one.startswith("distillplan ") and "..." not in one]


@pytest.mark.parametrize("words", PLANS, ids=" ".join)
def test_each_command_that_the_reasoning_names_runs(words):
    page = run("budget", *words, "--why")
    assert page.returncode == 0, page.stderr
    for command in commands_of(page.stdout):
        _, *asked = shlex.split(command.replace("LOSS", "2.05"))
        done = run(*asked, "-o", "json")
        assert done.returncode == 0, (command, done.stderr)


RUNS = [
    ("1B", *TEACHER, *STORED, "full"),
    ("1B", *TEACHER, "--logit-format", "full"),
    ("1B", "--teacher", "qwen3-8b", "--logits", "cached", "--logit-k", "12", "--price", "2"),
    ("llama-3.1-8b", "--layout", "auto"),
    ("1B", "--logit-format", "full"),
    ("1B", "--students", "3", "--teacher", "qwen3-30b-a3b", "--country", "FRA"),
]
NO_PLANS = [
    ("1B", "--teacher", "70B"),  # no law places a teacher without its tokens
    ("qwen3-30b-a3b",),  # nor a mixture as the student
]


def after_an_estimate(words):
    asked = ("--model", *words, "--tokens", "100B", "--gpu", "h100-sxm", "--gpus", "64")
    page = run("estimate", *asked)
    assert page.returncode == 0, page.stderr
    return [one for one in commands_of(page.stdout) if "budget" in one]


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
def test_the_plan_that_an_estimate_names_is_answered(words):
    (command,) = after_an_estimate(words)
    _, *asked = shlex.split(command)
    done = run(*asked, "--quick")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", NO_PLANS, ids=" ".join)
def test_an_estimate_names_no_plan_that_would_be_refused(words):
    for command in after_an_estimate(words):  # one for a teacher whose loss is to be measured
        _, *asked = shlex.split(command)
        assert asked[-2:] == ["--teacher-loss", "LOSS"]
        assert run(*asked[:-1], "2.05", "--quick").returncode == 0


def changed(words, told):
    """A question with the options that a line names in place of its own, and without others."""
    told, *without = told.split(", without ")
    dropped = re.findall(r"--\S+", " ".join(without))
    pairs = re.findall(r"(--[a-z-]+) (\S+)", told)
    result = list(words)
    dropped += ("--logit-k", "--logit-months") if dropped else ()
    for flag in [*dropped, *(flag for flag, _ in pairs)]:
        if flag in result:
            at = result.index(flag)
            del result[at : at + 2]
    return [*result, *(word for pair in pairs for word in pair)]


TURNS = re.compile(r"- (?:logits .* \()?(--.+?)\)?(?: \(by .*\))?: (\D+?)(?: \(.*\))?")
"""A line with options, and the verdict that it promises."""
VERDICTS = {"distill": "distill", "pretrain": "supervised", "too close": "tie"}


@pytest.mark.parametrize("words", PLANS, ids=" ".join)
def test_each_option_that_would_turn_the_verdict_does(words):
    """Asked anew; an open model is named with its exact shape, so only that it is answered."""
    page = run("budget", *words, "--details", "-o", "markdown").stdout
    *_, section = page.partition("What would change the verdict")
    section = section.partition("\n\n**")[0]
    for line in section.splitlines():
        told = re.fullmatch(
            r"- (?:logits .* \()?(--.+?)\)?(?: \(by .*\))?: (\D+?)(?: \(.*\))?", line
        )
        if told is None:
            continue
        done = run("budget", *changed(words, told[1]), "--quick", "-o", "json")
        assert done.returncode == 0, (line, done.stderr)
        if "--teacher " not in line:
            verdict = json.loads(done.stdout)["verdict"]
            assert VERDICTS[told[2].removesuffix(" to call")] == verdict, line
