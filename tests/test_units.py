"""Numbers as people write them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.models.model_sizes import parse_pair
from distillplan.planning.budget_text import Budget, parse_budget, parse_compute
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_flops,
    format_usd,
    parse_bytes,
    parse_count,
    parse_usd,
    plain_count,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7B", 7e9),
        ("1.4T", 1.4e12),
        ("1e21", 1e21),
        ("300M", 3e8),
        ("300m", 3e8),
        (" 12 k ", 12e3),
        ("100P", 1e17),
        ("1_000_000", 1e6),
        ("1,000,000", 1e6),
        (".5B", 5e8),
        (42, 42.0),
    ],
)
def test_counts_are_read(text, value):
    assert parse_count(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    # 1 PF-day = 1e15 FLOP/s x 86400 s, the unit of Kaplan et al. 2020
    [("1e21", 1e21), ("1 ZFLOP", 1e21), ("10 PFLOPs", 1e16), ("1 pf-day", 8.64e19)],
)
def test_compute_is_read(text, value):
    assert parse_compute(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "B",
        "-1",
        "0",
        "nan",
        "inf",
        "1e999",
        "7Q",
        "7 BB",
        "1,5B",
        "0x10",
        "1e",
        "٣B",
        "1" * 100,
        True,
        10**400,
    ],
)
def test_what_is_no_count_is_refused_in_one_sentence(text):
    with pytest.raises(InputError, match=r"^a number: ") as caught:
        parse_count(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("1e21", Budget(flops=1e21)),
        (1e21, Budget(flops=1e21)),
        ("64 h100-sxm for 7 days", Budget(gpu_hours=64 * 168, gpus=64, gpu="h100-sxm")),
        ("8 x A100-80GB for 36h", Budget(gpu_hours=288, gpus=8, gpu="a100-80gb")),
        ("16 h200-sxm 2 weeks", Budget(gpu_hours=16 * 336, gpus=16, gpu="h200-sxm")),
        ("$20k", Budget(usd=2e4)),
        ("20k USD", Budget(usd=2e4)),
        ("1.5M$", Budget(usd=1.5e6)),
        ("5k gpu-hours", Budget(gpu_hours=5e3)),
        ("120 GPU hours", Budget(gpu_hours=120)),
    ],
)
def test_budgets_are_read(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    "text",
    [
        *("$", "$-5", "$nan", "0 h100 for 7 days", "1.5 h100 for 1 day", "8 h100 for 0 days"),
        *("many", "8 h100 for", "for 7 days", "h100", "€20k", "8 h100 for 7 moons"),
        *("-1 gpu-hours", ""),
    ],
)
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_budget(text)
    assert "\n" not in str(caught.value)


def test_a_rate_is_not_a_budget():
    with pytest.raises(InputError, match="rate"):
        parse_compute("10 PFLOP/s")


def test_pairs_are_read():
    assert parse_pair("7B:2T", "teacher") == (7e9, 2e12)
    assert parse_pair("7B", "teacher") == (7e9, None)


@pytest.mark.parametrize("text", ["", ":", "7B:", ":2T", "7B:2T:1", "7B;2T"])
def test_broken_pairs_are_refused(text):
    with pytest.raises(InputError):
        parse_pair(text, "teacher")


@given(st.floats(min_value=1e-3, max_value=1e30))
def test_a_formatted_count_reads_back_to_its_digits(value):
    assert parse_count(format_count(value)) == pytest.approx(value, rel=6e-3)
    assert parse_compute(format_flops(value)) == pytest.approx(value, rel=6e-3)


@given(st.floats(min_value=1, max_value=1e17))
def test_a_formatted_count_is_short(value):
    assert len(format_count(value)) <= 8


SECONDS = {"ms": 1e-3, "s": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
YEAR = 365.25 * 86_400


def seconds_of(text):
    """A time as it is shown, in seconds; the lengths are those of the calendar."""
    number, unit = text.split()
    return float(number) * {**SECONDS, "years": YEAR}[unit]


SHOWN = {
    format_count: (1e-3, 1e24, parse_count),
    plain_count: (1e-3, 1e24, parse_count),
    format_bytes: (1, 9.9e19, parse_bytes),
    format_duration: (1e-6, 1e12, seconds_of),
    format_usd: (1, 1e15, lambda text: parse_usd(text, "", "")),
}
"""Each way to show a number with a unit, the least and the most it is for, and how it is read."""


@st.composite
def near_a_unit(draw):
    """A number a little below a power of a thousand, a bound of time, or any other."""
    powers = [1000.0**power for power in range(-1, 6)]
    times = [1.0, 60.0, 100.0, 6000.0, 172_800.0, 6.3e7]
    edge = draw(st.sampled_from([*powers, *times]))
    return draw(st.floats(1e-3, 1e20) | st.floats(0.99, 1.01).map(lambda part: edge * part))


@pytest.mark.parametrize("shown", SHOWN, ids=lambda one: one.__name__)
@given(value=near_a_unit())
def test_what_is_shown_reads_back_and_keeps_its_digits_at_each_unit(shown, value):
    """An inverse; and no number is shown as a thousand of a unit that has a larger one."""
    least, most, read = SHOWN[shown]
    value = min(max(value, least), most)
    text = shown(value)
    assert read(text) == pytest.approx(value, rel=6e-3)
    assert "e+" not in text
    number = re.match(r"\$?([\d.]+)", text)[1]
    largest = re.search("[TP]|years|e", text)
    assert float(number) < 1000 or largest or shown is plain_count


def test_a_unit_begins_where_its_number_is_shown_as_one():
    assert format_bytes(999.7e9) == "1.00 TB"
    assert format_duration(0.9996) == "1.00 s"
    assert format_usd(999.999) == "$1.00k"
    assert plain_count(999_999_900.0) == "1B"


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_an_input_error(text):
    try:
        value = parse_count(text)
    except InputError:
        return
    assert math.isfinite(value)
    assert value > 0
