"""On-policy distillation: the published law, what is not covered, and hours on a machine.

Numbers of the law are printed in Bao et al. 2026 (arXiv:2609.32722) or on its page.
"""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from distillplan.checks.on_policy_checks import cells
from distillplan.files.entries import shipped
from distillplan.hardware import gpu_catalog
from distillplan.hardware.generation import generation_speed
from distillplan.hardware.range import Range
from distillplan.hardware.throughput import throughput_model
from distillplan.laws.on_policy_law import (
    Objective,
    between_sizes,
    on_policy_law,
    peak_score,
    slope,
)
from distillplan.models.model_catalog import model
from distillplan.questions.glossary.explanation import explain
from tests.shell import answer, codes, run

LAW = on_policy_law()
EFFICIENCY = shipped("throughput.yaml").mapping("generation").mapping("efficiency").record(Range)
TIMED = ("--gpu", "h100-sxm", "--gpus", "8", "--answer-tokens", "1000")


def asked(*words):
    return answer("onpolicy", *words)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ("Qwen2.5-Math-1.5B", "7B"),
        ("Qwen2.5-1.5B-Instruct", "7B"),
        ("1.5B", "DeepSeek-R1-Distill-Qwen-7B"),
    ],
)
def test_models_that_were_tuned_otherwise_have_no_score(student, teacher):
    """The study is of base models of Qwen2.5 and its own RL."""
    found = run("onpolicy", "--student", student, "--teacher", teacher)
    assert found.returncode == 0
    told = " ".join(found.stdout.split())
    assert f"No score: nothing is published for {student} taught by {teacher}" in told


def test_every_printed_prediction_is_reproduced():
    every = cells()
    assert len(every) == 50
    assert max(abs(one.computed - one.printed) for one in every) <= 1e-4


def test_the_peaks_are_met_to_a_point():
    """The authors say within about a point; single peaks within twice their 1.66 points."""
    errors = [one.computed - one.observed for one in cells()]
    assert (sum(one**2 for one in errors) / len(errors)) ** 0.5 == pytest.approx(0.01, abs=5e-4)
    assert max(map(abs, errors)) < 2 * 0.0166


@pytest.mark.parametrize(
    ("teacher", "score", "printed", "observed"),
    [
        ("1.5B", "0.6362", 0.771, 0.775),
        ("3B", "0.660", 0.741, 0.738),
        ("3B", "0.7359", 0.796, 0.803),
    ],
)
def test_the_held_out_checkpoint_of_a_teacher(teacher, score, printed, observed):
    found = asked("--student", "7B", "--teacher", teacher, "--teacher-score", score)
    (one,) = found["teachers"]
    assert one["vanilla"]["peak"] == pytest.approx(printed, abs=6e-4)
    assert one["vanilla"]["low"] < observed < one["vanilla"]["high"]


def test_slopes_follow_the_form():
    """The rate law is known roughly: R2 of 0.59 in logarithms for vanilla, as the page prints."""
    rows = [row for row in csv.DictReader(_published()) if row["objective"] == "vanilla"]
    law = LAW.laws[Objective.VANILLA]
    seen = np.log([float(row["slope"]) for row in rows])
    said = np.log(
        [
            slope(
                law,
                *(float(row[name]) * 1e9 for name in ("student", "teacher")),
                float(row["score"]),
            )
            for row in rows
        ]
    )
    r2 = 1 - ((seen - said) ** 2).sum() / ((seen - seen.mean()) ** 2).sum()
    assert r2 == pytest.approx(0.59, abs=0.01)


def _published():
    from distillplan.files.entries import coefficients_dir

    text = (coefficients_dir() / "checks" / "on_policy.csv").read_text(encoding="utf-8")
    return io.StringIO("\n".join(one for one in text.splitlines() if not one.startswith("#")))


@pytest.mark.parametrize("left_out", [1, 2, 3])
def test_scores_between_sizes_come_back_where_one_is_left_out(left_out):
    """Against the measured score of the size that is left out."""
    gone = LAW.sizes[left_out]
    others = tuple(one for one in LAW.sizes if one is not gone)
    found = between_sizes(LAW._replace(sizes=others), gone.params, "rl")
    assert found == pytest.approx(gone.rl, abs=3e-3)


def test_a_teacher_above_the_students_size_does_as_one_of_its_size():
    """The law's own cap, min(Nt, Ns)."""
    larger, same = (asked("--student", "1.5B", "--teacher", one) for one in ("14B", "1.5B"))
    assert larger["teachers"][0]["vanilla"] == same["teachers"][0]["vanilla"]
    needless = [one["teachers"][0]["larger_than_needed"] for one in (larger, same)]
    assert needless == [True, False]
    assert "onpolicy_teacher_larger" in codes(larger)
    assert "own size does the same" in larger["headline"]


def headline(*words):
    return asked("--student", "3B", *words)["headline"]


def test_a_larger_teacher_that_scores_less_is_not_as_good_as_one_of_the_students_size():
    """The law's form: G_eff is the score of the teacher, 60% here, and 73.59% of a 3B one."""
    law = LAW.laws[Objective.VANILLA]
    weak, own = (peak_score(law, 3e9, 3e9, score) for score in (0.6, 0.7359))
    said = headline("--teacher", "7B", "--teacher-score", "60%")
    assert f"peaks at {weak:.1%}" in said
    assert f"one of the student's own size at 73.6% brings it to {own:.1%}" in said
    assert "does the same" not in said


def test_a_score_that_the_law_caps_is_said_to_be():
    """The law's own cap: a larger teacher counts as one of the student's size, 73.59% of a 3B."""
    words = ("--teacher", "7B", "--teacher-score", "85%")
    said = headline(*words)
    assert "a teacher of 7B, whose 85.0% count as 73.6%: one of the student's own size" in said
    screen = " ".join(run("onpolicy", "--student", "3B", *words).stdout.split())
    assert "counts it as that one, its 85.0% as 73.6%" in screen


@pytest.mark.parametrize("teacher", ["7B", "3B", "1.5B"])
def test_a_teacher_that_does_not_lift_is_no_gain(teacher):
    """The student starts at 53.0% in the study."""
    said = headline("--teacher", teacher, "--teacher-score", "30%")
    assert said.startswith("No gain: a 3B student starts at 53.0% and peaks at ")


@pytest.mark.parametrize(
    ("student", "said"), [("8B", "An 8B student"), ("11B", "An 11B"), ("1.8B", "A 1.8B")]
)
def test_articles_are_as_numbers_are_spoken(student, said):
    assert asked("--student", student, "--teacher", student)["headline"].startswith(said)
    assert f"{said} student"[:9] in run("onpolicy", "--student", student).stdout


def test_the_best_teacher_is_never_larger_than_the_student():
    for size, name in (("0.5B", "qwen2.5-0.5b"), ("7B", "qwen2.5-7b"), ("14B", "qwen2.5-14b")):
        found = asked("--student", size)
        assert found["teachers"][found["best"]]["teacher"] == name


def test_at_equal_score_the_smaller_teacher_teaches_better():
    law = LAW.laws[Objective.VANILLA]
    peaks = [peak_score(law, 14e9, size, 0.7) for size in (0.5e9, 1.5e9, 3e9, 7e9, 14e9)]
    assert peaks == sorted(peaks, reverse=True)


def test_a_size_and_a_model_of_the_study_are_the_same():
    size, name = (asked("--student", one, "--teacher", "3B") for one in ("7B", "Qwen/Qwen2.5-7B"))
    assert size["teachers"] == name["teachers"]


@pytest.mark.parametrize(
    "words",
    [
        ["--student", "llama-3.1-8b"],
        ["--student", "70B"],
        ["--student", "0.3B", "--teacher", "7B"],
        ["--student", "7B", "--teacher", "llama-3.1-8b"],
        ["--student", "7B", "--teacher", "0.1B", "--teacher-score", "0.5"],
        ["--student", "qwen3-8b", "--teacher", "qwen3-32b", *TIMED],
    ],
)
def test_what_is_not_covered_has_no_score(words):
    found = asked(*words)
    assert found["headline"].startswith("No score")
    assert found["best"] is None
    assert all(one["vanilla"] is None and one["delta"] is None for one in found["teachers"])
    assert "onpolicy_not_covered" in codes(found)


def test_a_teacher_beyond_the_study_is_said_to_be():
    found = asked("--student", "7B", "--teacher", "32B")
    assert {"onpolicy_teacher_outside", "onpolicy_teacher_larger"} <= codes(found)


def test_a_weak_teacher_is_said_not_to_lift():
    found = asked("--student", "14B", "--teacher", "7B", "--teacher-score", "30%")
    assert {"onpolicy_no_gain", "onpolicy_score_outside"} <= codes(found)


LONG = ["--student", "7B", "--gpu", "l4", "--answer-tokens", "1000"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--student", "7B", "--teacher-score", "0.5"], "name it with --teacher"),
        (["--student", "7B", "--teacher", "3B", "--teacher-score", "66"], "did you mean 66%?"),
        (["--student", "7B", "--teacher", "3B", "--teacher-score", "1"], "below 1"),
        (["--student", "7B", "--gpu", "h100-sxm"], "--answer-tokens"),
        (["--student", "7B", "--answer-tokens", "1000"], "--gpu"),
        (["--student", "7B", "--price", "2"], "--gpu"),
        (["--student", "80B-A3B"], "no shape"),
        ([], "--student"),
        ([*LONG, "--answers", "1e308", "--updates", "1000"], "more than 1e+18 tokens cannot be"),
        ([*LONG, "--gpus", "512"], "256 answers, too few for 512 GPUs"),
        ([*LONG, "--answers", "1e18"], "check --updates, --answers and --answer-tokens"),
    ],
)
def test_what_cannot_be_used_is_refused(words, says):
    found = run("onpolicy", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert says in found.stderr


def test_hours_are_the_sum_of_their_parts_and_grow_with_the_updates():
    once = asked("--student", "7B", "--teacher", "7B", *TIMED, "--updates", "100")
    twice = asked("--student", "7B", "--teacher", "7B", *TIMED, "--updates", "200")
    time = once["teachers"][0]["time"]
    parts = (f"{one}_gpu_hours" for one in ("generation", "scoring", "training"))
    assert time["gpu_hours"]["mid"] == pytest.approx(sum(time[one]["mid"] for one in parts))
    assert twice["teachers"][0]["time"]["gpu_hours"]["mid"] == pytest.approx(
        2 * time["gpu_hours"]["mid"]
    )
    assert twice["teachers"][0]["time"]["tokens_in_published_hours"] == pytest.approx(
        time["tokens_in_published_hours"]
    )
    assert time["cost_usd"]["mid"] == pytest.approx(
        time["gpu_hours"]["mid"] * gpu_catalog.gpu("h100-sxm").prices[0].usd_per_hour, rel=1
    )
    assert once["stage"]["tokens"] == 100 * 256 * 1000


def test_the_published_hours_stand_beside():
    """Qwen3's report, Table 21: 1,800 GPU-hours, and 17,920 of RL."""
    found = asked("--student", "qwen3-8b", "--teacher", "qwen3-32b", *TIMED)
    assert (found["published"]["gpu_hours"], found["published"]["rl_gpu_hours"]) == (1800, 17920)


def test_one_sequence_is_as_fast_as_its_weights_are_read():
    """The limit of a batch of one without a cache: bandwidth over bytes of weights."""
    gpu, shape = gpu_catalog.gpu("h100-sxm"), model("llama-3.1-8b").shape
    found = generation_speed(shape, gpu, throughput_model(), prompt=0, generated=2, per_gpu=1)
    reading = gpu.memory_bytes_per_s / (2 * shape.total_params)
    assert found.tokens_per_s_per_gpu.mid == pytest.approx(EFFICIENCY.mid * reading, rel=0.01)


def test_many_sequences_are_as_fast_as_the_products():
    """The limit of endless bandwidth: the matmul ceiling over the FLOPs of a token."""
    gpu = replace(gpu_catalog.gpu("h100-sxm"), memory_bytes_per_s=1e30)
    shape, speeds = model("llama-3.1-8b").shape, throughput_model()
    found = generation_speed(shape, gpu, speeds, prompt=0, generated=2)
    assert gpu.matmul_flops_per_s is not None
    bound = gpu.matmul_flops_per_s / shape.forward_flops(2)
    assert found.tokens_per_s_per_gpu.mid == pytest.approx(EFFICIENCY.mid * bound, rel=1e-6)


def test_published_rates_of_generation_are_within_the_range():
    """TensorRT-LLM's own tables; eight GPUs are known to be slower than the roofline."""
    found = json.loads(run("check", "generation", "-o", "json").stdout)
    assert (found["passed"], found["failed"], found["known"]) == (16, 0, 4)
    for row in found["rows"]:
        share = EFFICIENCY.mid * row["published"] / row["computed"]
        assert EFFICIENCY.low < share < EFFICIENCY.high


def test_a_model_that_fits_nowhere_is_refused():
    found = run("onpolicy", "--student", "deepseek-v3", "--gpu", "l4", "--answer-tokens", "1e12")
    assert found.returncode in (1, 2)
    assert found.stdout == ""


def test_the_check_of_the_study_passes():
    found = json.loads(run("check", "on-policy", "-o", "json").stdout)
    assert (len(found["rows"]), found["failed"], found["known"]) == (101, 0, 0)


def test_a_row_for_each_teacher():
    found = run("onpolicy", "--student", "7B", "-o", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(found)))
    assert [one["teacher"] for one in rows] == [one.model for one in LAW.sizes]
    assert float(rows[1]["vanilla_peak"]) == pytest.approx(0.7705, abs=1e-4)


# --- memory


STAGE = ("--student", "qwen2.5-7b", "--teacher", "qwen2.5-14b", "--answer-tokens", "1000")


def on(*words):
    """A stage and the first screen of it."""
    found = run("onpolicy", *STAGE, *words, "-o", "json")
    assert not found.returncode, found.stderr
    said = {one["code"]: one["message"] for one in json.loads(found.stdout)["warnings"]}
    return said, run("onpolicy", *STAGE, *words).stdout


def test_a_stage_that_does_not_fit_is_said_on_the_first_screen():
    """Of 7.6B parameters Adam alone keeps 16 bytes each, 122 GB; a teacher of 14.8B has 29.5 GB."""
    said, screen = on("--gpu", "rtx-4090", "--gpus", "1")
    assert "so the stage cannot run; use at least " in said["does_not_fit"]
    for code, least in (("does_not_fit", 7.6 * 16), ("teacher_does_not_fit", 14.8 * 2)):
        assert float(re.search(r"takes ([\d.]+) GB of the 25.5 GB", said[code])[1]) > least
        assert said[code][:40] in " ".join(screen.split())


def test_a_stage_that_fits_on_its_gpus_says_nothing_of_memory():
    said, _ = on("--gpu", "h100-sxm", "--gpus", "64")
    assert not said.keys() & {"does_not_fit", "fit_uncertain", "teacher_does_not_fit"}


def test_where_another_layout_fits_it_is_said():
    """States of 16 bytes for 7.6B parameters are 15 GB on each of eight; what else there is,
    such as activations, can be computed again."""
    said, _ = on("--gpu", "rtx-4090", "--gpus", "8")
    assert "another one fits on 8 of them (distillplan estimate)" in said["does_not_fit"]


def test_a_loss_in_chunks_stands_in_where_the_plain_one_does_not_fit():
    """The 151936 logits of 8192 tokens are 2.5 GB in 16 bits, and a plain loss has several."""
    words = ("--student", "qwen2.5-0.5b", "--teacher", "qwen2.5-0.5b", "--answer-tokens", "4000",
             "--gpu", "rtx-4090", "--gpus", "8", "-o", "json")  # fmt: skip
    said = {one["code"] for one in json.loads(run("onpolicy", *words).stdout)["warnings"]}
    assert "loss_in_chunks" in said
    assert not said & {"does_not_fit", "fit_uncertain"}


def test_the_words_of_its_tables_are_explained():
    words = ("onpolicy", "--student", "1.5B", "--teacher", "7B")
    assert "words: distillplan explain delta" in run(*words).stdout
    shown = " ".join(run(*words, "--details").stdout.split())
    assert "Vanilla: trained on the divergence from the teacher; delta: on what RL" in shown
    assert "sqrt(KL): how far the student has moved" in shown
    for word in ("vanilla", "delta", "sqrt(KL)"):
        assert explain(word).word == word


@pytest.mark.parametrize(
    ("student", "teacher", "score", "is_guess"),
    [
        ("1.5B", "1.5B", "80%", True),
        ("1.5B", "1.5B", "63.6%", False),  # what RL reaches: the printed table
        ("7B", "3B", "90%", True),
        ("7B", "3B", "73.5%", False),
        ("7B", "3B", "60%", False),
        ("1.5B", "3B", "80%", False),  # counts as one of the student's size
    ],
)
def test_a_score_that_no_model_of_that_size_has_makes_a_guess(student, teacher, score, is_guess):
    """By the study's own RL scores: 0.6362 for 1.5B, 0.7359 for 3B."""
    found = asked("--student", student, "--teacher", teacher, "--teacher-score", score)
    assert ("onpolicy_score_above_size" in codes(found)) is is_guess
