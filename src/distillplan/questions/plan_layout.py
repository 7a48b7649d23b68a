"""The layout of a plan's run on its machine, as recipes and exports write it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.hardware.gpu_catalog import gpus as gpus_of_catalog
from distillplan.hardware.strategy import Checkpointing, Sharding, Strategy
from distillplan.named_tuples import NamedTuple

_PLAIN: Final = Strategy(
    checkpointing=Checkpointing.NONE, sharding=Sharding.NONE, sequence_parallel=False
)
_PARTS: Final = (
    *("tp", "sequence_parallel", "pp", "interleave", "cp", "ep", "checkpointing", "sharding"),
    *("precision", "optimizer", "gradients", "offload"),
)
"""What a job must be told where it is not plain, beside its batches."""
_SET_BY: Final[Mapping[str, frozenset[str]]] = {
    "tp": frozenset(("tp", "tensor_axis", "tensor_sequence_axis")),
    "sequence_parallel": frozenset(("sequence_parallel", "tensor_sequence_axis")),
    **{name: frozenset((name,)) for name in ("pp", "cp", "ep")},
}
"""The values that set a part, by its name."""
_GRANULARITY: Final = {Checkpointing.FULL: "full", Checkpointing.ATTENTION: "selective"}
"""Megatron's words for what is recomputed."""
_REMAT: Final = {
    Checkpointing.NONE: "minimal_with_context",
    Checkpointing.ATTENTION: "minimal",
    Checkpointing.FULL: "full",
}
"""MaxText's: all products are kept, all but those of attention, none."""
_JAX: Final = {"NVIDIA": "gpu", "AMD": "gpu", "Google": "tpu"}
"""MaxText's words for machines, by the vendor of the GPU."""
_ALL_LEFT: Final = -1
"""MaxText's word for the devices that the other axes leave."""
_MOST: Final = 1e9
"""GPUs, or sequences of one pass, above which a document cannot be meant."""


class PlannedLayout(NamedTuple):
    """How a plan lays its run out."""

    strategy: Strategy
    gpus: int
    """Of the student."""
    teacher_gpus: int | None
    """GPUs of an online teacher alone; None: it runs on the student's."""
    batch_tokens: float | None
    """Tokens per optimizer step that were asked for; None: none were."""
    vendor: str
    """Of the GPUs; empty where they are not in the catalog."""

    @property
    def replicas(self) -> int:
        """Copies of the student that train beside each other."""
        return self.gpus // self.strategy.replica_gpus

    @property
    def pass_sequences(self) -> int:
        """Sequences of one pass of all replicas, of which a batch is a multiple."""
        return self.replicas * self.strategy.micro_batch

    @property
    def gpu_sequences(self) -> int:
        """Sequences of one pass on each GPU, for a trainer that reads whole ones on every GPU."""
        return max(self.strategy.micro_batch // self.strategy.replica_gpus, 1)

    @property
    def step_tokens(self) -> float:
        """Tokens per optimizer step on which the plan's time is counted."""
        return self.strategy.step_tokens(self.gpus, self.batch_tokens)

    def values(self, batch_sequences: int, *, experts: bool) -> Mapping[str, Any]:
        """What exports write of it, by the names under which the records ask for it.

        Args:
            batch_sequences: sequences of one optimizer step.
            experts: whether the student has some, without which trainers know no groups of them.
        """
        strategy = self.strategy
        full = strategy.checkpointing is Checkpointing.FULL
        divides = (strategy.sequence_parallel and strategy.tp > 1) or None
        whole, none = strategy.sharding is Sharding.ZERO3, strategy.sharding is Sharding.NONE
        return {
            **{name: getattr(strategy, name) for name in ("tp", "pp", "cp", "micro_batch")},
            "ep": strategy.ep if experts else None,
            "sequence_parallel": divides,
            "shards_states": None if none else True,
            "granularity": _GRANULARITY.get(strategy.checkpointing),
            "recompute_method": "uniform" if full else None,
            "recomputed_layers": 1 if full else None,
            "tensor_axis": None if divides else strategy.tp,
            "tensor_sequence_axis": strategy.tp if divides else None,
            "data_axis": _ALL_LEFT if none else None,
            "fsdp_axis": _ALL_LEFT if whole else 1 if none else None,
            "data_axis_across": 1 if whole else None,
            "fsdp_axis_across": _ALL_LEFT if whole else None,
            "remat": _REMAT.get(strategy.checkpointing),
            "gpu_sequences": self.gpu_sequences,
            "gpu_passes": batch_sequences // (self.gpus * self.gpu_sequences),
            "accumulation": batch_sequences // self.pass_sequences,
            "gpu_step": batch_sequences // self.gpus,
            "jax_hardware": _JAX.get(self.vendor),
            "recomputes": strategy.checkpointing in (Checkpointing.SELECTIVE, Checkpointing.FULL),
        }

    def refuse_uneven_step(self, trainer: str, sequences: int, context: int) -> None:
        """Check that a step goes into passes of whole sequences on every GPU.

        Args:
            trainer: which reads no others.
            sequences: of one optimizer step.
            context: tokens of a sequence.

        Raises:
            InputError: when it does not, with the nearest that does.
        """
        group = self.gpus * self.gpu_sequences
        if sequences % group:
            whole = math.lcm(group, self.pass_sequences)
            tokens = max(round(sequences / whole), 1) * whole * context
            reads = f"--export: {trainer} reads whole sequences on every GPU, and a step of "
            reads += f"{sequences:,} does not go into passes of {group:,}; plan with "
            raise InputError(f"{reads}--batch-tokens {tokens}")

    def counted_on(self, written: frozenset[str | None], *, online: bool) -> Iterator[str]:
        """Parts that are not plain and that no key of a trainer sets, as options of the plan.

        Args:
            written: names of the values that are known and that its keys set.
            online: whether the teacher runs beside the student.
        """
        for name in _PARTS:
            value = getattr(self.strategy, name)
            if value == getattr(_PLAIN, name) or _SET_BY.get(name, frozenset()) & written:
                continue
            if name == "sequence_parallel":
                if self.strategy.tp > 1:
                    yield "sequence-parallel"
            elif not self._has_a_word(name, written):
                yield f"{name} {value}"
        if online and self.teacher_gpus:
            yield f"teacher-gpus {self.teacher_gpus}"

    def _has_a_word(self, name: str, written: frozenset[str | None]) -> bool:
        """Whether a key says which of several; fused kernels recompute attention anyway."""
        if name == "checkpointing":
            chosen = self.strategy.checkpointing
            words = written & {"recomputes", "granularity", "remat"}
            return chosen is Checkpointing.ATTENTION or (
                chosen is Checkpointing.FULL and bool(words)
            )
        if name == "sharding":
            key = {Sharding.ZERO1: "shards_states", Sharding.ZERO3: "fsdp_axis"}
            return key.get(self.strategy.sharding) in written
        return False


def layout_of(asked: Entry, context: float, name: str) -> PlannedLayout | None:
    """The layout in the scenario of a document; None where it has no machine.

    Args:
        asked: the scenario.
        context: tokens of one sequence.
        name: of the file, for messages.

    Raises:
        InputError: when a value of it cannot be used.
    """
    if not asked.has("hardware"):
        return None
    machine = asked.mapping("hardware")
    known_gpu = gpus_of_catalog().get(machine.text("gpu", ""))
    gpus, teacher_gpus = machine.whole("gpus"), machine.optional("teacher_gpus")
    known = {one.name for one in fields(Strategy)} - {"loss"}
    given = {key: machine.data[key] for key in machine.data if key in known and machine.has(key)}
    try:
        strategy = Strategy(**{**given, "seq_len": round(context)})
        strategy.refuse_odd_groups(gpus)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    found = PlannedLayout(
        strategy=strategy,
        gpus=gpus,
        teacher_gpus=None if teacher_gpus is None else round(teacher_gpus),
        batch_tokens=machine.optional("batch_tokens"),
        vendor="" if known_gpu is None else known_gpu.vendor,
    )
    for what, value in (("gpus", gpus), ("sequences of one pass", found.pass_sequences)):
        if value > _MOST:
            raise InputError(f"{name}: {what} is {value:g}, and a run has up to {_MOST:g} of them")
    return found
