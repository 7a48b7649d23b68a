"""What `estimate` is asked and what it answers: plain records that compute nothing."""

from distillplan.accounting import Logits
from distillplan.hardware.bill import Bill
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import LoadedTeacher, MemoryParts, Moment
from distillplan.hardware.memory_fit import Fits, Layout, Step
from distillplan.hardware.range import Range
from distillplan.hardware.storage import LogitFormat, stored_logits
from distillplan.hardware.teacher_apart import TeacherApart
from distillplan.hardware.throughput import ThroughputEstimate
from distillplan.hardware.workload import Workload
from distillplan.laws.logit_formats import StoredFormat
from distillplan.models.named_models import NamedModel
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice


class Question(NamedTuple):
    """The run to estimate."""

    machine: Machine
    model: NamedModel
    """The model in training."""
    tokens: float
    """Training tokens."""
    students: int = 1
    """Identical models that share the bill."""
    teacher: NamedModel | None = None
    """None: plain training."""
    teacher_tokens: float | None = None
    """Tokens that the teacher must first be trained on; None: it exists."""
    logits: Logits = Logits.ONLINE
    stored: StoredFormat = StoredFormat()
    """How the logits are, or would be, stored."""
    country: str | None = None
    """The country whose grid the machine is on."""
    sources: tuple[str, ...] = ()
    """Of what the machine does not hold, such as the grid's carbon intensity."""

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The model in training, and the teacher where there is one."""
        return (self.model,) if self.teacher is None else (self.model, self.teacher)

    @property
    def online(self) -> bool:
        """Whether a teacher runs during training."""
        return self.teacher is not None and self.logits is Logits.ONLINE

    @property
    def loaded(self) -> LoadedTeacher | None:
        """The teacher on the machine; None: there is none."""
        if self.teacher is None:
            return None
        return self.machine.loaded_teacher(self.teacher.shape, self.logits)

    @property
    def kept(self) -> LogitFormat | None:
        """How logits are stored; None: there is no teacher."""
        if self.teacher is None:
            return None
        return stored_logits(self.stored, self.teacher.shape.vocab)


class ModelFacts(NamedTuple):
    """A model in numbers, those of the family where only its size is known."""

    named: NamedModel
    work: Workload

    @property
    def params(self) -> float:
        """Non-embedding, with all experts of a mixture."""
        model = self.named.model
        return model.params if isinstance(model, ModelShape) else model


class Speed(NamedTuple):
    """Why the run is as fast as it is."""

    student: ThroughputEstimate
    """In training, alone."""
    teacher: ThroughputEstimate | None
    """In forward passes, alone; None: there is no teacher."""
    distillation_factor: Range | None
    """Speed of a distillation step over that of its parts; None: not used."""
    goodput: Range
    """Productive share of allocated time."""


class TeacherPass(NamedTuple):
    """Memory of a teacher's pass in advance, its weights spread over all GPUs."""

    memory_bytes_per_gpu: Range
    fits: Fits


class Memory(NamedTuple):
    """Memory of the fullest GPU at its fullest moment."""

    usable_bytes_per_gpu: float
    fits: Fits
    """Whether the student's training fits; a teacher by itself is judged by itself."""
    moment: Moment
    parts: MemoryParts
    """They sum to the middle of `memory_bytes_per_gpu`."""
    smallest_layout: Layout | None
    """On the fewest GPUs; None: it fits on no number of GPUs."""
    why_no_layout: str | None
    """Why it fits on no number of GPUs; None where it does."""
    teacher_pass: TeacherPass | None
    """None: no teacher runs in advance."""
    steps_to_fit: tuple[Step, ...]
    """What to switch on, one after the other, on the GPUs at hand; none where it fits."""


class DistillationStep(NamedTuple):
    """Online and cached logits side by side, whichever the run uses."""

    step_tokens: float
    """Tokens of one optimizer step."""
    apart: TeacherApart | None
    """The two sides where the teacher has GPUs of its own; None: it shares the student's."""
    online_step_seconds: Range
    """The student's step and the teacher's forward pass, in productive time."""
    loss_step_seconds: Range
    """Of these, what the teacher's logits add to the student's loss."""
    cached_step_seconds: Range
    """The student's step alone, reading logits."""
    online_gpu_hours: Range
    """Allocated, for one student."""
    cached_gpu_hours: Range
    """Allocated, for one student, without the pass that wrote the logits."""
    teacher_pass_gpu_hours: Range
    """Allocated, for one pass of the teacher alone over the tokens."""
    logit_format: LogitFormat
    stored_bytes: float
    """For all tokens."""
    read_bytes_per_s: float
    """Read by all GPUs together in the cached step."""
    storage_months: float
    storage_usd: float
    online_usd: Range | None
    """What a teacher that runs beside all students adds to their bill; None: no price is known."""
    cached_usd: Range | None
    """What stored logits add to it: one pass of the teacher, and storage; None: no price."""
    break_even_passes: Range | None
    """Students (or epochs) from which a cache is cheaper; None: no price is known."""


class Estimate(NamedTuple):
    """The estimate of one run."""

    headline: str
    question: Question
    """All settings, defaults included."""
    model: ModelFacts
    teacher: ModelFacts | None
    tokens_per_s_per_gpu: Range
    """In a training or distillation step, in productive time."""
    mfu: Range
    """Model FLOPs of that step, the teacher's included, over the dense 16-bit peak."""
    total_flops: float
    gpu_hours: Range
    """Allocated, in all phases."""
    wall_seconds: Range
    """One phase after the other."""
    cost_usd: Range | None
    energy_kwh: Range | None
    co2_kg: Range | None
    memory_bytes_per_gpu: Range
    fits: Fits
    speed: Speed
    memory: Memory
    distillation: DistillationStep | None
    bill: Bill
    warnings: tuple[Notice, ...]
    sources: tuple[str, ...]

    @property
    def warning_codes(self) -> tuple[str, ...]:
        """The codes of the warnings."""
        return tuple(one.code for one in self.warnings)
