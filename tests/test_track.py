"""A run under way against its plan: synthetic runs of known ends, and a published curve."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.fitting.tables import parse_table
from distillplan.laws.curves import LossCurve, Schedule, curve, expected, points_of, undecayed
from distillplan.laws.curves import forecast as forecast_end
from distillplan.laws.law_catalog import law
from distillplan.laws.loss_units import LossUnit
from distillplan.planning.planner import plan as make_plan
from distillplan.planning.results import Method
from distillplan.planning.scenario import Scenario
from distillplan.planning.teacher import Teacher
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.loss_history import history_of, parse_history_columns
from distillplan.questions.plan_document import plan_of_document
from distillplan.questions.track_records import Cause, Doubt, Pace, Status
from distillplan.questions.tracking import track
from distillplan.render.documents import document
from tests.shell import run

COSINE = Pace(schedule=Schedule.COSINE)

OLMO_PARAMS = 1279395840.0
OLMO_TOKENS = 255895535616.0
OLMO_END = 2.8322818279266357
OLMO_CURVE = {
    # the OLMo ladder's longest cosine run of 1.28B (Bhagia et al. 2024, arXiv:2412.04403):
    # validation losses on the way, by tokens; OLMO_END is its last
    33030144000: 3.0778067111968994,
    51904512000: 3.0254623889923096,
    70778880000: 2.993661880493164,
    89653248000: 2.9715795516967773,
    108527616000: 2.9484758377075195,
    127401984000: 2.931312322616577,
    155713536000: 2.8991143703460693,
    184025088000: 2.873457670211792,
    202899456000: 2.857421875,
    221773824000: 2.8437271118164062,
    240648192000: 2.8343207836151123,
}
WITHOUT_OLMO = LossCurve(
    anneal=0.0211, anneal_sd=0.0115, bend=0.593, bend_sd=0.174, drift=0.0045, noise=0.001
)
"""The constants from the curves of Luo et al. 2025 alone (calibration/calibrate_curves.py)."""


@cache
def planned():
    """A plan to distill 1B on 13.6B tokens, read back from its document."""
    scenario = Scenario(
        law=law(),
        compute=1e20,
        student_params=1e9,
        accounting=Accounting.FREE,
        teacher=Teacher(loss=2.1),
    )
    text = json.dumps(document(make_plan(scenario)))
    return plan_of_document(json.loads(text), "plan.json")


def option_named(method):
    return next(
        one
        for one in planned().options
        if one.method is method and (one.decides or method is Method.SUPERVISED)
    )


def losses(until, *, times=1.0, schedule=Schedule.COSINE, method=Method.DISTILL, seed=0, step=0.01):
    """Tokens and losses of a run made from the law and the curve that ends at ``times`` the plan.

    With 0.1% of noise. The level of a constant rate is such that its end is that too.
    """
    one, known = option_named(method), curve()
    at = np.arange(step, until + 1e-9, step)
    rate = undecayed(schedule, at, warmup=0.01, decay=0.2)
    sizes = np.full_like(at, one.student_params), at * one.student_tokens
    if method is Method.SUPERVISED:
        here = law().supervised.loss(*sizes)
    else:
        here = law().distillation.loss(*sizes, np.full_like(at, one.teacher_loss))
    end = known.anneal * float(schedule is Schedule.CONSTANT)
    excess = known.anneal * np.sqrt(at) * rate - end + math.log(times)
    noise = 0.001 * np.random.default_rng(seed).standard_normal(at.size)
    return sizes[1], here * np.exp(excess + noise)


def table_of(tokens, values, header="tokens,loss"):
    cells = [one if isinstance(one, str) else repr(float(one)) for one in values]
    rows = "\n".join(f"{a:.0f},{b}" for a, b in zip(tokens, cells, strict=True))
    return parse_table(f"{header}\n{rows}\n", "losses.csv")


def tracked(until, *, pace=COSINE, option=None, **how):
    table = table_of(*losses(until, **how))
    return track(planned(), law(), history_of(table, columns={}), option=option, pace=pace)


# --- runs whose end is known


@pytest.mark.parametrize("schedule", Schedule)
@pytest.mark.parametrize("method", [Method.DISTILL, Method.SUPERVISED])
@pytest.mark.parametrize("until", [0.5, 0.8, 0.95])
def test_a_run_of_the_law_is_on_course(schedule, method, until):
    """The inverse: its end is the plan's loss, and lies in the band."""
    found = tracked(
        until, schedule=schedule, method=method, option=method, pace=Pace(schedule=schedule)
    )
    low, high = found.forecast_band
    assert low < option_named(method).loss < high
    assert found.status in (Status.ON_COURSE, Status.CANNOT_TELL)
    if schedule is not Schedule.WSD or until > 0.9:  # what a decay is worth shows when it comes
        assert found.status is Status.ON_COURSE
        assert found.difference == pytest.approx(0, abs=0.008)


@pytest.mark.parametrize(("times", "status"), [(1.03, Status.ABOVE), (0.97, Status.BELOW)])
def test_a_run_three_percent_off_is_found_out(times, status):
    for until in (0.5, 0.7, 0.9):
        found = tracked(until, times=times)
        assert found.status is status
        assert found.doubt is None
        assert found.difference == pytest.approx(times - 1, abs=0.008)
    assert tracked(0.15, times=times).status in (status, Status.CANNOT_TELL)


def test_the_band_narrows_to_the_noise_of_a_run():
    widths = []
    for until in (0.2, 0.4, 0.6, 0.8, 1.0):
        low, high = tracked(until).forecast_band
        widths.append((high - low) / 2 / 1.645 / 2.35)
    assert widths == sorted(widths, reverse=True)
    assert 0.001 <= widths[-1] < 0.0025


def test_the_end_of_a_run_is_its_last_loss():
    """The limit: after its last step there is nothing to forecast but the noise."""
    tokens, values = losses(1.0)
    found = track(planned(), law(), history_of(table_of(tokens, values), columns={}), pace=COSINE)
    assert found.forecast_loss == pytest.approx(np.median(values[-3:]), rel=0.002)


def test_a_published_run_ends_in_the_band_of_its_forecasts():
    """The OLMo ladder's 1.28B, 32% above the law: forecast by constants of other runs.

    From 30%, 50%, 80% and 90% of it, the end is within 1.5%, 0.5%, 0.3% and 0.2%.
    """
    alone = law().supervised
    tokens, values = (np.array(one, float) for one in zip(*OLMO_CURVE.items(), strict=True))
    at = tokens / OLMO_TOKENS
    here = alone.loss(np.full_like(at, OLMO_PARAMS), tokens)
    final = alone.loss(OLMO_PARAMS, OLMO_TOKENS)
    rate = undecayed(Schedule.COSINE, at, warmup=0.01, decay=1.0)
    for known in (WITHOUT_OLMO, curve()):
        for until, near in ((0.3, 0.015), (0.5, 0.005), (0.8, 0.003), (0.95, 0.002)):
            some = at <= until
            points = points_of(
                at[some],
                np.log(values / here)[some],
                np.log(here / final)[some],
                rate[some],
                warmup=0.01,
            )
            end = forecast_end(known, points, 0.0)
            error = final * math.exp(end.mean) / OLMO_END - 1
            assert abs(error) < near
            assert abs(error) < 1.645 * end.sd


def test_the_forecast_is_the_posterior_of_its_model():
    """An independent method: least squares with the beliefs as further rows, on a fine grid."""
    known = curve()
    points = points_of(
        np.array([0.2, 0.5, 0.7]),
        np.array([0.05, 0.06, 0.03]),
        np.array([0.08, 0.03, 0.01]),
        np.array([0.9, 0.5, 0.3]),
        warmup=0.0,
    )
    walked = 1 / points.progress - 1
    errors = known.drift**2 * np.minimum.outer(walked, walked) + known.noise**2 * np.eye(3)
    design = np.column_stack([np.ones(3), np.sqrt(points.progress) * points.undecayed, points.fall])
    white = np.linalg.inv(np.linalg.cholesky(errors))
    belief = np.diag([1.0, 1 / known.anneal_sd, 1 / known.bend_sd])
    rows = np.vstack([white @ design, belief])
    seen = np.concatenate([white @ points.excess, belief @ [0.0, known.anneal, known.bend]])
    best = np.linalg.lstsq(rows, seen, rcond=None)[0]
    spread = np.linalg.inv(rows.T @ rows)
    for at_end in (0.0, 1.0):
        end = forecast_end(known, points, at_end)
        to = np.array([1.0, at_end, 0.0])
        assert end.mean == pytest.approx(float(to @ best), abs=1e-9)
        assert end.sd**2 == pytest.approx(float(to @ spread @ to) + known.noise**2, rel=1e-6)
    assert expected(known, points, 0.3) == pytest.approx(design @ [0.3, known.anneal, known.bend])


def test_the_rate_goes_as_its_schedule_says():
    """Half a cosine is at one half half-way after the warmup; a decay is linear."""
    at = np.array([0.1, 0.55, 1.0])
    assert undecayed(Schedule.COSINE, at, warmup=0.1, decay=1.0) == pytest.approx([1, 0.5, 0])
    assert undecayed(Schedule.WSD, np.array([0.79, 0.95]), warmup=0.0, decay=0.2) == pytest.approx(
        [1, 0.25]
    )
    assert undecayed(Schedule.CONSTANT, at, warmup=0.0, decay=0.2) == pytest.approx([1, 1, 1])


# --- what it does to the verdict


def test_a_run_on_course_leaves_the_plan_as_it_is():
    found = tracked(0.97)
    assert found.verdict is planned().verdict is Verdict.DISTILL
    for one in found.readings:
        assert one.gain_nats == pytest.approx(planned().margin_nats, abs=0.01)
        assert one.odds.distill == pytest.approx(planned().odds.distill, abs=0.04)
        assert one.odds.distill + one.odds.tie + one.odds.supervised == pytest.approx(1)


def test_a_bad_run_may_be_its_own_fault_or_that_of_all():
    """The gain of a run that is off alone shrinks by as much as it is off."""
    found = tracked(0.97, times=1.03)
    by_cause = {one.cause: one for one in found.readings}
    loss = option_named(Method.DISTILL).loss
    assert by_cause[Cause.THIS_RUN].gain_nats == pytest.approx(
        planned().margin_nats - (found.forecast_loss - loss)
    )
    assert by_cause[Cause.ALL_RUNS].gain_nats == pytest.approx(
        planned().margin_nats * found.forecast_loss / loss
    )
    assert by_cause[Cause.ALL_RUNS].verdict is Verdict.DISTILL
    assert by_cause[Cause.THIS_RUN].verdict is not Verdict.DISTILL
    assert found.verdict is None


def test_a_supervised_run_that_is_bad_speaks_for_distilling():
    found = tracked(0.9, times=1.03, method=Method.SUPERVISED, option=Method.SUPERVISED)
    assert found.readings[0].gain_nats > planned().margin_nats
    assert found.verdict is Verdict.DISTILL


# --- when nobody can tell


def test_losses_before_a_tenth_tell_nothing():
    found = tracked(0.09)
    assert (found.status, found.doubt) == (Status.CANNOT_TELL, Doubt.TOO_EARLY)
    assert found.forecast_loss is None
    assert found.verdict is None
    assert not found.points
    long = tracked(0.25, pace=Pace(schedule=Schedule.COSINE, warmup=0.1))
    assert long.doubt is Doubt.TOO_EARLY


def test_another_tokenizer_is_no_bad_run():
    """30% above: the forecast stands, the comparison does not."""
    found = tracked(0.9, times=1.3)
    assert found.doubt is Doubt.OTHER_SCALE
    assert found.forecast_loss == pytest.approx(1.3 * found.planned_loss, rel=0.01)
    assert not found.readings
    assert found.verdict is None


def test_bits_are_recognized_and_read():
    tokens, values = losses(0.9)
    bits = table_of(tokens, values / math.log(2))
    found = track(planned(), law(), history_of(bits, columns={}), pace=COSINE)
    (remark,) = [one for one in found.warnings if one.code == "other_scale"]
    assert "--loss-unit bits" in remark.message
    told = history_of(bits, columns={}, unit=LossUnit.BITS)
    assert track(planned(), law(), told, pace=COSINE).status is Status.ON_COURSE


def test_the_column_on_course_is_of_the_plan_and_not_of_the_run():
    """The closed form of `laws.curves`: the law there times what the published curve adds."""
    one, known = option_named(Method.DISTILL), curve()
    shown = [
        {point.progress: point.expected_loss for point in tracked(0.7, **how).points}
        for how in ({}, {"times": 1.03}, {"times": 1.5}, {"times": 0.6}, {"seed": 1})
    ]
    for other in shown[1:]:
        assert other == shown[0]
    at = np.array(list(shown[0]))
    sizes = np.full_like(at, one.student_params), at * one.student_tokens
    law_there = law().distillation.loss(*sizes, np.full_like(at, one.teacher_loss))
    rate = (1 + np.cos(np.pi * (at - 0.01) / 0.99)) / 2
    above = known.anneal * np.sqrt(at) * rate + known.bend * np.log(law_there / one.loss)
    assert list(shown[0].values()) == pytest.approx(law_there * np.exp(above), rel=1e-3)


@pytest.mark.parametrize("times", [1.1, 1.3, 3.0])
@pytest.mark.parametrize("rows", [13, 100, 1000])
def test_a_run_that_diverges_is_told_by_its_losses_before_that(times, rows):
    """The inverse: those of a run of the law, raised after half of its tokens and not before."""
    tokens, values = losses(0.7, step=0.7 / rows)
    half = tokens > 0.5 * option_named(Method.DISTILL).student_tokens
    raised = np.where(half, times * values, values)
    whole = track(planned(), law(), history_of(table_of(tokens, raised), columns={}), pace=COSINE)
    before = history_of(table_of(tokens[~half], values[~half]), columns={})
    alone = track(planned(), law(), before, pace=COSINE)
    assert (whole.status, whole.doubt) == (Status.CANNOT_TELL, Doubt.DIVERGED)
    assert whole.diverged_after == before.tokens[-1]
    assert whole.forecast_band == alone.forecast_band
    assert not whole.readings
    assert "diverged" in [one.code for one in whole.warnings]
    shown = {one.progress: one.expected_loss for one in whole.points}
    assert list(shown.values()) == sorted(shown.values(), reverse=True)


@pytest.mark.parametrize("word", ["nan", "-inf", "Infinity", "1e400", "0.0", "4e3"])
@pytest.mark.parametrize("rows", [8, 100])
def test_a_loss_that_is_no_number_any_more_has_diverged(word, rows):
    """The inverse: losses of a run of the law and words after them, against those losses alone.

    0 is what Hugging Face's Trainer logs then (logging_nan_inf_filter).
    """
    tokens, values = losses(0.7, step=0.7 / rows)
    good = rows - 3
    cells = [*map(str, values[:good].tolist()), *[word] * 3]
    whole = track(planned(), law(), history_of(table_of(tokens, cells), columns={}), pace=COSINE)
    before = history_of(table_of(tokens[:good], values[:good]), columns={})
    alone = track(planned(), law(), before, pace=COSINE)
    assert (whole.status, whole.doubt) == (Status.CANNOT_TELL, Doubt.DIVERGED)
    assert whole.diverged_after == before.tokens[-1]
    assert (whole.forecast_band, whole.points) == (alone.forecast_band, alone.points)
    assert whole.tokens == round(tokens[-1])
    said = {one.code: one.message for one in whole.warnings}
    assert "no usable number" in said["diverged"]
    assert not {"spikes_left_out", "rows_cleaned"} & said.keys()


def test_json_says_nan_of_a_diverged_run_too():
    """JSON Lines, and the log of Hugging Face's Trainer with rows of training between."""
    tokens, values = losses(0.7, step=0.02)
    rows = [{"tokens": n, "eval_loss": one} for n, one in zip(tokens, values, strict=True)]
    for row in rows[-4:]:
        row["eval_loss"] = math.nan
    trained = [one for row in rows for one in ({"tokens": row["tokens"], "grad_norm": 1.0}, row)]
    for text in ("\n".join(map(json.dumps, rows)), json.dumps({"log_history": trained})):
        history = history_of(parse_table(text, "log.json"), columns={})
        found = track(planned(), law(), history, pace=COSINE)
        assert found.diverged_after == pytest.approx(tokens[-5])


def test_gaps_are_no_divergence():
    """Fewer rows than three; empty cells; NaN in each row without an evaluation; a restart."""
    tokens, values = losses(0.7, step=0.01)
    words = [*map(str, values.tolist())]
    every = [word if row % 9 == 4 else "nan" for row, word in enumerate(words)]
    restarted = np.append(tokens, tokens[40:]), [*words[:40], *["nan"] * 30, *words[40:]]
    for at, cells in (
        (tokens, [*words[:-2], "nan", "inf"]),
        (tokens, [*words[:-20], *[""] * 20]),
        (tokens, every),
        restarted,
    ):
        found = track(planned(), law(), history_of(table_of(at, cells), columns={}), pace=COSINE)
        assert found.doubt is not Doubt.DIVERGED
    again = np.append(tokens, tokens[40:]), [*words[:50], *["nan"] * 20, *["nan"] * 30]
    found = track(planned(), law(), history_of(table_of(*again), columns={}), pace=COSINE)
    assert found.diverged_after == pytest.approx(tokens[40], abs=1)


def test_a_loss_that_creeps_up_and_stays_there_has_diverged():
    """As of text that is repeated too often: no row stands out from its neighbors."""
    tokens, values = losses(0.8)
    creeping = values * np.exp(np.linspace(-0.5, 0.2, values.size).clip(0))
    found = track(planned(), law(), history_of(table_of(tokens, creeping), columns={}), pace=COSINE)
    assert found.doubt is Doubt.DIVERGED
    assert 0.5 < found.diverged_after / tokens[-1] < 1


def test_what_comes_back_and_what_was_never_on_the_scale_has_not_diverged():
    """A spike of some rows, a last row that may come back, a slip, noise, and another unit."""
    tokens, values = losses(0.8)
    rows = np.arange(tokens.size)
    noise = np.exp(0.02 * np.random.default_rng(1).standard_normal((50, tokens.size)))
    for changed in (
        values * np.where((rows > 50) & (rows < 62), 1.4, 1.0),
        values * np.where(rows == rows[-1], 1.4, 1.0),
        values * np.where(rows == 40, 0.5, 1.0),
        *(values * noise),
        values / math.log(2),
        np.exp(values / 2),
    ):
        history = history_of(table_of(tokens, changed), columns={})
        found = track(planned(), law(), history, pace=COSINE)
        assert found.diverged_after is None
    bits = np.where(rows > 60, 1.4, 1.0) * values / math.log(2)
    found = track(planned(), law(), history_of(table_of(tokens, bits), columns={}), pace=COSINE)
    assert found.doubt is Doubt.OTHER_SCALE
    assert {"diverged", "other_scale"} <= {one.code for one in found.warnings}


def test_a_run_that_diverges_before_a_tenth_has_no_forecast():
    tokens, values = losses(0.6)
    early = values * np.where(tokens > tokens[4], 2.0, 1.0)
    found = track(planned(), law(), history_of(table_of(tokens, early), columns={}), pace=COSINE)
    assert found.doubt is Doubt.DIVERGED
    assert found.forecast_loss is None
    assert found.diverged_after == pytest.approx(tokens[4], abs=1)


def test_an_unknown_schedule_has_a_band_that_holds_both():
    whole = tracked(0.7, pace=Pace()).forecast_band
    for schedule in (Schedule.COSINE, Schedule.WSD):
        low, high = tracked(0.7, pace=Pace(schedule=schedule)).forecast_band
        assert whole[0] <= low
        assert high <= whole[1]
    assert "schedule_not_said" in [one.code for one in tracked(0.7, pace=Pace()).warnings]


def test_a_rate_that_never_decays_ends_above_the_law():
    """By what the decay is worth: the forecast of a constant rate against that of a cosine."""
    pace = Pace(schedule=Schedule.CONSTANT)
    found = tracked(0.6, times=math.exp(curve().anneal), schedule=Schedule.CONSTANT, pace=pace)
    assert found.status is Status.ABOVE
    assert found.difference == pytest.approx(curve().anneal, abs=0.01)
    assert "constant_rate" in [one.code for one in found.warnings]


# --- sloppy files


def test_a_restart_replaces_what_came_after_its_checkpoint():
    tokens, values = losses(0.8)
    diverged = values.copy()
    diverged[60:] *= 1.5
    again = np.concatenate([tokens, tokens[50:]]), np.concatenate([diverged, values[50:]])
    history = history_of(table_of(*again), columns={})
    assert np.array_equal(history.tokens, np.round(tokens))
    assert history.loss == pytest.approx(values)
    assert "30 rows replaced" in history.notices[0].message


def test_rows_in_no_order_are_put_in_order():
    tokens, values = losses(0.8)
    mixed = np.random.default_rng(0).permutation(tokens.size)
    history = history_of(table_of(tokens[mixed], values[mixed]), columns={})
    assert history.loss == pytest.approx(values)
    assert [one.code for one in history.notices] == ["rows_cleaned"]


def test_spikes_and_rows_without_a_loss_change_nothing():
    tokens, values = losses(0.8)
    spiked = values.copy()
    spiked[[30, 55, 70]] *= 1.2
    spiked[[20, 40]] = np.nan
    plain, bad = (
        track(planned(), law(), history_of(table_of(tokens, one), columns={}), pace=COSINE)
        for one in (values, spiked)
    )
    assert bad.forecast_loss == pytest.approx(plain.forecast_loss, rel=5e-4)
    said = {one.code: one.message for one in bad.warnings}
    assert said["rows_cleaned"].startswith("2 rows without a usable loss")
    assert said["spikes_left_out"].endswith("3")


@pytest.mark.parametrize(
    "text",
    [
        "tokens;val_loss\n2000000000;2,801\n4000000000;2,64\n",
        "Tokens;eval/loss\n2.000.000.000;2,8010\n4.000.000.000;2,6400\n",
        "tokens (B),val_loss\n2,2.801\n4,2.64\n",
        "tokens [billions]\tval loss (nats)\n2\t2.801\n4\t2.64\n",
        '"tokens (B)";"val_loss"\n"2,0";"2,801"\n"4,0";"2,640"\n',
        "num_input_tokens_seen,loss,eval_loss\n2e9,3.1,2.801\n4e9,3.0,2.64\n",
        '{"tokens (M)": 2000, "eval_loss": 2.801}\n{"tokens (M)": 4000, "eval_loss": 2.64}\n',
    ],
)
def test_cells_and_headers_are_read_as_in_a_table_of_runs(text):
    """The inverse: one run of two rows, as spreadsheets and trackers write it."""
    history = history_of(parse_table(text, "l.csv"), columns={})
    assert history.tokens.tolist() == [2e9, 4e9]
    assert history.loss.tolist() == [2.801, 2.64]
    assert not history.notices


@pytest.mark.parametrize("indent", [2, None])
def test_the_log_of_the_trainer_of_hugging_face_is_read(indent):
    """Its keys are those of transformers 4 and 5 (TrainerState.save_to_json and Trainer.log).

    The evaluation losses count, not those of the training that stand between.
    """
    log = [
        {"epoch": 0.2, "grad_norm": math.nan, "learning_rate": 2e-4, "loss": 3.1, "step": 1000},
        {"epoch": 0.2, "eval_loss": 2.8, "eval_runtime": 12.5, "step": 1000},
        {"epoch": 0.4, "grad_norm": 0.8, "learning_rate": 1e-4, "loss": 2.9, "step": 2000},
        {"epoch": 0.4, "eval_loss": 2.64, "eval_runtime": 12.5, "step": 2000},
        {"epoch": 0.4, "total_flos": 1e18, "train_loss": 3.0, "train_runtime": 9e3, "step": 2000},
    ]
    state = {"best_metric": None, "global_step": 2000, "log_history": log, "max_steps": 10000}
    table = parse_table(json.dumps(state, indent=indent), "trainer_state.json")
    history = history_of(table, columns={}, batch_tokens=2e6)
    assert history.tokens.tolist() == [2e9, 4e9]
    assert history.loss.tolist() == [2.8, 2.64]
    trained = history_of(table, columns={"loss": "loss"}, batch_tokens=2e6)
    assert trained.loss.tolist() == [3.1, 2.9]
    assert table.rows[3].where == "log_history entry 4"
    with pytest.raises(InputError, match="it has steps"):
        history_of(table, columns={})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n"a": 1\n}\n', "one JSON document that is no table; write JSON Lines, one object per"),
        ('[\n{"step": 1}, 17\n]', "l.json: 1 fault, nothing was used: entry 2: not a JSON object"),
        ('{"log_history": [{}, 17]}', "log_history entry 2: not a JSON object"),
        ('{"log_history": []}', "no rows; give a header and a row for each loss"),
    ],
)
def test_other_json_says_what_to_write(text, said):
    with pytest.raises(InputError) as caught:
        history_of(parse_table(text, "l.json"), columns={})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("tokens,loss\n2,2.8\n4,2.64\n", {}, "line 2, tokens: '2' is not between 1000 and"),
        ("step,loss\n2,2.8\n", {}, "line 2, step times the tokens of a step: '128.0' is not"),
        ("tokens,loss\n2e9,high\n", {}, "line 2, loss: 'high' is not a number"),
        ("tokens,loss\n2e9,\n", {}, "none has a number in loss and in tokens; name others with"),
        ("seen,loss\n2,2.8\n", {"tokens": "seen"}, "line 2, seen: '2' is not between"),
    ],
)
def test_a_file_without_a_row_to_use_says_why(text, columns, said):
    with pytest.raises(InputError, match="no row can be used") as caught:
        history_of(parse_table(text, "l.csv"), columns=columns, batch_tokens=64.0)
    assert said in str(caught.value)


def test_a_column_is_named_once():
    assert parse_history_columns("loss='val, loss',step=_step") == {
        "loss": "val, loss",
        "step": "_step",
    }
    for text in ("loss=a,loss=b", "loss=a,loss=a"):
        with pytest.raises(InputError, match="given twice; give it once"):
            parse_history_columns(text)


def test_steps_beyond_all_floats_are_no_rows():
    table = parse_table("step,loss\n1e308,3.1\n1e4,3.0\n", "l.csv")
    history = history_of(table, columns={}, batch_tokens=524_288.0)
    assert history.tokens.tolist() == [524_288e4]


@pytest.mark.parametrize("impossible", [5e-324, 1e-3, 1e6, 1e300])
def test_a_number_that_no_loss_can_be_is_left_out(impossible):
    """Found by the fuzzer: one such row in a good run gave a forecast of 0 nats, or no answer."""
    tokens, values = losses(0.8)
    odd = values.copy()
    odd[50] = impossible
    plain, other = (
        track(planned(), law(), history_of(table_of(tokens, one), columns={}), pace=COSINE)
        for one in (values, odd)
    )
    assert other.forecast_loss == pytest.approx(plain.forecast_loss, rel=5e-4)
    assert "1 row without a usable loss left out" in [one.message for one in other.warnings]
    with pytest.raises(InputError, match=r"between 0\.01 and 1000 nats"):
        history_of(
            table_of(tokens, np.full_like(values, impossible)), columns={}, unit=LossUnit.NATS
        )


def test_steps_need_the_tokens_of_a_batch():
    tokens, values = losses(0.8)
    steps = table_of(tokens / 1e6, values, "_step,eval/loss")
    with pytest.raises(InputError, match="--batch-tokens"):
        history_of(steps, columns={})
    history = history_of(steps, columns=parse_history_columns("loss=eval/loss"), batch_tokens=1e6)
    assert history.tokens == pytest.approx(tokens, abs=5e5)
    with pytest.raises(InputError, match="check --batch-tokens"):
        track(planned(), law(), history._replace(tokens=history.tokens * 1e3), pace=COSINE)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 20_000_000_000),
            st.floats(0, 30) | st.sampled_from([math.nan, math.inf, -1.0, 0.0, 5e-324, 1e300]),
        ),
        max_size=40,
    ),
    schedule=st.sampled_from([None, *Schedule]),
)
def test_whatever_the_file_holds_the_answer_does_not_contradict_itself(rows, schedule):
    text = "tokens,loss\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    try:
        history = history_of(parse_table(text, "l.csv"), columns={})
        found = track(planned(), law(), history, pace=Pace(schedule=schedule))
    except InputError:  # one sentence, in `bad tables` of the readers' own tests
        return
    assert (found.doubt is None) == (found.status is not Status.CANNOT_TELL)
    assert np.all(np.diff(history.tokens) > 0)
    if found.forecast_loss is None:
        assert found.doubt in (Doubt.TOO_EARLY, Doubt.DIVERGED)
        return
    low, high = found.forecast_band
    assert low <= found.forecast_loss <= high
    assert (found.status is Status.ABOVE) <= (low > found.planned_loss)
    assert (found.status is Status.BELOW) <= (high < found.planned_loss)
    assert found.verdict in (None, *(one.verdict for one in found.readings))


# --- the plan and the command


def test_other_documents_are_refused_in_one_sentence(tmp_path):
    (tmp_path / "l.csv").write_text("tokens,loss\n2e9,2.6\n")
    for text, said in (
        ("{", "line 1: not readable as JSON"),
        ("[1]", "no document of ours"),
        ('{"schema": "distillplan/fit@1"}', "distillplan/fit@1"),
        ('{"schema": "distillplan/plan@2"}', "missing key"),
        ('{"schema": "distillplan/plan@2", "x": NaN}', "NaN is not JSON"),
    ):
        (tmp_path / "p.json").write_text(text)
        found = run("track", "p.json", "l.csv", folder=tmp_path)
        assert found.returncode == 2
        assert said in found.stderr
        assert found.stderr.count("\n") == 1
        assert not found.stdout


def test_a_run_that_has_hardly_begun_has_columns_and_no_rows(tmp_path):
    """The first step comes within the warmup, of which no published curve says anything."""
    plan = Path(__file__).parents[1] / "examples" / "plan.json"
    (tmp_path / "l.csv").write_text("tokens,loss\n1e6,6.1\n")
    as_csv, as_lines = (
        run("track", plan, "l.csv", "-o", form, folder=tmp_path) for form in ("csv", "jsonl")
    )
    assert as_csv.returncode == as_lines.returncode == 0
    assert as_csv.stdout == "tokens,progress,loss,expected_loss\n"
    assert as_lines.stdout == ""


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("_step; ", "no column 'eval/loss'; use one of _step"),
        (";", "no column 'eval/loss'; there is none"),
    ],
)
def test_columns_without_a_name_are_not_offered(header, said, tmp_path):
    plan = Path(__file__).parents[1] / "examples" / "plan.json"
    (tmp_path / "l.csv").write_text(f"{header}\n250;5.2\n")
    found = run("track", plan, "l.csv", "--columns", "loss=eval/loss", folder=tmp_path)
    assert found.returncode == 2
    assert found.stderr == f"error: columns: l.csv has {said}\n"


def test_a_plan_of_another_law_is_refused():
    with pytest.raises(InputError, match="another law"):
        track(
            planned(), law("busbridge2025_printed"), history_of(table_of(*losses(0.5)), columns={})
        )


def test_the_option_that_is_trained_is_found_by_its_method_or_its_payer():
    for option, accounting in (
        (None, Accounting.FREE),
        (Method.DISTILL, Accounting.FREE),
        (Method.SUPERVISED, None),
    ):
        assert tracked(0.5, option=option).accounting is accounting
    with pytest.raises(InputError, match="it has supervised, free"):
        tracked(0.5, option=Accounting.TRAIN)


def test_the_command_reads_either_file_from_standard_input(tmp_path):
    made = run(
        *("budget", "1e20", "--student", "1B", "--teacher-loss", "2.1", "-o", "json"),
        *("--logits", "cached", "--teacher-params", "3B"),
    )
    (tmp_path / "p.json").write_text(made.stdout)
    table = "tokens;loss\n" + "".join(
        f"{a:.0f};{b:.4f}\n" for a, b in zip(*losses(0.6), strict=True)
    )
    (tmp_path / "l.csv").write_text(table)
    words = ("--schedule", "cosine", "-o", "json")
    from_plan = run("track", "-", "l.csv", *words, stdin=made.stdout, folder=tmp_path)
    from_losses = run("track", "p.json", "-", *words, stdin=table, folder=tmp_path)
    assert from_plan.returncode == from_losses.returncode == 0
    one, other = json.loads(from_plan.stdout), json.loads(from_losses.stdout)
    assert one["status"] == "on_course"
    assert one["forecast_loss"] == other["forecast_loss"]
    shown = run("track", "p.json", "l.csv", *words[:2], folder=tmp_path).stdout
    assert shown.startswith("On course")
    assert max(map(len, shown.splitlines())) <= 80
    rows = run("track", "p.json", "l.csv", *words[:3], "csv", folder=tmp_path).stdout
    assert rows.startswith("tokens,progress,loss,expected_loss\n")
    both = run("track", "-", "-", folder=tmp_path)
    assert both.returncode == 2
    assert "standard input can be only one" in both.stderr


def test_the_screen_calls_verdicts_what_every_other_does(tmp_path):
    """`supervised` is the paper's word, and that of JSON; screens say pretrain."""
    plan = run("budget", "1e20", "--student", "300M", "-o", "json", folder=tmp_path).stdout
    assert json.loads(plan)["verdict"] == "supervised"
    (tmp_path / "p.json").write_text(plan)
    (tmp_path / "l.csv").write_text("tokens,loss\n2e9,2.9\n")
    shown, details = (
        run("track", "p.json", "l.csv", *words, folder=tmp_path).stdout
        for words in ((), ("--details",))
    )
    assert "verdict: pretrain" in shown
    assert "verdict: pretrain" in details
    assert "supervised" not in shown


def test_a_law_of_ones_own_runs_is_not_said_to_be_of_other_data(tmp_path):
    """Also where its other side is lent, of which a run without a teacher knows nothing."""
    few = Path(__file__).parents[1] / "examples" / "few_runs.csv"
    mine, losses = tmp_path / "mine.yaml", tmp_path / "losses.csv"
    run("fit", few, "--anchor", "busbridge2025", "--resamples", "16", "--save", mine)
    losses.write_text("tokens,loss\n20B,2.9\n40B,2.8\n60B,2.75\n", encoding="utf-8")
    words = ("budget", "1e21", "--student", "1B", "--law", mine, "--quick", "-o", "json")
    plan = tmp_path / "plan.json"
    plan.write_text(run(*words).stdout, encoding="utf-8")
    found = json.loads(run("track", plan, losses, "-o", "json").stdout)
    assert found["status"] == "above"
    assert "published_law" not in [one["code"] for one in found["warnings"]]
