"""Records of what is known of a start from an open model."""

from distillplan.laws.pruning_law import FittedPruning
from distillplan.laws.recovery import ContinuedRun, RecoveryRange, RecoveryUse
from distillplan.models.known_model import KnownModel
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Option, Reason
from distillplan.planning.start import StartKind
from distillplan.planning.verdict_records import Odds, Verdict


class PracticeCheck(NamedTuple):
    """A rule of those who did it, and whether the plan keeps it."""

    name: str
    says: str
    holds: bool | None
    """None: the plan does not say."""
    value: float | None
    """What the plan has, in `unit`; None: the plan does not say."""
    unit: str
    low: float | None
    """Least value that the rule allows; None: it names none."""
    high: float | None
    """Largest value that the rule allows; None: it names none."""
    sure: str
    """high, medium or low."""
    source: str


class ScratchVerdict(NamedTuple):
    """The verdict between the two starts from scratch, which says nothing of the one asked for."""

    verdict: Verdict | None
    """None where nothing can be said."""
    verdict_reason: Reason
    odds: Odds | None
    """Of distilling and of training from data alone, both from scratch."""
    margin_nats: float | None
    """Supervised minus distilled loss from scratch, nats per token; None without one."""


class StartPlan(NamedTuple):
    """What is known of a start from an open model, beside starts from scratch."""

    kind: StartKind
    parent: KnownModel
    parent_loss: float | None
    """As measured, nats per token; None: not measured."""
    parent_total_params: float
    """All of its parameters, embeddings included."""
    student_total_params: float
    """All parameters of the student, with the parent's vocabulary."""
    removed_share: float | None
    """Share of all parameters that the cut removes; None where nothing is cut."""
    cuts: int | None
    """Steps that this takes if each removes at most a third; None where nothing is cut."""
    ways: tuple[Option, ...]
    """Training on from the parent with the whole budget: on text alone, then taught where there is
    a teacher. Their losses are None: not measured, but where a law of one's own gives one."""
    law: FittedPruning | None
    """The law of cut models that was fitted to one's own runs; None: none was given."""
    law_outside: str
    """Why that law says nothing of this cut; empty where it does, or none was given."""
    scratch: ScratchVerdict
    recovered: tuple[RecoveryRange, ...]
    """What published cut models reached on as many tokens, the most alike first."""
    uses: tuple[RecoveryUse, ...]
    """Tokens that published models were recovered with."""
    continued: tuple[ContinuedRun, ...]
    """Published runs from a checkpoint beside ones from scratch."""
    practice: tuple[PracticeCheck, ...]
    not_measured: tuple[str, ...]
    """What nobody has published, by name."""

    @property
    def measured(self) -> Option | None:
        """The way whose loss a law of one's own gives; None: nothing does."""
        return next((one for one in self.ways if one.loss is not None), None)
