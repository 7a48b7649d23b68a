"""Smaller or distilled? Which model to serve: a small distilled one, or a larger one without.

All models reach one loss. Training a model takes C FLOPs and serving a token F, a forward pass, so
that with T tokens served over its life it takes C + F T. A smaller model whose training takes more
has made up for it where T = (C_small - C_large) / (F_large - F_small).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from distillplan.accounting import Logits
from distillplan.errors import InfeasibleError, InputError, Word
from distillplan.fields import demand_finite
from distillplan.laws.quantization import QuantizationPenalty, quantization_law
from distillplan.planning.options import option_of
from distillplan.planning.results import Method, Odds, Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.inverse import Way, least_budgets, spending
from distillplan.questions.serving_hours import Amount, hours_break_even, served_hours
from distillplan.questions.serving_notices import headline_of, warnings_of
from distillplan.questions.serving_odds import Pair, PairOdds, pair_odds
from distillplan.questions.serving_records import (
    BreakEven,
    ServedModel,
    ServedRole,
    ServedStatus,
    ServedWeights,
    Serving,
    ServingQuestion,
)
from distillplan.questions.target import ANY_BUDGET, wanted_loss
from distillplan.units import format_count

_ROUNDS: Final = 200
"""Most steps to the training after which a quantized model has a loss; each is a search."""
_SETTLED: Final = 1e-12
"""Change of a loss at which it has been found, nats per token."""


class _Found(NamedTuple):
    """A model before it is compared."""

    scenario: Scenario
    role: ServedRole
    way: Way
    status: ServedStatus
    nearest: float | None
    option: Option | None = None
    penalty: QuantizationPenalty | None = None

    @property
    def training(self) -> float:
        """FLOPs of training, with the teacher costs that it pays."""
        return math.nan if self.option is None else self.option.total_flops or math.nan


def serving(question: ServingQuestion) -> Serving:
    """Which model to serve at one loss: the larger supervised, or a smaller, distilled or not.

    Raises:
        InputError: when there is not exactly one loss, no student, no smaller student, or a number
            that cannot be.
        InfeasibleError: when the smaller model cannot reach the loss in any way.
    """
    scenario = _checked(question)
    larger = _larger(question, scenario)
    _demand_smaller(scenario, larger)
    models, measured = _models(question, scenario, larger)
    if all(one.option is None for one in models[1:]):
        raise InfeasibleError(_out_of_reach(scenario, larger, models[1:]))
    amount = _amount(question)
    if amount is not None:
        models = (*models, *_cheapest(question, larger, amount, measured=measured))
    deciding = next((one for one in models[1:] if one.way is scenario.pays), None)
    sure = _sureness(models[0], deciding, measured=measured)
    loss = models[0].option.loss if models[0].option else None
    penalty = models[0].penalty if measured else None
    law = quantization_law()
    found = Serving(
        headline="",
        loss=(loss or math.nan) + (penalty.nats if penalty else 0.0),
        match=question.match,
        days=question.days,
        tokens_per_day=question.tokens_per_day,
        odds=_odds(sure, models[0], deciding, amount),
        models=tuple(_shown(question, models, amount, sure)),
        quantization=None
        if question.weights is None
        else ServedWeights(
            weights=question.weights,
            measured=measured,
            source=law.source,
            most_params=law.most_params,
            most_tokens=law.most_tokens,
        ),
        request=question.request,
        warnings=(),
        law=scenario.law,
        scenario=scenario,
    )
    demand_finite(found)
    notices = tuple(warnings_of(question, found))
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
                Word(word), ": serve is about one model; leave it out, and say with --per-day how "
                "much is served"
            )  # fmt: skip
    if (scenario.machine is None) != (question.request is None):
        raise InputError(
            "hours of serving depend on the length of requests; give both ",
            Word("gpu", "h100-sxm"),
            " and --request 1000:200, or neither",
        )
    return replace(scenario, compute=ANY_BUDGET, gpu_hours=None)


def _alone(scenario: Scenario, **changes: object) -> Scenario:
    """The same without its student and its teacher."""
    known = {"student_params": None, "student_model": None, "student_tokens": None}
    taught = {"teacher": None, "accounting": None, "logits": Logits.ONLINE, "stored": None}
    return replace(scenario, **{**known, **taught, **changes})  # type: ignore[arg-type]


def _larger(question: ServingQuestion, scenario: Scenario) -> _Found:
    """The supervised model whose loss is to be reached."""
    match = question.match
    loss = wanted_loss(scenario, question.loss, match)
    if match is None:
        base = _alone(scenario)
        (budget,) = least_budgets(base, (None,), loss).amounts
        if budget is None:
            raise InfeasibleError(f"no pretraining reaches {loss:.4g} nats; give a higher --loss")
        option = option_of(spending(base, budget), None)
    else:
        base = _alone(scenario, student_params=match.student_params)
        passes = float(base.supervised_costs.student_training(math.log(match.student_params)))
        option = option_of(spending(base, passes * match.student_tokens), None)
        # the search gives the tokens back to its own precision
        option = option._replace(student_tokens=match.student_tokens)
    if option.loss is None:
        raise InfeasibleError("the larger model cannot be trained within the bounds of the search")
    return _Found(
        scenario=base,
        role=ServedRole.LARGER,
        way=None,
        status=ServedStatus.REACHED,
        nearest=None,
        option=option,
    )


def _demand_smaller(scenario: Scenario, larger: _Found) -> None:
    params = larger.option.student_params if larger.option else None
    own = scenario.student_params or math.inf
    if params is None or _forward(scenario, own) >= _forward(larger.scenario, params):
        raise InputError(
            Word("student_params"),
            f": {format_count(own)} is no smaller than the {format_count(params)} that pretraining "
            "takes to this loss; give a smaller one, or a larger --match",
        )


def _forward(scenario: Scenario, params: float) -> float:
    """FLOPs of serving a token."""
    return scenario.student_forward(params)


def _models(
    question: ServingQuestion, scenario: Scenario, larger: _Found
) -> tuple[tuple[_Found, ...], bool]:
    """The larger model and the smaller one in every way; whether the loss is the one served.

    That is where the quantization of the larger model and of the deciding one is measured. Where
    it is not, all reach the loss before quantization.
    """
    ways: tuple[Way, ...] = (None, *scenario.accountings)
    if question.weights is not None:
        penalty = _penalty(question, larger.option)
        if penalty is not None and larger.option is not None:
            goal = (larger.option.loss or math.nan) + penalty.nats
            found = [_quantized(question, scenario, way, goal) for way in ways]
            deciding = next((one for one in found if one.way is scenario.pays), None)
            if deciding is None or deciding.status is not ServedStatus.NOT_MEASURED:
                return (larger._replace(penalty=penalty), *found), True
    loss = larger.option.loss if larger.option else None
    least = least_budgets(scenario, ways, loss or math.nan)
    rows = zip(ways, least.amounts, least.nearest, strict=True)
    smaller = [_reaching(scenario, way, *one) for way, *one in rows]
    if question.weights is None:
        return (larger, *smaller), False
    each = (one._replace(penalty=_penalty(question, one.option)) for one in (larger, *smaller))
    return tuple(each), False


def _reaching(scenario: Scenario, way: Way, budget: float | None, nearest: float) -> _Found:
    option = None if budget is None else option_of(spending(scenario, budget), way)
    return _Found(
        scenario=scenario,
        role=ServedRole.SMALLER,
        way=way,
        status=ServedStatus.OUT_OF_REACH if option is None else ServedStatus.REACHED,
        nearest=nearest if math.isfinite(nearest) else None,
        option=option,
    )


def _penalty(question: ServingQuestion, option: Option | None) -> QuantizationPenalty | None:
    if question.weights is None or option is None:
        return None
    params, tokens = option.student_params or math.nan, option.student_tokens or math.nan
    return quantization_law().penalty(question.weights, params, tokens)


def _quantized(question: ServingQuestion, scenario: Scenario, way: Way, goal: float) -> _Found:
    """The least training after which the quantized model has a loss.

    More tokens lower the loss and raise the penalty. From below, each step asks for the loss less
    the penalty of the step before; the steps rise to the first training that has it.
    """
    penalty = 0.0
    for _ in range(_ROUNDS):
        least = least_budgets(scenario, (way,), goal - penalty)
        found = _reaching(scenario, way, least.amounts[0], least.nearest[0])
        if found.option is None:
            return found
        measured = _penalty(question, found.option)
        if measured is None:
            return found._replace(status=ServedStatus.NOT_MEASURED, option=None)
        if measured.nats - penalty <= _SETTLED:
            return found._replace(penalty=measured)
        penalty = measured.nats
    return found._replace(status=ServedStatus.OUT_OF_REACH, option=None)


def _amount(question: ServingQuestion) -> Amount | None:
    if question.tokens_per_day is None:
        return None
    return Amount(tokens=question.tokens_per_day * question.days, days=question.days)


def _cheapest(
    question: ServingQuestion, larger: _Found, amount: Amount, *, measured: bool
) -> Iterator[_Found]:
    """The supervised model that takes least over its life; not where quantization moves losses."""
    if measured or larger.option is None:
        return
    base = _alone(question.scenario, compute=ANY_BUDGET, gpu_hours=None)
    living = replace(base, inference_tokens=amount.tokens)
    (budget,) = least_budgets(living, (None,), larger.option.loss or math.nan).amounts
    if budget is None:
        return
    params = option_of(spending(living, budget), None).student_params
    fixed = replace(base, student_params=params)
    (trained,) = least_budgets(fixed, (None,), larger.option.loss or math.nan).amounts
    if trained is None:
        return
    option = option_of(spending(fixed, trained), None)
    yield _Found(
        scenario=fixed,
        role=ServedRole.CHEAPEST,
        way=None,
        status=ServedStatus.REACHED,
        nearest=None,
        option=option,
        penalty=_penalty(question, option),
    )


def _sureness(larger: _Found, deciding: _Found | None, *, measured: bool) -> PairOdds | None:
    if deciding is None or deciding.option is None or larger.option is None:
        return None
    if deciding.way is None:
        return None
    known = larger.penalty, deciding.penalty
    both = (known[0], known[1]) if known[0] is not None and known[1] is not None else None
    return pair_odds(
        Pair(
            scenario=deciding.scenario,
            accounting=deciding.way,
            larger=larger.option,
            smaller=deciding.option,
            penalties=both if measured else None,
        )
    )


def _odds(
    sure: PairOdds | None, larger: _Found, deciding: _Found | None, amount: Amount | None
) -> Odds | None:
    """Of the two models at equal compute over their lives."""
    if sure is None or deciding is None or amount is None:
        return None
    return sure.odds(larger.training + _saved(larger, deciding) * amount.tokens)


def _saved(larger: _Found, smaller: _Found) -> float:
    """FLOPs that the smaller model saves with every token served."""
    sizes = [one.option.student_params if one.option else None for one in (larger, smaller)]
    of_larger, of_smaller = (one or math.nan for one in sizes)
    return _forward(larger.scenario, of_larger) - _forward(smaller.scenario, of_smaller)


def _shown(
    question: ServingQuestion,
    models: Sequence[_Found],
    amount: Amount | None,
    sure: PairOdds | None,
) -> Iterator[ServedModel]:
    """The models with what they take."""
    larger = models[0]
    pays = question.scenario.pays
    hours = [
        None
        if one.option is None or question.request is None
        else served_hours(one.scenario, one.option, question.request, question.weights, amount)
        for one in models
    ]
    lives = [
        None if amount is None or one.option is None else one.training + amount.tokens * flops
        for one in models
        for flops in (_forward(one.scenario, _params(one)),)
    ]
    # other ways to pay for the teacher are shown, and only the question's own may be the choice
    open_to = [
        life
        for one, life in zip(models, lives, strict=True)
        if life is not None and one.way in (None, pays)
    ]
    for one, life, timed in zip(models, lives, hours, strict=True):
        decides = one.way is not None and one.way is pays
        even = None
        if one is not larger and one.option is not None and _saved(larger, one) > 0:
            even = _break_even(question, larger, one, sure if decides else None)
            if timed is not None and hours[0] is not None:
                middle, low, high = hours_break_even(hours[0], timed)
                even = even._replace(
                    hours_tokens=middle, low_hours_tokens=low, high_hours_tokens=high
                )
        yield ServedModel(
            role=one.role,
            method=Method.SUPERVISED if one.way is None else Method.DISTILL,
            accounting=one.way,
            decides=decides,
            recommended=life is not None and life == min(open_to) and one.way in (None, pays),
            status=one.status,
            nearest_loss=one.nearest,
            option=one.option,
            penalty=one.penalty,
            training_flops=None if one.option is None else one.training,
            flops_per_token=_forward(one.scenario, _params(one)),
            lifetime_flops=life,
            break_even=even,
            hours=timed,
        )


def _params(one: _Found) -> float:
    params = one.scenario.student_params if one.option is None else one.option.student_params
    return params or math.nan


def _break_even(
    question: ServingQuestion, larger: _Found, one: _Found, sure: PairOdds | None
) -> BreakEven:
    """From which tokens on a smaller model takes less, by FLOPs, with its interval."""
    saved = _saved(larger, one)

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


def _out_of_reach(scenario: Scenario, larger: _Found, smaller: Sequence[_Found]) -> str:
    """Why no smaller model can take the larger one's place."""
    loss = larger.option.loss if larger.option else None
    near = min((one.nearest for one in smaller if one.nearest is not None), default=math.inf)
    at_best = f"; the nearest is {near:.4f}" if math.isfinite(near) else ""
    who = f"no training brings {format_count(scenario.student_params)} parameters"
    return f"{who} to {loss:.4f} nats{at_best}; give a smaller --match or a larger student"
