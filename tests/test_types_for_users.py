"""The public names as a type checker reads them: what they take at run time is no error there.

The same program is run, so that the annotations promise no more than the code keeps.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distillplan.errors import InputError

ROOT = Path(__file__).parents[1]
PROGRAM = """
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from distillplan import (
    Accounting,
    Bounds,
    Logits,
    Option,
    Plan,
    Prediction,
    Scenario,
    Teacher,
    Verdict,
    all_laws,
    compare,
    crossovers,
    document,
    law,
    plan,
    predict,
    read_scenarios,
)

answer: Plan = plan(Scenario(compute=1e21, student_params=1e9, teacher="llama-3.1-8b", law=law()))
assert answer.margin_nats is not None and answer.odds is not None
print(answer.verdict, f"{answer.margin_nats:+.3f}", f"{answer.odds.supervised:.0%}")

words = Scenario(
    law=law("busbridge2025"),
    compute=10**21,
    student_params="qwen3-0.6b",
    students=np.int64(2),
    teacher=Teacher(params=np.float64(7e9), tokens=2 * 10**12),
    logits="stored",
    accounting="exists",
    bounds="paper",
    tie_nats=0,
)
members = replace(
    words,
    student_params=np.int64(10**9),
    logits=Logits.ONLINE,
    accounting=Accounting.FREE,
    bounds=Bounds(student_params=[10**6, 1e12]),
    teacher="7B:2T",
    inference_tokens=Fraction(1, 2),
)
cut = Scenario(law=law(), compute=1e21, student_params="3B", start="pruned")
size: float | None = members.student_params
count: int = words.students
taught: Teacher | None = words.teacher
paid: Accounting | None = words.accounting
options: tuple[Option, ...] = plan(members, quick=True).options
verdict: Verdict | None = plan(cut, quick=True).verdict

point: Prediction = predict(
    law(), student_params="1B", student_tokens=10**11, teacher="3B:1T", teacher_loss=np.float32(2)
)
predict(all_laws()[1], student_params=np.int64(10**9), student_tokens=1e11, teacher_loss=2)
question = Scenario(law=law(), compute=1e21)
crossovers(question, ["1B", 3 * 10**9], ["free", Accounting.EXISTS], (0.01,), quick=True)
crossovers(question, np.array([1e9]), quick=True)
plain = Scenario(compute=1e21, law="busbridge2025")
shown: str = document(compare({"plain": plain, "default": Scenario(compute=1e21)}))["schema"]
read_scenarios({"compute": "8 h100-sxm for 7 days", "student": "1B"})
predict(student_params="1B", student_tokens=2e10)
path = Path("scenarios.yaml")
path.write_text("scenarios:\\n  a: {compute: 1e21, student: 1B}\\n  b: {compute: 1e22}\\n")
compare(one for one in read_scenarios(path, ["student=2B"], (f"loss <= {x}" for x in (3, 4))))
"""
REFUSED = """
from distillplan import Scenario, Teacher, law, predict

Scenario(law=3, compute=1e21)
Scenario(law=law(), compute="1e21")
Scenario(law=law(), compute=1e21, teacher=7e9)
Scenario(law=law(), compute=1e21, logits=True)
Scenario(law=law(), compute=1e21, studens=2)
Teacher(params="7B", tokens=1e12)
Teacher(model="qwen3-8b")
predict(law(), student_params=1e9, student_tokens="100B")
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What `mypy --strict` says of a program that imports this package."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("user")

    def check(program):
        (folder / "program.py").write_text(program, encoding="utf-8")
        words = ["-m", "mypy", "--strict", "--no-error-summary", "--follow-imports", "silent"]
        return subprocess.run(
            [sys.executable, *words, "--cache-dir", folder / "cache", "program.py"],
            cwd=folder,
            env={**os.environ, "MYPYPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=False,
        )

    return check


@pytest.mark.slow
def test_what_the_public_names_take_is_no_error(checked):
    found = checked(PROGRAM)
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


@pytest.mark.slow
def test_what_they_refuse_is_one(checked):
    """One for each line, as each raises when it is run."""
    found = checked(REFUSED)
    lines = {int(one.split(":")[1]) for one in found.stdout.splitlines() if ": error:" in one}
    calls = enumerate(REFUSED.splitlines(), 1)
    assert lines == {row for row, one in calls if "(" in one}, found.stdout


def test_the_program_runs(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("line", [one for one in REFUSED.splitlines() if "(" in one])
def test_each_line_that_is_refused_raises(line):
    with pytest.raises((InputError, TypeError)):
        exec(f"from distillplan import *\n{line}", {})  # noqa: S102  (the lines above)
