"""The command under an estimate: it runs, and asks about the run that was estimated."""

import inspect
import json
import shlex

import pytest

from distillplan.cli.commands.estimate import estimate
from tests.shell import run

TAUGHT = ("--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b")
STORED = (*TAUGHT, "--logits", "stored", "--logit-format", "top-k")
BASE = ("--tokens", "100B", "--gpu", "h100-sxm", "--gpus", "16")
GIVEN = {
    "model": (("--model", "1B"), "--student 1B"),
    "teacher": (TAUGHT, "--student llama-3.2-1b --teacher llama-3.1-8b"),
    "teacher_tokens": (
        ("--model", "1B", "--teacher", "7B", "--teacher-tokens", "123.4B"),
        "--teacher 7B:123.4B --accounting train ",
    ),
    "seq_len": ((*TAUGHT, "--seq-len", "32768"), "--context 32768"),
    "vocab": (("--model", "1B", "--vocab", "50000"), "--vocab 50000"),
    "ep": (("--model", "1B", "--ep", "1"), "--student 1B"),
    "logits": ((*TAUGHT, "--logits", "cached"), "--logits cached"),
    "logit_format": ((*TAUGHT, "--logit-format", "top-k"), "--teacher llama-3.1-8b --gpu"),
    "logit_k": ((*STORED, "--logit-k", "64"), "--logit-format top-k --logit-k 64"),
    "logit_months": ((*STORED, "--logit-months", "3"), "--logit-months 3"),
    "teacher_gpus": ((*TAUGHT, "--teacher-gpus", "8"), "without --teacher-gpus, which a plan"),
    "tokens_per_s": ((*TAUGHT, "--tokens-per-s", "9000"), "without --tokens-per-s, which a plan"),
    "interleave": (
        ("--model", "1B", "--pp", "2", "--interleave", "2", "--sharding", "zero1"),
        "--interleave 2",
    ),
    "gradients": ((*TAUGHT, "--gradients", "bf16"), "--gradients bf16"),
    "prices": ((*TAUGHT, "--prices", "prices.csv"), "--prices prices.csv"),
}
"""Options with what they are given beside the base, and what then stands under the estimate."""
PLAIN = {
    "students": "3",
    "teacher_precision": "int4",
    "teacher_mfu": "0.4",
    "precision": "fp8",
    "checkpointing": "full",
    "sharding": "zero1",
    "layout": "auto",
    "tp": "2",
    "pp": "2",
    "cp": "2",
    "sequence_parallel": "off",
    "micro_batch": "2",
    "batch_tokens": "2M",
    "attention": "flash2",
    "stack": "compiled",
    "optimizer": "muon",
    "loss": "fused",
    "offload": "optimizer",
    "mfu": "0.4",
    "goodput": "0.9",
    "price": "2.2",
    "pue": "1.3",
    "country": "FRA",
}
"""Options that are the same in both, with a value."""
GIVEN |= {
    name: ((*TAUGHT, f"--{name.replace('_', '-')}", value), f"--{name.replace('_', '-')} {value}")
    for name, value in PLAIN.items()
}
SHAPE = {"layers", "width", "ffn", "ffn_matrices", "heads", "kv_heads", "tied"}


def under(folder, *words):
    """What stands under an estimate in one line, and the words of its command."""
    (folder / "prices.csv").write_text("gpu,usd_per_hour\nh100-sxm,2.0\n", encoding="utf-8")
    found = run("estimate", *words, *BASE, folder=folder)
    assert not found.returncode, found.stderr
    line = " ".join(found.stdout.replace("\\\n", " ").split()).rpartition("With the same hours")[2]
    return line, shlex.split(line.partition("distillplan ")[2].rpartition(" More: ")[0])


def test_every_option_is_tried():
    asked = set(inspect.signature(estimate).parameters) - SHAPE - {"details", "output"}
    assert asked - {"tokens", "gpu", "gpus"} == GIVEN.keys()


@pytest.mark.parametrize(("words", "said"), GIVEN.values(), ids=GIVEN)
def test_the_command_runs_and_carries_the_option(words, said, tmp_path):
    line, command = under(tmp_path, *words)
    assert said in line
    plan = run(*command, "--quick", "-o", "json", folder=tmp_path)
    assert not plan.returncode, plan.stderr
    assert json.loads(plan.stdout)["scenario"]["hardware"]["gpus"] == 16


def test_few_tokens_of_a_named_teacher_are_no_other_model_s_size(tmp_path):
    line, command = under(tmp_path, *TAUGHT, "--teacher-tokens", "100B")
    assert "--teacher 'llama-3.1-8b:100B tokens' --accounting train " in line
    plan = json.loads(run(*command, "--quick", "-o", "json", folder=tmp_path).stdout)
    assert plan["scenario"]["teacher"]["tokens"] == 100e9


@pytest.mark.parametrize("teacher", ["gpt-oss-20b", "7B"])
def test_a_teacher_of_unknown_quality_asks_for_its_loss(teacher, tmp_path):
    line, command = under(tmp_path, "--model", "1B", "--teacher", teacher)
    assert line.startswith(", distill or not (LOSS is the teacher's")
    assert command[-2:] == ["--teacher-loss", "LOSS"]
    plan = run(*command[:-1], "2.0", "--quick", "-o", "json", folder=tmp_path)
    assert not plan.returncode, plan.stderr


def test_of_cached_logits_the_training_of_the_teacher_is_paid_alone(tmp_path):
    """The teacher's passes are not: Table 2 of the paper, teacher pretraining."""
    words = (*TAUGHT, "--teacher-tokens", "1T", "--logits", "cached")
    _, command = under(tmp_path, *words)
    plan = json.loads(run(*command, "--quick", "-o", "json", folder=tmp_path).stdout)
    assert plan["scenario"]["accounting"] == "train_shared"


@pytest.mark.parametrize(
    "words",
    [
        ("--model", "qwen3-30b-a3b"),
        ("--layers", "16", "--width", "2048", "--ffn", "8192", "--heads", "32", "--vocab", "50000"),
    ],
)
def test_what_no_plan_is_made_of_has_no_command(words, tmp_path):
    line, _ = under(tmp_path, *words)
    assert "distillplan budget" not in line
