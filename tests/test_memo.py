"""The question of `--why` and of a report, in words: whether its sizes are those of the plan."""

import json

import pytest

from distillplan.units.quantities import format_count
from tests.shell import run

QUESTIONS = (
    ("3e21", "--student", "10B", "--teacher", "7B:2T", "--logits", "cached"),
    ("3e21", "--student", "3B", "--teacher", "7B:2T"),
    ("1e21", "--student", "1B", "--teacher-loss", "2.0", "--logits", "cached"),
    ("1e21",),
    ("1e21", "--teacher", "llama-3.1-8b"),
    ("1e21", "--teacher", "7B:2T", "--logits", "cached"),
    ("1e21", "--law", "kaplan2020"),
    ("1e18", "--student", "3B", "--teacher", "70B:15T"),
)


@pytest.mark.parametrize("words", QUESTIONS)
def test_a_question_names_the_sizes_of_both_choices(words):
    """Against the plan's document: a teacher is larger only where its size says so."""
    shown = " ".join(run("budget", *words, "--quick", "--why").stdout.split())
    question = shown[: shown.index("(distill)?")]
    plan = json.loads(run("budget", *words, "--quick", "-o", "json").stdout)
    alone, other = plan["options"][0], [one for one in plan["options"] if one["decides"]]
    sizes = [alone["student_params"], *(one["student_params"] for one in other)]
    for size in sizes:
        assert size is None or f"{format_count(size)} " in question
    teachers = [one["teacher_params"] for one in other]
    larger = any(one is not None and one > sizes[-1] for one in teachers)
    assert ("let a larger model teach" in question) is larger
    assert ("let another model teach" in question) is not larger
