"""Tokens per second against published runs, and each option in the right direction."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu, Precision, gpu_from_entry
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import dense_peak, gpu_seconds_per_token, matmul_ceiling
from distillplan.hardware.strategy import Attention, Checkpointing, Sharding, Stack, Strategy
from distillplan.hardware.throughput import ThroughputModel, throughput, throughput_model
from distillplan.hardware.workload import Workload, workload_of
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_catalog import model as catalog_model
from distillplan.models.model_catalog import models
from distillplan.models.shapes import ModelShape
from distillplan.models.uniform import uniform_shape
from tests.shipped import shipped


def gpu_hours(tokens: float, rate: Range, goodput: Range) -> Range:
    """Allocated GPU-hours: tokens over rate and goodput, whose errors are independent."""
    return Range.independent_product((rate, goodput)).divide(tokens / 3600)


GPUS: dict[str, Gpu] = {n: gpu_from_entry(n, e) for n, e in shipped("gpus.yaml")["gpus"].items()}
ENTRY: dict[str, Any] = shipped("throughput.yaml")
MODEL: ThroughputModel = throughput_model(ENTRY)
SHAPES = {one.name: one.shape for one in models()}
LLAMA_7B = uniform_shape(
    layers=32, width=4096, ffn_width=11008, heads=32, vocab=32000, tied=False, qk_norm=False
)


def _rate(
    gpu: str = "h100-sxm", gpus: int = 8, shape: ModelShape = LLAMA_7B, **layout: Any
) -> float:
    work = workload_of(shape, FixedAspect(), Strategy(**layout), gpus)
    return throughput(work, GPUS[gpu], MODEL).tokens_per_s_per_gpu.mid


def _mfu(size: float, **layout: Any) -> float:
    work = workload_of(size, FixedAspect(), Strategy(**layout), 8)
    return throughput(work, GPUS["h100-sxm"], MODEL).mfu.mid


# published points, one page each


def test_llama_65b_on_2048_a100_trains_at_the_published_380_tokens_per_second() -> None:
    """arXiv 2302.13971 section 2.4: 380 tokens/s/GPU."""
    shape = uniform_shape(
        layers=80, width=8192, ffn_width=22016, heads=64, vocab=32000, tied=False, qk_norm=False
    )
    assert _rate("a100-80gb", 2048, shape, seq_len=2048, micro_batch=4) == pytest.approx(
        380, rel=0.35
    )


def test_llama_3_405b_is_within_a_factor_of_its_published_mfu() -> None:
    """arXiv 2407.21783 Table 4: 0.41 on 16384 H100 with TP 8 and PP 16, tuned for months.

    No run of this size is in the calibration.
    """
    layout = {"tp": 8, "pp": 16, "sharding": Sharding.ZERO1, "stack": Stack.TUNED}
    strategy = Strategy(seq_len=8192, **layout)
    work = workload_of(
        SHAPES["llama-3.1-405b"], FixedAspect(), strategy, 16384, global_tokens=16 * 2**20
    )
    tuned = replace(work, interleave=8)  # 126 layers over 16 stages, one layer each
    mfu = throughput(tuned, GPUS["h100-sxm"], MODEL).mfu.mid
    assert 0.41 / 1.2 < mfu < 0.41 * 1.2


def test_mpt_7b_on_one_h100_node_trains_at_the_published_rate() -> None:
    """llm-foundry benchmark page: 10643 tokens/s/GPU, 8 x H100, micro-batch 6 x 2048."""
    shape = uniform_shape(
        layers=32, width=4096, ffn_width=16384, heads=32, vocab=50368, ffn_matrices=2, qk_norm=False
    )
    rate = _rate(
        "h100-sxm", 8, shape, seq_len=2048, micro_batch=6, checkpointing=Checkpointing.NONE
    )
    assert rate == pytest.approx(10643, rel=0.22)


# closed forms and limits


def test_factors_multiply_to_the_estimate() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(tp=2, pp=2), 64)
    estimate = throughput(work, GPUS["h100-sxm"], MODEL)
    assert estimate.basis == "model"
    assert estimate.ideal_tokens_per_s_per_gpu is not None
    product = estimate.ideal_tokens_per_s_per_gpu * math.prod(estimate.factors.values())
    assert product == pytest.approx(estimate.tokens_per_s_per_gpu.mid, rel=1e-12)
    others = [value for name, value in estimate.factors.items() if name != "precision"]
    assert max(others) <= 1 + 1e-12


def test_mfu_is_model_flops_over_the_dense_peak() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    estimate = throughput(work, GPUS["a100-80gb"], MODEL)
    flops = 3 * LLAMA_7B.forward_flops(4096)
    expected = estimate.tokens_per_s_per_gpu.mid * flops / 312e12
    assert estimate.mfu.mid == pytest.approx(expected, rel=1e-12)


def test_a_measured_matrix_product_is_the_ceiling() -> None:
    """stas00/ml-engineering, 2026-08: 794.5 TFLOP/s on H100 SXM; no rate may beat it."""
    assert matmul_ceiling(GPUS["h100-sxm"], MODEL) == 794.5e12
    work = workload_of(1e15, FixedAspect(), Strategy(micro_batch=64), 1)
    estimate = throughput(work, GPUS["h100-sxm"], MODEL)
    assert estimate.mfu.mid * dense_peak(GPUS["h100-sxm"]) < 794.5e12


def test_a_gpu_without_published_runs_has_a_wider_interval() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    known = throughput(work, GPUS["h100-sxm"], MODEL)
    new = throughput(work, replace(GPUS["h100-sxm"], calibrated=False), MODEL)
    assert new.log_sd > known.log_sd


@pytest.mark.parametrize(
    ("gpu", "measured"), [("a100-80gb-pcie", 252.9), ("h100-sxm", 794.5), ("b200-sxm", 1745.0)]
)
def test_the_unmeasured_ceiling_follows_the_power(gpu: str, measured: float) -> None:
    """Best products of three GPUs (stas00/ml-engineering, 2026-08), none of which the law saw."""
    unmeasured = replace(GPUS[gpu], matmul_flops_per_s=None)
    assert matmul_ceiling(unmeasured, MODEL) == pytest.approx(measured * 1e12, rel=0.08)


def test_another_software_stack_widens_the_interval() -> None:
    """Most calibration rows ran on CUDA."""
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    known = throughput(work, GPUS["h100-sxm"], MODEL)
    other = throughput(work, replace(GPUS["h100-sxm"], vendor="AMD"), MODEL)
    assert other.log_sd > known.log_sd


def test_full_checkpointing_costs_at_most_a_third_more_time() -> None:
    """A second forward pass is a third of three."""
    ratio = _rate(checkpointing=Checkpointing.NONE) / _rate(checkpointing=Checkpointing.FULL)
    assert 1.1 < ratio <= 4 / 3 + 1e-9


def test_a_pipeline_waits_for_its_bubble() -> None:
    """(p - 1) / m of the time: 3 / 16 with 4 stages and 16 micro-batches (arXiv 1811.06965)."""
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(pp=4), 8, global_tokens=2 * 16 * 4096)
    plain = replace(work, interleave=1)
    factors = throughput(plain, GPUS["h100-sxm"], MODEL).factors
    assert factors["pipeline"] == pytest.approx(1 / (1 + 3 / 16))


def test_a_sliding_window_attends_to_fewer_tokens() -> None:
    """Mistral 7B, window 4096: a position of a 32768 context sees at most 4096."""
    mistral = SHAPES["mistral-7b-v0.1"]
    full = catalog_model("mistral-7b-v0.3").shape  # the same, without windows
    strategy = Strategy(seq_len=32768)
    assert workload_of(full, FixedAspect(), strategy, 8).attended == pytest.approx(32768 / 2)
    attended = workload_of(mistral, FixedAspect(), strategy, 8).attended
    assert attended is not None
    assert attended == pytest.approx(4096 - 4096**2 / (2 * 32768), rel=1e-6)


def test_the_host_launches_while_the_gpu_computes() -> None:
    """One short sequence in eager PyTorch takes as long as its launches."""
    small = uniform_shape(
        layers=24, width=256, ffn_width=1024, heads=4, vocab=1000, tied=True, qk_norm=False
    )
    strategy = Strategy(seq_len=64, stack=Stack.EAGER, sharding=Sharding.NONE)
    work = workload_of(small, FixedAspect(), strategy, 1, global_tokens=1e9)
    rate = throughput(work, GPUS["h100-sxm"], MODEL).tokens_per_s_per_gpu.mid
    launches = 24 * MODEL.layer_overhead_s * MODEL.unfused
    assert rate == pytest.approx(64 / launches, rel=0.1)


def test_a_step_is_never_shorter_than_what_surrounds_it() -> None:
    work = workload_of(1e6, FixedAspect(), Strategy(seq_len=128), 1, global_tokens=128.0)
    rate = throughput(work, GPUS["h100-sxm"], MODEL).tokens_per_s_per_gpu.mid
    assert 128 / rate > MODEL.step_overhead_s  # of compiled software, the default


def test_the_last_part_of_an_unbalanced_context_waits_for_no_one() -> None:
    """Of two halves of a causal sequence the second has 3/4 of the pairs, half as much again."""
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(seq_len=65536, cp=2), 8)
    torch = throughput(work, GPUS["h100-sxm"], MODEL).factors["attention"]
    balanced = replace(work, sharding=Sharding.ZERO1)
    megatron = throughput(balanced, GPUS["h100-sxm"], MODEL).factors["attention"]
    attention = work.attention_flops / work.product_flops
    slow, fast = 1 / torch - 1, 1 / megatron - 1
    assert (slow + attention) / (fast + attention) == pytest.approx(1.5, rel=1e-6)


# directions


def test_wider_models_use_the_gpu_better() -> None:
    rates = [_mfu(size) for size in (1e8, 3e8, 1e9, 3e9, 1e10, 3e10)]
    assert rates == sorted(rates)


@pytest.mark.parametrize("gpu", ["h100-sxm", "a100-80gb", "gb200", "rtx-4090", "mi300x"])
@pytest.mark.parametrize("sharding", list(Sharding))
@pytest.mark.parametrize("seq_len", [512, 4096])
def test_more_gpus_are_never_slower_in_wall_clock_nor_better_than_linear(
    gpu: str, sharding: Sharding, seq_len: int
) -> None:
    counts = [1, 2, 4, 8, 9, 16, 24, 64, 72, 80, 256, 1024, 4096]
    rates = [_rate(gpu, n, sharding=sharding, seq_len=seq_len) for n in counts]
    for (n, rate), (more, slower) in zip(
        zip(counts, rates, strict=True), zip(counts[1:], rates[1:], strict=True), strict=False
    ):
        assert slower <= rate * (1 + 1e-9)
        assert more * slower >= n * rate * (1 - 1e-9)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"micro_batch": 4}, {"micro_batch": 1}),
        ({"seq_len": 4096}, {"seq_len": 32768}),
        ({"tp": 1}, {"tp": 2}),
        ({"tp": 2}, {"tp": 8}),
        ({"checkpointing": "none"}, {"checkpointing": "full"}),
        ({"precision": "fp8"}, {"precision": "bf16"}),
        ({"sharding": "zero1"}, {"sharding": "zero3"}),
        ({"attention": "flash2"}, {"attention": "flash1"}),
        ({"attention": "flash2"}, {"attention": None}),
        ({"attention": None}, {"attention": "flash1"}),
        ({"attention": "flash1"}, {"attention": "unfused"}),
        ({"attention": "flash3"}, {"attention": "flash2"}),
        ({"stack": "tuned"}, {"stack": "compiled"}),
        ({"stack": "compiled"}, {"stack": "eager"}),
        ({"precision": "fp8", "stack": "tuned"}, {"precision": "fp8"}),
    ],
)
def test_each_option_moves_the_rate_in_its_direction(
    better: dict[str, Any], worse: dict[str, Any]
) -> None:
    def rate(options: dict[str, Any]) -> float:
        names: dict[str, Any] = {"precision": Precision, "checkpointing": Checkpointing}
        names |= {"sharding": Sharding, "attention": Attention, "stack": Stack}
        typed = {k: names[k](v) if k in names and v else v for k, v in options.items()}
        return _rate(gpus=32, **typed)

    assert rate(better) > rate(worse)


def test_fp8_gains_more_on_big_models_than_on_small_ones() -> None:
    gains = [_mfu(n, precision=Precision.FP8) / _mfu(n) for n in (1e8, 1e9, 1e10, 1e11)]
    assert gains == sorted(gains)
    assert gains[-1] > 1.3


def test_a_faster_network_and_a_faster_gpu_are_faster() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 64)

    def rate(gpu: Gpu) -> float:
        return throughput(work, gpu, MODEL).tokens_per_s_per_gpu.mid

    slow = replace(GPUS["h100-sxm"], inter_node_bytes_per_s=12.5e9)
    assert rate(slow) < rate(GPUS["h100-sxm"])
    assert rate(GPUS["a100-80gb"]) < rate(GPUS["h100-sxm"]) < rate(GPUS["b200-sxm"])


def test_a_mixture_costs_its_active_parameters_and_an_inefficiency() -> None:
    """Qwen3 30B-A3B: 3.3B active of 30.5B; slower than a dense 3B, faster than a dense 30B.

    NeMo AutoModel trains it at 12040 tokens/s on an H100 (ep 8, 4 sequences); a dense 32B at half
    of the peak would have 2500.
    """
    tuned: dict[str, Any] = {"micro_batch": 4, "stack": Stack.TUNED}
    mixture = _rate(shape=SHAPES["qwen3-30b-a3b"], ep=8, **tuned)
    assert mixture < _rate(shape=SHAPES["llama-3.2-3b"], **tuned)
    assert mixture > 3 * _rate(shape=SHAPES["qwen3-32b"], **tuned)


@pytest.mark.parametrize("ep", [8, 16, 64])
def test_gpus_wait_for_the_host_at_each_routed_expert_that_they_hold(ep: int) -> None:
    """DeepSeek-V3's config.json: 256 routed experts in each of 61 - 3 blocks."""
    layout = Strategy(seq_len=4096, ep=ep, sharding=Sharding.ZERO1, stack=Stack.COMPILED)
    work = workload_of(SHAPES["deepseek-v3"], FixedAspect(), layout, 256)

    def seconds(model: ThroughputModel) -> float:
        return gpu_seconds_per_token(work, GPUS["gb200"], model, passes=3.0)["overhead"]

    waited = seconds(MODEL) - seconds(replace(MODEL, expert_overhead_s=0.0))
    experts = 58 * 256 / ep
    assert waited * layout.seq_len / MODEL.expert_overhead_s == pytest.approx(experts, rel=0.05)


@given(
    size=st.floats(1e7, 1e12),
    gpus=st.integers(1, 20000),
    seq_len=st.integers(128, 131072),
    micro_batch=st.integers(1, 64),
)
def test_every_estimate_is_finite_ordered_and_below_the_peak(
    size: float, gpus: int, seq_len: int, micro_batch: int
) -> None:
    strategy = Strategy(seq_len=seq_len, micro_batch=micro_batch)
    work = workload_of(size, FixedAspect(), strategy, gpus)
    for estimate in (
        throughput(work, GPUS["h100-sxm"], MODEL),
        throughput(work, GPUS["h100-sxm"], MODEL, 1.0),
    ):
        assert 0 < estimate.tokens_per_s_per_gpu.low < estimate.tokens_per_s_per_gpu.high
        assert math.isfinite(estimate.tokens_per_s_per_gpu.high)
        assert estimate.mfu.mid < 0.803


@pytest.mark.parametrize("name", GPUS)
@pytest.mark.parametrize("passes", [1.0, 3.0])
def test_no_end_of_a_range_is_above_the_peak(name: str, passes: float) -> None:
    """A limit of the hardware, which 80% of other vendors' errors would reach beyond."""
    for size in (1e8, 7e9, 1e12):
        work = workload_of(size, FixedAspect(), Strategy(seq_len=2048, micro_batch=8), 8)
        found = throughput(work, GPUS[name], MODEL, passes)
        assert 0 < found.mfu.low < found.mfu.mid < found.mfu.high <= 1 + 1e-12


# what the user gives wins


def test_a_given_mfu_is_used_and_named() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    estimate = throughput(work, GPUS["a100-80gb"], MODEL, mfu=0.5)
    expected = 0.5 * 312e12 / (3 * LLAMA_7B.forward_flops(4096))
    assert estimate.basis == "mfu"
    assert estimate.tokens_per_s_per_gpu.low == pytest.approx(expected)
    assert estimate.tokens_per_s_per_gpu.high == pytest.approx(expected)


def test_measured_tokens_per_second_win_over_mfu() -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    estimate = throughput(work, GPUS["a100-80gb"], MODEL, mfu=0.5, tokens_per_s=3000.0)
    assert (estimate.basis, estimate.tokens_per_s_per_gpu.mid) == ("tokens_per_s", 3000.0)


@pytest.mark.parametrize("mfu", [0.0, -0.1, 1.5, float("nan")])
def test_an_impossible_mfu_is_refused(mfu: float) -> None:
    work = workload_of(LLAMA_7B, FixedAspect(), Strategy(), 8)
    with pytest.raises(InputError, match="mfu"):
        throughput(work, GPUS["a100-80gb"], MODEL, mfu=mfu)


def test_fp8_on_a_gpu_without_it_is_refused() -> None:
    with pytest.raises(InputError, match="no fp8"):
        _rate("a100-80gb", precision=Precision.FP8)


def test_a_layout_needs_its_gpus() -> None:
    with pytest.raises(InputError, match="4 GPUs cannot be divided into groups of tp 8"):
        Strategy(tp=8).refuse_odd_groups(4)


# distillation and whole runs


def test_online_and_cached_distillation_on_one_h200() -> None:
    """arXiv 2608.03796: 8B to 3.2B at 8192, 262144 tokens: 25.9 s online, 18.4 s cached.

    262144 tokens: 331 to 335 TFLOP/s x 18.4 s over 6 N + attention of the 3.2B student.
    """
    strategy = Strategy(seq_len=8192)
    gpu = GPUS["h200-sxm"]
    student = throughput(
        workload_of(SHAPES["llama-3.2-3b"], FixedAspect(), strategy, 1), gpu, MODEL
    )
    teacher = throughput(
        workload_of(SHAPES["llama-3.1-8b"], FixedAspect(), strategy, 1), gpu, MODEL, 1.0
    )
    alone = student.seconds(MODEL.distillation)
    cached = 262144 * alone.mid
    online = 262144 * (alone + teacher.seconds(MODEL.distillation)).mid
    assert 25.9 / 1.3 < online < 25.9 * 1.3
    assert 18.4 / 1.3 < cached < 18.4 * 1.3


NANO: dict[str, Any] = {
    "heads": 40.0,
    "vocab": 131072.0,
    "seq_len": 8192.0,
    "gpus": 768,
    "micro_batch": 4.0,
}


@pytest.mark.parametrize(("tokens", "hours", "calendar"), [(6.3e9, 600, False), (80e9, 9000, True)])
def test_nemotron_nano_9b_to_7b_on_768_h100(
    tokens: float,
    hours: float,
    calendar: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """NVIDIA Model-Optimizer tutorial: 600 GPU-hours per 1k steps of 6.3B tokens; 9k for 80B.

    Tensor-parallel 8, micro-batch 4, 768 sequences of 8192 a step, as its command says. Four of
    the 56 blocks have attention (a Mamba hybrid).
    """

    def work(params: float, width: float, layers: float) -> Workload:
        return Workload(
            **NANO,
            block_params=params - 2 * 131072 * width,
            layers=layers,
            width=width,
            inner_width=width,
            stored_params=params,
            global_tokens=768 * 8192.0,
            sharding=Sharding.ZERO1,
            checkpointing=Checkpointing.SELECTIVE,
            tp=8,
            attended=4096.0 * 4 / layers,
        )

    gpu = GPUS["h100-sxm"]
    student = throughput(work(7e9, 4352, 48), gpu, MODEL)
    teacher = throughput(work(8.9e9, 4480, 56), gpu, MODEL, 1.0)
    goodput = MODEL.goodput if calendar else Range.exact(1.0)
    step = student.seconds(MODEL.distillation) + teacher.seconds(MODEL.distillation)
    computed = gpu_hours(tokens, step.divide(1.0), goodput)
    assert hours / 1.3 < computed.mid < hours * 1.3


def test_goodput_is_a_factor_of_its_own() -> None:
    rate = Range(900.0, 1000.0, 1100.0)
    productive = gpu_hours(3.6e9, rate, Range.exact(1.0))
    assert (productive.low, productive.mid) == pytest.approx((3.6e6 / 3.6 / 1100, 1000.0))
    allocated = gpu_hours(3.6e9, rate, MODEL.goodput)
    assert allocated.mid == pytest.approx(1000 / MODEL.goodput.mid)
    assert allocated.high / allocated.mid > productive.high / productive.mid


def test_goodput_holds_the_published_shares() -> None:
    """OpenEuroLLM 90.0 of 103.2 h; Llama 3 405B above 0.9; 9000 h for 12.8 x 600 productive."""
    for share in (90.0 / 103.2, 0.9, 12.8 * 600 / 9000):
        assert MODEL.goodput.low <= share <= MODEL.goodput.high


# coefficients


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"coefficients": {}}, "missing key 'sustained'"),
        ({"coefficients": ENTRY["coefficients"] | {"magic": {"value": 1}}}, "magic"),
        ({"coefficients": ENTRY["coefficients"] | {"fp8": {"value": -1}}}, "positive"),
        ({"log_sd": {"dense": -0.1}}, "log_sd.dense: -0.1 is not positive"),
        ({"ceiling_share": {"Ampere": 0.8}}, "other"),
        ({"goodput": None}, "goodput: expected a mapping"),
    ],
)
def test_wrong_coefficients_say_what_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        throughput_model(ENTRY | change)


def test_routing_limited_to_some_nodes_sends_less_between_them() -> None:
    """DeepSeek V3 on 8 nodes of 8: with 4 of them a token reaches 3.6 on average, else 5.25.

    The chance that none of 8 experts at random is on one of n nodes is (1 - 1/n)^8.
    """
    gpu, shape = GPUS["h800-sxm"], SHAPES["deepseek-v3"]
    strategy = Strategy(ep=64, pp=16, sharding=Sharding.ZERO1, stack=Stack.TUNED)
    limited = workload_of(shape, FixedAspect(), strategy, 2048, 2**26)
    # n_limited_groups / n_expert_groups of its inference/configs/config_671B.json: 4 / 8
    assert limited.reachable_share == 0.5

    def spent(work: Workload) -> float:
        steps = gpu_seconds_per_token(work, gpu, MODEL, passes=3.0)
        return steps["expert_parallel"] - steps["tensor_parallel"]

    saved = spent(replace(limited, reachable_share=1.0)) - spent(limited)
    nodes = 8 * (1 - (7 / 8) ** 8) - 4 * (1 - (3 / 4) ** 8)
    # four trips of 2 bytes per channel and layer, 7/8 of them to another node
    bytes_saved = 4 * 2 * shape.width * shape.layers * nodes * 7 / 8
    link = MODEL.tensor_link * gpu.link_bytes_per_s(256)
    assert saved == pytest.approx(MODEL.overlap * bytes_saved / link, rel=1e-6)
