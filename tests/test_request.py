"""`distillplan estimate -o request`: what an application for compute time must say."""

import re

import pytest

from distillplan.questions.request import INTERRUPTED_HOURS, SCALED
from distillplan.render.printable import printable
from tests.shell import run

RUN = ("--model", "llama-3.1-8b", "--tokens", "1T", "--gpu", "h100-sxm", "--gpus", "64")
SECTIONS = (
    *("Purpose", "The run", "Resources", "Jobs", "Phases", "Memory", "Storage and I/O"),
    *("Checkpoints and restarts", "Expected speed, and the evidence for it", "Sources"),
)


def request(*words):
    finished = run("estimate", *words, "-o", "request")
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_it_has_every_section_that_committees_ask_for():
    text = request(*RUN)
    for section in SECTIONS:
        assert f"**{section}**\n" in text
    assert "8 nodes with 8 GPUs each" in text
    assert "**Scaling" in text
    assert printable(text.replace("\n", " ")) == text.replace("\n", " ")


def test_the_rate_of_interruptions_is_that_of_llama_3():
    """419 in 54 days on 16,384 GPUs (arXiv:2407.21783, Section 3.3.4): one in three hours."""
    assert INTERRUPTED_HOURS / 16_384 == pytest.approx(3.09, abs=0.01)


@pytest.mark.parametrize(
    ("optimizer", "size"),
    [
        # 8,030,261,248 parameters (model card); fp32 weights and two fp32 moments, 12 bytes each
        ("adam", "96.4 GB"),
        # bf16 weights and two 8-bit moments
        ("adam8bit", "32.1 GB"),
    ],
)
def test_a_checkpoint_has_weights_and_optimizer_states(optimizer, size):
    assert f"checkpoints: {size} each" in request(*RUN, "--optimizer", optimizer)


def test_a_checkpoint_of_muon_has_the_second_moment_of_its_tables():
    """Adam trains those: 8 bytes for each of 2,614,341,888 parameters, 4 for 256,000 rows of 2304.

    The sizes are those of google/gemma-2-2b's files and config.json.
    """
    found = request("--model", "gemma-2-2b", *RUN[2:], "--optimizer", "muon")
    size = 8 * 2_614_341_888 + 4 * 256_000 * 2304
    assert f"checkpoints: {size / 1e9:.1f} GB each" in found


def test_token_numbers_of_a_large_vocabulary_take_four_bytes():
    """128,256 rows need more than two bytes, the 50,304 of Pythia do not: 4 TB and 2 TB."""
    assert "training text: 4.00 TB" in request(*RUN)
    assert "training text: 2.00 TB" in request("--model", "pythia-1b", *RUN[2:])


def test_the_scaling_table_has_the_run_itself_and_those_that_can_be_laid_out():
    rows = re.findall(r"^\| (\d+) \| .* \| (\d+)% \| ", request(*RUN), re.MULTILINE)
    assert [int(gpus) for gpus, _ in rows] == [round(64 * factor) for factor in SCALED]
    assert ("64", "100") in rows
    alone = re.findall(r"^\| (\d+) \| .*% \|", request(*RUN[:6]), re.MULTILINE)
    assert alone[0] == "2"  # a quarter of a node of 8


def test_a_rate_of_ones_own_is_the_evidence():
    text = request(*RUN, "--tokens-per-s", "9000")
    assert "the rate is your own measurement" in text
    assert "median error" not in text
