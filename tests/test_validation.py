"""`validate -o json`: every fault as a record, the same as people read."""

import json
from pathlib import Path

import pytest

from tests.schemas import validate
from tests.shell import run

BROKEN = Path(__file__).parent / "data" / "broken.yaml"
EXAMPLES = Path(__file__).parents[1] / "examples"


def as_json(*words, code, folder=None, stdin=""):
    found = run("validate", *words, "-o", "json", folder=folder, stdin=stdin)
    assert (found.returncode, found.stderr) == (code, "")
    document = json.loads(found.stdout)
    validate(document, "validation")
    return document


def test_every_fault_has_its_line_scenario_key_and_message():
    """Lines and words as they stand in the file."""
    faults = as_json(BROKEN, code=2)["faults"]
    assert [(one["line"], one["scenario"], one["key"]) for one in faults] == [
        (5, "one", "studnts"),
        (8, "two", "students"),
        (9, "two", "nothing"),
        (11, "three", "logits"),
        (12, None, "extra"),
    ]
    lines = BROKEN.read_text(encoding="utf-8").splitlines()
    assert all(one["key"] in lines[one["line"] - 1] for one in faults)
    told = run("validate", BROKEN)
    assert (told.returncode, told.stdout) == (2, "")
    below = [f"  line {one['line']}, {one['message']}" for one in faults]
    assert told.stderr.splitlines() == [f"error: {BROKEN}: {len(faults)} faults", *below]


@pytest.mark.parametrize("name", ["compare.yaml", "grid.yaml", "machines.yaml", "lifetime.yaml"])
def test_a_sound_file_has_none(name):
    found = as_json(name, code=0, folder=EXAMPLES)
    assert found["faults"] == []
    told = run("validate", name, folder=EXAMPLES)
    assert (told.returncode, told.stdout) == (0, f"{name}: {found['summary']}\n")


def test_the_cells_are_those_of_the_sweep():
    found = as_json("grid.yaml", code=0, folder=EXAMPLES)
    rows = run("sweep", "grid.yaml", "-o", "jsonl", folder=EXAMPLES).stdout.splitlines()
    assert found["cells"] == len(rows) > 1


def test_a_fault_may_be_elsewhere(tmp_path):
    (tmp_path / "below.yaml").write_text("base:\n  compute: lots\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text("extends: below.yaml\nscenarios:\n  a: {}\n", encoding="utf-8")
    (fault,) = as_json("s.yaml", code=2, folder=tmp_path)["faults"]
    assert (fault["source"], fault["line"], fault["key"]) == ("below.yaml", 2, "compute")
    faults = as_json(EXAMPLES / "compare.yaml", "--set", "students=1.5", code=2)["faults"]
    (fault,) = faults
    assert (fault["source"], fault["line"], fault["key"]) == (None, None, "students")


@pytest.mark.parametrize(
    ("text", "says"),
    [("base: [", "line 2"), ("- 1\n", "not a scenario file"), ("", "an empty file")],
)
def test_what_is_no_scenario_file_is_one_fault(text, says, tmp_path):
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    (fault,) = as_json("s.yaml", code=2, folder=tmp_path)["faults"]
    assert fault["line"] is None
    assert says in fault["message"]
    assert run("validate", "s.yaml", folder=tmp_path).stderr == f"error: {fault['message']}\n"


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_for_people_faults_are_an_error(form):
    found = run("validate", BROKEN, "-o", form)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 6


DEMANDS = """base: {compute: 1e21, student: 1B}
scenarios:
  b: {teacher: 7B:2T, assert: {cost_usd: "<= 5000"}}
  c: {gpu: h100-sxm, gpus: 8, assert: {co2_kg: "<= 5"}}
"""


def test_assertions_that_no_plan_can_meet_are_faults_of_the_file(tmp_path):
    """Money needs a GPU, and its CO2 a country: each run would refuse the file, so all say so."""
    file = tmp_path / "plans.yaml"
    file.write_text(DEMANDS)
    for command in ("validate", "compare"):
        found = run(command, str(file))
        assert found.returncode == 2
        assert "line 3, scenario b: assertion cost_usd: no GPU is named" in found.stderr
        assert "line 4, scenario c: assertion co2_kg: the country of the grid" in found.stderr
    file.write_text(
        DEMANDS.replace("7B:2T", "7B:2T, gpu: h100-sxm").replace("8,", "8, country: FRA,")
    )
    assert run("validate", str(file)).returncode == 0


def test_an_assertion_of_all_scenarios_names_those_that_cannot_meet_it(tmp_path):
    file = tmp_path / "plans.yaml"
    file.write_text(
        "base: {compute: 1e21}\nassert:\n  fits: 'yes'\nscenarios:\n"
        "  a: {student: 1B}\n  b: {student: 2B}\n  c: {gpu: h100-sxm}\n"
    )
    assert "line 3, scenarios a, b: assertion fits: no GPU" in run("validate", str(file)).stderr


def test_a_comparison_names_every_assertion_that_it_cannot_answer(tmp_path):
    file = tmp_path / "plans.yaml"
    file.write_text("base: {compute: 1e21}\nscenarios: {a: {student: 1B}, b: {student: 2B}}\n")
    found = run("compare", str(file), "--assert", "cost_usd <= 3").stderr
    assert "a: assertion cost_usd: no GPU" in found
    assert "b: assertion cost_usd: no GPU" in found
