"""Bands end at what is possible: against the law's floor, and the loss of guessing."""

import math
import re

import numpy as np
import pytest

from distillplan.laws.law_catalog import law
from distillplan.models.architecture import FixedAspect
from distillplan.planning.bands import band
from tests.shell import answer, run

FLOOR = law().supervised.loss(math.inf, math.inf)
LOWER = 0.02
"""A drawn law may have a lower floor, by about as much as its standard error."""
GUESSING = math.log(FixedAspect().vocab)
QWEN3_GUESSING = math.log(151_936)
FAR = {
    ("1e18", "--student", "1B", "--teacher", "qwen3-14b"): QWEN3_GUESSING,
    ("1e19", "--student", "3B", "--teacher", "qwen3-14b", "--logits", "cached"): QWEN3_GUESSING,
    ("1e27", "--student", "1B", "--teacher", "7B:2T"): GUESSING,
    ("1e15", "--student", "10M"): GUESSING,
    ("10 gpu-hours", "--student", "3B", "--teacher", "7B:2T", "--gpu", "h100-sxm"): GUESSING,
}


@pytest.mark.parametrize("words", FAR)
def test_bands_of_a_plan_end_at_what_is_possible(words):
    """No loss below that of unlimited sizes, none above ln(vocabulary), and gains of such."""
    found, most = answer("budget", *words), FAR[words]
    alone, banded = found["options"][0]["loss"], 0
    for one in found["options"]:
        if one["loss_band"] is not None:
            low, high = one["loss_band"]
            assert FLOOR - LOWER <= low <= one["loss"] <= high <= most
        if one["gain_band"] is not None:
            low, high = one["gain_band"]
            assert alone - most <= low <= one["gain_nats"] <= high <= alone - FLOOR
            banded += 1
    assert banded
    table = run("budget", *words, "--details").stdout
    shown = [float(one) for one in re.findall(r" ([-+]\d+\.\d{3}) ", table)]
    assert len(shown) >= 2 * banded
    for one in shown:
        assert alone - most - 1e-3 <= one <= alone - FLOOR + 1e-3


def test_a_predicted_band_ends_at_what_is_possible():
    words = ("predict", "--student", "1B", "--tokens", "1.1B", "--teacher-loss", "1.3")
    found = answer(*words)
    low, high = found["gain_band"]
    alone = found["supervised_loss"]
    assert alone - GUESSING <= low < high <= alone - FLOOR
    for name in ("distilled_loss_band", "supervised_loss_band"):
        low, high = found[name]
        assert FLOOR - LOWER <= low < high <= GUESSING


def test_a_curve_over_teachers_ends_at_what_is_possible():
    found = answer("plot", "teacher", "1e19", "--student", "3B")
    ends = [one["low"] for one in found["points"]], [one["high"] for one in found["points"]]
    assert min(ends[0]) >= FLOOR - LOWER
    assert max(ends[1]) <= GUESSING


def test_a_band_within_its_limits_is_not_cut():
    """By hand: the middle of three draws, and its ends at 5% and 95%; itself it always holds."""
    drawn = np.array([1.0, 2.0, 3.0])
    assert band(drawn, 2.0) == pytest.approx((1.1, 2.9))
    assert band(drawn, 2.0, limits=(1.5, 2.5)) == (1.5, 2.5)
    assert band(drawn, 2.0, limits=(2.2, 9.0)) == pytest.approx((2.0, 2.9))
