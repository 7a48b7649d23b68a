"""What `distillplan onpolicy` answers: what a stage of on-policy distillation reaches and costs."""

from enum import StrEnum

from distillplan.hardware.machine import Machine
from distillplan.hardware.range import Range
from distillplan.laws.on_policy_law import PublishedStage
from distillplan.models.known_model import KnownModel
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice


class ScoreBasis(StrEnum):
    """Where a teacher's score comes from."""

    MEASURED = "measured"
    """The study's, of that size."""
    INTERPOLATED = "interpolated"
    """Between two sizes of the study."""
    GIVEN = "user"
    """The user's."""


class ExpectedPeak(NamedTuple):
    """The highest score that a student reaches on the way, as shares of all answers."""

    peak: float
    low: float
    """Lower end of the 90% range."""
    high: float
    """Upper end of the 90% range."""
    slope: float
    """What the score gains at first for each unit of sqrt(KL) moved; known only roughly."""


class StageTime(NamedTuple):
    """What a stage takes on the machine, in allocated time."""

    gpu_hours: Range
    generation_gpu_hours: Range
    """The student answers."""
    scoring_gpu_hours: Range
    """The teacher reads the answers; twice that for `delta`."""
    training_gpu_hours: Range
    """The student's step."""
    wall_seconds: Range
    """One part after the other."""
    cost_usd: Range | None
    """None: no price is known."""
    tokens_in_published_hours: float
    """Tokens that the published stage's GPU-hours would generate, score and train on here."""


class TeacherServing(NamedTuple):
    """A teacher on GPUs of its own, which reads the answers while the student goes on."""

    gpus_to_fit: int | None
    """The fewest that hold one copy for certain; None: it is too large, as is what follows."""
    memory_bytes_per_gpu: Range | None
    """On each of them."""
    gpus_to_keep_up: Range | None
    """Whose passes take as long as the student's GPUs take to write and to train; twice that for
    `delta`. From the speed model: nobody has measured it in such a stage."""
    gpus: Range | None
    """Whole copies that keep up, in GPUs."""


class StageTeacher(NamedTuple):
    """One teacher for the student."""

    teacher: str
    """Name or size."""
    teacher_params: float
    """As models of the study are named."""
    larger_than_needed: bool
    """Whether it is larger than the student, so that one of the student's size does no worse."""
    teacher_score: float | None
    """Of a teacher of the smaller of both sizes; None: the study does not cover it."""
    score_basis: ScoreBasis | None
    vanilla: ExpectedPeak | None
    """Trained on the divergence from the teacher; None: the study does not cover the pair."""
    delta: ExpectedPeak | None
    """Trained on what RL changed in the teacher; None: the study does not cover the pair."""
    time: StageTime | None
    """None: no machine was named."""
    serving: TeacherServing | None = None
    """The GPUs that it needs beside the student's; None: no machine was named."""


class StageSize(NamedTuple):
    """How long a stage is."""

    updates: int
    answers: int
    """In each update."""
    answer_tokens: int
    """Mean length of an answer."""
    tokens: float
    """Generated in all; prompts are not counted."""

    @property
    def update_tokens(self) -> float:
        """Generated for one update."""
        return self.tokens / self.updates


class StageModel(NamedTuple):
    """A model of the question."""

    name: str
    """As it is shown."""
    params: float
    """As models of the study are named; all parameters of a model of another family."""
    of_study: bool
    """Whether it may be of the study's family: a size, or one of its models."""
    named: str
    """What its shape is found by."""
    model: KnownModel | None = None
    """None: a size."""


class OnPolicyQuestion(NamedTuple):
    """What is asked."""

    student: StageModel
    teacher: StageModel | None = None
    """None: all sizes of the study."""
    teacher_score: float | None = None
    """The user's; None: that of the study."""
    machine: Machine | None = None
    stage: StageSize | None = None
    """How long the stage is; there with a machine."""


class OnPolicy(NamedTuple):
    """What a stage of on-policy distillation reaches, by teacher, and what it costs."""

    headline: str
    scope: str
    """What the numbers are of."""
    covered: bool
    """Whether the study covers the student."""
    student: str
    """Name or size."""
    student_params: float
    """As models of the study are named."""
    start_score: float | None
    """Of the student before the stage, after SFT; None: not covered."""
    rl_score: float | None
    """Of RL on the student itself; None: not covered."""
    teachers: tuple[StageTeacher, ...]
    best: int | None
    """Index of the smallest teacher with the highest peak; None: no peak is known."""
    stop_divergence: tuple[float, float, float]
    """Least, median and greatest sqrt(KL) up to which scores rose regularly."""
    stage: StageSize | None
    """None: no machine was named."""
    gpu: str | None
    gpus: int | None
    published: PublishedStage
    """What a laboratory said that such a stage took."""
    findings: tuple[str, ...]
    """What else the study found."""
    warnings: tuple[Notice, ...]
    sources: tuple[str, ...]
