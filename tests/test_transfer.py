"""The error of a predicted gain: its closed forms, its constants, and other laboratories' runs."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from distillplan.checks import transfer_checks
from distillplan.checks.transfer_cases import (
    Span,
    case_from_entry,
    case_gains,
    shipped_cases,
)
from distillplan.checks.transfer_checks import CaseOutcome, brier, reliability
from distillplan.checks.transfer_fit import (
    PRIOR,
    fitted_error,
    left_out_errors,
    shipped_holdouts,
)
from distillplan.errors import InputError
from distillplan.files.entries import Entry, coefficients_dir, read_shipped
from distillplan.files.yaml_reader import read_yaml
from distillplan.laws import law_catalog
from distillplan.laws.transfer import (
    DEGREES_OF_FREEDOM,
    Slopes,
    beyond_range,
    density,
    error_quantile,
    gain_quantile,
    outside_scale,
    probability_above,
    room_to_tell,
    transfer_error,
    transfer_error_from_entry,
)
from distillplan.planning.verdict import outside_loss
from make_transfer import Students, held_out
from tests.reports import transfer_report as report
from tests.shell import run

VALID = {
    "student_params": (1e8, 1e10),
    "student_tokens": (4e9, 4e11),
    "teacher_loss": (1.9, 2.7),
}
INSIDE = {"student_params": 1e9, "student_tokens": 1e11, "teacher_loss": 2.0}
T = stats.t(DEGREES_OF_FREEDOM)


def row(study, name):
    (found,) = [one for one in report().rows if (one.study, one.name) == (study, name)]
    return found


# closed forms


def test_probabilities_are_those_of_students_t():
    """scipy.stats.t with two degrees of freedom."""
    gains, scales = np.linspace(-3, 3, 61), np.array([[0.02], [0.5], [2.0]])
    assert probability_above(gains, 0.3, scales) == pytest.approx(T.sf((0.3 - gains) / scales))
    assert density(gains, scales) == pytest.approx(T.pdf(gains / scales) / scales)
    for level in (0.01, 0.3, 0.5, 0.95):
        assert T.cdf(error_quantile(level)) == pytest.approx(level, abs=1e-12)


def test_without_an_error_a_gain_is_above_or_not():
    assert probability_above(np.array([0.3, 0.1, 0.2]), 0.2, 0.0).tolist() == [1.0, 0.0, 0.5]


def test_a_side_without_an_answer_loses():
    assert probability_above(np.array([-math.inf, math.inf]), 0.01, 0.02).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5, 0.95])
def test_quantiles_are_the_inverse_of_the_probabilities(level):
    """Of mixtures of 300 gains, under scipy's distribution function."""
    gains = np.random.default_rng(1).normal(0.02, 0.03, (7, 300))
    scales = np.geomspace(1e-4, 3, 7)
    found = gain_quantile(gains, scales, level)
    below = T.cdf((found[:, None] - gains) / scales[:, None]).mean(axis=1)
    assert below == pytest.approx(np.full(7, level), abs=1e-8)
    by_draw = gain_quantile(gains, np.broadcast_to(scales[:, None], gains.shape), level)
    assert by_draw == pytest.approx(found)


def test_without_an_error_the_quantile_is_that_of_the_gains():
    gains = np.arange(101.0)
    assert float(gain_quantile(gains, 0.0, 0.05)) == pytest.approx(5, abs=1)
    assert math.isnan(float(gain_quantile(np.array([0.0, math.nan]), 0.1, 0.5)))


# growth outside the range


def test_nothing_is_added_inside_the_range():
    params, tokens, losses = np.meshgrid([1e8, 1e9, 1e10], [4e9, 4e11], [1.9, 2.3, 2.7])
    at = {"student_params": params, "student_tokens": tokens, "teacher_loss": losses}
    assert not outside_scale(VALID, gain=0.5, **at).any()


@pytest.mark.parametrize(
    ("place", "slope"),
    [
        ({"student_params": 1e8 / math.e}, "params_below"),
        ({"student_params": 1e10 * math.e}, "above"),
        ({"student_tokens": 4e9 / math.e}, "tokens_below"),
        ({"student_tokens": 4e11 * math.e}, "above"),
        ({"teacher_loss": 0.9}, "teacher_loss"),
        ({"teacher_loss": 3.7}, "teacher_loss"),
        ({"supervised_tokens": 4e9 / math.e}, "tokens_below"),
    ],
)
def test_one_step_outside_adds_the_slope(place, slope):
    """One e-fold, or one nat; the arm that is farther out counts."""
    found = outside_scale(VALID, gain=0.0, **{**INSIDE, **place})
    assert float(found) == pytest.approx(getattr(transfer_error().slopes, slope))


def test_below_the_range_the_gain_itself_is_in_doubt():
    slopes = Slopes(params_below=0.0, tokens_below=0.0, above=0.0, teacher_loss=0.0, gain_share=0.5)
    error = transfer_error()._replace(slopes=slopes)
    place = {**INSIDE, "student_tokens": 4e9 / math.e**2}
    assert float(outside_scale(VALID, gain=-0.3, error=error, **place)) == pytest.approx(0.3)


@pytest.mark.parametrize("name", ["student_params", "student_tokens", "teacher_loss"])
def test_the_error_grows_with_the_distance(name):
    factors = np.geomspace(1, 100, 30)
    for places in (VALID[name][0] / factors, VALID[name][1] * factors):
        found = outside_scale(VALID, gain=0.1, **{**INSIDE, name: places})
        assert (np.diff(found) > 0).all()


def test_an_input_without_a_range_is_never_outside():
    assert not outside_scale({}, gain=1.0, **INSIDE)


def test_each_side_is_judged_by_the_range_of_its_own_runs():
    """One distilled run of 5B tokens takes nothing from supervised runs of up to 300B."""
    valid = {
        "params": (6e7, 1e9),
        "tokens": (1e9, 3e11),
        "student_params": (2.5e8, 2.5e8),
        "student_tokens": (5e9, 5e9),
        "teacher_loss": (2.4, 2.4),
    }
    law = law_catalog.law()._replace(valid=valid)
    for params, tokens in ((6e7, 1e9), (1e9, 3e11)):
        assert outside_loss(law, params, tokens) == 0
        assert outside_loss(law, params, tokens, 2.4) > 0
    assert outside_loss(law, 2.5e8, 5e9, 2.4) == 0
    slope = transfer_error().slopes.above
    assert outside_loss(law, 1e9, 3e11 * math.e) == pytest.approx(slope)
    # of a gain the side that is farther out counts, here that without a teacher
    pair = {"student_params": 2.5e8, "student_tokens": 5e9, "teacher_loss": 2.4}
    assert outside_scale(valid, gain=0.0, **pair, supervised_tokens=3e11) == 0
    far = outside_scale(valid, gain=0.0, **pair, supervised_tokens=3e11 * math.e**2)
    assert far == pytest.approx(2 * slope)


def test_no_odds_above_99_percent_half_an_e_fold_below_the_range():
    """However large the gain: its own share of the error grows with it."""
    gains = np.array([-30.0, -1.0, 0.3, 30.0])
    place = {**INSIDE, "student_tokens": 4e9 / math.sqrt(math.e)}
    odds = probability_above(gains, 0.0, outside_scale(VALID, gain=gains, **place))
    assert ((odds > 0.01) & (odds < 0.99)).all()


def test_a_1b_student_on_2b_tokens_still_has_an_answer():
    """Just below the 3.6B tokens of the smallest run, where the law's gain is large."""
    law = law_catalog.law()
    teacher_loss = law.supervised.loss(7e9, 2e12)
    gain = law.supervised.loss(1e9, 2e9) - law.distillation.loss(1e9, 2e9, teacher_loss)
    outside = outside_scale(
        law.valid, gain=gain, student_params=1e9, student_tokens=2e9, teacher_loss=teacher_loss
    )
    assert outside > transfer_error().scale
    assert room_to_tell(gain, outside, transfer_error().scale) > 0


# the constants


def independent_cost(logs):
    """Minus the log posterior, case by case, from the files and scipy's Student's t."""
    scale, params_below, tokens_below, above, teacher, share = np.exp(logs)
    cases = read_yaml(coefficients_dir() / "transfer_cases.yaml")["cases"]
    studies = [one["study"] for one in cases]
    cost = 0.0
    for case, gains, beyond in zip(cases, *independent_gains(), strict=True):
        n_below, n_above, d_below, d_above, loss = beyond
        outside = (params_below * n_below) ** 2 + (tokens_below * d_below) ** 2
        outside += above**2 * (n_above**2 + d_above**2) + (teacher * loss) ** 2
        outside = outside + share**2 * (n_below**2 + d_below**2) * gains**2
        seen, spread = case["seen"], np.sqrt(scale**2 + outside)
        if "gain_nats" in seen:
            wide = np.sqrt(spread**2 + seen["gain_error"] ** 2)
            likely = np.mean(T.pdf((seen["gain_nats"] - gains) / wide) / wide)
        else:
            better = np.mean(T.cdf(gains / spread))
            chance = seen.get("chance_better")
            if chance is None:
                chance = stats.norm.cdf(seen["gain_points"] / seen["gain_error"])
            likely = chance * better + (1 - chance) * (1 - better)
        cost -= math.log(likely) / math.sqrt(studies.count(case["study"]))
    slopes = {
        "params_below": params_below,
        "params_above": above,
        "tokens_below": tokens_below,
        "tokens_above": above,
        "teacher_loss": teacher,
    }
    for one in read_shipped("transfer.yaml")["held_out"]:
        wide = math.hypot(slopes[one["input"]] * one["distance"], one["noise"])
        cost -= math.log(T.pdf(one["error"] / wide) / wide)
    for value, (center, width) in zip(logs, PRIOR.values(), strict=True):
        cost += ((value - math.log(center)) / width) ** 2 / 2
    return cost


@cache
def independent_gains():
    """Gains and distances of every case, draw by draw, unknown sizes spread as the cases say."""
    law = law_catalog.law()
    drawn = law_catalog.draws(law).law
    gains, distances = [], []
    for case in shipped_cases():
        count = drawn.alpha.size
        place = np.arange(count)

        def sizes(span, root, place=place):
            share = np.modf(place * math.sqrt(root) + 0.5)[0]
            return np.exp((1 - share) * math.log(span.low) + share * math.log(span.high))

        params = sizes(case.student_params, 2)
        tokens = sizes(case.student_tokens, 3)
        alone_tokens = sizes(case.supervised_tokens, 3)
        teacher = drawn.supervised.loss(
            sizes(case.teacher_params, 5), sizes(case.teacher_tokens, 7)
        )
        gains.append(
            drawn.supervised.loss(params, alone_tokens) - drawn.loss(params, tokens, teacher)
        )
        n, d, x = (law.valid[name] for name in VALID)
        fewest, most = np.minimum(tokens, alone_tokens), np.maximum(tokens, alone_tokens)
        distances.append(
            (
                np.log(n[0] / params).clip(0),
                np.log(params / n[1]).clip(0),
                np.log(d[0] / fewest).clip(0),
                np.log(most / d[1]).clip(0),
                (x[0] - teacher).clip(0) + (teacher - x[1]).clip(0),
            )
        )
    return gains, distances


@pytest.mark.slow
def test_the_constants_follow_from_the_cases():
    """By another minimizer, over a likelihood written anew."""
    error = transfer_error()
    shipped = [error.scale, *error.slopes._asdict().values()]
    start = np.log([center for center, _ in PRIOR.values()])
    found = optimize.minimize(
        independent_cost, start, method="Nelder-Mead", options={"maxiter": 2500, "xatol": 1e-3}
    )
    assert np.exp(found.x) == pytest.approx(shipped, rel=0.03)


def test_the_file_is_that_of_the_calibration():
    """The constants and the runs held out are those that make_transfer.py finds today."""
    law, cases = law_catalog.law(), shipped_cases()
    runs = held_out(
        law.distillation, Students(Path(__file__).parent / "data" / "distilled_students.csv")
    )
    assert [one.error for one in runs] == pytest.approx(
        [one.error for one in shipped_holdouts()], rel=0.02
    )
    found = fitted_error(cases, case_gains(law, law_catalog.draws(law), cases), runs).error
    shipped = transfer_error()
    assert found.cases == shipped.cases
    assert found.scale == pytest.approx(shipped.scale, rel=0.02)
    assert list(found.slopes._asdict().values()) == pytest.approx(
        list(shipped.slopes._asdict().values()), rel=0.02
    )


def test_a_case_left_out_changes_nothing_in_its_own_odds():
    """What was seen in it may be anything; of a study left out, in all of its cases."""
    law, cases = law_catalog.law(), shipped_cases()
    predicted = case_gains(law, law_catalog.draws(law), cases)
    place = next(at for at, one in enumerate(cases) if one.seen.gain_nats is not None)
    seen = cases[place].seen._replace(gain_nats=5.0)
    changed = (*cases[:place], cases[place]._replace(seen=seen), *cases[place + 1 :])
    first, second = (
        left_out_errors(some, predicted, shipped_holdouts(), whole_studies=True)
        for some in (cases, changed)
    )
    assert second[place].scale == pytest.approx(first[place].scale, rel=0.01)
    assert second[-1].scale > 1.1 * first[-1].scale


def test_the_growth_that_is_taken_is_the_most_probable_one():
    growth = read_shipped("transfer.yaml")["growth"]
    assert max(growth, key=growth.get) == "linear"


# other laboratories' runs


def test_there_are_enough_comparisons():
    """Issue: at least 15; each says where it comes from."""
    cases = shipped_cases()
    assert len(cases) >= 25
    assert len({one.study for one in cases}) >= 8
    assert len({(one.study, one.name) for one in cases}) == len(cases)
    assert all("arXiv" in one.source or "@" in one.source for one in cases)
    assert sum(one.seen.gain_nats is not None for one in cases) >= 10


OBSERVED = {
    # arXiv 2503.16870, tables of the poster, nats
    ("RS-KD", "300M from 3B"): 0.06,
    ("RS-KD", "3B from Llama-3-8B"): 0.03,
    # arXiv 2410.17215, Table 3, the fitted curves at the FLOPs of 52.4B tokens, nats
    ("MiniPLM", "200M from Qwen1.5-1.8B"): -0.062,
    ("MiniPLM", "500M from Qwen1.5-1.8B"): -0.023,
    ("MiniPLM", "1.2B from Qwen1.5-1.8B"): 0.057,
    # marin-community/marin@ef3e98ae, validation losses 2.9796 - 2.6541 and 2.6221 - 2.3315, nats
    ("Marin", "0.6B on 1.8B from Qwen3-32B"): 2.9796 - 2.6541,
    ("Marin", "0.6B on 0.1B from Qwen3-32B"): 2.6221 - 2.3315,
    ("Marin", "0.6B on 0.1B from Qwen3-4B"): 2.6221 - 2.3521,
    # arXiv 2408.00118, Table 7, perplexities 23 to 21, 19 to 17 and 17 to 15
    ("Gemma 2", "200M from 7B"): math.log(23 / 21),
    ("Gemma 2", "400M from 7B"): math.log(19 / 17),
    ("Gemma 2", "1B from 7B"): math.log(17 / 15),
}


def test_gains_in_nats_are_the_published_ones():
    seen = {
        (one.study, one.name): one.seen.gain_nats
        for one in shipped_cases()
        if one.seen.gain_nats is not None
    }
    assert seen == pytest.approx(OBSERVED, abs=1e-3)


@pytest.mark.parametrize(
    ("study", "name", "outcome"),
    [
        ("RS-KD", "300M from 3B", CaseOutcome.HIT),
        ("RS-KD", "3B from Llama-3-8B", CaseOutcome.HIT),
        ("MiniPLM", "500M from Qwen1.5-1.8B", CaseOutcome.HIT),
        ("Pre-training distillation", "6.8B from GLM-4-9B", CaseOutcome.HIT),
        ("Pre-training distillation", "330M from GLM-4-32B", CaseOutcome.HIT),
        ("Pre-training distillation", "1.9B on 500B from GLM-4-9B", CaseOutcome.MISS),
        ("Pre-training distillation", "670M from GLM-4-9B", CaseOutcome.UNDECIDED),
        ("MobileLLM", "125M from Llama-2-7B", CaseOutcome.HIT),
        ("Gemma 2", "400M from 7B", CaseOutcome.MISS),
        ("Strong teacher not needed", "1.7B from its equal", CaseOutcome.MISS),
        ("Marin", "0.6B on 1.8B from Qwen3-32B", CaseOutcome.MISS),
        ("Marin", "0.6B on 0.1B from Qwen3-32B", CaseOutcome.NO_VERDICT),
    ],
)
def test_hits_and_misses(study, name, outcome):
    """As an independent reading of the same runs judged them before these odds existed; the run
    on 0.1B tokens is so far outside that there is nothing to say."""
    assert row(study, name).outcome is outcome


def test_the_odds_are_better_than_a_coin_and_than_the_release_before():
    scores = report().brier
    assert report().passed
    assert scores.even == pytest.approx(0.25)
    assert scores.left_out_alone < 0.9 * scores.release_before
    assert scores.left_out_with_study < scores.release_before


def test_bands_hold_nine_in_ten_of_the_measured_gains():
    """Of those in nats, give or take what thirteen of them can tell (a binomial's 5% tail)."""
    measured = [one for one in report().rows if one.seen_nats is not None]
    inside = sum(one.gain_band[0] <= one.seen_nats <= one.gain_band[1] for one in measured)
    assert stats.binom(len(measured), 0.9).cdf(inside) > 0.01


def test_a_report_that_loses_to_the_release_before_fails():
    """Exit code 3, as of any other check."""
    found = run("check", "transfer", "-o", "json")
    assert found.returncode == 0
    document = json.loads(found.stdout)
    assert len(document["rows"]) == len(shipped_cases())
    assert document["misses"] == sum(one["outcome"] == "miss" for one in document["rows"]) > 0


def test_the_check_fails_where_the_odds_lose(monkeypatch):
    worse = {
        study: {name: 1.0 if row(study, name).seen_better > 0.5 else 0.0 for name in names}
        for study, names in read_shipped("transfer.yaml")["release_before"].items()
    }
    monkeypatch.setattr(
        transfer_checks,
        "_odds_of_release_before",
        lambda cases: [worse[one.study][one.name] for one in cases],
    )
    assert not transfer_checks.transfer_report().passed


def test_brier_and_reliability_by_hand():
    odds, seen = np.array([0.9, 0.1, 0.5, 1.0]), np.array([1.0, 0.0, 1.0, 0.5])
    assert brier(odds, seen) == pytest.approx((0.01 + 0.01 + 0.25 + 0.5) / 4)
    bins = reliability(odds, seen)
    assert [one.cases for one in bins] == [1, 0, 1, 0, 2]
    assert bins[1].stated is None
    assert (bins[4].stated, bins[4].seen) == (0.95, 0.75)


# the files


def test_an_unknown_size_is_anything_between_its_ends():
    sizes = Span(low=1e10, high=1e12).spread(300, math.sqrt(3))
    assert 1e10 <= sizes.min() < 1.1e10
    assert 0.9e12 < sizes.max() <= 1e12
    assert np.exp(np.log(sizes).mean()) == pytest.approx(1e11, rel=0.02)
    assert set(Span(low=7e9, high=7e9).spread(5, 0.5)) == {7e9}


CASE = {
    "name": "a",
    "study": "b",
    "match": "tokens",
    "student": {"params": 1e9, "tokens": 1e11},
    "teacher": {"params": 7e9, "tokens": [1e12, 2e12]},
    "seen": {"gain_nats": 0.02, "gain_error": 0.01},
    "quality": "primary",
    "source": "arXiv 1234.5678",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"match": "hours"}, "hours"),
        ({"quality": "hearsay"}, "hearsay"),
        ({"seen": {"gain_nats": 0.02}}, "gain_error"),
        ({"student": {"params": -1, "tokens": 1e11}}, "params"),
        ({"teacher": {"params": 7e9, "tokens": [2e12, 1e12]}}, r"2e\+12 is above 1e\+12"),
        ({"students": 2}, "students"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(change, words):
    assert case_from_entry(Entry(CASE, "case")).supervised_tokens == Span(low=1e11, high=1e11)
    with pytest.raises(InputError, match=words):
        case_from_entry(Entry({**CASE, **change}, "case"))


def test_constants_of_another_distribution_are_refused():
    entry = read_shipped("transfer.yaml")
    with pytest.raises(InputError, match="5 degrees of freedom"):
        transfer_error_from_entry({"error": {**entry["error"], "degrees_of_freedom": 5}})
    with pytest.raises(InputError, match="scale"):
        transfer_error_from_entry({"error": {**entry["error"], "scale": {"value": -1}}})


def test_the_two_arms_of_a_match_in_compute_are_both_looked_at():
    far = beyond_range(VALID, **{**INSIDE, "student_tokens": 1e9, "supervised_tokens": 8e11})
    assert float(far.tokens_below) == pytest.approx(math.log(4))
    assert float(far.tokens_above) == pytest.approx(math.log(2))
