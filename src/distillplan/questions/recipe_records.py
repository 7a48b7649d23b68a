"""What `distillplan recipe` answers: how to run a plan."""

from enum import StrEnum

from distillplan.accounting import Accounting
from distillplan.laws.format_studies import KeptShare
from distillplan.laws.logit_formats import LogitKind
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Method
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.recipe_studies import LittleText, MixedLoss


class Sureness(StrEnum):
    """What stands behind a line."""

    PAPER = "measured_by_paper"
    """Measured by Busbridge et al. 2025."""
    OTHERS = "measured_by_others"
    """Measured by others."""
    MIXED = "results_differ"
    """Published results differ."""
    SUPERVISED = "pretraining_law"
    """From a law of pretraining; nobody has measured it in distillation."""
    CONVENTION = "convention"
    """Usual, and not measured against anything."""
    TERMS = "terms"
    """What a license or the format of a file says."""
    PLAN = "computed"
    """Computed by the plan."""


class RecipeLine(NamedTuple):
    """One thing to do."""

    topic: str
    """What it is about, in a word or two."""
    do: str
    why: str
    source: str
    sure: Sureness
    on_screen: bool
    """Whether the first screen has it."""


class StartingPoint(NamedTuple):
    """Where a published law of pretraining says to start."""

    law: str
    learning_rate: float
    """At the peak, of AdamW without muP."""
    final_learning_rate: float | None
    """At the end; None: the law does not say."""
    batch_tokens: float
    outside: tuple[str, ...]
    """Those of params, tokens and flops that lie outside the law's runs."""
    exported: bool
    """Whether exports start there."""
    source: str


class PlannedRun(NamedTuple):
    """The run in numbers, as exports write them."""

    student: str
    """Name or size."""
    student_params: float
    """Non-embedding parameters."""
    student_tokens: float
    teacher: str | None
    """Name or size; None: there is none."""
    teacher_loss: float | None
    """Nats per token."""
    stored: bool
    """Whether the teacher's logits are read from a disk."""
    logit_format: LogitKind | None
    """How the plan stores them; None: it names no format, or stores none."""
    logit_k: float | None
    """Logits kept per token, on average; None: the format has no number of them."""
    chunked: bool
    """Whether its memory is that of a loss in chunks."""
    context: int
    """Tokens of one sequence."""
    vocab: int
    """Rows of the vocabulary."""
    batch_sequences: int
    """Sequences of one step."""
    steps: int
    warmup_steps: int
    learning_rate: float
    """At the peak, of AdamW without muP."""
    final_learning_rate: float


class SkippedTrainer(NamedTuple):
    """A trainer that is not exported to."""

    name: str
    why: str
    source: str


class Recipe(NamedTuple):
    """How to run a plan."""

    plan: str
    """Name of the plan's file."""
    verdict: Verdict | None
    """Of the plan."""
    method: Method
    """What is run."""
    accounting: Accounting | None
    """Who pays for the teacher; None: there is none."""
    headline: str
    run: PlannedRun
    lines: tuple[RecipeLine, ...]
    kept_shares: tuple[KeptShare, ...]
    """For logits that are stored; empty without a teacher."""
    kept_source: str | None
    """Where the shares are from; None: there are none."""
    mixed_losses: tuple[MixedLoss, ...]
    """What is published of losses that mix hard labels in; empty without a teacher."""
    little_text: LittleText | None
    """What is published of few unique tokens; None: the plan repeats none."""
    starting_points: tuple[StartingPoint, ...]
    skipped: tuple[SkippedTrainer, ...]
    """Trainers that are not exported to, and why."""
