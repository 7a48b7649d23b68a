"""The calibrated coefficients of the throughput model, and how they are read from data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry, read_shipped
from distillplan.hardware.range import Range

Z80: Final = 1.2815515655446004
"""Half width of the central 80% interval of a normal distribution, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class ThroughputModel:
    """Physics with one number for each effect, explained in coefficients/throughput.yaml."""

    sustained: float
    power_exponent: float
    ceiling_exponent: float
    attention: float
    flash2_on_hopper: float
    elementwise_bytes: float
    logits_bytes: float
    score_bytes: float
    routed_bytes: float
    unfused: float
    overlap: float
    recompute: float
    tensor_link: float
    exposed: float
    layer_overhead_s: float
    expert_overhead_s: float
    step_overhead_s: float
    scale_out: float
    fp8: float
    plain_fp8: float
    mixture: float
    ceiling_share: Mapping[str, float]
    """Matmul ceiling over dense peak where it was not measured, by architecture or 'other'."""
    kernel_rate: Mapping[str, float]
    """Speed of an attention kernel over the best one of its GPU, by `Attention` or 'unknown'."""
    flash3_archs: tuple[str, ...]
    """Architectures on which FlashAttention-3 is the best."""
    log_sd: Mapping[str, float]
    """Standard deviation of log tokens/s by kind of run, and what adds to it."""
    held_out_error: Mapping[str, float]
    """Median relative error of tokens/s in runs that were not fitted, by kind of run."""
    goodput: Range
    """Productive share of allocated time; checkpoints, restarts and failures take the rest."""
    distillation: Range
    """Speed of a distillation step over that of its passes without the distillation loss."""

    @property
    def whole_run(self) -> Range:
        """Speed of a whole run over what its steps and goodput give: 1, with a range."""
        spread = math.exp(Z80 * self.log_sd["whole_run"])
        return Range(low=1 / spread, mid=1.0, high=spread)


def throughput_model(entry: Mapping[str, Any] | None = None) -> ThroughputModel:
    """The speed model, from the contents of coefficients/throughput.yaml or of one like it.

    Raises:
        InputError: when a coefficient is missing, unknown or not positive.
    """
    given = Entry(read_shipped("throughput.yaml") if entry is None else entry, "throughput")
    coefficients, shares = given.mapping("coefficients"), given.mapping("ceiling_share").positives()
    scalars = {
        one.name: coefficients.mapping(one.name).positive("value")
        for one in fields(ThroughputModel)
        if one.type is float
    }
    coefficients.finish()
    if "other" not in shares:
        raise InputError("throughput: ceiling_share has no 'other', for new architectures")
    left_out, stated = given.mapping("left_out").data, given.entries("errors")
    held_out = {one.text("group"): one.positive("median_error") for one in stated}
    return ThroughputModel(
        **scalars,
        ceiling_share=shares,
        kernel_rate=given.mapping("kernel_rate").positives(),
        flash3_archs=given.texts("flash3_archs"),
        log_sd=given.mapping("log_sd").positives(),
        held_out_error={kind: held_out[group] for kind, group in left_out.items()},
        goodput=given.mapping("goodput").record(Range),
        distillation=given.mapping("distillation").record(Range),
    )
