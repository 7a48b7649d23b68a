"""Plans of every kind for the tests of recipes and exports, made once."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from distillplan.accounting import Accounting
from distillplan.planning.results import Method
from distillplan.questions.plan_document import plan_of_document
from distillplan.questions.plan_settings import (
    PlanSettings,
    settings_of_document,
    with_open_teacher,
)
from distillplan.questions.recipe import recipe, run_option
from distillplan.questions.recipe_records import Recipe
from tests.shell import run

EXAMPLE = Path(__file__).parents[1] / "examples" / "plan.json"
ASKED = {
    "cached": ("1e20", "--student", "1B", "--teacher-loss", "2.1", "--logits", "cached"),
    "sized": ("1e20", "--student", "1.821B", "--teacher", "llama-3.1-8b"),
    "named": ("1e21", "--student", "llama-3.2-1b", "--teacher", "llama-3.1-8b"),
    "stored": ("1e21", "--student", "1B", "--teacher", "smollm2-1.7b", "--logits", "cached"),
    **{
        kind: (
            *("1e21", "--student", "1B", "--teacher", "smollm2-1.7b", "--logits", "cached"),
            *("--logit-format", kind, *words),
        )
        for kind, words in {
            "top-k": ("--logit-k", "64"),
            "top-p": (),
            "top-k-and-label": ("--logit-k", "20"),
            "sampled": ("--logit-k", "9"),
            "full": (),
            "distillkit": (),
        }.items()
    },
    "forbidden": ("1e20", "--student", "300M", "--teacher", "llama-3-8b"),
    "qwen": ("1e21", "--student", "qwen2.5-0.5b", "--teacher", "qwen2.5-7b"),
    "trains": ("1e21", "--student", "300M"),
    "family": ("1e22", "--student", "1B", "--students", "30", "--logits", "stored"),
    "short": ("1e21", "--student", "1B", "--teacher", "7B:2T", "--max-unique-tokens", "5B"),
    "large": ("1e24", "--student", "30B", "--teacher", "llama-3.1-405b"),
    "cards": (
        *("1e21", "--student", "qwen2.5-0.5b", "--teacher", "qwen2.5-7b"),
        *("--gpu", "rtx-4090", "--gpus", "8"),
    ),
    **{
        kind: ("1e21", "--student", "qwen3-4b", "--teacher", "qwen3-32b", *words.split())
        for kind, words in {
            "tp": "--gpu h100-sxm --gpus 64 --tp 8",
            "pp": "--gpu h100-sxm --gpus 64 --tp 2 --pp 4",
            "rack": "--gpu gb200 --gpus 72",
            "micro": "--gpu h100-sxm --gpus 48 --micro-batch 4",
            "zero3": "--gpu h100-sxm --gpus 64 --sharding zero3 --checkpointing none",
            "recomputed": "--gpu h100-sxm --gpus 24 --cp 2 --checkpointing full --sharding none",
            "batch": "--gpu h100-sxm --gpus 64 --tp 8 --batch-tokens 1048576",
        }.items()
    },
    "alone": ("1e21", "--student", "1B", "--law", "besiroglu2024"),
}
"""Words of `budget` that make them."""


@cache
def document(kind: str) -> str:
    """The document of one of them, as `budget -o json` writes it."""
    done = run("budget", *ASKED[kind], "--quick", "-o", "json")
    assert done.returncode == 0, done.stderr
    return done.stdout


def recipe_of(
    kind: str, option: Accounting | Method | None = None, **changed: Any
) -> tuple[Recipe, PlanSettings]:
    """The recipe of a plan, and its settings.

    Args:
        kind: which plan.
        option: which of its options.
        changed: keys of its scenario that are changed.
    """
    data = json.loads(document(kind))
    data["scenario"] |= changed
    plan = plan_of_document(data, "plan.json")
    chosen = run_option(plan, option)
    settings = with_open_teacher(settings_of_document(data, "plan.json"), chosen.teacher_name)
    return recipe(plan, settings, chosen), settings
