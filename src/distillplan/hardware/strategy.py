"""How a run is laid out on its GPUs: the choices on which throughput and memory depend."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.hardware.gpu import Precision
from distillplan.models.architecture import check_context
from distillplan.units.articles import so_many

TYPICAL_INTERLEAVE: Final = 4
"""Default pipeline stages per GPU: the median of 67 published runs."""
DEFAULT_GLOBAL_TOKENS: Final = 4.0 * 2**20
"""Default tokens per optimizer step: the usual 4M of runs of 7B to 70B."""


class Checkpointing(StrEnum):
    """Which activations are recomputed in the backward pass."""

    NONE = "none"
    ATTENTION = "attention"
    """The core of attention (Megatron's selective recomputation); fused kernels always do it."""
    SELECTIVE = "selective"
    """Every second matrix product and all that is cheap (torchtitan's selective policy)."""
    FULL = "full"
    """Whole blocks; hardware FLOPs are 4/3 of model FLOPs."""


class Sharding(StrEnum):
    """Which states are spread over the data-parallel group."""

    NONE = "none"
    ZERO1 = "zero1"
    """Optimizer states."""
    ZERO2 = "zero2"
    """Gradients too."""
    ZERO3 = "zero3"
    """Weights too (FSDP full shard)."""


class Attention(StrEnum):
    """Generation of the attention kernel, which sets the speed of long contexts."""

    UNFUSED = "unfused"
    """The score matrix is written to memory (before 2023)."""
    FLASH1 = "flash1"
    """Fused, first generation and its Triton variants (2022 to mid 2023)."""
    FLASH2 = "flash2"
    """Fused, FlashAttention-2 (PyTorch's own); on Hopper and later far from the best."""
    FLASH3 = "flash3"
    """Fused, FlashAttention-3 and later, or cuDNN; elsewhere than on Hopper and later as FLASH2."""


class Stack(StrEnum):
    """How far the software is tuned, which sets what no FLOP shows."""

    TUNED = "tuned"
    """Fused kernels, communication behind computation: Megatron Core, NeMo, llm.c."""
    COMPILED = "compiled"
    """Kernels fused by a compiler: torch.compile (torchtitan, nanochat), JAX."""
    EAGER = "eager"
    """Kernels one by one: plain PyTorch, Transformers, DeepSpeed."""


class LayoutChoice(StrEnum):
    """Who chooses how a run is laid out."""

    GIVEN = "given"
    AUTO = "auto"
    """The fastest layout that fits (`hardware.memory_fit.fastest_layout`)."""


class Optimizer(StrEnum):
    """The optimizer, which sets the bytes of state per parameter."""

    ADAM = "adam"
    """fp32 master weights and two fp32 moments."""
    ADAM_8BIT = "adam8bit"
    """Two 8-bit moments and no master weights, as for a model loaded in bf16."""
    ADAM_BF16 = "adam-bf16"
    """Two 16-bit moments and no master weights, as for a model loaded in bf16."""
    MUON = "muon"
    """fp32 master weights and one fp32 momentum; Adam's two for embedding and output."""


class Gradients(StrEnum):
    """How the gradients of a step are kept."""

    FP32 = "fp32"
    """Summed in fp32 (Megatron, FSDP)."""
    BF16 = "bf16"
    """In 16 bits (DeepSpeed, and models loaded in bf16)."""
    IN_BACKWARD = "in-backward"
    """Used by the optimizer as they arise, a block at a time; no accumulation is possible."""


class Offload(StrEnum):
    """What is kept in the memory of the host instead of the GPU's."""

    NONE = "none"
    OPTIMIZER = "optimizer"
    """Master weights and moments (paged optimizers, ZeRO-Offload)."""
    ALL = "all"
    """Weights and gradients too, but for the block that runs (FSDP's CPU offload)."""


class Loss(StrEnum):
    """How much of the logits exists at once; they are often the largest tensor of a step."""

    DENSE = "dense"
    """The whole tensor with fp32 copies, as the plain PyTorch losses do."""
    JSD = "jsd"
    """The generalized Jensen-Shannon divergence as TRL computes it, in fp32."""
    JSD_16BIT = "jsd16"
    """The same where the model runs in 16 bits without autocast (ms-swift with DeepSpeed)."""
    DENSE_16BIT = "dense16"
    """The whole tensor, all copies in 16 bits."""
    FUSED = "fused"
    """The whole 16-bit tensor once, with loss and gradient computed in place."""
    CHUNKED = "chunked"
    """Some tokens at a time, projection and loss together (Liger, cut cross-entropy)."""


FREE: Final = ("micro_batch", "tp", "pp", "cp", "ep", "checkpointing", "sharding")
"""What `LayoutChoice.AUTO` chooses."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a run is carried out, as far as published benchmarks state it."""

    seq_len: int = 4096
    """Tokens per sequence."""
    precision: Precision = Precision.BF16
    tp: int = 1
    """Tensor-parallel group."""
    pp: int = 1
    """Pipeline stages."""
    cp: int = 1
    """Context-parallel group: GPUs over which one sequence is split."""
    ep: int = 1
    """Expert-parallel group: GPUs over which the experts of a mixture are split; 1: not stated."""
    interleave: int | None = None
    """Pipeline stages per GPU (Megatron's virtual ones); None: as `stages_per_gpu` has it."""
    attention: Attention | None = None
    """None: fused, of an unknown generation."""
    stack: Stack = Stack.COMPILED

    @property
    def replica_gpus(self) -> int:
        """GPUs that hold one copy of the model together."""
        return self.tp * self.pp * self.cp

    def stages_per_gpu(self, layers: float) -> float:
        """Pipeline stages of one GPU: the given number, else as many as fit, up to the usual."""
        return self.interleave or max(min(TYPICAL_INTERLEAVE, layers // self.pp), 1)


@dataclass(frozen=True, kw_only=True)
class Strategy(Execution):
    """The layout of one training run, whole."""

    micro_batch: int = 1
    """Sequences per replica and pass."""
    checkpointing: Checkpointing = Checkpointing.SELECTIVE
    sharding: Sharding = Sharding.ZERO3
    optimizer: Optimizer = Optimizer.ADAM
    loss: Loss = Loss.DENSE
    gradients: Gradients | None = None
    """None: in fp32 where there are master weights in fp32, else in 16 bits."""
    offload: Offload = Offload.NONE
    sequence_parallel: bool = True
    """Whether a tensor-parallel group also divides what lies between its matrix products."""

    def __post_init__(self) -> None:
        """Check the counts.

        Raises:
            InputError: when one is below 1, or a word is not known.
        """
        settle(self)
        for name in ("seq_len", "micro_batch", "tp", "pp", "cp", "ep", "interleave"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise InputError(Word(name), f": {count} is too few; it must be at least 1")
        check_context(self.seq_len, "seq_len")

    @property
    def usual_stack(self) -> Stack:
        """That of software which divides a model like this: Megatron Core's, or compiled."""
        return Stack.TUNED if self.tp * self.pp * self.ep > 1 else Stack.COMPILED

    @property
    def gpu_tokens(self) -> float:
        """Tokens that a GPU works on at once."""
        return self.micro_batch * self.seq_len / self.cp

    def pass_tokens(self, gpus: int) -> float:
        """Tokens of one pass of all replicas on so many GPUs."""
        return gpus / self.replica_gpus * self.micro_batch * self.seq_len

    def step_tokens(self, gpus: int, given: float | None = None) -> float:
        """Tokens per optimizer step on so many GPUs: those given, or a default.

        The default is `DEFAULT_GLOBAL_TOKENS`, or more where a pipeline with fewer passes than
        stages would idle; Llama 3 405B on 16384 GPUs used the 16M that this gives. Gradients that
        are used as they arise are summed over no passes.
        """
        passed = self.pass_tokens(gpus)
        if given is None and self.gradients is Gradients.IN_BACKWARD:
            return passed
        return given or max(DEFAULT_GLOBAL_TOKENS, passed * self.pp)

    def refuse_odd_groups(self, gpus: int) -> None:
        """Check that the groups of the layout divide so many GPUs.

        Raises:
            InputError: when they do not.
        """
        group = self.replica_gpus
        if gpus < 1 or gpus % group:
            groups = f"tp {self.tp} x pp {self.pp} x cp {self.cp}; use a multiple of {group}"
            wrong = f": {so_many(gpus, 'GPU')} cannot be divided into groups of {groups}"
            raise InputError(Word("gpus"), wrong, also=("tp", "pp", "cp"))
