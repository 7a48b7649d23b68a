"""Records of starts from an open model: what was asked, and what is known of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from distillplan.accounting import Flops
from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.laws.recovery import ContinuedRun, RecoveryCurve, RecoveryRange, RecoveryUse
from distillplan.models.known_model import KnownModel

if TYPE_CHECKING:
    from distillplan.hardware.bill import OptionBill


class StartKind(StrEnum):
    """What a student starts from."""

    SCRATCH = "scratch"
    """Random weights."""
    PRUNED = "pruned"
    """A larger open model, cut to the student's size."""
    CONTINUED = "continued"
    """An open model of the student's size."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A start from an open model.

    Raises:
        InputError: for an impossible loss.
    """

    kind: StartKind = StartKind.PRUNED
    parent: KnownModel | None = None
    """The open model; None: the nearest one that can be cut to the student's size."""
    parent_loss: float | None = None
    """Its loss on the student's corpus, nats per token; None: not measured."""

    def __post_init__(self) -> None:
        """Check the fields."""
        settle(self, "start.")
        if self.parent_loss is not None and not 0 < self.parent_loss < float("inf"):
            raise InputError(Word("parent_loss"), f": {self.parent_loss} is not a positive number")


class Rival(NamedTuple):
    """Cutting an open model to the student's size instead of starting from scratch."""

    parent: str
    """Name of the open model."""
    parent_params: float
    """Its non-embedding parameters."""
    parent_tokens: float
    """Tokens of its pretraining."""
    student_params: float
    """Non-embedding parameters to cut it to."""
    cuts: int
    """Steps that this takes if each removes at most a third."""
    known: str
    """What is published of such starts."""
    not_known: str
    """What is not, and why this is not weighed."""


class StartWay(NamedTuple):
    """One start and one way to train on, for the whole budget."""

    start: StartKind
    teacher: str | None
    """Name of the teacher, whose passes are counted; None: text alone."""
    loss: float | None
    """Nats per token; None: not measured, as `loss_source` says."""
    loss_band: tuple[float, float] | None
    """90% band."""
    loss_source: str
    """Where the loss is from, or why there is none."""
    student_tokens: float | None
    """Training tokens that the budget buys; None: it is too small."""
    recovered: tuple[RecoveryRange, ...]
    """What published models of like cuts reached on as many tokens, as shares of the parent's score;
    empty where none is published."""
    total_flops: float | None
    flops: Flops | None
    bill: "OptionBill | None"
    """Hours, money and memory on the scenario's machine; None where none was named."""


class PracticeCheck(NamedTuple):
    """A rule of practice, and whether the plan keeps it."""

    name: str
    says: str
    holds: bool | None
    """None: the plan does not say."""
    value: float | None
    """What the plan has, in `unit`."""
    unit: str
    low: float | None
    high: float | None
    sure: str
    """high, medium or low."""
    source: str


class StartPlan(NamedTuple):
    """What is known of the start that was asked for, against starts from scratch."""

    kind: StartKind
    parent: KnownModel
    parent_chosen: bool
    """Whether the tool chose the parent: the open model that takes the fewest cuts."""
    parent_params: float
    """As the law counts them."""
    student_params: float
    removed_share: float | None
    """Share of the parent's parameters that the cut removes; None where nothing is cut."""
    cuts: int | None
    """Steps that this takes if each removes at most a third."""
    within_published: bool | None
    """Whether published cuts removed about as much; None where nothing is cut."""
    vocab: int | None
    """Rows of the vocabulary, which is the parent's."""
    ways: tuple[StartWay, ...]
    """From scratch and from the parent, on text alone and taught."""
    curves: tuple[RecoveryCurve, ...]
    """Published cuts that removed about as much."""
    uses: tuple[RecoveryUse, ...]
    """Tokens that published models were recovered with."""
    continued: tuple[ContinuedRun, ...]
    """Published runs from a checkpoint beside ones from scratch."""
    practice: tuple[PracticeCheck, ...]
    not_measured: tuple[str, ...]
    """What nobody has published, by name."""
