"""What `estimate` is asked and what it answers: plain records; nothing computes here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from distillplan.accounting import Logits
from distillplan.hardware.bill import BillLine
from distillplan.hardware.gpu import Price
from distillplan.hardware.machine import Machine, StoredLogits
from distillplan.hardware.memory import MemoryParts, Moment
from distillplan.hardware.memory_fit import Fits
from distillplan.hardware.range import Range
from distillplan.hardware.storage import LogitFormat, top_k
from distillplan.hardware.throughput import ThroughputEstimate
from distillplan.models.named_models import Basis, NamedModel
from distillplan.notices import Notice

DEFAULT_STORED = StoredLogits(format=top_k(128))
"""What a cache is taken to hold where nobody says."""


class Question(NamedTuple):
    """One run."""

    machine: Machine
    model: NamedModel
    """What is trained."""
    tokens: float
    """That it is trained on."""
    students: int = 1
    """Models alike that share the bill."""
    teacher: NamedModel | None = None
    """None: plain training."""
    teacher_tokens: float | None = None
    """That the teacher must first be trained on; None: it exists."""
    logits: Logits = Logits.ONLINE
    stored: StoredLogits | None = None
    """How the logits of a teacher are, or would be, kept."""
    country: str | None = None
    """Whose grid the machine's is."""
    sources: tuple[str, ...] = ()
    """Of what is not on the machine, such as the grid's carbon intensity."""

    @property
    def kept(self) -> StoredLogits:
        """How logits are kept, after the default."""
        return self.stored or DEFAULT_STORED


class ModelFacts(NamedTuple):
    """A model in numbers."""

    name: str
    basis: Basis
    params: float
    """Non-embedding; of a mixture all experts."""
    active_params: float
    """Non-embedding, that one token uses: what FLOPs count."""
    total_params: float
    """With embeddings: what memory counts."""
    forward_flops_per_token: float
    layers: float
    width: float
    vocab: float
    source: str


class Speed(NamedTuple):
    """Why the run is as fast as it is."""

    student: ThroughputEstimate
    """Training alone."""
    teacher: ThroughputEstimate | None
    """Its forward passes alone."""
    distillation_factor: Range | None
    """Speed of a distillation step over its parts alone; None: none, or nothing was computed."""
    goodput: Range
    """Productive share of allocated time."""


class LayoutFacts(NamedTuple):
    """A layout on which the run surely fits."""

    gpus: int
    sharding: str
    checkpointing: str
    tp: int
    pp: int
    micro_batch: int
    memory_bytes_per_gpu: Range


class Step(NamedTuple):
    """One thing to switch on, after those before it."""

    name: str
    price: str
    """What it costs."""
    saved_bytes: float
    fits: Fits
    """Whether the run fits then."""


class Memory(NamedTuple):
    """What is on the fullest GPU at its fullest moment."""

    usable_bytes_per_gpu: float
    moment: Moment
    parts: MemoryParts
    """They sum to the middle of `memory_bytes_per_gpu`."""
    smallest_layout: LayoutFacts | None
    """The fewest GPUs; None: it fits on no number of them."""
    why_no_layout: str | None
    steps_to_fit: tuple[Step, ...]
    """What to switch on, one after the other, on the GPUs asked for; none where it fits."""


class DistillationStep(NamedTuple):
    """Online and cached logits side by side, whichever the run uses."""

    step_tokens: float
    """Tokens of one optimiser step."""
    online_step_seconds: Range
    """Student's step and teacher's forward pass, productive time."""
    cached_step_seconds: Range
    """Student's step alone, logits read."""
    online_gpu_hours: Range
    """Of one student, allocated."""
    cached_gpu_hours: Range
    """Of one student, allocated; without the pass that wrote the logits."""
    teacher_pass_gpu_hours: Range
    """Of one pass of the teacher alone over the tokens, allocated."""
    logit_format: LogitFormat
    stored_bytes: float
    """For all tokens."""
    read_bytes_per_s: float
    """That all GPUs together read in the cached step."""
    storage_months: float
    storage_usd: float
    online_usd: Range | None
    """All students, the teacher's passes alone; None: no price."""
    cached_usd: Range | None
    """All students, one pass and storage."""
    break_even_passes: Range | None
    """Students (or epochs) above which a cache is cheaper."""


class ItemisedBill(NamedTuple):
    """What the run costs, by phase; the lines sum to the total."""

    lines: tuple[BillLine, ...]
    total: BillLine
    price: Price | None


class Estimate(NamedTuple):
    """One answer."""

    headline: str
    question: Mapping[str, Any]
    """Every setting, defaults included."""
    model: ModelFacts
    teacher: ModelFacts | None
    tokens_per_s_per_gpu: Range
    """Of a training step, or of a distillation step; without goodput."""
    mfu: Range
    """Model FLOPs of that step, the teacher's included, over the dense 16-bit peak."""
    total_flops: float
    gpu_hours: Range
    """Allocated, all phases."""
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
    bill: ItemisedBill
    warnings: tuple[Notice, ...]
    sources: tuple[str, ...]
