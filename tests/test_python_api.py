"""What a program gives in place of a shell's words: the same answers, the same errors."""

import copy
import math
import pickle
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

import distillplan
from distillplan import (
    Bounds,
    Scenario,
    Teacher,
    compare,
    crossovers,
    document,
    law,
    plan,
    predict,
    read_scenarios,
)
from distillplan.errors import InfeasibleError, InputError
from distillplan.fields import demand_finite
from distillplan.hardware.strategy import Strategy
from distillplan.models.architecture import FixedAspect
from distillplan.optimize.problems import SizeBounds, bounds_named
from distillplan.planning import planner
from distillplan.planning.scenario import Limits
from tests.shell import answer

QUESTION = {"law": law(), "compute": 1e21, "student_params": 1e9}
TEACHER = Teacher(params=7e9, tokens=2e12)


@pytest.mark.parametrize(
    ("words", "members"),
    [
        ({"accounting": "exists"}, {"accounting": distillplan.Accounting.EXISTS}),
        ({"logits": "stored"}, {"logits": distillplan.Logits.STORED}),
        ({"bounds": "paper"}, {"bounds": bounds_named(SizeBounds.PAPER)}),
        ({"teacher": "7B:2T"}, {"teacher": TEACHER}),
        ({"students": 2.0}, {"students": 2}),
        ({"law": "busbridge2025"}, {"law": law()}),
        ({"compute": np.float32(1e21)}, {"compute": float(np.float32(1e21))}),
        ({"student_params": 10**9}, {"student_params": 1e9}),
        ({"student_params": Fraction(10**9)}, {"student_params": 1e9}),
    ],
)
def test_a_word_is_the_member_it_names(words, members):
    said = Scenario(**{**QUESTION, "teacher": TEACHER, **words})
    meant = Scenario(**{**QUESTION, "teacher": TEACHER, **members})
    assert said == meant
    assert plan(said, quick=True) == plan(meant, quick=True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"accounting": "exist"}, "accounting: 'exist' is none of free, exists, train_shared"),
        ({"logits": "disk"}, "logits: 'disk' is none of online, stored, cached"),
        ({"bounds": "widest"}, "bounds: 'widest' is none of published, paper"),
        ({"student_params": 7}, "student_params: 7 parameters; did you mean 7B?"),
        ({"max_unique_tokens": 3}, "max_unique_tokens: 3 tokens; did you mean 3B?"),
        ({"teacher": "2T:7B"}, "the order is PARAMETERS:TOKENS; did you mean 7B:2T?"),
        ({"students": 2.5}, "students: 2.5 is not a whole number"),
        ({"students": math.nan}, "students: nan is not a whole number"),
        ({"students": math.inf}, "students: inf is not a whole number"),
        ({"students": True}, "students: True is not a number"),
        ({"compute": "1e21"}, "compute: '1e21' is not a number"),
        ({"compute": 10**400}, "compute: 1000000000000000000000000000000000000... is not a finite"),
        ({"compute": 1e21 + 1j}, "compute: complex is not a number"),
        ({"compute": [1e21]}, "compute: list is not a number"),
        ({"tie_nats": None}, "tie_nats: NoneType is not a number"),
        ({"law": "busbridge"}, "law: 'busbridge' is unknown; did you mean 'busbridge2025'"),
        ({"law": 3}, "law: expected a name or the path of a file, got 3"),
        ({"student_tokens": -1}, "student_tokens: -1.0 is not a positive number"),
        ({"teacher": 7e9}, "teacher: expected Teacher, got 7000000000.0"),
        ({"architecture": None}, "architecture: expected FixedAspect, got NoneType"),
        ({"limits": Limits(hours=math.nan)}, "deadline: nan is not a positive number"),
        ({"limits": Limits(usd=-1.0)}, "max_cost_usd: -1.0 is not a positive number"),
        ({"limits": Limits(hours="7 days")}, "deadline: '7 days' is not a number"),
    ],
)
def test_what_a_shell_refuses_a_program_may_not_ask(fields, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Scenario(**{**QUESTION, **fields})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Teacher(params="7B", tokens=2e12), "teacher.params: '7B' is not a number"),
        (lambda: FixedAspect(vocab="llama"), "architecture.vocab: 'llama' is not a number"),
        (lambda: Bounds(student_params="7B"), "bounds.student_params: '7B' is not a pair"),
        (lambda: Bounds(student_params=(1e6, "1B")), "bounds.student_params: '1B' is not a number"),
        (lambda: Strategy(sharding="zero4"), "sharding: 'zero4' is none of none, zero1"),
        (lambda: Strategy(tp=1.5), "tp: 1.5 is not a whole number"),
        (
            lambda: predict(law(), student_params="1B", student_tokens="20B"),
            "student_tokens: '20B' is not a number",
        ),
        (
            lambda: predict(law(), student_params="qwen3-0.7b", student_tokens=2e10),
            "student: no model is named 'qwen3-0.7b'; did you mean",
        ),
        (
            lambda: predict(law(), student_params=1e9, student_tokens=2e10, teacher=7e9),
            "teacher: expected Teacher, got 7000000000.0",
        ),
        (
            lambda: predict(law(), student_params=1e9, student_tokens=2e10, teacher="llama-3.1"),
            "did you mean",
        ),
        (
            lambda: crossovers(Scenario(**QUESTION), [1e9], accountings=["freely"]),
            "accounting: 'freely' is none of free",
        ),
        (
            lambda: crossovers(Scenario(**QUESTION), [1e9], levels=[math.nan]),
            "gain: give at least one gain",
        ),
        (
            lambda: crossovers(Scenario(**QUESTION), [1e9], accountings=[]),
            "accounting: give at least one, e.g. free",
        ),
        (lambda: crossovers(Scenario(**QUESTION), None), "student: expected a list, got NoneType"),
        (lambda: crossovers(Scenario(**QUESTION), [None]), "student: give at least one, e.g. 1B"),
        (lambda: crossovers("1B", [1e9]), "scenario: expected Scenario, got '1B'"),
        (lambda: plan("x"), "scenario: expected Scenario, got 'x'"),
        (lambda: plan({"compute": 1e21}), "scenario: expected Scenario, got dict"),
        (lambda: law(3), "law: expected a name or the path of a file, got 3"),
        (lambda: compare([]), "scenarios: give those of read_scenarios, or {'small':"),
        (lambda: compare([Scenario(**QUESTION)]), "scenarios: give those of read_scenarios"),
        (lambda: compare({"a": 3}), "scenarios: give those of read_scenarios"),
        (lambda: compare(3), "scenarios: give those of read_scenarios"),
        (lambda: compare(None), "scenarios: expected a list, got NoneType"),
        (lambda: read_scenarios(3), "source: expected a mapping of keys or the path of a file"),
        (lambda: read_scenarios({"compute": law}), "scenarios: not what a file can say"),
        (lambda: read_scenarios({"compute": 1e21, "student": "banana"}), "no model is named"),
        (lambda: document(3), "answer: expected a Plan or another answer, got 3"),
    ],
)
def test_the_other_records_refuse_it_too(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()


def test_the_law_is_the_default_one_unless_another_is_named():
    assert Scenario(compute=1e21) == Scenario(compute=1e21, law=law())
    sizes = {"student_params": 1e9, "student_tokens": 2e10}
    assert predict(**sizes) == predict("busbridge2025", **sizes) == predict(law(), **sizes)
    assert predict("kaplan2020", **sizes) != predict(**sizes)


def test_one_of_a_list_needs_no_list():
    asked = Scenario(**QUESTION, teacher=TEACHER)
    one = crossovers(asked, "1B", "free", 0.01, quick=True)
    assert one == crossovers(asked, ["1B"], ["free"], [0.01], quick=True)


def test_scenarios_are_compared_by_the_names_that_a_program_gives_them():
    small, large = Scenario(compute=1e20, student_params=1e9), Scenario(**QUESTION)
    found = compare({"small": small, "large": large}, baseline="small", quick=True)
    assert [one.name for one in found.plans] == ["small", "large"]
    assert found.plans[1].plan.scenario == large
    assert found.differences[0].total_flops == pytest.approx(1e21 - 1e20, rel=1e-9)


def test_a_program_says_what_a_file_would(tmp_path):
    """GPUs and money have no field of their own that a program could fill."""
    said = {
        "base": {"student": "1B", "teacher": {"params": np.float64(7e9), "loss": 1.95}},
        "scenarios": {"week": {"budget": "64 h100-sxm for 7 days"}, "flops": {"compute": 1e21}},
    }
    file = tmp_path / "said.yaml"
    file.write_text(
        "base: {student: 1B, teacher: {params: 7e9, loss: 1.95}}\n"
        "scenarios: {week: {budget: 64 h100-sxm for 7 days}, flops: {compute: 1e21}}\n"
    )
    assert read_scenarios(said) == read_scenarios(file)
    week, _ = read_scenarios(said)
    assert week.scenario.gpu_hours == 64 * 7 * 24


def test_the_document_of_an_answer_is_what_the_shell_writes():
    found = plan(Scenario(**QUESTION), quick=True)
    assert document(found) == answer("budget", "1e21", "--student", "1B", "--quick")


def test_answers_survive_copies_and_say_what_they_are():
    found = plan(Scenario(**QUESTION, teacher=TEACHER))
    pickled = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert (pickled, copy.copy(found), copy.deepcopy(found)) == (found,) * 3
    assert repr(found) == f"<Plan: {found.headline}>"
    assert repr(found.law) == "<PublishedLaw busbridge2025>"


def test_a_prediction_takes_the_names_that_a_scenario_takes():
    """The same sizes as those of the scenario's records, so the same losses to the last digit."""
    asked = Scenario(compute=1e21, student_params="qwen3-0.6b", teacher="qwen3-8b", law=law())
    named, sized = (
        predict(law(), student_params=student, student_tokens=2e10, teacher=teacher)
        for student, teacher in (
            ("qwen3-0.6b", "qwen3-8b"),
            (asked.student_params, asked.teacher),
        )
    )
    assert named == sized
    assert named.teacher_loss == asked.teacher_loss


def test_a_word_of_the_layout_is_its_member():
    assert Strategy(sharding="zero1", precision="fp8") == Strategy(
        sharding=type(Strategy().sharding).ZERO1, precision=type(Strategy().precision).FP8
    )


def test_accountings_may_be_words():
    asked = Scenario(**QUESTION, teacher=TEACHER)
    words = crossovers(asked, [1e9], accountings=["free"], levels=[0.01], quick=True)
    assert words.rows[0].accounting is distillplan.Accounting.FREE


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_no_answer_with_a_number_that_is_none_leaves_the_planner(monkeypatch, wrong):
    honest = planner.supervised_option
    monkeypatch.setattr(
        planner, "supervised_option", lambda scenario: honest(scenario)._replace(total_flops=wrong)
    )
    with pytest.raises(InfeasibleError, match=f"options.0.total_flops came out as {wrong}"):
        plan(Scenario(**QUESTION), quick=True)


def test_the_gate_looks_into_every_part():
    demand_finite({"a": [1.0, (2, "nan"), {"b": None}], "c": np.array([math.nan])})
    for whole in ({"a": [{"b": math.inf}]}, [math.nan], (1.0, (math.nan,)), math.nan):
        with pytest.raises(InfeasibleError, match="no answer"):
            demand_finite(whole)


def test_a_program_sees_every_public_name_and_needs_no_numpy_for_that():
    script = (
        "import sys, distillplan\n"
        "names = dir(distillplan)\n"
        "assert set(distillplan.__all__) < set(names), names\n"
        "assert len(names) == len(set(names))\n"
        "assert not {'numpy', 'scipy', 'yaml', 'typer'} & set(sys.modules)\n"
        "for name in distillplan.__all__:\n"
        "    assert getattr(distillplan, name).__name__ == name\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_has_a_home():
    homes = [name for names in distillplan._HOMES.values() for name in names]
    assert sorted(homes) == distillplan.__all__
    namespace: dict[str, object] = {}
    exec("from distillplan import *", namespace)  # noqa: S102  (our own line)
    assert set(distillplan.__all__) <= set(namespace)


@pytest.mark.parametrize("teacher", ["llama-3.1-8b", "7B", Teacher(params=7e9, tokens=2e12)])
def test_the_measured_loss_of_a_teacher_counts_before_that_of_the_law(teacher):
    """The law knows a teacher by its loss alone: the same answer as from the loss by itself."""
    sizes = {"student_params": 1e9, "student_tokens": 1e11, "teacher_loss": 2.3}
    named, measured = predict(law(), **sizes, teacher=teacher), predict(law(), **sizes)
    assert named.teacher_loss == 2.3
    assert named == measured


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"student_model": "qwen3-0.6b"}, "student_model: expected KnownModel, got 'qwen3-0.6b'"),
        ({"machine": "h100-sxm"}, "machine: expected Machine, got 'h100-sxm'"),
        ({"architecture": "x", "student_params": "qwen3-0.6b"}, "expected FixedAspect"),
        ({"limits": {}}, "limits: expected Limits, got dict"),
    ],
)
def test_a_word_in_the_place_of_a_record_is_an_input_error(wrong, says):
    with pytest.raises(InputError, match=says):
        Scenario(**{"compute": 1e21, "law": law("busbridge2025"), **wrong})


def test_a_teacher_of_another_class_is_an_input_error():
    with pytest.raises(InputError, match=r"teacher\.model: expected KnownModel, got 'qwen3-8b'"):
        Teacher(model="qwen3-8b")
