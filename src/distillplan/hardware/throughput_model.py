"""The calibrated coefficients of the throughput model, and how they are read from data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.hardware.range import Range

Z80: Final = 1.2815515655446004
"""Half width of the central 80% interval of a normal distribution, in standard deviations."""

LEFT_OUT: Final = {
    "dense": "dense, 16 bits",
    "fp8": "dense, fp8",
    "mixture": "mixtures",
    "small": "widths up to 1100",
    "card": "cards without NVLink",
    "other_vendor": "other vendors",
}
"""Rows of `errors` in coefficients/throughput.yaml of runs that were not fitted, by kind of run."""

ERROR_CLASSES: Final = (
    *LEFT_OUT,
    *("eager", "new_gpu", "unknown_attention", "unknown_overhead", "unknown_checkpointing"),
    "whole_run",
)
"""Parts of an estimate's error: one of the kinds of run, software that is not tuned, what is not
known, and of the hours of a whole run what the speed of its steps does not show."""


@dataclass(frozen=True, kw_only=True)
class ThroughputModel:
    """Physics with one number for each effect, explained in coefficients/throughput.yaml."""

    sustained: float
    """Share of the best measured matrix product that a whole step of large ones sustains."""
    power_exponent: float
    """How fast that share falls with peak FLOPs/s per watt beyond an A100's, as clocks throttle."""
    ceiling_exponent: float
    """How fast the best product itself falls with FLOPs/s per watt, where it was not measured."""
    attention: float
    """Rate of the best attention kernel of a GPU over the rate of the other matrix products."""
    flash2_on_hopper: float
    """Rate of FlashAttention-2 over the best kernel, on Hopper and later."""
    elementwise_bytes: float
    """Bytes that norms, activations and residuals move per token, layer and channel in training."""
    logits_bytes: float
    """Bytes that softmax and gradient move per token and row of the vocabulary in training."""
    score_bytes: float
    """Bytes per token, head and context token in training where attention is not fused."""
    routed_bytes: float
    """Bytes that a mixture moves per token, expert used and channel of stream and expert."""
    unfused: float
    """Memory traffic and time of the host in eager software over those of fused kernels."""
    overlap: float
    """Share of communication that vendor-tuned software still shows."""
    recompute: float
    """Share of a second forward pass that full checkpointing costs; it writes no activations."""
    tensor_link: float
    """Share of the in-node link that tensor-parallel all-reduces reach."""
    exposed: float
    """Share of data-parallel traffic that computation does not hide."""
    layer_overhead_s: float
    """Fixed seconds per layer and pass, for launches and small kernels."""
    expert_overhead_s: float
    """Fixed seconds per routed expert on a GPU and pass, in which the GPU waits for the host."""
    step_overhead_s: float
    """Fixed seconds per optimizer step, for data, logging and synchronization."""
    scale_out: float
    """Exponent of the slowdown with the number of nodes: jitter, stragglers, congestion."""
    fp8: float
    """Share of the nominal advantage of fp8 over 16 bits that the blocks' products realize."""
    plain_fp8: float
    """That share in software which the vendor did not tune, over the share in software it did."""
    mixture: float
    """Speed of a mixture of experts over a dense model of its active size."""
    ceiling_share: Mapping[str, float]
    """Matmul ceiling over dense peak where it was not measured, by architecture or 'other'."""
    log_sd: Mapping[str, float]
    """Standard deviation of log tokens/s, by `ERROR_CLASSES`."""
    held_out_error: Mapping[str, float]
    """Median relative error of tokens/s in runs that were not fitted, by kind of run."""
    goodput: Range
    """Productive share of allocated time; checkpoints, restarts and failures take the rest."""
    distillation: Range
    """Speed of a distillation step over that of its passes without the distillation loss."""

    @property
    def whole_run(self) -> Range:
        """Speed of a whole run over what its steps and goodput give: 1, with a range.

        Published runs do not state all their settings, and some only days of the calendar.
        """
        spread = math.exp(Z80 * self.log_sd["whole_run"])
        return Range(low=1 / spread, mid=1.0, high=spread)


def throughput_model_from_entry(entry: Mapping[str, Any]) -> ThroughputModel:
    """The model from the contents of coefficients/throughput.yaml.

    Args:
        entry: `coefficients: {name: {value: ...}}`, `ceiling_share`, `log_sd`, `errors`, and the
            factors `goodput` and `distillation` as {low, mid, high}.

    Raises:
        InputError: when a coefficient is missing, unknown or not positive.
    """
    given = Entry(entry, "throughput")
    coefficients, shares = given.mapping("coefficients"), given.mapping("ceiling_share").positives()
    scalars = {
        one.name: coefficients.mapping(one.name).positive("value")
        for one in fields(ThroughputModel)
        if one.type is float
    }
    coefficients.finish()
    if "other" not in shares:
        raise InputError("throughput: ceiling_share has no 'other', for new architectures")
    errors, stated = given.mapping("log_sd"), given.entries("errors")
    held_out = {one.text("group"): one.positive("median_error") for one in stated}
    return ThroughputModel(
        **scalars,
        ceiling_share=shares,
        log_sd={name: errors.positive(name) for name in ERROR_CLASSES},
        held_out_error={kind: held_out[group] for kind, group in LEFT_OUT.items()},
        goodput=given.mapping("goodput").record(Range),
        distillation=given.mapping("distillation").record(Range),
    )
