"""The GPU catalog: dense peaks, sources, and what a wrong entry says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from distillplan.errors import InputError
from distillplan.hardware.gpu import Gpu, gpu_from_entry

CATALOG = Path(__file__).parents[1] / "coefficients" / "gpus.yaml"
ENTRIES: dict[str, dict[str, Any]] = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))["gpus"]
GPUS: dict[str, Gpu] = {name: gpu_from_entry(name, entry) for name, entry in ENTRIES.items()}


@pytest.mark.parametrize("gpu", GPUS.values(), ids=GPUS)
def test_every_entry_is_positive_and_sourced(gpu: Gpu) -> None:
    assert gpu.sources
    assert min(gpu.peak_flops_per_s.values()) > 1e13
    assert gpu.memory_bytes > 1e10
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
    ],
)
def test_peaks_are_what_the_chips_can_issue_dense(
    name: str, precision: str, multiprocessors: int, flops_per_clock: int, boost_hz: float
) -> None:
    issued = multiprocessors * flops_per_clock * boost_hz
    assert GPUS[name].peak_flops_per_s[precision] == pytest.approx(issued, rel=0.005)


@pytest.mark.parametrize("name", ["h100-sxm", "h200-sxm", "b200-sxm", "gb200", "l4", "rtx-4090"])
def test_fp8_doubles_the_dense_16_bit_peak(name: str) -> None:
    peaks = GPUS[name].peak_flops_per_s
    assert peaks["fp8"] == pytest.approx(2 * peaks["bf16"], rel=0.002)


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
