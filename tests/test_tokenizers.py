"""A student and a teacher with different tokenizers: who cannot distill as asked reads so first.

Llama 3 has a vocabulary of 128,256 and Qwen 3 one of 151,936, by their config.json files, so that
no student of the one learns from the logits of the other token by token.
"""

import json

import pytest

from distillplan.laws.law_catalog import law
from distillplan.questions.prediction import predict
from tests.shell import run

TOLD = "qwen3-4b (qwen2.5) and its teacher llama-3.1-8b (llama-3) have different tokenizers"
APART = ("--student", "qwen3-4b", "--teacher", "llama-3.1-8b")
BOTH = "qwen3-4b (qwen2.5), qwen3-1.7b (qwen2.5) and their teacher llama-3.1-8b"
FIRST = {
    ("budget", "3e21", *APART, "--quick"): TOLD,
    ("budget", "3e21", *APART, "--quick", "--laws", "all"): TOLD,
    ("target", "--loss", "2.2", *APART): TOLD,
    ("crossover", *APART): TOLD,
    ("crossover", "--student", "qwen3-4b,qwen3-1.7b", *APART[2:]): BOTH,
    ("family", "1e22", "--students", "qwen3-4b,qwen3-1.7b", *APART[2:], "--quick"): BOTH,
    ("predict", "--tokens", "100B", *APART): TOLD,
    ("serve", "--loss", "2.05", *APART): TOLD,
    ("sweep", "--compute", "1e21,1e22", *APART): "In all cells",
    ("estimate", "--model", "qwen3-4b", *APART[2:], "--tokens", "10B", "--gpu", "h100-sxm"): (
        "qwen3-4b (qwen2.5) and llama-3.1-8b (llama-3) have different tokenizers"
    ),
}


def shown(*words):
    """What a command prints, on one line."""
    return " ".join(run(*words).stdout.split())


@pytest.mark.parametrize("words", FIRST, ids=" ".join)
def test_no_first_screen_is_silent_of_different_tokenizers(words):
    """Under the answer, and once; a teacher of the student's own family is no matter."""
    found = run(*words).stdout
    told = FIRST[words]
    assert " ".join(found.split()).count(told) == 1
    before_tables, *_ = found.split("\n\n")
    assert told in " ".join(before_tables.split())
    same = [one.replace("llama-3.1-8b", "qwen3-8b") for one in words]
    assert "tokenizer" not in run(*same).stdout.split("\n\n")[0]


@pytest.mark.parametrize("command", ["predict", "crossover", "target", "budget"])
def test_documents_have_the_warning(command):
    asked = {
        "predict": ("--tokens", "100B"),
        "crossover": (),
        "target": ("--loss", "2.2"),
        "budget": ("3e21", "--laws", "all", "--quick"),
    }[command]
    found = json.loads(run(command, *asked, *APART, "-o", "json").stdout)
    assert [one["code"] for one in found["warnings"]].count("tokenizers_differ") == 1


def test_a_sweep_says_in_how_many_cells():
    found = shown("sweep", "--compute", "1e21", "--student", "qwen3-4b,1B", *APART[2:])
    assert found.startswith("In 1 of 2 cells student and teacher have different tokenizers")


def test_a_prediction_knows_the_student_by_its_name():
    sizes = {"student_params": "qwen3-4b", "student_tokens": 1e11}
    codes = [one.code for one in predict(law(), **sizes, teacher="llama-3.1-8b").warnings]
    assert codes.count("tokenizers_differ") == 1
    codes = [one.code for one in predict(law(), **sizes, teacher="qwen3-8b").warnings]
    assert "tokenizers_differ" not in codes


def compared(tmp_path, scenarios):
    """The first screen of a comparison, on one line."""
    file = tmp_path / "plans.yaml"
    file.write_text(
        f"base: {{compute: 3e21, student: qwen3-4b, logits: cached}}\nscenarios: {scenarios}\n"
    )
    return shown("compare", str(file), "--quick")


def test_of_plans_that_tie_the_best_is_one_that_holds(tmp_path):
    """The two teachers have 6.98B and 6.95B parameters, so their students tie."""
    found = compared(tmp_path, "{a: {teacher: llama-3.1-8b}, b: {teacher: qwen3-8b}}")
    assert "a: a:" not in found
    assert found.startswith("Best: b is within 0.01 nats of a and holds as it is.")
    assert found.index(f"a: {TOLD}") < found.index("verdict")


def test_a_plan_that_is_best_by_its_loss_says_what_it_takes(tmp_path):
    """A teacher of 0.44B parameters teaches a student of 3.63B less than one of 7B."""
    found = compared(tmp_path, "{a: {teacher: llama-3.1-8b}, b: {teacher: qwen3-0.6b}}")
    assert found.startswith("Best: a (distill, if the tokenizers matched) reaches")
    assert found.count(f"a: {TOLD}") == 1


def test_losses_of_students_with_different_tokenizers_are_not_compared(tmp_path):
    """Whoever has no name may have any tokenizer, so it is set beside either."""
    file = tmp_path / "plans.yaml"
    file.write_text(
        "base: {compute: 3e21, logits: cached}\nscenarios:\n"
        "  sized: {student: 1B, teacher: '7B:2T'}\n"
        "  llama: {student: llama-3.2-1b, teacher: llama-3.1-8b}\n"
        "  taught: {student: 1B, teacher: llama-3.1-8b}\n"
        "  qwen: {student: qwen3-1.7b, teacher: qwen3-8b}\n"
    )
    found = json.loads(run("compare", file, "--quick", "--baseline", "llama", "-o", "json").stdout)
    assert (found["winner"], found["comparable"]) == (None, False)
    assert "different tokenizers (llama: llama-3 and qwen: qwen2.5)" in found["reason"]
    by_name = {one["name"]: one for one in found["differences"]}
    assert by_name["qwen"]["loss"] is by_name["qwen"]["margin_nats"] is None
    assert by_name["qwen"]["total_flops"] is not None
    for name in ("sized", "taught"):
        assert None not in (by_name[name]["loss"], by_name[name]["margin_nats"])
    assert "of each plan's own text and tokenizer" in shown("compare", file, "--quick")


def test_a_students_size_reads_as_its_teacher_does(tmp_path):
    """A student of no name that learns from Llama has its tokens, and one of Qwen has others."""
    scenarios = "{a: {teacher: llama-3.1-8b}, b: {teacher: qwen3-8b}}"
    file = tmp_path / "plans.yaml"
    for student, told in (("1B", False), ("qwen3-0.6b", True)):
        file.write_text(
            f"base: {{compute: 3e21, student: {student}, logits: cached}}\nscenarios: {scenarios}\n"
        )
        found = json.loads(run("compare", file, "--quick", "-o", "json").stdout)
        assert found["comparable"] is told


def test_a_report_says_it_under_the_verdict(tmp_path):
    file, page = tmp_path / "plan.yaml", tmp_path / "report.html"
    file.write_text(
        "base: {compute: 3e21, student: qwen3-4b, teacher: llama-3.1-8b, logits: cached}\n"
    )
    run("report", str(file), "-o", str(page))
    text = page.read_text(encoding="utf-8")
    verdict = text.index("Distill, if the tokenizers matched.")
    assert verdict < text.index(TOLD) < text.index("The choice for")
