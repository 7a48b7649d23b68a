"""Which small runs to make: against the plan's odds, brute force, closed forms and limits."""

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from distillplan import Scenario, Teacher, plan
from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError
from distillplan.fitting.runs_file import read_runs
from distillplan.laws import law_catalog
from distillplan.laws.transfer import outside_scale, transfer_error
from distillplan.planning.verdict import verdict_of
from distillplan.planning.verdict_records import Verdict
from distillplan.questions import pilot_worlds
from distillplan.questions.pilot import pilot
from distillplan.questions.pilot_costs import share_of
from distillplan.questions.pilot_designs import best_design, pair, usual_designs
from distillplan.questions.pilot_records import Advice
from distillplan.questions.pilot_value import gains_after, narrowed, odds_after, outcomes, stop_rule
from distillplan.questions.pilot_worlds import (
    CORPUS_WIDTH,
    TOKENIZER_WIDTH,
    PilotRun,
    open_decision,
    prior,
)
from distillplan.render.show import rendered
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options
from tests.shell import run

LAW = law_catalog.law()
SIGMA = law_catalog.draws(LAW).sigma_run
INSIDE = Scenario(
    compute=5e20,
    law=LAW,
    student_params=1e9,
    teacher=Teacher(loss=2.2),
    logits=Logits.CACHED,
)
"""Inside the fitted range, and close."""
OUTSIDE = Scenario(
    compute=1e23, law=LAW, student_params=8e9, teacher=Teacher(params=7e10, tokens=1.5e13)
)
OWN_TEACHER = Scenario(compute=1e22, law=LAW, student_params=1e9, students=8)
QUESTIONS = {"inside": INSIDE, "outside": OUTSIDE, "own teacher": OWN_TEACHER}
NO_RUNS = np.zeros((1, 0))


@cache
def decision_of(name):
    return open_decision(plan(QUESTIONS[name]))


@cache
def found_for(name, share=0.2, risk=0.02):
    return pilot(QUESTIONS[name], share=share, risk=risk)


@pytest.mark.parametrize("name", QUESTIONS)
def test_before_any_run_the_odds_are_those_of_the_plan(name, monkeypatch):
    """The mixture over w is the Student t of `planning.odds`, which has a closed form."""
    monkeypatch.setattr(pilot_worlds, "MOST_DRAWS", 10_000)
    answer = plan(QUESTIONS[name])
    decision = open_decision(answer)
    found = gains_after(prior(decision, []), NO_RUNS)
    distill, supervised = odds_after(decision, found)
    assert distill[0] == pytest.approx(answer.odds.distill, abs=1e-3)
    assert supervised[0] == pytest.approx(answer.odds.supervised, abs=1e-3)
    low, high = answer.deciding.gain_band
    assert found.half_width() == pytest.approx((high - low) / 2, rel=0.01)


@pytest.mark.parametrize("name", QUESTIONS)
def test_at_every_pilot_the_error_of_the_gain_is_that_of_a_plan_there(name):
    """Independently by `laws.transfer.outside_scale`, and at the decision by the plan itself."""
    decision = decision_of(name)
    teacher = QUESTIONS[name].teacher or Teacher(params=5e8, tokens=2e10)
    loss = teacher.loss or LAW.supervised.loss(teacher.params, teacher.tokens)
    for params, tokens in ((5e8, 1e10), (5e7, 1e9), (2e9, 1e12)):
        known = prior(decision, pair(params, tokens, teacher))
        alone, distilled = np.exp(known.expected)
        outside = outside_scale(
            LAW.valid,
            gain=alone - distilled,
            student_params=params,
            student_tokens=tokens,
            teacher_loss=loss,
        )
        scale = math.sqrt(known.error[1, 1]) * distilled
        assert scale == pytest.approx(math.hypot(transfer_error().scale, float(outside)), rel=1e-9)
        assert distilled == pytest.approx(LAW.distillation.loss(params, tokens, loss), rel=1e-12)
        assert known.error[0, 0] == 0
    confidence = decision.plan.confidence
    whole = math.hypot(confidence.transfer_nats, confidence.outside_nats)
    assert decision.error == pytest.approx(whole, rel=1e-9)
    here = pilot_worlds._load_of_decision(decision)
    assert np.linalg.norm(here) == pytest.approx(confidence.outside_nats, abs=1e-9)


class Worlds:
    """Worlds of `INSIDE` and of pairs inside the range, drawn one by one without linearizing.

    Everything here is written anew from the formulas at the top of `pilot_worlds`.
    """

    def __init__(self, places, count, seed, first=None):
        """First: only worlds whose first run comes near this log loss, weighed accordingly."""
        decision, law = decision_of("inside"), LAW.distillation
        rng = np.random.default_rng(seed)
        draw = rng.integers(decision.gain.size, size=count)
        w = rng.exponential(size=count)
        s = np.exp(TOKENIZER_WIDTH * rng.standard_normal(count))
        g = np.exp(CORPUS_WIDTH * rng.standard_normal(count))
        error = transfer_error()
        length = error.scale / error.slopes.above
        student = (decision.distilled.student_params, decision.distilled.student_tokens)
        at = np.log([student, *places]) / length
        like = np.exp(-0.5 * np.square(at[:, None] - at[None]).sum(axis=-1))
        root = np.linalg.cholesky(like + 1e-12 * np.eye(len(at)))
        misfit = SIGMA * rng.standard_normal((count, len(at))) @ root.T
        e = error.scale * rng.standard_normal((count, len(at))) @ root.T / np.sqrt(w)[:, None]
        self.gain = decision.gain[draw] + e[:, 0]
        self.losses = np.empty((count, 2 * len(places)))
        luck = SIGMA * rng.standard_normal(self.losses.shape)
        drawn = decision.draws.law
        for place, sizes in enumerate(places):
            n, d = np.log(sizes)
            alone = drawn.supervised.loss_at_logs(n, d)
            alone *= law.supervised.loss(*sizes) / np.median(alone)
            taught = drawn.loss_at_logs(n, d, math.log(2.2))
            taught *= law.loss(*sizes, 2.2) / np.median(taught)
            above = np.exp(misfit[:, place + 1])
            base = above * (drawn.supervised.E[draw] + g * (alone - drawn.supervised.E)[draw])
            gain = (alone - taught)[draw] + e[:, place + 1]
            if first is not None:
                near = first + 3 * SIGMA * rng.standard_normal(count)
                s = np.exp(near - np.log(base))
                self.log_weight = norm.logpdf(np.log(s), 0, TOKENIZER_WIDTH)
                self.log_weight -= norm.logpdf(near, first, 3 * SIGMA)
            self.losses[:, 2 * place] = np.log(s * base)
            self.losses[:, 2 * place + 1] = np.log(s * np.maximum(base - gain, 0.1))
        self.quiet = self.losses.copy()
        self.losses += luck


PLACES = ((5e8, 2e10), (3e8, 4e10))
RUNS = tuple(one for sizes in PLACES for one in pair(*sizes, INSIDE.teacher))


@pytest.mark.parametrize("shift", [-0.04, 0.0, 0.03])
def test_the_update_is_that_of_brute_force(shift):
    """A million worlds drawn without linearizing, weighed by how well they explain one pair."""
    decision = decision_of("inside")
    known = prior(decision, RUNS[:2])
    seen = known.expected + np.array([0.01, 0.01 - shift / math.exp(known.expected[1])])
    worlds = Worlds(PLACES[:1], 1_000_000, seed=1, first=seen[0])
    misfit = ((worlds.quiet - seen) / SIGMA) ** 2
    log = worlds.log_weight - 0.5 * misfit.sum(axis=1)
    weight = np.exp(log - log.max())
    assert weight.sum() ** 2 / np.square(weight).sum() > 10_000  # worlds that count
    weight /= weight.sum()
    found = gains_after(known, seen[None, :])
    assert found.expected()[0] == pytest.approx(float(weight @ worlds.gain), abs=6e-4)
    for threshold in (-0.02, 0.0, 0.02):
        share = float(weight @ (worlds.gain > threshold))
        assert found.above(threshold)[0] == pytest.approx(share, abs=0.015)


def test_the_odds_after_a_pilot_come_true():
    """4000 worlds are drawn, their runs made, the odds taken: of those with 30%, 30% are so."""
    decision = decision_of("inside")
    worlds = Worlds(PLACES, 4000, seed=2)
    found = gains_after(prior(decision, RUNS), worlds.losses)
    odds, won = found.above(0.0), worlds.gain > 0
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        those = (odds >= low) & (odds < low + 0.2)
        assert those.sum() > 100
        assert won[those].mean() == pytest.approx(odds[those].mean(), abs=0.06)
    apart = np.abs(worlds.gain - found.expected())
    assert (apart < found.few(decision.gain.size).half_width()).mean() == pytest.approx(
        0.9, abs=0.02
    )


def test_a_pilot_at_the_decision_itself_without_luck_settles_it():
    """Then its gain is the decision's: nobody is wrong, and even odds are at a gain of zero."""
    decision = decision_of("inside")
    sizes = decision.distilled.student_params, decision.distilled.student_tokens
    assert sizes[1] == decision.alone.student_tokens  # the logits are there
    known = prior(decision, pair(*sizes, INSIDE.teacher))._replace(noise=1e-16)
    found = narrowed(decision, known, outcomes(known), 0.05)
    assert found.wrong == pytest.approx(0.0, abs=0.02)
    assert found.settled > 0.97
    assert found.half_width_nats < 1e-3
    rule = stop_rule(decision, known, 0.05)
    assert rule.even_at == pytest.approx(-decision.gain_nats, abs=1e-3)
    # with a gain known exactly, distilling is wrong where it is below minus a tie
    tie = INSIDE.tie_nats
    assert rule.distill.from_ == pytest.approx(-decision.gain_nats, abs=2e-3)
    assert rule.supervised.to == pytest.approx(-decision.gain_nats, abs=2e-3)
    assert rule.distill.to is None
    assert rule.supervised.from_ is None
    alone = math.exp(known.expected[0])
    seen = np.log([[alone, alone - 1.1 * tie], [alone, alone - 0.9 * tie], [alone, alone]])
    distill, supervised = odds_after(decision, gains_after(known, seen))
    assert distill == pytest.approx([1, 0, 0], abs=1e-6)
    assert supervised == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize("name", QUESTIONS)
def test_more_runs_are_never_worth_less(name):
    found = found_for(name)
    wrong = [found.before.wrong, *(one.after.wrong for one in found.steps)]
    widths = [found.before.half_width_nats, *(one.after.half_width_nats for one in found.steps)]
    assert all(later <= before + 0.01 for before, later in pairwise(wrong))
    assert all(later <= before * 1.03 for before, later in pairwise(widths))
    assert all(one.after.saved_nats >= 0 for one in found.steps)
    assert wrong[-1] < 0.85 * wrong[0]
    advised = verdict_of(found.odds) is Verdict.DISTILL
    assert found.before.wrong == (found.odds.supervised if advised else found.odds.distill)


def test_at_a_tie_the_wrong_side_is_the_one_that_is_not_advised():
    """By definition: pretraining is advised there, so it is wrong where distillation is better.

    Afterwards one does what is likelier, so with no runs the chance falls to the smaller share.
    """
    question = Scenario(
        compute=5e20,
        law=LAW,
        student_params=3e9,
        teacher=Teacher(params=7e9, tokens=1.5e13),
        tie_nats=0.02,
    )
    found = pilot(question, share=0.2)
    odds = found.odds
    assert found.verdict is Verdict.TIE
    assert odds.distill > 2 * odds.supervised
    assert found.before.wrong == odds.distill
    assert found.advice is not Advice.ALREADY_SURE
    decision = open_decision(plan(question))
    nothing = narrowed(decision, prior(decision, []), NO_RUNS, 0.05)
    assert nothing.wrong == pytest.approx(odds.supervised, abs=0.01)
    printed = run(
        "budget", "5e20", "--student", "3B", "--teacher", "7B:15T", "--tie", "0.02", "--why"
    ).stdout
    assert "Small runs are not worth it" not in printed
    assert f"wrong side is {odds.distill:.0%}" in " ".join(printed.split())


@pytest.mark.parametrize("name", QUESTIONS)
def test_pairs_beat_supervised_runs_for_the_same_money(name):
    """Without a distilled run nothing is known of the gain on one's own data."""
    found = found_for(name)
    others = {one.name: one for one in found.others}
    alone = others["star without a teacher"]
    assert alone.after.half_width_nats == pytest.approx(found.before.half_width_nats, rel=0.02)
    assert found.steps[-1].after.half_width_nats < 0.85 * alone.after.half_width_nats
    for one in found.others:
        assert one.share == pytest.approx(found.allowed_share, rel=1e-6)
        assert found.steps[-1].after.half_width_nats < 1.05 * one.after.half_width_nats


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_common_factor_of_all_losses_says_nothing_of_the_gain(name):
    """Another tokenizer: 20% more nats per token."""
    decision = decision_of(name)
    design = best_design(decision, 0.2 * decision.scenario.budget)
    known = prior(decision, design.runs)
    seen = known.expected + np.array([[0.0], [math.log(1.2)]])
    one, other = gains_after(known, seen).expected()
    assert other == pytest.approx(one, abs=2e-3)


def test_what_a_run_costs_is_the_project_s_accounting():
    """3 F(N) D, and for the distilled one F(N_T) D more (Equation 9)."""
    found = found_for("outside")
    forward = OUTSIDE.family.forward_flops
    spent = 0.0
    for one in found.runs:
        flops = 3 * forward(one.params) * one.tokens
        if one.teacher_params is not None:
            flops += forward(one.teacher_params) * one.tokens
        assert one.total_flops == pytest.approx(flops, rel=1e-12)
        spent += flops
    assert found.steps[-1].share == pytest.approx(spent / 1e23, rel=1e-9)
    assert found.steps[-1].share <= 0.2
    # logits that are there already cost nothing
    pair_of = found_for("inside").runs[:2]
    assert pair_of[0].total_flops == pair_of[1].total_flops


def test_hours_are_those_of_the_budget():
    asked = {"compute": "64 h100-sxm for 7 days", "student_params": "1B", "teacher": "7B:2T"}
    scenario = scenario_of(values_of_options({**asked, "logits": "cached"}))
    found = pilot(scenario, share=0.2)
    hours = sum(one.gpu_hours for one in found.runs)
    assert hours / scenario.gpu_hours == pytest.approx(found.steps[-1].share, rel=0.03)
    assert all(one.cost_usd > 0 for one in found.runs)
    assert share_of(scenario, None, "1075.2 gpu-hours") == pytest.approx(0.1)


def test_a_price_in_loss_is_that_of_ten_percent_more_compute():
    """A pilot of 1 - 1/1.1 of the budget takes what ten percent more would give back."""
    from distillplan.questions.pilot import _price

    decision = decision_of("inside")
    option = decision.alone if decision.gain_nats < 0 else decision.distilled
    assert _price(decision, 1 - 1 / 1.1) == pytest.approx(option.gain_from_10_percent)


def test_a_pilot_that_has_no_teacher_makes_one():
    found = found_for("own teacher")
    first, *rest = found.runs
    assert first.teacher_run is None
    assert len(found.steps[0].runs) == 1
    taught = [one for one in rest if one.method == "distill"]
    assert taught
    assert all(one.teacher_run == 1 and one.teacher_params == first.params for one in taught)
    words = {one.teacher_loss for one in found.table if one.method == "distill"}
    assert words == {"loss of run 1"}  # no number that somebody might leave there


def test_the_table_can_be_filled_in_and_read(tmp_path):
    found = run(
        "pilot", "1e21", "--student", "3B", "--teacher", "7B:2T", "--share", "20%", "-o", "csv"
    )
    head, *lines = found.stdout.splitlines()
    names = head.split(",")
    assert {"params", "tokens", "teacher_loss", "loss"} <= set(names)
    filled = [dict(zip(names, line.split(","), strict=True)) for line in lines]
    assert all(one["loss"] == "" for one in filled)
    for one in filled:
        one["loss"] = one["expected_loss"]
    path = tmp_path / "pilot.csv"
    path.write_text("\n".join([head, *(",".join(one.values()) for one in filled)]) + "\n")
    runs = read_runs([str(path)])
    assert len(runs) == len(filled)
    assert runs.loss == pytest.approx([float(one["expected_loss"]) for one in filled])
    taught = [bool(one["teacher_loss"]) for one in filled]
    assert (~np.isnan(runs.teacher_loss)).tolist() == taught


def test_when_there_is_nothing_to_find_out():
    sure = pilot(replace(INSIDE, teacher=Teacher(loss=2.45)))
    assert sure.advice is Advice.ALREADY_SURE
    assert not sure.steps
    small = pilot(INSIDE, share=1e-5)
    assert small.advice is Advice.SHARE_TOO_SMALL
    assert small.useful_share > 1e-3
    assert pilot(INSIDE, share=small.useful_share).steps
    shown = run("pilot", "1e21", "--student", "3B", "--teacher", "7B:2T", "--share", "0.01%")
    assert shown.returncode == 0
    assert shown.stdout.startswith("No pilot worth making")


def test_without_odds_there_is_no_pilot():
    far = replace(INSIDE, compute=1e25, student_params=1e7, accounting=Accounting.FREE)
    with pytest.raises(InfeasibleError, match="no verdict so far outside its range"):
        pilot(far)
    alone = law_catalog.law("hoffmann2022_a3")
    with pytest.raises(InfeasibleError, match="no distillation side"):
        pilot(Scenario(compute=1e21, law=alone))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--share", "60%"], "--share: 0.6 is not above 0% and at most 50%"),
        (["--share", "x"], "--share: 'x' is not a number; write e.g. 5%"),
        (["--risk", "50%"], "--risk: 0.5 is not between 0% and 50%"),
        (["--share", "5%", "--pilot-budget", "1e19"], "--share: --pilot-budget says it too"),
        (["--pilot-budget", "$5"], "--pilot-budget $5: the budget is in FLOPs"),
        (["--teacher", "7B"], "--teacher"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, said):
    found = run("pilot", "1e21", "--student", "1B", *words)
    assert found.returncode == 2
    assert found.stdout == ""
    assert said in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_the_screen_has_the_numbers_of_the_document():
    found = found_for("inside", 0.2, 0.1)
    words = ["pilot", "5e20", "--student", "1B", "--teacher-loss", "2.2", "--logits", "cached"]
    shown = run(*words, "--share", "20%", COLUMNS="80").stdout
    assert max(map(len, shown.splitlines())) <= 80
    last = found.steps[-1]
    assert f"to {last.after.wrong:.0%}" in " ".join(shown.split())
    assert f"±{last.after.half_width_nats:.3f}" in shown
    assert f"{last.expected_gain_nats:+.3f}" in shown


def test_the_usual_designs_have_their_shape():
    decision = decision_of("inside")
    best = best_design(decision, 0.2 * INSIDE.budget)
    shapes = {one.name: one.runs for one in usual_designs(decision, best, 0.2 * INSIDE.budget)}
    distilled = [one for one in shapes["L-shape in pairs"] if one.teacher]
    corner = max(distilled, key=lambda one: (one.params, one.tokens))
    assert all(one.params == corner.params or one.tokens == corner.tokens for one in distilled)
    assert len({one.params for one in distilled}) == len({one.tokens for one in distilled}) == 3
    assert all(one.teacher is None for one in shapes["star without a teacher"])
    assert all(isinstance(one, PilotRun) for one in shapes["one pair"])


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize(("share", "risk"), [(0.03, 0.1), (0.2, 0.1), (0.2, 0.02), (0.5, 0.2)])
def test_after_the_last_run_nobody_goes_on(name, share, risk):
    """By definition: going on takes a pair that is still to come, and a choice before it."""
    found = found_for(name, share, risk)
    if not found.steps:
        return
    shown = " ".join(rendered(found, "table").split())
    pairs = [one for one in found.steps if len(one.runs) > 1]
    rules = [one.stop_rule for one in pairs]
    can_stop = [one.distill is not None or one.supervised is not None for one in rules]
    said = [f"after run {one.runs[-1].number}: " in shown for one in pairs]
    assert said == [True] * (len(pairs) - 1) + can_stop[-1:]
    assert ("otherwise go on" in shown) is any(can_stop[:-1])
    assert shown.count("go on, whatever") == can_stop[:-1].count(False)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_only_what_is_far_from_the_decision_is_called_far(name, share):
    """Against the sizes and tokens of the pairs, and the tenth that counts as far."""
    found = found_for(name, share, 0.1)
    pairs = [one.runs[-1] for one in found.steps if len(one.runs) > 1]
    if not pairs:
        return
    yours = decision_of(name).distilled
    said = {one.code: one.message for one in found.warnings}.get("pilot_far_from_decision", "")
    smaller = yours.student_params / max(one.params for one in pairs)
    shorter = yours.student_tokens / max(one.tokens for one in pairs)
    assert (f"is {smaller:.0f} times smaller" in said) is (smaller >= 10)
    assert (f"is on {shorter:.0f} times fewer tokens" in said) is (shorter >= 10)
    assert bool(said) is (max(smaller, shorter) >= 10)
