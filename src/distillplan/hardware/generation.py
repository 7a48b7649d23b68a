"""How long generating text takes: weights and cache are read once for each token of a batch.

One step of a copy of the model, on as many GPUs as hold it, gives a token to each of its sequences:

    seconds = (bytes of weights + bytes of cache) / memory bandwidth + FLOPs / matmul ceiling

This is the least that a step can take; engines reach the `efficiency` of throughput.yaml.
"""

from distillplan.errors import InfeasibleError
from distillplan.files.entries import read_shipped
from distillplan.hardware.gpu import Gpu, Precision
from distillplan.hardware.memory_fit import usable_bytes
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import dense_peak, matmul_ceiling
from distillplan.hardware.throughput import ThroughputModel
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple
from distillplan.units.quantities import format_bytes


class GenerationSpeed(NamedTuple):
    """How fast a model generates."""

    tokens_per_s_per_gpu: Range
    """Generated ones."""
    gpus: int
    """That hold one copy of the model."""


def generation_speed(
    shape: ModelShape,
    gpu: Gpu,
    model: ThroughputModel,
    *,
    prompt: int,
    generated: int,
    per_gpu: float | None = None,
    precision: Precision = Precision.BF16,
    weight_bytes: float | None = None,
) -> GenerationSpeed:
    """Tokens that one GPU generates in a second of productive time.

    Sequences grow from a prompt by so many generated tokens, as many of them for each GPU as are
    given, or as its memory holds. The precision is that of cache, products and weights, unless
    these are stored in fewer bits than they are multiplied in: `weight_bytes` each.

    Raises:
        InfeasibleError: when no group of GPUs holds the model and one sequence.
    """
    each = 1.0 if precision is Precision.FP8 else 2.0
    weights = (each if weight_bytes is None else weight_bytes) * shape.total_params
    length = prompt + generated // 2
    cached = max(each * shape.cached_values(length), 1.0)
    told, group = read_shipped("throughput.yaml")["generation"], 1
    used = told["memory_share"] * usable_bytes(gpu)
    while weights > told["weights_share"] * used * group or weights + cached > used * group:
        group *= 2
        if group > told["most_gpus"]:
            raise InfeasibleError(
                f"generation: {format_bytes(weights + cached)} of weights and cache do not fit on "
                f"{told['most_gpus']} {gpu.name}; use GPUs with more memory, or shorter answers"
            )
    room = (used * group - weights) / cached
    many = room if per_gpu is None else min(room, per_gpu * group)
    peak = gpu.peak_flops_per_s.get(precision, dense_peak(gpu))
    ceiling = matmul_ceiling(gpu, model) * peak / dense_peak(gpu)
    prefill = prompt / generated * shape.forward_flops(max(prompt, 1))
    flops = shape.forward_flops(2 * length) + prefill
    read = (weights + many * cached) / gpu.memory_bytes_per_s
    seconds = (read + many * flops / ceiling) / group
    rate = Range(**told["efficiency"]).scale(many / group / seconds)
    return GenerationSpeed(tokens_per_s_per_gpu=rate, gpus=group)
