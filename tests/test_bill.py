"""Bills against published energy and CO2, and sums of their own parts."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.hardware.bill import (
    PRICE_AGE_DAYS,
    PUE,
    Bill,
    Phase,
    PhaseWork,
    Power,
    itemized_bill,
    price_notices,
)
from distillplan.hardware.gpu import Price
from distillplan.hardware.range import Range
from tests.shipped import shipped

GRID: dict[str, Any] = shipped("grid.yaml")
TODAY = dt.date(2026, 6, 1)


def price(date: str = "2026-05-01") -> Price:
    return Price(usd_per_hour=2.5, seller="somebody", date=date, source="a price list")


def work(hours: Range, phase: Phase = Phase.STUDENT_TRAINING, gpus: int = 64) -> PhaseWork:
    return PhaseWork(phase=phase, flops=1e21, gpu_hours=hours, gpus=gpus)


def bill_of(hours: float, power: Power) -> Bill:
    return itemized_bill([work(Range.exact(hours))], today=TODAY, power=power)


@pytest.mark.parametrize(
    ("gpu_hours", "megawatt_hours", "tonnes"),
    # Touvron et al. 2023 (arXiv 2302.13971), Table 15: A100 at 400 W, PUE 1.1, 0.385 kg per kWh
    [(82_432, 36, 14), (135_168, 59, 23), (1_022_362, 449, 173)],
)
def test_llama_energy_and_co2_are_the_published_ones(
    gpu_hours: float, megawatt_hours: float, tonnes: float
) -> None:
    card = Power(gpu_watts=400, share=Range.exact(1.0), pue=1.1, grid_g_co2_per_kwh=385)
    total = bill_of(gpu_hours, card).total
    assert total.energy_kwh is not None
    assert total.co2_kg is not None
    assert total.energy_kwh.mid == pytest.approx(megawatt_hours * 1e3, rel=0.015)
    assert total.co2_kg.mid == pytest.approx(tonnes * 1e3, rel=0.015)


def test_bloom_dynamic_energy_and_co2_are_the_published_ones() -> None:
    """Luccioni et al. 2022 (arXiv 2211.02001): 433,196 kWh and 24.7 t at 57 g per kWh."""
    card = Power(gpu_watts=400, share=Range.exact(1.0), pue=1.0, grid_g_co2_per_kwh=57)
    total = bill_of(1_082_990, card).total
    assert total.energy_kwh is not None
    assert total.co2_kg is not None
    assert total.energy_kwh.mid == pytest.approx(433_196, rel=1e-6)
    assert total.co2_kg.mid == pytest.approx(24.7e3, rel=2e-3)


def test_ranges_carry_through_with_the_widest_ends() -> None:
    total = bill_of(1000, Power(gpu_watts=700, pue=1.0)).total
    drawn = total.energy_kwh
    assert drawn is not None
    # 0.70, 0.85 and 1 of 700 W
    assert (drawn.low, drawn.mid, drawn.high) == pytest.approx((490.0, 595.0, 700.0))
    wide = itemized_bill([work(Range(500.0, 1000.0, 2000.0))], today=TODAY, price=price()).total
    assert wide.cost_usd == Range(1250.0, 2500.0, 5000.0)
    assert wide.wall_seconds == Range(500 * 56.25, 1000 * 56.25, 2000 * 56.25)  # 3600 / 64


ranges = st.tuples(*[st.floats(0, 1e7)] * 3).map(lambda ends: Range(*sorted(ends)))


@given(hours=st.lists(ranges, min_size=1, max_size=3), storage_usd=st.floats(0, 1e6))
def test_parts_sum_to_the_total(hours: list[Range], storage_usd: float) -> None:
    phases = [Phase.TEACHER_TRAINING, Phase.TEACHER_LOGITS, Phase.STUDENT_TRAINING]
    bill = itemized_bill(
        [work(part, phase) for part, phase in zip(hours, phases, strict=False)],
        today=TODAY,
        price=price(),
        power=Power(gpu_watts=700, grid_g_co2_per_kwh=400),
        storage_usd=storage_usd,
    )
    for name in ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg"):
        for end in ("low", "mid", "high"):
            parts = sum(getattr(getattr(line, name), end) for line in bill.lines)
            assert getattr(getattr(bill.total, name), end) == pytest.approx(parts, rel=1e-12)
    assert bill.total.flops == sum(line.flops for line in bill.lines) == 1e21 * len(hours)


def test_each_option_moves_the_bill_the_right_way() -> None:
    plain = Power(gpu_watts=700, grid_g_co2_per_kwh=100)
    before = bill_of(1000, plain).total
    assert before.energy_kwh is not None
    assert before.co2_kg is not None
    for power in (
        Power(gpu_watts=1000, grid_g_co2_per_kwh=100),
        Power(gpu_watts=700, grid_g_co2_per_kwh=100, pue=1.5),
        Power(gpu_watts=700, grid_g_co2_per_kwh=100, host_watts=200),
        Power(gpu_watts=700, grid_g_co2_per_kwh=100, share=Range.exact(1.0)),
    ):
        after = bill_of(1000, power).total
        assert after.energy_kwh is not None
        assert after.energy_kwh.mid > before.energy_kwh.mid
    dirty = bill_of(1000, Power(gpu_watts=700, grid_g_co2_per_kwh=200)).total
    assert dirty.co2_kg == before.co2_kg.scale(2)
    assert dirty.energy_kwh == before.energy_kwh
    hours = Range.exact(1000.0)
    slow = itemized_bill([work(hours, gpus=8)], today=TODAY, price=price()).total
    fast = itemized_bill([work(hours, gpus=64)], today=TODAY, price=price()).total
    assert slow.wall_seconds.mid == 8 * fast.wall_seconds.mid
    assert slow.cost_usd == fast.cost_usd


def test_what_is_not_known_stays_unknown() -> None:
    bill = itemized_bill([work(Range.exact(10.0))], today=TODAY, storage_usd=5.0)
    assert bill.total.cost_usd is None
    assert bill.total.energy_kwh is None
    assert bill.total.co2_kg is None
    assert bill.lines[1].cost_usd == Range.exact(5.0)
    assert [notice.code for notice in bill.notices] == ["price_missing"]
    no_grid = bill_of(10, Power(gpu_watts=700)).total
    assert no_grid.energy_kwh is not None
    assert no_grid.co2_kg is None


@pytest.mark.parametrize(
    ("date", "codes"),
    [
        ("2026-05-31", []),
        ((TODAY - dt.timedelta(PRICE_AGE_DAYS)).isoformat(), []),
        ((TODAY - dt.timedelta(PRICE_AGE_DAYS + 1)).isoformat(), ["price_old"]),
        ("2026-04", []),
        ("2025-08", ["price_old"]),
        ("2025", ["price_old"]),
        ("unknown", ["price_undated"]),
        ("", ["price_undated"]),
    ],
)
def test_an_old_or_undated_price_is_remarked(date: str, codes: list[str]) -> None:
    assert [notice.code for notice in price_notices(price(date), TODAY)] == codes


@pytest.mark.parametrize(
    "power",
    [{"pue": 0.9}, {"pue": float("nan")}, {"host_watts": -1.0}, {"grid_g_co2_per_kwh": -1.0}],
)
def test_impossible_power_is_refused(power: dict[str, float]) -> None:
    with pytest.raises(InputError, match="power: "):
        Power(gpu_watts=700, **power)  # type: ignore[arg-type]  # mixed kinds


@pytest.mark.parametrize("kwh", [146e3 / 234e3, 681e3 / 1.05e6])
@pytest.mark.parametrize("pue", [1.0, PUE])
def test_the_energy_of_an_h100_hour_holds_what_olmo_3_drew(kwh: float, pue: float) -> None:
    """7B: 146 MWh in 234k hours, 32B: 681 MWh in 1.05M (muxup.com, 2025q4, Olmo 3).

    The source does not say whether the building is in it, so both readings are held.
    """
    hour = Power(gpu_watts=700, pue=pue).kwh_per_gpu_hour()
    assert hour.low < kwh < hour.high


def test_a_phase_without_gpus_is_refused() -> None:
    with pytest.raises(InputError, match="student_training runs on 0 GPUs"):
        itemized_bill([work(Range.exact(1.0), gpus=0)], today=TODAY)


@pytest.mark.parametrize("ends", [(2.0, 1.0, 3.0), (1.0, 3.0, 2.0), (float("nan"), 1.0, 2.0)])
def test_a_range_out_of_order_is_refused(ends: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="not in that order"):
        Range(*ends)


def test_work_at_a_rate_turns_the_range_round() -> None:
    assert Range(10.0, 20.0, 40.0).divide(400.0) == Range(10.0, 20.0, 40.0)


def test_the_grid_table_is_plausible() -> None:
    """Against two independent tables: France 50 to 90, Poland above 600 (Ember 2022, 2024)."""
    countries = GRID["countries"]
    assert len(countries) > 200
    for entry in countries.values():
        assert 5 <= entry["g_co2_per_kwh"] < 1400
        assert 2021 <= entry["year"] <= 2024
    assert 40 < countries["FRA"]["g_co2_per_kwh"] < 90
    assert 600 < countries["POL"]["g_co2_per_kwh"] < 700
    assert countries["NOR"]["g_co2_per_kwh"] < 40


@given(
    mid=st.floats(1e-3, 1e9),
    below=st.floats(1, 3),
    above=st.floats(1, 3),
    amount=st.floats(1e-3, 1e15),
)
def test_what_a_sum_buys_is_in_order_however_it_rounds(mid, below, above, amount):
    found = Range(low=mid / below, mid=mid, high=mid * above).divide_into(amount)
    assert found.low <= found.mid <= found.high
