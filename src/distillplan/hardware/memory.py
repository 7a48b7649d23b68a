"""Bytes on one GPU of a training or distillation run, itemized.

Those of a stage are in `hardware.model_states`. What exists only for a moment is counted at the
fullest moment: while the loss is computed, while a block runs, or while the teacher runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final

from distillplan.accounting import Logits
from distillplan.files.entries import read_shipped
from distillplan.hardware.model_states import (
    GATHERED_BLOCKS,
    Stage,
    bytes_of,
    bytes_per_token,
    collects,
    gathered_bytes,
    pipeline_stage,
    refuse_impossible_layout,
    stage_states,
)
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import Checkpointing, Loss, Sharding, Strategy
from distillplan.models.shapes import ModelShape

ERROR: Final = 0.15
"""Relative half width of the interval around the total.

The fitted layouts are within 6%; on the other 53 of `distillplan check memory` (torchtitan,
torchtune, ms-swift, our own on one H100) the median error is 4%, and the largest 19%.
"""


class WeightFormat(StrEnum):
    """Number format of a frozen teacher's matrices; its embeddings stay in 16 bits."""

    BF16 = "bf16"
    FP8 = "fp8"
    INT4 = "int4"


@dataclass(frozen=True, kw_only=True)
class LoadedTeacher:
    """A frozen model that gives a student its logits, its weights laid out as the student's."""

    shape: ModelShape
    weights: WeightFormat = WeightFormat.BF16
    """Their number format."""
    logits: Logits = Logits.ONLINE
    """Where they come from; a pass that stores them has to fit on the student's GPUs before it."""
    apart: bool = False
    """Whether it runs on GPUs of its own, and only its logits are on the student's."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What has to fit: a model in training, with a teacher or stored logits."""

    shape: ModelShape
    strategy: Strategy
    gpus: int
    teacher: LoadedTeacher | None = None
    stored_bytes_per_token: float = 0.0
    """Of logits that are read from storage where no teacher runs."""
    global_tokens: float | None = None
    """Tokens per optimizer step; None: as `Strategy.step_tokens` has it."""

    @property
    def online(self) -> LoadedTeacher | None:
        """The teacher that runs during training."""
        return self.teacher if self.teacher and self.teacher.logits is Logits.ONLINE else None

    @property
    def passed(self) -> LoadedTeacher | None:
        """The teacher that writes its logits before it."""
        return self.teacher if self.teacher and self.teacher.logits is Logits.STORED else None


class Moment(StrEnum):
    """When a GPU is fullest."""

    LOSS = "loss"
    BLOCK = "block"
    TEACHER = "teacher"
    UPDATE = "update"
    """The optimizer's step, where gradients are made and freed in every step."""


@dataclass(frozen=True, kw_only=True)
class MemoryParts:
    """Bytes on the fullest GPU at its fullest moment, by their content; they sum to `total`."""

    weights: float = 0.0
    gradients: float = 0.0
    optimizer_states: float = 0.0
    gathered_weights: float = 0.0
    """Whole blocks gathered for use under ZeRO-3, with one block's gradient."""
    activations: float = 0.0
    """Those kept for the backward pass, and a running block's own."""
    logits: float = 0.0
    """Output of the vocabulary projection, its copies in the loss, and its gradient."""
    teacher_weights: float = 0.0
    teacher_activations: float = 0.0
    stored_logits: float = 0.0
    """Teacher logits read from storage."""
    workspace: float = 0.0
    """Temporary buffers, a share of the parts above."""
    reserved: float = 0.0
    """Fragmentation, a share of the parts above, and the context."""

    @property
    def total(self) -> float:
        """The sum of the parts."""
        return sum(getattr(self, field.name) for field in fields(self))

    @property
    def allocated(self) -> float:
        """What `torch.cuda.max_memory_allocated` reports: everything but `reserved`."""
        return self.total - self.reserved


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """Bytes on the fullest GPU of a run."""

    parts: MemoryParts
    moment: Moment
    """When it is fullest."""
    total: Range
    """The sum of the parts, give or take `ERROR`."""


def memory_estimate(run: Run) -> MemoryEstimate:
    """Bytes on the fullest GPU of a run.

    Where gradients are not summed over several micro-batches PyTorch frees them between steps, so
    they and the activations are never all there at once; Megatron's and DeepSpeed's buffers
    (ZeRO 1 and 2) always stay.

    Raises:
        InputError: when the layout does not divide the GPUs, or the model.
    """
    shape, strategy, tokens = run.shape, run.strategy, run.strategy.gpu_tokens
    refuse_impossible_layout(shape, strategy, run.gpus)
    summed = strategy.step_tokens(run.gpus, run.global_tokens) > strategy.pass_tokens(run.gpus)
    freed = not summed and strategy.sharding in {Sharding.NONE, Sharding.ZERO3}
    teacher, found = run.online, list[MemoryEstimate]()
    # under 1F1B stage i of p holds p - i micro-batches, so the first holds as much as a model
    # without a pipeline; with m stages per GPU the first holds 1 + (p - 1) / (p m) times as much
    # (Korthikanti et al. 2022, Section 4.2.3); a run has at least p micro-batches
    deep = strategy.stages_per_gpu(shape.layers)
    for index in range(strategy.pp):
        stage = pipeline_stage(shape, strategy, run.gpus, index)
        policy = strategy.checkpointing
        kept = sum(n * bytes_per_token(one, shape.width, strategy, policy) for one, n in stage.runs)
        flying = float(strategy.pp - index)
        if deep > 1:
            flying = (2 * (flying - 1) + (deep - 1) * strategy.pp + 1) / deep
        beside = 0.0
        if teacher is not None and not teacher.apart:
            beside = _teacher_bytes(teacher, strategy, run.gpus)
        lasting = {
            **stage_states(stage, strategy),
            "activations": tokens * flying * kept,
            "teacher_weights": beside,
            "stored_logits": run.stored_bytes_per_token * tokens if teacher is None else 0.0,
        }
        for moment, passing in _moments(run, stage).items():
            lasts = dict(lasting)
            if freed:
                lasts["activations" if moment is Moment.UPDATE else "gradients"] = 0.0
            for name, amount in passing.items():
                lasts[name] = lasts.get(name, 0.0) + amount
            found.append(_estimated(moment, lasts))
    return max(found, key=lambda one: one.total.mid)


def serving_estimate(teacher: LoadedTeacher, strategy: Strategy, gpus: int) -> MemoryEstimate:
    """Bytes on a GPU of a frozen model that has its GPUs to itself, under their layout."""
    logits = 2.0 * teacher.shape.vocab * strategy.gpu_tokens / strategy.tp
    held = {"logits": logits, **_at_work(teacher, strategy)}
    held["teacher_weights"] += _teacher_bytes(teacher, strategy, gpus)
    return _estimated(Moment.TEACHER, held)


def pass_estimate(teacher: LoadedTeacher, strategy: Strategy, gpus: int) -> MemoryEstimate:
    """The same in a pass in advance, with its weights spread over all GPUs of the student."""
    return serving_estimate(teacher, replace(strategy, sharding=Sharding.ZERO3), gpus)


def needed(run: Run) -> Range:
    """Bytes on the fullest GPU of a run, or of the teacher's pass before it where that is more.

    Raises:
        InputError: as for `memory_estimate`.
    """
    total = memory_estimate(run).total
    if run.passed is None:
        return total
    passed = pass_estimate(run.passed, run.strategy, run.gpus).total
    return max(total, passed, key=lambda one: one.mid)


def _estimated(moment: Moment, held: Mapping[str, float]) -> MemoryEstimate:
    """The derived parts, and those that cannot be derived."""
    told = read_shipped("memory.yaml")
    workspace = told["workspace_share"] * sum(held.values())
    reserved = told["reserved_share"] * (sum(held.values()) + workspace) + told["context_bytes"]
    parts = MemoryParts(**held, workspace=workspace, reserved=reserved)
    return MemoryEstimate(parts=parts, moment=moment, total=Range.within(parts.total, ERROR))


def _moments(run: Run, stage: Stage) -> dict[Moment, dict[str, float]]:
    """What exists at each moment besides what lasts through a step."""
    shape, strategy, teacher, working = run.shape, run.strategy, run.online, 0.0
    tokens, gathered = strategy.gpu_tokens, gathered_bytes(stage, strategy)
    if strategy.checkpointing is not Checkpointing.NONE:
        all_of_it, width = Checkpointing.NONE, shape.width
        working = max(bytes_per_token(one, width, strategy, all_of_it) for one, _ in stage.runs)
    moments = {
        Moment.BLOCK: {"activations": tokens * working, "gathered_weights": gathered},
        Moment.UPDATE: {},
    }
    if stage.blocks.stop < shape.layers:
        return moments  # only the last stage has logits
    if strategy.pp == 1:  # only the tables are in use
        gathered = 2.0 * stage.tables if collects(stage, strategy) else 0.0
    loss, at_once, whole = bytes_of("losses", strategy.loss), tokens, 2.0 * shape.vocab * tokens
    if strategy.loss is Loss.CHUNKED:
        at_once, whole = min(tokens, read_shipped("memory.yaml")["chunk_tokens"]), 0.0
    # student logits, their copies and gradient, and the teacher's logits
    per_token = shape.vocab * loss["held"]
    if teacher is not None:
        per_token += teacher.shape.vocab * loss["held_by_teacher"]
    logits = at_once * per_token / strategy.tp
    moments[Moment.LOSS] = {"logits": logits, "gathered_weights": gathered}
    if teacher is not None and not teacher.apart:
        logits = whole / strategy.tp
        moments[Moment.TEACHER] = {"logits": logits, **_at_work(teacher, strategy)}
    return moments


def _teacher_bytes(teacher: LoadedTeacher, strategy: Strategy, gpus: int) -> float:
    """The teacher's weights on one GPU."""
    tables = 2.0 * (teacher.shape.embedding_params + teacher.shape.head_params)
    stored = teacher.shape.params * bytes_of("weights", teacher.weights) + tables
    return stored / (gpus if strategy.sharding is Sharding.ZERO3 else strategy.tp)


def _at_work(teacher: LoadedTeacher, strategy: Strategy) -> dict[str, float]:
    """What a teacher takes while it runs: its largest block, and the blocks that are gathered."""
    shape, gathered, whole = teacher.shape, 0.0, Checkpointing.NONE
    working = max(bytes_per_token(one, shape.width, strategy, whole) for one, _ in shape.runs)
    if strategy.sharding is Sharding.ZERO3:
        block = shape.params / shape.layers * bytes_of("weights", teacher.weights)
        gathered = min(GATHERED_BLOCKS, shape.layers) * block / strategy.tp
    return {"teacher_activations": strategy.gpu_tokens * working, "teacher_weights": gathered}
