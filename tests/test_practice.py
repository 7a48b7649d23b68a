"""Published cases: what was seen is what was published, and the rule is what it says."""

import json
import shlex
from functools import cache
from statistics import mean
from unittest import mock

import pytest

from distillplan.checks import practice_checks
from distillplan.checks.practice_cases import PracticeWay, case_of_entry, practice_cases
from distillplan.checks.practice_checks import (
    PracticeAnswer,
    PracticeOutcome,
    outcome_of,
)
from distillplan.errors import InputError
from distillplan.files.entries import Entry
from tests.reports import practice_report as report
from tests.reports import reported
from tests.shell import run

HIT, MISS, UNDECIDABLE = PracticeOutcome.HIT, PracticeOutcome.MISS, PracticeOutcome.UNDECIDABLE
SUPERVISED, DISTILL = PracticeWay.SUPERVISED, PracticeWay.DISTILL
TRAINED, STAGE, NO_STAGE = PracticeWay.TRAINED_START, PracticeWay.ON_POLICY, PracticeWay.NONE


def miniplm(a, alpha, floor, flops):
    """The curves of arXiv 2410.17215, Table 3."""
    return floor + a / flops**alpha


PUBLISHED = {
    "Gemma 2, 2B on 500B tokens": (67.7 - 60.3, DISTILL),
    "Minitron 4B": (mean((51.04, 37.81)) - mean((48.23, 26.24)), TRAINED),
    "SlimQwen 23A2B": (73.45 - 61.66, TRAINED),
    "Marin 0.6B on 1.8B tokens": (2.9796 - 2.6541, DISTILL),
    "Marin 0.6B on 0.1B tokens": (2.6221 - 2.3315, DISTILL),
    "Marin 0.6B, continued": (2.6541 - 2.5579, TRAINED),
    "RS-KD, 300M": (2.81 - 2.75, DISTILL),
    "RS-KD, 3B": (2.37 - 2.34, DISTILL),
    "RS-KD, 3B, top 12 logits": (2.37 - 2.50, SUPERVISED),
    "RS-KD, 3B, top 50 logits": (2.37 - 2.40, SUPERVISED),
    "RS-KD, 3B, 12 sampled logits": (2.37 - 2.35, DISTILL),
    "MiniPLM 200M": (
        miniplm(2.19e7, 0.41, 3.30, 0.0524 * 1.26e21)
        - miniplm(9.77e7, 0.44, 3.34, 0.0524 * 1.26e21),
        SUPERVISED,
    ),
    "MiniPLM 500M": (
        miniplm(2.73e8, 0.45, 3.06, 0.0524 * 3.14e21)
        - miniplm(3.14e8, 0.45, 3.05, 0.0524 * 3.14e21),
        None,
    ),
    "MiniPLM 1.2B": (
        miniplm(1.88e8, 0.43, 2.91, 0.0524 * 7.3e21)
        - miniplm(1.10e10, 0.52, 2.90, 0.0524 * 7.3e21),
        DISTILL,
    ),
    "GLM 330M from 32B": (31.6 - 32.6, SUPERVISED),
    "GLM 3.8B from 9B": (44.9 - 42.0, DISTILL),
    "GLM 1.9B on 500B tokens": (45.4 - 44.2, DISTILL),
    "MobileLLM 125M": (43.8 - 43.9, None),
    "MobileLLM 350M": (48.8 - 49.1, None),
    "Qwen2.5 7B, on-policy": (73.8 - 60.94, STAGE),
    "Qwen3 8B, on-policy": (74.4 - 67.6, STAGE),
}
"""The gain as published, and which side that is; None: within its error."""


def row(name):
    (found,) = [one for one in report().rows if one.name == name]
    return found


# what was seen


def test_what_was_seen_is_what_was_published():
    """The tables and curves of each source, subtracted here."""
    compared = {one.name: one for one in practice_cases() if one.seen is not None}
    assert compared.keys() == PUBLISHED.keys()
    for name, (gain, _) in PUBLISHED.items():
        seen = compared[name].seen
        kept = seen.gain_nats if seen.gain_points is None else seen.gain_points
        assert kept == pytest.approx(gain, abs=0.005 if seen.gain_points is None else 0.06), name


@pytest.mark.slow
def test_the_better_side_is_the_sign_of_the_gain_where_it_exceeds_its_error():
    for name, (gain, side) in PUBLISHED.items():
        found = row(name)
        assert found.better == side
        seen = next(one.seen for one in practice_cases() if one.name == name)
        if side is None:
            assert abs(gain) < 1.04 * seen.gain_error  # normal: 85% is 1.036 standard deviations
        else:
            assert abs(gain) > 1.03 * seen.gain_error
            assert (gain > 0) == (side is not SUPERVISED)


def test_without_a_comparison_nothing_is_decided():
    for one in report().rows:
        if one.name not in PUBLISHED:
            assert one.better is None
            assert one.outcome is one.outcome_before is UNDECIDABLE
            assert "published" in one.told


# the rule


def answer(says, weighed=(SUPERVISED, DISTILL), named=()):
    return PracticeAnswer(
        "a", says=says, odds=None, gain_nats=None, weighed=weighed, named=named, rival=None
    )


@pytest.mark.parametrize(
    ("better", "said", "outcome"),
    [
        (DISTILL, answer(DISTILL), HIT),
        (SUPERVISED, answer(SUPERVISED), HIT),
        (DISTILL, answer(SUPERVISED), MISS),
        (SUPERVISED, answer(DISTILL), MISS),
        (DISTILL, answer(PracticeWay.TIE), MISS),
        (DISTILL, answer(None), UNDECIDABLE),
        (None, answer(DISTILL), UNDECIDABLE),
        (TRAINED, answer(DISTILL), MISS),
        (TRAINED, answer(None), MISS),
        (TRAINED, answer(DISTILL, named=(TRAINED,)), UNDECIDABLE),
        (DISTILL, answer(SUPERVISED, named=(TRAINED,)), MISS),
        (STAGE, answer(None, weighed=()), MISS),
        (STAGE, answer(None, weighed=(), named=(STAGE,)), UNDECIDABLE),
        (STAGE, answer(STAGE, weighed=(STAGE, NO_STAGE)), HIT),
        (STAGE, answer(NO_STAGE, weighed=(STAGE, NO_STAGE)), MISS),
    ],
)
def test_the_rule(better, said, outcome):
    assert outcome_of(better, said) is outcome


def test_hits_have_the_sign_that_was_seen():
    """Of what was published: a hit gains where a gain was seen, and only there."""
    hits = 0
    for name, (gain, side) in PUBLISHED.items():
        for said, outcome in (
            (row(name).before, row(name).outcome_before),
            (row(name).now, row(name).outcome),
        ):
            if side in (SUPERVISED, DISTILL) and said.says in (SUPERVISED, DISTILL):
                assert (outcome is HIT) == ((said.gain_nats > 0) == (gain > 0))
                hits += outcome is HIT
    assert hits > 10


def test_misses_from_scratch_are_ties_where_distilling_was_better():
    """As the page of the documentation says."""
    missed = [one for one in report().rows if one.outcome is MISS and one.better is not TRAINED]
    assert missed
    assert {(one.now.says, one.better) for one in missed} == {(PracticeWay.TIE, DISTILL)}


def test_every_case_is_counted_once():
    for counts, outcomes in (
        (report().before, [one.outcome_before for one in report().rows]),
        (report().now, [one.outcome for one in report().rows]),
    ):
        assert counts == tuple(map(outcomes.count, (HIT, MISS, UNDECIDABLE)))
    assert report().passed


# what is said


QUICK = [one.name for one in practice_cases() if one.name != "Gemma 3, the family"]  # 4 s


@pytest.mark.parametrize("name", QUICK)
def test_what_is_said_is_what_the_command_says(name):
    """Each command as a row has it, in a shell."""
    answers = (row(name).before, row(name).now)
    for said in {one.asked: one for one in answers}.values():
        if said.asked is None:
            continue
        words = shlex.split(said.asked)[1:]
        found = json.loads(run(*words, "-o", "json").stdout)
        if words[0] == "onpolicy":
            (peak,) = [one["vanilla"] for one in found["teachers"]]
            expected = None if peak is None else "on_policy"
            assert expected is None or peak["low"] > found["start_score"]
        else:
            expected = found["verdict"]
            odds = None if expected is None else found["odds"][expected]
            assert said.odds == odds
            assert said.gain_nats == found["margin_nats"]
        assert said.says == expected


def test_formats_of_logits_are_what_changed():
    """Of the same students, from the same teacher: only the format differs."""
    whole, few = row("RS-KD, 3B"), row("RS-KD, 3B, top 12 logits")
    assert few.before._replace(named=()) == whole.before._replace(named=())
    assert (few.outcome_before, few.outcome) == (MISS, HIT)


@cache
@reported()
def details():
    return " ".join(run("check", "practice", "--details").stdout.split())


@pytest.mark.parametrize("name", ["Falcon3 1B", "Minitron 4B", "SlimQwen 23A2B"])
def test_cut_models_are_named_as_rivals(name):
    """All three were cut from a larger model; the plan names one to cut, and weighs none."""
    found = row(name)
    assert TRAINED in found.now.named
    size = found.now.rival.student_params
    assert 2 * size <= found.now.rival.parent_params <= 10 * size
    assert found.before.rival is None
    told = details()
    told = told[told.index(f"{name} - {found.did}") :]
    assert f"Not weighed: prune {found.now.rival.parent} to " in told[: told.index(found.source)]


def test_a_case_that_was_better_before_fails_the_check():
    good, *others = practice_cases()
    worse = good._replace(now=None)  # it answers nothing any more
    cases = mock.patch.object(practice_checks, "practice_cases", return_value=(worse, others[6]))
    with cases:
        found = run("check", "practice")
    assert found.returncode == 3
    assert good.name in found.stdout


def test_the_screen_fits_its_terminal_and_names_each_miss():
    with reported():
        shown, whole = run("check", "practice"), run("check", "practice", "--details")
        table = run("check", "practice", "-o", "markdown")
    assert shown.returncode == whole.returncode == 0
    assert len(shown.stdout.splitlines()) <= 24
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for one in report().rows:
        if MISS in (one.outcome, one.outcome_before) and one.outcome is not HIT:
            assert one.name in shown.stdout
            assert one.name in table.stdout
        assert one.name in whole.stdout


def test_a_comparison_that_nobody_made_is_said():
    entry = Entry({"name": "x", "of": {"study": "Gemma 2", "name": "9T"}}, "cases[1]")
    with pytest.raises(InputError, match=r"cases\[1\]\.of: no comparison"):
        case_of_entry(entry, {})
