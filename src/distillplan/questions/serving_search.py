"""The models that can be served at one loss: a larger supervised one, and a smaller one."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from distillplan.accounting import Logits
from distillplan.errors import InfeasibleError
from distillplan.fields import finite
from distillplan.laws.quantization import QuantizationPenalty, quantization_law
from distillplan.named_tuples import NamedTuple
from distillplan.planning.options import option_of
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.inverse import Way, least_budgets
from distillplan.questions.serving_records import ServedRole, ServedStatus, ServingQuestion
from distillplan.questions.target import wanted_loss

_ROUNDS: Final = 200
"""Most steps to the training after which a quantized model has a loss; each is a search."""
_SETTLED: Final = 1e-12
"""Change of a loss at which it has been found, nats per token."""


class FoundModel(NamedTuple):
    """A model before it is compared."""

    scenario: Scenario
    """The question that it is the student of."""
    role: ServedRole
    way: Way
    status: ServedStatus
    nearest: float | None = None
    """The lowest loss of its search, nats per token."""
    option: Option | None = None
    """Its training; None where it does not reach the loss."""
    penalty: QuantizationPenalty | None = None

    @property
    def loss(self) -> float:
        """Before quantization, nats per token; not-a-number without an option."""
        return math.nan if self.option is None else self.option.loss or math.nan

    @property
    def training(self) -> float:
        """FLOPs of training, with the teacher costs that it pays; not-a-number without any."""
        return math.nan if self.option is None else self.option.total_flops or math.nan

    @property
    def params(self) -> float:
        """Parameters as the law counts them."""
        given = self.scenario.student_params
        return (given if self.option is None else self.option.student_params) or math.nan

    @property
    def flops_per_token(self) -> float:
        """Of serving one token: a forward pass."""
        return self.scenario.student_forward(self.params)

    def saved_by(self, smaller: "FoundModel") -> float:
        """FLOPs that another model saves with every token served."""
        return self.flops_per_token - smaller.flops_per_token


def both_alike(question: ServingQuestion) -> ServingQuestion:
    """The question with both models as sizes of the family, unless the shapes of both are known.

    A size says nothing of what a token stores, and the paper's family stores far more than models
    of today, so that an exact shape on one side would decide the answer.
    """
    scenario, match = question.scenario, question.match
    larger, smaller = None if match is None else match.model, scenario.student_model
    if larger is not None and smaller is not None:
        return question
    if match is not None and larger is not None:
        return question._replace(match=match._replace(model=larger._replace(shape=None)))
    if smaller is None:
        return question
    return question._replace(scenario=replace(scenario, student_model=smaller._replace(shape=None)))


def larger_model(question: ServingQuestion, scenario: Scenario) -> FoundModel:
    """The supervised model whose loss is to be reached.

    Args:
        question: what is asked.
        scenario: its scenario, with a budget in FLOPs.

    Raises:
        InputError: when not exactly one loss is given.
        InfeasibleError: when no pretraining reaches it.
    """
    match = question.match
    loss = wanted_loss(scenario, question.loss, match)
    if match is None:
        base = _alone(scenario)
        (budget,) = least_budgets(base, (None,), loss).amounts
        if budget is None:
            raise InfeasibleError(f"no pretraining reaches {loss:.4g} nats; give a higher --loss")
        option = option_of(base.spending(budget), None)
    else:
        named = {"student_params": match.student_params, "student_model": match.model}
        base = _alone(scenario, **named)
        each = float(base.supervised_costs.student_training(math.log(match.student_params)))
        option = option_of(base.spending(each * match.student_tokens), None)
    if option.loss is None:
        raise InfeasibleError("the larger model cannot be trained within the bounds of the search")
    return FoundModel(
        scenario=base,
        role=ServedRole.LARGER,
        way=None,
        status=ServedStatus.REACHED,
        option=option,
    )


def models_at_its_loss(
    question: ServingQuestion, scenario: Scenario, larger: FoundModel
) -> tuple[tuple[FoundModel, ...], bool]:
    """The larger model and the smaller one in every way; whether the loss is the one served.

    It is where the quantization of the larger model and of the deciding one is measured. Where that
    is not, all reach the loss before quantization.

    Args:
        question: what is asked.
        scenario: of the smaller model, with a budget in FLOPs.
        larger: whose loss to reach.
    """
    ways: tuple[Way, ...] = (None, *scenario.accountings)
    penalty = _penalty(question, larger.option)
    if penalty is not None:
        goal = larger.loss + penalty.nats
        found = [_quantized(question, scenario, way, goal) for way in ways]
        deciding = next((one for one in found if one.way is scenario.pays), None)
        if deciding is None or deciding.status is not ServedStatus.NOT_MEASURED:
            return (larger._replace(penalty=penalty), *found), True
    least = least_budgets(scenario, ways, larger.loss)
    rows = zip(ways, least.amounts, least.nearest, strict=True)
    smaller = [_reaching(scenario, *row) for row in rows]
    each = (one._replace(penalty=_penalty(question, one.option)) for one in (larger, *smaller))
    return tuple(each), False


def _quantized(question: ServingQuestion, scenario: Scenario, way: Way, goal: float) -> FoundModel:
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


def _reaching(scenario: Scenario, way: Way, budget: float | None, nearest: float) -> FoundModel:
    option = None if budget is None else option_of(scenario.spending(budget), way)
    return FoundModel(
        scenario=scenario,
        role=ServedRole.SMALLER,
        way=way,
        status=ServedStatus.OUT_OF_REACH if option is None else ServedStatus.REACHED,
        nearest=finite(nearest),
        option=option,
    )


def _penalty(question: ServingQuestion, option: Option | None) -> QuantizationPenalty | None:
    if question.weights is None or option is None:
        return None
    params, tokens = option.student_params or math.nan, option.student_tokens or math.nan
    return quantization_law().penalty(question.weights, params, tokens)


def cheapest_pretrained(
    question: ServingQuestion, scenario: Scenario, larger: FoundModel, served: float
) -> Iterator[FoundModel]:
    """The supervised model at the loss that takes least over its life, of all sizes.

    Args:
        question: what is asked.
        scenario: of the smaller model, with a budget in FLOPs.
        larger: whose loss to reach.
        served: tokens over the life.
    """
    base = _alone(scenario)
    living = replace(base, inference_tokens=served)
    (budget,) = least_budgets(living, (None,), larger.loss).amounts
    if budget is None:
        return
    fixed = replace(base, student_params=option_of(living.spending(budget), None).student_params)
    (trained,) = least_budgets(fixed, (None,), larger.loss).amounts
    if trained is None:
        return
    option = option_of(fixed.spending(trained), None)
    yield FoundModel(
        scenario=fixed,
        role=ServedRole.CHEAPEST,
        way=None,
        status=ServedStatus.REACHED,
        option=option,
        penalty=_penalty(question, option),
    )


def _alone(scenario: Scenario, **changes: Any) -> Scenario:
    """The same without its student and its teacher."""
    known: dict[str, Any] = {"student_params": None, "student_model": None}
    taught = {"teacher": None, "accounting": None, "logits": Logits.ONLINE, "stored": None}
    return replace(scenario, **{**known, **taught, **changes})
