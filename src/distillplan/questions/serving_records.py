"""What `distillplan serve` answers: which model to serve, over its whole life."""

from enum import StrEnum

from distillplan.hardware.range import Range
from distillplan.laws.provenance import PublishedLaw
from distillplan.laws.quantization import QuantizationPenalty, QuantizedWeights
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning.results import Method, Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict_records import Odds
from distillplan.questions.inverse import Way
from distillplan.questions.matched_model import Match


class ServedRole(StrEnum):
    """What a model is to the question."""

    LARGER = "larger"
    """The supervised model whose loss the others reach."""
    SMALLER = "smaller"
    """The model of the size that was asked about."""
    CHEAPEST = "cheapest_pretrained"
    """The supervised model of the size that takes least over its life."""


class ServedStatus(StrEnum):
    """Whether a model can be served at the loss."""

    REACHED = "reached"
    OUT_OF_REACH = "out_of_reach"
    """No budget brings it to the loss."""
    NOT_MEASURED = "not_measured"
    """It would be trained for longer than any model whose quantization was measured."""


class BreakEven(NamedTuple):
    """Tokens served from which on a smaller model takes less compute in all than the larger one."""

    tokens: float
    """Over the whole service, by FLOPs; 0 where its training takes less already."""
    tokens_per_day: float
    low_tokens: float | None
    """90% interval of `tokens`: five in a hundred that fewer do. None where nobody can say."""
    high_tokens: float | None
    """The same, five in a hundred that more are needed; None where nobody can say, or where no
    number of tokens is surely enough (see `may_never`)."""
    may_never: bool
    """Whether there is no high end: the model may never reach the loss."""
    hours_tokens: float | None = None
    """By money, or by GPU-hours where no price is known; None: no machine was named, or no tokens
    make up for it."""
    hours_tokens_per_day: float | None = None
    low_hours_tokens: float | None = None
    high_hours_tokens: float | None = None
    """Ends of the same over the ranges of the speeds of training and of serving."""


class ServedHours(NamedTuple):
    """What a model takes on the machine."""

    training_gpu_hours: Range
    training_cost_usd: Range | None
    """None: no price is known."""
    gpu_hours_per_billion: Range
    """GPU-hours for a billion tokens served, prompts included, with GPUs kept full."""
    usd_per_million: Range | None
    """US dollars for a million of them; None: no price is known."""
    gpus_per_copy: int
    """GPUs that hold one copy of the model."""
    busy_gpus: Range | None
    """GPUs that the amount a day keeps busy; None: no amount was given."""
    lifetime_gpu_hours: Range | None
    """Training, and serving the amount."""
    lifetime_cost_usd: Range | None


class ServedModel(NamedTuple):
    """One model that could be served."""

    role: ServedRole
    method: Method
    accounting: Way
    """Teacher costs that its training pays; None for supervised training."""
    decides: bool
    """Whether it is the distilled one that the question is about."""
    recommended: bool
    """Whether it takes least over its life: money, or else GPU-hours on a machine, and compute
    without one; false for all where no amount was given."""
    status: ServedStatus
    nearest_loss: float | None
    """The lowest loss that any budget brings it to, nats per token; None: not sought."""
    option: Option | None
    """Its training; None where it cannot be served at the loss."""
    penalty: QuantizationPenalty | None
    """What quantizing it costs; None where that was not asked for, or nobody has measured it."""
    training_flops: float | None
    """With the teacher costs that its training pays."""
    training_over_larger: float | None
    """The same divided by that of the larger model."""
    flops_per_token: float
    """Of serving one token: a forward pass."""
    lifetime_flops: float | None
    """Training, and serving the amount; None where none was given."""
    break_even: BreakEven | None
    """With the larger model; None for it, and where the model is no cheaper to serve."""
    hours: ServedHours | None
    """None: no machine was named."""


class ServedRequest(NamedTuple):
    """Mean length of a request."""

    prompt_tokens: int
    answer_tokens: int


class ServedWeights(NamedTuple):
    """How the weights are quantized for serving."""

    weights: QuantizedWeights
    measured: bool
    """Whether the penalty of both models is known, so that the loss is the one served; else it is
    that before quantization."""
    source: str
    most_params: float
    """Largest model that the penalty was checked on."""
    most_tokens: float
    """Longest training that it was checked on."""


class ServingQuestion(NamedTuple):
    """What is asked."""

    scenario: Scenario
    """The smaller student, its teacher, the law and the machine; its budget is searched for."""
    days: float
    """How long the model is served."""
    loss: float | None = None
    """Nats per token; None where a model is given."""
    match: Match | None = None
    """The larger supervised model; None: the one that takes least training to the loss."""
    tokens_per_day: float | None = None
    """Served, prompts included; None: only the break-even is asked for."""
    weights: QuantizedWeights | None = None
    """None: 16 bits."""
    request: ServedRequest | None = None
    """There with a machine."""


class Serving(NamedTuple):
    """Which model to serve at one loss."""

    headline: str
    loss: float
    """Of every model as it is served, nats per token."""
    match: Match | None
    """The larger model, where it was given."""
    days: float
    tokens_per_day: float | None
    odds: Odds | None
    """With the amount: of the distilled smaller and the larger supervised model at equal compute
    over their lives, which has the lower loss; None without an amount, and where nobody can say."""
    far_outside: bool
    """Whether it is so far outside the law's runs that nobody can say which model takes less."""
    models: tuple[ServedModel, ...]
    """The larger one first."""
    quantization: ServedWeights | None
    """None: 16 bits."""
    request: ServedRequest | None
    warnings: tuple[Notice, ...]
    law: PublishedLaw
    scenario: Scenario

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that the question leaves open."""
        return ("compute", "gpu_hours")

    @property
    def larger(self) -> ServedModel:
        """The supervised model whose loss the others reach."""
        return self.models[0]

    @property
    def deciding(self) -> ServedModel | None:
        """The distilled model that the question is about."""
        return next((one for one in self.models if one.decides), None)

    @property
    def chosen(self) -> ServedModel | None:
        """The one that takes least over its life; None without an amount, or far outside."""
        return next((one for one in self.models if one.recommended), None)
