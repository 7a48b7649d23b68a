"""The GPU catalog: dense peaks, sources, and what a wrong entry says."""

import json
import re
from typing import Any

import pytest

from distillplan.errors import InputError
from distillplan.hardware import gpu_catalog
from distillplan.hardware.gpu import Gpu, gpu_from_entry
from tests.shell import run
from tests.shipped import shipped

ENTRIES: dict[str, dict[str, Any]] = shipped("gpus.yaml")["gpus"]
GPUS: dict[str, Gpu] = {name: gpu_from_entry(name, entry) for name, entry in ENTRIES.items()}


@pytest.mark.parametrize("gpu", GPUS.values(), ids=GPUS)
def test_every_entry_is_positive_and_sourced(gpu: Gpu) -> None:
    assert gpu.sources
    assert min(gpu.peak_flops_per_s.values()) > 1e13
    assert gpu.memory_bytes >= 1e10
    assert gpu.memory_bytes_per_s > 1e11
    assert gpu.intra_node_bytes_per_s > 1e10
    for price in gpu.prices:
        assert price.seller
        assert price.source
        assert price.date == "unknown" or price.date[:2] == "20"


@pytest.mark.parametrize("gpu", GPUS.values(), ids=GPUS)
def test_no_measured_matrix_product_beats_the_dense_peak(gpu: Gpu) -> None:
    if gpu.matmul_flops_per_s is not None:
        peak = gpu.peak_flops_per_s.get("bf16", gpu.peak_flops_per_s.get("fp16", 0.0))
        assert 0.5 * peak < gpu.matmul_flops_per_s < peak


@pytest.mark.parametrize(
    ("name", "precision", "multiprocessors", "flops_per_clock", "boost_hz"),
    [
        # dense FLOPs per clock and multiprocessor of the tensor cores: NVIDIA's white papers of
        # V100 (8 x 64 FMA), A100 (4 x 256 FMA), H100 (4 x 512 FMA)
        ("v100-32gb", "fp16", 80, 8 * 64 * 2, 1.53e9),
        ("a100-80gb", "bf16", 108, 4 * 256 * 2, 1.41e9),
        ("a100-40gb", "bf16", 108, 4 * 256 * 2, 1.41e9),
        ("h100-sxm", "bf16", 132, 4 * 512 * 2, 1.83e9),
        ("h100-sxm", "fp8", 132, 4 * 1024 * 2, 1.83e9),
        ("h100-pcie", "bf16", 114, 4 * 512 * 2, 1.62e9),
        # GA102, Ada and consumer Blackwell: 4 x 128 FMA, half of that on GeForce, where sums in
        # fp32 run at half rate; multiprocessors and boost clocks from TechPowerUp's database
        ("a40", "bf16", 84, 4 * 128 * 2, 1.74e9),
        ("rtx-a6000", "bf16", 84, 4 * 128 * 2, 1.80e9),
        ("rtx-a5000", "bf16", 64, 4 * 128 * 2, 1.695e9),
        ("rtx-a4000", "bf16", 48, 4 * 128 * 2, 1.56e9),
        ("rtx-3080", "bf16", 68, 4 * 64 * 2, 1.71e9),
        ("rtx-3080-ti", "bf16", 80, 4 * 64 * 2, 1.665e9),
        ("rtx-3090", "bf16", 82, 4 * 64 * 2, 1.695e9),
        ("rtx-6000-ada", "bf16", 142, 4 * 128 * 2, 2.505e9),
        ("rtx-4080", "bf16", 76, 4 * 64 * 2, 2.505e9),
        ("rtx-4080-super", "bf16", 80, 4 * 64 * 2, 2.55e9),
        ("rtx-4080", "fp8", 76, 4 * 128 * 2, 2.505e9),
        ("rtx-4090", "bf16", 128, 4 * 64 * 2, 2.52e9),
        ("rtx-5080", "bf16", 84, 4 * 64 * 2, 2.617e9),
        ("rtx-5080", "fp4", 84, 4 * 512 * 2, 2.617e9),
        ("rtx-5090", "bf16", 170, 4 * 64 * 2, 2.407e9),
        ("rtx-pro-6000", "bf16", 188, 4 * 128 * 2, 2.617e9),
        ("rtx-pro-6000", "fp8", 188, 4 * 256 * 2, 2.617e9),
        # a compute unit of CDNA 2 has four matrix cores of 128 FMA (AMD's white paper)
        ("mi210", "bf16", 104, 4 * 128 * 2, 1.70e9),
        ("mi250", "bf16", 208, 4 * 128 * 2, 1.70e9),
        ("mi250x", "bf16", 220, 4 * 128 * 2, 1.70e9),
    ],
)
def test_peaks_are_what_the_chips_can_issue_dense(
    name: str, precision: str, multiprocessors: int, flops_per_clock: int, boost_hz: float
) -> None:
    issued = multiprocessors * flops_per_clock * boost_hz
    assert GPUS[name].peak_flops_per_s[precision] == pytest.approx(issued, rel=0.005)


@pytest.mark.parametrize(
    "name", ["h100-sxm", "h200-sxm", "h20", "b200-sxm", "gb200", "l4", "rtx-4090"]
)
def test_fp8_doubles_the_dense_16_bit_peak(name: str) -> None:
    peaks = GPUS[name].peak_flops_per_s
    assert peaks["fp8"] == pytest.approx(2 * peaks["bf16"], rel=0.002)


@pytest.mark.parametrize(
    ("name", "bits", "bits_per_second"),
    [
        # width and rate of the memory as sold: GDDR6, GDDR6X, GDDR7 and HBM2e
        ("a40", 384, 14.5e9),
        ("rtx-a5000", 384, 16e9),
        ("rtx-a4000", 256, 14e9),
        ("rtx-6000-ada", 384, 20e9),
        ("rtx-pro-6000", 512, 28e9),
        ("rtx-3080", 320, 19e9),
        ("rtx-3080-ti", 384, 19e9),
        ("rtx-4080", 256, 22.4e9),
        ("rtx-4080-super", 256, 23e9),
        ("rtx-5080", 256, 30e9),
        ("mi210", 4096, 3.2e9),
        ("mi250", 8192, 3.2e9),
    ],
)
def test_bandwidth_is_width_times_rate(name: str, bits: int, bits_per_second: float) -> None:
    assert GPUS[name].memory_bytes_per_s == pytest.approx(bits / 8 * bits_per_second, rel=0.003)


def test_announced_gpus_say_so() -> None:
    """And the link of Rubin reaches the 72 GPUs of a rack, 260 TB/s in both directions."""
    assert {name for name, gpu in GPUS.items() if "ANNOUNCED" in gpu.notes} == {"vr200", "mi455x"}
    for name in ("vr200", "mi455x"):
        both_ways = 2 * GPUS[name].link_domain * GPUS[name].intra_node_bytes_per_s
        assert both_ways == pytest.approx(260e12, rel=0.005)


def test_names_and_aliases_name_one_gpu_each() -> None:
    spellings = [s for gpu in GPUS.values() for s in (gpu.name, *gpu.aliases)]
    assert len(spellings) == len(set(spellings))


def test_a_rack_is_one_domain_of_the_fast_link() -> None:
    """GB200 NVL72: trays of four, 72 on one NVLink domain."""
    assert (GPUS["gb200"].gpus_per_node, GPUS["gb200"].link_domain) == (4, 72)
    assert GPUS["h100-sxm"].link_domain == 8


def test_bytes_are_decimal_as_datasheets_print_them() -> None:
    """A100 80GB: 5120 bits at 3.186 Gbit/s."""
    assert GPUS["a100-80gb"].memory_bytes_per_s == pytest.approx(5120 / 8 * 3.186e9, rel=0.001)
    assert GPUS["a100-80gb"].memory_bytes == 80e9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dense_bf16_tflops": None, "dense_fp16_tflops": None}, "dense_bf16_tflops"),
        ({"memory_gb": None}, "missing key 'memory_gb'"),
        ({"memory_bw_gb_s": -1}, "is not positive"),
        ({"intra_node_gb_s": float("nan")}, "is not finite"),
        ({"tdp_w": "700 W"}, "is not a number"),
        ({"gpus_per_node": True}, "is not a number"),
        ({"sparse_bf16_tflops": 1979}, "unknown key 'sparse_bf16_tflops'"),
        ({"prices": [{"usd_per_hour": 2.0}]}, r"prices\[1\]: missing key 'seller'"),
    ],
)
def test_a_wrong_entry_says_what_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        gpu_from_entry("mine", ENTRIES["h100-sxm"] | change)


@pytest.mark.parametrize("name", ["rtx-4090", "h100-sxm", "gb300"])
def test_what_a_run_can_use_of_a_card_stands_beside_what_is_printed(name):
    """0.99 of as many GiB as GB are printed, or what the catalog says; an estimate fits into it."""
    screen = run("gpus", name).stdout
    gpu = gpu_catalog.gpu(name)
    usable = gpu.usable_bytes or 0.99 * gpu.memory_bytes / 1e9 * 2**30
    printed, found_by_runs = (f"{one / 1e9:#.3g}".rstrip(".") for one in (gpu.memory_bytes, usable))
    assert re.search(rf"memory +{printed} GB at ", screen)
    assert re.search(rf"memory for a run +{found_by_runs} GB: ", screen)
    assert json.loads(run("gpus", name, "-o", "json").stdout)["usable_memory_bytes"] == (
        pytest.approx(usable)
    )
    words = ("--model", "1B", "--tokens", "20B", "--gpu", name, "--gpus", "8")
    found = json.loads(run("estimate", *words, "-o", "json").stdout)
    assert found["memory"]["usable_bytes_per_gpu"] == pytest.approx(usable)
