"""The picture of `estimate`: parts sum to what the estimate says, and each is what it is called."""

import csv
import inspect
import io
import json
from typing import get_args

import pytest

from distillplan.cli.commands.estimate import estimate
from distillplan.cli.commands.plot_estimate import plot_estimate
from distillplan.questions.run_parts import PartOf
from distillplan.render.figures.picture_files import figure_of
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.shell import run

PLAIN = ("--model", "7B", "--tokens", "140B", "--gpu", "h100-sxm", "--gpus", "64")
ONLINE = (
    *("--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b", "--tokens", "100B"),
    *("--gpu", "a100-80gb", "--gpus", "16"),
)
CACHED = (*ONLINE, "--logits", "cached", "--students", "3", "--teacher-tokens", "1T")
LARGE = (
    *("--model", "llama-3.1-70b", "--teacher", "400B", "--tokens", "1T", "--gpu", "h100-sxm"),
    *("--gpus", "512", "--tp", "8", "--pp", "4", "--precision", "fp8"),
)
MIXTURE = ("--model", "mixtral-8x7b", "--tokens", "1T", "--gpu", "h200-sxm", "--gpus", "128")
GIVEN = (*ONLINE, "--mfu", "0.4", "--teacher-mfu", "0.5")
APART = tuple((*ONLINE, "--teacher-gpus", gpus) for gpus in ("4", "64"))
KINDS = {
    "plain": PLAIN,
    "online": ONLINE,
    "cached": CACHED,
    "large": LARGE,
    "mixture": MIXTURE,
    "given": GIVEN,
    "slow teacher": APART[0],
    "slow student": APART[1],
    "both given": (*GIVEN, "--teacher-gpus", "64"),
}


def said(*words):
    """The document of the picture, and that of the estimate."""
    drawn, whole = (
        run("plot", "estimate", *words, "-o", "json"),
        run("estimate", *words, "-o", "json"),
    )
    assert (drawn.returncode, whole.returncode) == (0, 0), drawn.stderr + whole.stderr
    return json.loads(drawn.stdout), json.loads(whole.stdout)


def parts_of(document, kind):
    """The parts of a kind by name, and their total."""
    *parts, total = (one for one in document["parts"] if one["of"] == kind)
    assert total["is_total"]
    assert not any(one["is_total"] for one in parts)
    return {one["name"]: one["mid"] for one in parts}, total


@pytest.mark.slow
def test_it_is_saved_in_every_format(tmp_path):
    found = saved_as_each("plot", "estimate", *ONLINE, folder=tmp_path)
    assert found.stdout == f"Wrote {tmp_path / 'picture.svg'}.\n"


@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
def test_parts_sum_to_what_the_estimate_says(words):
    drawn, whole = said(*words)
    asked = whole["question"]
    seconds, total = parts_of(drawn, "step_seconds")
    in_step = asked["batch_tokens"] / (asked["gpus"] + (asked["teacher_gpus"] or 0))
    rate = whole["tokens_per_s_per_gpu"]
    assert sum(seconds.values()) == pytest.approx(in_step / rate["mid"])
    ends = [in_step / rate[end] for end in ("high", "mid", "low")]
    assert [total[end] for end in ("low", "mid", "high")] == pytest.approx(ends)
    assert all(one >= 0 for one in seconds.values())
    for kind, name in (
        ("memory_bytes", "memory_bytes_per_gpu"),
        ("gpu_hours", "gpu_hours"),
        ("cost_usd", "cost_usd"),
    ):
        parts, total = parts_of(drawn, kind)
        assert sum(parts.values()) == pytest.approx(total["mid"])
        assert {end: total[end] for end in ("low", "mid", "high")} == whole[name]


@pytest.mark.parametrize(
    ("gpus", "slower"), [("4", "teacher's pass"), ("64", "slowdown of a distillation step")]
)
def test_of_two_sides_at_once_the_slower_takes_the_time(gpus, slower):
    """A side's time is that of its work over its own GPUs; a step is as long as the slower."""
    drawn, whole = said(*ONLINE, "--teacher-gpus", gpus)
    seconds, total = parts_of(drawn, "step_seconds")
    step, tokens = whole["distillation"], whole["question"]["batch_tokens"]
    assert total["mid"] == pytest.approx(step["online_step_seconds"]["mid"])
    assert any(slower in one for one in seconds)
    teacher = tokens / int(gpus) / whole["speed"]["teacher"]["tokens_per_s_per_gpu"]["mid"]
    student = step["cached_step_seconds"]["mid"] + step["loss_step_seconds"]["mid"]
    assert total["mid"] == pytest.approx(max(teacher, student))
    assert sum(seconds.values()) == pytest.approx(total["mid"])


def test_a_slow_network_is_waited_for(tmp_path):
    """128256 logits of 2 bytes over the four links of the teacher's side, at 0.1 GB/s each."""
    (tmp_path / "slow.yaml").write_text(
        "gpus:\n  slow:\n    vendor: NVIDIA\n    arch: Ampere\n    dense_bf16_tflops: 312\n"
        "    memory_gb: 80\n    memory_bw_gb_s: 2039\n    intra_node_gb_s: 300\n"
        "    inter_node_gb_s: 0.1\n    gpus_per_node: 8\n",
        encoding="utf-8",
    )
    words = (*(one if one != "a100-80gb" else "slow.yaml" for one in ONLINE), "--teacher-gpus", "4")
    found = run("plot", "estimate", *words, "-o", "json", folder=tmp_path)
    seconds, total = parts_of(json.loads(found.stdout), "step_seconds")
    assert total["mid"] == pytest.approx(4 * 2**20 * 128256 * 2 / (4 * 0.1e9))
    assert seconds["waiting for the logits to arrive"] > 0.5 * total["mid"]
    assert sum(seconds.values()) == pytest.approx(total["mid"])


def test_a_bubble_is_that_of_the_pipeline():
    """(p - 1) / m of the busy time, for m micro-batches (Narayanan et al., arXiv:2104.04473)."""
    words = ("--pp", "4", "--interleave", "1", "--batch-tokens", "4194304", "--micro-batch", "1")
    drawn, whole = said(*PLAIN, "--sharding", "zero1", *words)
    seconds, _ = parts_of(drawn, "step_seconds")
    bubble = seconds["pipeline bubbles"]
    batches = 4194304 / (64 / 4) / whole["question"]["seq_len"]
    factors = whole["speed"]["student"]["factors"]
    after = factors["pipeline"] * factors["scale_out"] * factors["mixture"]
    busy = sum(seconds.values()) * after
    assert bubble / busy == pytest.approx(3 / batches)


def test_one_gpu_waits_for_nobody():
    drawn, _ = said("--model", "300M", "--tokens", "1B", "--gpu", "h100-sxm", "--gpus", "1")
    seconds, _ = parts_of(drawn, "step_seconds")
    assert seconds.keys() & {"communication", "pipeline bubbles", "routing to experts"} == set()


def test_a_mixture_pays_for_its_routing():
    seconds, _ = parts_of(said(*MIXTURE)[0], "step_seconds")
    assert seconds["routing to experts"] > 0


def test_at_a_given_speed_the_parts_are_model_flops_over_it():
    drawn, whole = said(*GIVEN)
    seconds, _ = parts_of(drawn, "step_seconds")
    tokens = whole["question"]["batch_tokens"] / 16
    student, teacher = (whole[name]["forward_flops_per_token"] for name in ("model", "teacher"))
    peak = 312e12  # dense bf16 of an A100, in its data sheet
    assert seconds == {
        "training, at your speed": pytest.approx(tokens * 3 * student / (0.4 * peak)),
        "the teacher's pass": pytest.approx(tokens * teacher / (0.5 * peak)),
        # measured on an H100 at 128k rows, cross-entropy 2.4 and KL 5.7 microseconds a token; the
        # time of memory is by bandwidth, 3.35 TB/s there and 2.04 here
        "the loss of the teacher's logits": pytest.approx(
            tokens * (5.7e-6 - 2.4e-6) * 3.35 / 2.04, rel=0.15
        ),
    }


def test_what_the_teacher_takes_is_said_to_be_its_own():
    whose = {one["name"]: one["for_teacher"] for one in said(*CACHED)[0]["parts"]}
    assert whose["teacher training"]
    assert whose["stored logits"]
    assert not whose["logits"]
    assert not whose["student training"]
    assert not whose["total"]
    assert not any(one["for_teacher"] for one in said(*PLAIN)[0]["parts"])


def test_data_is_what_is_drawn(tmp_path):
    path = tmp_path / "parts.csv"
    assert run("plot", "estimate", *ONLINE, "--data", path).returncode == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    document, _ = said(*ONLINE)
    assert [(one["of"], one["name"], float(one["mid"])) for one in rows] == [
        (one["of"], one["name"], one["mid"]) for one in document["parts"]
    ]


@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
def test_bars_are_the_parts_and_no_words_overlap(words, monkeypatch):
    drawn = []
    give = "distillplan.cli.commands.plot_estimate.give"
    monkeypatch.setattr(give, lambda found, *_: drawn.append(found))
    assert run("plot", "estimate", *words, "-o", "json").returncode == 0
    (found,) = drawn
    figure = figure_of(found)
    assert in_each_others_way(figure) == []
    kinds = [kind for kind in PartOf if found.kind(kind)]
    assert len(figure.axes) == len(kinds)
    for axes, kind in zip(figure.axes, kinds, strict=True):
        names = [one.get_text() for one in axes.get_yticklabels()]
        shown = [one for one in found.kind(kind) if one.name in names]
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([one.mid for one in shown])
    assert found.headline in texts_of(figure)


def test_without_a_price_there_is_no_cost():
    drawn, whole = said(*(one if one != "h100-sxm" else "h20" for one in PLAIN))
    assert whole["cost_usd"] is None
    assert {one["of"] for one in drawn["parts"]} == {"step_seconds", "memory_bytes", "gpu_hours"}


@pytest.mark.parametrize("words", [ONLINE, CACHED])
def test_free_gpus_are_drawn_without_shares_of_nothing(words, tmp_path):
    """Found by the fuzzer: a part of a cost of 0 was divided by it."""
    done = run("plot", "estimate", *words, "--price", "0", "-o", "free.svg", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "$0.00" in (tmp_path / "free.svg").read_text()


def test_the_options_are_those_of_estimate():
    ours, theirs = (
        {
            name: (get_args(one.annotation)[0], get_args(one.annotation)[1].help, one.default)
            for name, one in inspect.signature(command).parameters.items()
            if name not in {"details", "output", "data"}
        }
        for command in (plot_estimate, estimate)
    )
    assert ours == theirs
    assert len(ours) > 40


def test_mistakes_name_the_options(tmp_path):
    found = run("plot", "estimate", *PLAIN, "--width", "8", "-o", "a.svg", folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert "both give the model; leave one out" in found.stderr
    found = run("plot", "estimate", *PLAIN[:-2], "--gpus", "0", "-o", "a.svg", folder=tmp_path)
    assert found.returncode == 2
    assert "--gpus" in found.stderr
    assert not list(tmp_path.iterdir())
