"""Smaller or distilled? Which model to serve: a small distilled one, or a larger one without.

All models reach one loss. Training a model takes C FLOPs and serving a token F, a forward pass, so
that with T tokens served over its life it takes C + F T. A smaller model whose training takes more
has made up for it where T = (C_small - C_large) / (F_large - F_small).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from distillplan.errors import EXAMPLE_GPU, InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws.quantization import quantization_law
from distillplan.planning.results import Method
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Odds
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.questions.serving_hours import ServedAmount, hours_break_even, served_hours
from distillplan.questions.serving_measure import life
from distillplan.questions.serving_notices import headline_of, warnings_of
from distillplan.questions.serving_odds import ServedPair, ServedPairOdds, pair_odds, unknowable
from distillplan.questions.serving_records import (
    BreakEven,
    ServedHours,
    ServedModel,
    ServedWeights,
    Serving,
    ServingQuestion,
)
from distillplan.questions.serving_search import (
    FoundModel,
    both_alike,
    cheapest_pretrained,
    larger_model,
    models_at_its_loss,
)
from distillplan.units.quantities import format_count, format_flops

_MOST_DAYS: Final = 36_525.0
"""A hundred years."""


def serving(question: ServingQuestion) -> Serving:
    """Which model to serve at one loss: the larger supervised, or a smaller, distilled or not.

    Raises:
        InputError: when there is not exactly one loss, no student, no smaller student, or a number
            that cannot be.
        InfeasibleError: when the smaller model cannot reach the loss in any way.
    """
    asked, question = question, both_alike(question)
    scenario = _checked(question)
    larger = larger_model(question, scenario)
    _demand_smaller(scenario, larger)
    models, measured = models_at_its_loss(question, scenario, larger)
    if all(one.option is None for one in models[1:]):
        raise InfeasibleError(_out_of_reach(scenario, larger, models[1:]))
    larger, amount = models[0], _amount(question)
    deciding = next((one for one in models[1:] if one.way is scenario.pays), None)
    sure = _sureness(larger, deciding, measured=measured)
    far = unknowable(scenario, *(one.option for one in models if one.way in (None, scenario.pays)))
    if amount is not None and not measured:  # else its own quantization would move its loss
        models = (*models, *cheapest_pretrained(question, scenario, larger, amount.tokens))
    lost = larger.penalty.nats if measured and larger.penalty is not None else 0.0
    found = Serving(
        headline="",
        loss=larger.loss + lost,
        match=question.match,
        days=question.days,
        tokens_per_day=question.tokens_per_day,
        odds=_odds(sure, larger, deciding, amount),
        far_outside=far,
        models=tuple(_shown(question, models, amount, sure, chooses=not far)),
        quantization=_weights(question, measured=measured),
        request=question.request,
        warnings=(),
        law=scenario.law,
        scenario=scenario,
    )
    demand_finite(found)
    notices = tuple(warnings_of(asked, found))
    return found._replace(headline=headline_of(found), warnings=notices)


def _checked(question: ServingQuestion) -> Scenario:
    """The scenario, its budget in FLOPs.

    Raises:
        InputError: when something is missing or cannot be.
    """
    scenario = question.scenario
    if scenario.student_params is None:
        raise InputError("serve: name the smaller model; add ", Word("student_params", "1B"))
    if scenario.law.distillation is None:
        raise InputError(
            Word("law"), f": {scenario.law.name} knows no distillation; use busbridge2025"
        )
    for word, given, usual in (
        ("students", scenario.students, 1),
        ("inference_tokens", scenario.inference_tokens, 0.0),
    ):
        if given != usual:
            raise InputError(
                Word(word), ": one model is served, so many tokens a day (--per-day); leave it out"
            )
    if not 0 < question.days <= _MOST_DAYS:
        raise InputError(f"--days: {question.days:g} is not a number of days up to a century")
    if (scenario.machine is None) != (question.request is None):
        raise InputError(
            "hours of serving depend on the length of requests; give both ",
            EXAMPLE_GPU,
            " and --request 1000:200, or neither",
        )
    return replace(scenario, compute=ANY_BUDGET, gpu_hours=None)


def _demand_smaller(scenario: Scenario, larger: FoundModel) -> None:
    """Refuse a model that has no fewer parameters, or takes no less for a token served.

    Raises:
        InputError: with what is not smaller.
    """
    own = scenario.student_params or math.inf
    forward, most = scenario.student_forward(own), larger.flops_per_token
    model, match = scenario.student_model, larger.scenario.student_model
    one, other = format_count(own), format_count(larger.params)
    small = one if model is None else f"{model.name} ({one} parameters)"
    large = f"the {other} that pretraining takes to this loss"
    if match is not None:
        large = f"{match.name} ({other} parameters)"
    if own >= larger.params:
        fault = f"{small} is no smaller than {large}"
    elif forward >= most:
        fault = (
            f"serving {small} takes {format_flops(forward)} FLOPs per token, no fewer than the "
            f"{format_flops(most)} of {large}"
        )
    else:
        return
    raise InputError(Word("student_params"), f": {fault}; give a smaller one, or a larger --match")


def _amount(question: ServingQuestion) -> ServedAmount | None:
    if question.tokens_per_day is None:
        return None
    return ServedAmount(tokens=question.tokens_per_day * question.days, days=question.days)


def _weights(question: ServingQuestion, *, measured: bool) -> ServedWeights | None:
    law = quantization_law()
    if question.weights is None:
        return None
    return ServedWeights(
        weights=question.weights,
        measured=measured,
        source=law.source,
        most_params=law.most_params,
        most_tokens=law.most_tokens,
    )


def _sureness(
    larger: FoundModel, deciding: FoundModel | None, *, measured: bool
) -> ServedPairOdds | None:
    """The larger and the deciding model under every drawn law; None where one is missing."""
    if deciding is None or deciding.way is None:
        return None
    if deciding.option is None or larger.option is None:
        return None
    penalties = None
    if measured and larger.penalty is not None and deciding.penalty is not None:
        penalties = larger.penalty, deciding.penalty
    return pair_odds(
        ServedPair(
            scenario=deciding.scenario,
            accounting=deciding.way,
            larger=larger.option,
            smaller=deciding.option,
            penalties=penalties,
        )
    )


def _odds(
    sure: ServedPairOdds | None,
    larger: FoundModel,
    deciding: FoundModel | None,
    amount: ServedAmount | None,
) -> Odds | None:
    """Of the two models at equal compute over their lives."""
    if sure is None or deciding is None or amount is None:
        return None
    return sure.odds(larger.training + larger.saved_by(deciding) * amount.tokens)


def _shown(
    question: ServingQuestion,
    models: Sequence[FoundModel],
    amount: ServedAmount | None,
    sure: ServedPairOdds | None,
    *,
    chooses: bool,
) -> Iterator[ServedModel]:
    """The models with what they take, the larger one first; where one may be chosen, it is."""
    pays, larger = question.scenario.pays, models[0]
    timed = [_hours(question, one, amount) for one in models]
    flops = [_life(one, amount) for one in models]
    # other ways to pay for the teacher are shown, but only the question's own may be the choice
    weighed = [
        life(in_flops, hours) if one.way in (None, pays) else None
        for one, in_flops, hours in zip(models, flops, timed, strict=True)
    ]
    least = min((spent for spent in weighed if spent is not None), default=None)
    for one, spent, in_flops, hours in zip(models, weighed, flops, timed, strict=True):
        decides = one.way is pays
        even = _break_even(question, larger, one, sure if decides else None)
        yield ServedModel(
            role=one.role,
            method=Method.SUPERVISED if one.way is None else Method.DISTILL,
            accounting=one.way,
            decides=decides,
            recommended=chooses and spent is not None and spent == least,
            status=one.status,
            nearest_loss=one.nearest,
            option=one.option,
            penalty=one.penalty,
            training_flops=None if one.option is None else one.training,
            training_over_larger=None if one.option is None else one.training / larger.training,
            flops_per_token=one.flops_per_token,
            lifetime_flops=in_flops,
            break_even=_by_hours(even, timed[0], hours, question.days),
            hours=hours,
        )


def _life(one: FoundModel, amount: ServedAmount | None) -> float | None:
    """FLOPs of training a model and of serving it for its life."""
    if amount is None or one.option is None:
        return None
    return one.training + amount.tokens * one.flops_per_token


def _hours(
    question: ServingQuestion, one: FoundModel, amount: ServedAmount | None
) -> ServedHours | None:
    if one.option is None or question.request is None:
        return None
    return served_hours(one.scenario, one.option, question.request, question.weights, amount)


def _break_even(
    question: ServingQuestion, larger: FoundModel, one: FoundModel, sure: ServedPairOdds | None
) -> BreakEven | None:
    """From which tokens on a smaller model takes less, by FLOPs, with its interval."""
    saved = larger.saved_by(one)
    if one.option is None or not saved > 0:  # the larger one itself too
        return None

    def tokens(training: float) -> float:
        return max(training - larger.training, 0.0) / saved

    ends = None if sure is None else sure.interval(one.training)
    high = None if ends is None else ends[1]
    return BreakEven(
        tokens=tokens(one.training),
        tokens_per_day=tokens(one.training) / question.days,
        low_tokens=None if ends is None else tokens(ends[0]),
        high_tokens=None if high is None else tokens(high),
        may_never=ends is not None and high is None,
    )


def _by_hours(
    even: BreakEven | None, larger: ServedHours | None, smaller: ServedHours | None, days: float
) -> BreakEven | None:
    if even is None or larger is None or smaller is None:
        return even
    middle, low, high = hours_break_even(larger, smaller)
    return even._replace(
        hours_tokens=middle,
        hours_tokens_per_day=None if middle is None else middle / days,
        low_hours_tokens=low,
        high_hours_tokens=high,
    )


def _out_of_reach(scenario: Scenario, larger: FoundModel, smaller: Sequence[FoundModel]) -> str:
    """Why no smaller model can take the larger one's place."""
    near = min((one.nearest for one in smaller if one.nearest is not None), default=math.inf)
    at_best = f"; the nearest is {near:.4f}" if math.isfinite(near) else ""
    who = f"no training brings {format_count(scenario.student_params)} parameters"
    return f"{who} to {larger.loss:.4f} nats{at_best}; give a smaller --match or a larger student"
