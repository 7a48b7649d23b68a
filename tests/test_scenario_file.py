"""Scenario files: what they say, who wins, and every fault with its place."""

import contextlib
import json
import math
import string
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from distillplan import Bounds, Scenario, Teacher, law, plan
from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.files.entries import coefficients_dir
from distillplan.models.architecture import FixedAspect
from distillplan.planning.budget_text import Budget
from distillplan.render.document_forms import written
from distillplan.render.documents import document
from distillplan.scenarios.key_table import TABLE
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.scenario_file import read_grid, read_scenarios
from tests.plans import scenario_from_options
from tests.schemas import validate, validator
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
LN2 = math.log(2)
COEFFICIENTS = coefficients_dir()
KEYS = {word: key for word, key in TABLE.keys.items() if not key.is_group}
GROUPS = [word for word, key in TABLE.keys.items() if key.is_group]
ALIASES = TABLE.aliases


@pytest.fixture
def file(tmp_path):
    """Writes a scenario file and gives its path."""

    def write(text, name="s.yaml"):
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
        return str(path)

    return write


def only(path, **options):
    (found,) = read_scenarios(path, **options)
    return found.scenario


def fault(path, **options):
    with pytest.raises(InputError) as caught:
        read_scenarios(path, **options)
    return str(caught.value)


def test_the_words_of_a_file(file):
    """All keys of the contract, against the Scenario built by hand."""
    path = file(
        "base:\n"
        "  compute: 1e22\n"
        "  student: 3B\n"
        "  students: 8\n"
        "  teacher: {params: 7B, tokens: 2T, loss: 1.95}\n"
        "  logits: stored\n"
        "  accounting: train\n"
        "  law: busbridge2025_figure1\n"
        "  tie: 0.02\n"
        "  inference_tokens: 1e12\n"
        "  max_unique_tokens: 100B\n"
        "  max_student_tokens: 30T\n"
        "  max_teacher_params: 70B\n"
        "  min_teacher_params: 100M\n"
        "  architecture: {context: 8192, vocab: 128000, aspect: 64, omega: 10}\n"
    )
    assert only(path) == Scenario(
        compute=1e22,
        student_params=3e9,
        students=8,
        teacher=Teacher(params=7e9, tokens=2e12, loss=1.95),
        logits=Logits.STORED,
        accounting=Accounting.TRAIN,
        law=law("busbridge2025_figure1"),
        tie_nats=0.02,
        inference_tokens=1e12,
        max_unique_tokens=1e11,
        bounds=Bounds(student_tokens=(1e6, 3e13), teacher_params=(1e8, 7e10)),
        architecture=FixedAspect(context=8192.0, vocab=128000.0, aspect=64.0, omega=10.0),
    )


@pytest.mark.parametrize(
    ("written", "flops"),
    [("1e21", 1e21), ("1.5e+21", 1.5e21), ("'1e21'", 1e21), ("10 PF-days", 8.64e20), ("7P", 7e15)],
)
def test_numbers_as_people_write_them(file, written, flops):
    assert only(file(f"base: {{compute: {written}}}")).compute == flops


def test_a_teacher_in_one_word(file):
    path = file("base: {compute: 1e21, teacher: 7B:2T}")
    assert only(path).teacher == Teacher(params=7e9, tokens=2e12)


VALUES = {
    # three values that differ from each other and from the default
    "compute": ("1e20", "1e21", "1e22"),
    "student_params": ("1B", "2B", "3B"),
    "students": (2, 3, 4),
    "teacher.params": ("7B", "8B", "9B"),
    "teacher.tokens": ("1T", "2T", "3T"),
    "teacher.loss": (1.9, 2.0, 2.1),
    "logits": ("stored", "cached", "stored"),
    "logit_format": ("top-k", "top-k-and-label", "sampled"),
    "logit_k": (5, 20, 50),
    "logit_months": (2, 3, 0),
    "accounting": ("free", "exists", "free"),
    "law": ("busbridge2025_figure1", "busbridge2025_printed", "busbridge2025_figure1"),
    "tie_nats": (0.02, 0.03, 0),
    "inference_tokens": ("1T", "2T", 0),
    "max_unique_tokens": ("10B", "20B", "30B"),
    **{f"architecture.{name}": (500, 600, 700) for name in ("context", "vocab")},
    **{f"architecture.{name}": (50, 60, 70) for name in ("aspect", "omega")},
    "gpu_hours": ("10k", "20k", "30k"),
    "gpu_days": ("1k", "2k", "3k"),
    "deadline": ("2 days", 100, "1 week"),
    "max_cost_usd": ("$20k", 30_000, "40k"),
    "max_memory_bytes": ("40GB", "16 GiB", 3e10),
    "hardware.gpu": ("a100-80gb", "h200-sxm", "l4"),
    "hardware.precision": ("fp8", "fp16", "fp8"),
    "hardware.teacher_precision": ("fp8", "int4", "fp8"),
    "hardware.checkpointing": ("full", "none", "full"),
    "hardware.sharding": ("zero1", "zero2", "zero1"),
    "hardware.attention": ("unfused", "flash1", "unfused"),
    "hardware.stack": ("eager", "tuned", "eager"),
    "hardware.optimizer": ("adam8bit", "adam-bf16", "adam8bit"),
    "hardware.gradients": ("bf16", "in-backward", "bf16"),
    "hardware.offload": ("optimizer", "all", "optimizer"),
    "hardware.sequence_parallel": ("off", "on", "off"),
    "hardware.loss": ("chunked", "fused", "chunked"),
    **dict.fromkeys(("hardware.mfu", "hardware.teacher_mfu", "hardware.goodput"), (0.3, 0.4, 0.5)),
    **dict.fromkeys(("hardware.pue", "hardware.price"), (1.5, 1.6, 1.7)),
    **dict.fromkeys(("hardware.tokens_per_s", "hardware.grid_g_co2_per_kwh"), (300, 400, 500)),
    "hardware.batch_tokens": ("1M", "2M", "8M"),
    "hardware.gpus": (2, 4, 16),
    **dict.fromkeys([f"hardware.{name}" for name in ("tp", "pp", "cp", "interleave")], (2, 4, 8)),
    "hardware.micro_batch": (3, 4, 5),
}
OTHERWISE = (
    *("hardware.prices", "hardware.country"),
    *("hardware.layout", "hardware.teacher_gpus"),  # which no plan takes
    *("student_tokens", "student_model", "teacher.model"),
    *(
        "start",
        "parent",
        "parent_loss",
        "start_law",
    ),  # each needs the others: tests/test_pruned_starts.py
    *(
        "teacher.bpb",
        "teacher.loss_unit",
        "teacher.bytes_per_token",
        "bytes_per_token",
    ),  # converted
)
"""Keys whose values do not stand in a scenario as they were written: looked up, or converted."""


def samples(key):
    if key in VALUES:
        return VALUES[key]
    if key.startswith("bounds."):
        return [1e7, 1e12], [1e8, 1e13], [1e9, 1e14]
    return ("1T", "2T", "3T") if key.startswith("max") else ("10M", "20M", "30M")


def at(scenario, place):
    """The value at a place of `KEYS`."""
    if place == "budget":
        return scenario.compute or scenario.gpu_hours
    if place.startswith("hardware."):
        return written(scenario)["hardware"][place.partition(".")[2]]
    value = scenario
    for name in place.split("."):
        if name in ("low", "high"):
            return value[name == "high"]
        value = None if value is None else getattr(value, name)
    return value if isinstance(value, str) else getattr(value, "name", value)


@pytest.mark.parametrize(
    "key", [key for key in (*KEYS, *ALIASES) if ALIASES.get(key, key) not in OTHERWISE]
)
def test_command_line_over_scenario_over_base_over_default(file, key):
    known = KEYS[ALIASES.get(key, key)]
    low, middle, high = samples(ALIASES.get(key, key))
    teacher = {"teacher.params": 5e9, "teacher.tokens": 4e11}  # within every sample of bounds
    common = {"compute": 1e21, **teacher}
    hardware = known.place.startswith(("hardware", "limits")) or key.startswith("gpu_")
    if hardware:
        common["gpu"] = "h100-sxm"
    if known.place.startswith("stored."):
        common["logits"] = "stored"

    def layer(value):
        group, _, name = key.partition(".")
        return {group: {name: value}} if name else {key: value}

    def found(base, scenario, sets=()):
        document = {"extends": "below.yaml", "base": base, "scenarios": {"it": scenario}}
        file({"base": common}, "below.yaml")
        return at(only(file(document), sets=sets), known.place)

    def parsed(value):
        one = known.value.read(value, key)
        if known.place == "budget":
            return one.flops or one.gpu_hours
        if known.place == "student_params":
            return one.sized.params
        return one if isinstance(one, str) else getattr(one, "name", one)

    values = {"budget": Budget(flops=1e21), **teacher}
    default = at(
        scenario_of({**values, "hardware.gpu": "h100-sxm"} if hardware else values), known.place
    )
    base = found(layer(low), {})
    assert base == parsed(low) != default
    assert found(layer(low), layer(middle)) == parsed(middle)
    text = json.dumps(high)
    assert found(layer(low), layer(middle), [f"{key}={text}"]) == parsed(high)
    if known.place not in ("budget", "hardware.gpu", *teacher):
        assert found(layer(low), layer(None)) == default  # null takes the base's value back


def test_the_samples_are_all_keys():
    missing = {key for key in KEYS if key not in (*VALUES, *OTHERWISE)}
    assert all(key.startswith(("max_", "min_", "bounds.")) for key in missing)


def test_mappings_merge_and_words_replace(file):
    text = (
        "base: {{compute: 1e21, accounting: free, teacher: {{params: 7B, loss: 1.9}}}}\n"
        "scenarios: {{it: {{teacher: {teacher}}}}}"
    )
    merged = only(file(text.format(teacher="{loss: 2.0}"))).teacher
    assert merged == Teacher(params=7e9, loss=2.0)
    assert only(file(text.format(teacher="3B:1T"))).teacher == Teacher(params=3e9, tokens=1e12)
    assert only(file(text.format(teacher="null"))).teacher is None
    over = only(file(text.format(teacher="3B:1T")), sets=["teacher.loss=1.8"]).teacher
    assert over == Teacher(params=3e9, tokens=1e12, loss=1.8)


def test_a_file_extends_another(file):
    file("base: {compute: 1e20, student: 1B}\nassert: {verdict: distill}", "below.yaml")
    path = file("extends: below.yaml\nbase: {compute: 1e21}\nscenarios: {a: {}, b: {student: 3B}}")
    first, second = read_scenarios(path)
    assert (first.scenario.compute, first.scenario.student_params) == (1e21, 1e9)
    assert second.scenario.student_params == 3e9
    assert [one.text for one in first.assertions] == ["verdict == distill"]


@pytest.mark.parametrize(
    ("own", "left"),
    [
        ("{}", ["verdict == distill", "loss < 3"]),
        ("{assert: null}", []),
        ("{assert: {verdict: null}}", ["loss < 3"]),
        ("{assert: {loss: null, margin_nats: '> 0'}}", ["verdict == distill", "margin_nats > 0"]),
    ],
)
def test_null_takes_back_what_is_demanded_below(file, own, left):
    shared = "base: {compute: 1e21, assert: {verdict: distill}}\nassert: {loss: '< 3'}\n"
    here = file(f"{shared}scenarios: {{it: {own}}}")
    assert [one.text for one in read_scenarios(here)[0].assertions] == left
    file(shared, "below.yaml")
    above = file(f"extends: below.yaml\nscenarios: {{it: {own}}}")
    assert [one.text for one in read_scenarios(above)[0].assertions] == left


def test_a_demand_on_words_is_explained_with_one(file):
    with pytest.raises(InputError, match="not a condition; write for example verdict: distill"):
        read_scenarios(file("base: {compute: 1e21, assert: {verdict: [1]}}"))
    with pytest.raises(InputError, match="'verdct' is unknown"):
        read_scenarios(file("base: {compute: 1e21, assert: {verdct: null}}"))


def test_a_name_is_the_text_that_was_written(file):
    names = ["1e21", "1e3", "no", "off", "007", "2026-01-01", "1:30", "0x10", "1_000", "yes"]
    text = "".join(f"  {name}: {{}}\n" for name in names)
    found = read_scenarios(file(f"base: {{compute: 1e21}}\nscenarios:\n{text}"))
    assert [one.name for one in found] == names


def test_only_true_and_false_are_no_words(file):
    """YAML 1.2 has two words for them; 1.1 has on, off, yes and no as well (yaml.org/type/bool)."""
    hardware = "{gpu: h100-sxm, country: NO, sequence_parallel: no}"
    found = only(file(f"base: {{compute: 1e21, student: 1B, hardware: {hardware}}}"))
    norway = only(file("base: {compute: 1e21, gpu: h100-sxm, country: Norway, student: 1B}"))
    assert found.machine.grid_g_co2_per_kwh == norway.machine.grid_g_co2_per_kwh
    assert not found.machine.strategy.sequence_parallel


@pytest.mark.parametrize("nothing", ["none", "None", "null", "~"])
def test_none_takes_back_what_is_said_below(file, nothing):
    base = "base: {compute: 1e21, student: 1B, teacher: 7B:2T, hardware: {sharding: none}}"
    found = only(file(f"{base}\nscenarios: {{a: {{teacher: {nothing}, gpu: h100-sxm}}}}"))
    assert found.teacher is None
    assert found.machine.strategy.sharding == "none"  # where it is a choice
    wrong = "base: {compute: 1e21, bounds: none, logits: none}"  # no bounds, no teacher?
    assert "2 faults" in fault(file(wrong))


def test_keys_may_have_hyphens_as_options_have(file):
    text = "compute: 1e21\nstudent-params: 1B\nteacher-params: 7B\nteacher-loss: 6.6859"
    found = only(file(f"{text}\nloss-unit: perplexity"))
    assert found.student_params == 1e9
    assert found.teacher.loss == pytest.approx(1.9, abs=1e-4)  # ln 6.6859


def test_a_place_for_anchors(file):
    """`x-` as in the extensions of Docker Compose files."""
    text = "x-small: &small {student: 300M}\nbase: {compute: 1e21, <<: *small}\n"
    assert only(file(text)).student_params == 3e8
    validate(yaml.safe_load(text), "scenario")


def test_standard_input_is_a_file(monkeypatch):
    import io
    import types

    monkeypatch.setattr(
        "sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"base: {compute: 1e21}"))
    )
    assert only("-").compute == 1e21


def test_a_matrix_is_the_product_of_its_axes(file):
    path = file(
        "base: {compute: 1e21}\n"
        "matrix:\n  compute: 1e19:1e24:6\n  student: [300M, 1B]\n  teacher: [7B:2T, 13B:1T]\n"
    )
    grid = read_grid(path)
    cells = list(grid.cells())
    assert grid.size == len(cells) == 24
    assert grid.columns == ("compute", "student_params", "teacher")
    assert [cell[0]["compute"] for cell in cells[::4]] == [1e19, 1e20, 1e21, 1e22, 1e23, 1e24]
    assert cells[-1][1] == Scenario(
        compute=1e24,
        student_params=1e9,
        teacher=Teacher(params=13e9, tokens=1e12),
        law=law(),
    )
    assert len(read_scenarios(path)) == 24


def test_no_teacher_is_named_as_it_is_written(file):
    path = file("base: {compute: 1e21, student: 1B}\nmatrix: {teacher: [7B:2T, null]}\n")
    assert [one.name for one in read_scenarios(path)] == ["teacher 7B:2T", "teacher null"]


def test_a_range_of_whole_numbers_is_whole():
    grid = read_grid("", ["compute=1e21", "gpu=h100-sxm"], {"gpus": "8:64:4"})
    assert [at["hardware.gpus"] for at, _ in grid.cells()] == [8, 16, 32, 64]


def test_the_command_line_takes_the_place_of_an_axis(file):
    path = file("base: {compute: 1e21}\nmatrix: {student: [300M, 1B], students: 1:16:5}")
    assert [at["students"] for at, _ in read_grid(path, ["student=3B"]).cells()] == [1, 2, 4, 8, 16]
    grid = read_grid(path, [], {"student": "3B,5B,7B"})
    assert grid.size == 15


def test_an_axis_takes_back_nothing_that_is_said_above_it(file):
    measured = [Teacher(params=7e9, tokens=2e12, loss=2.1), Teacher(params=3e9, tokens=1e12)]
    axes = {"teacher": "7B:2T,3B:1T"}
    typed = read_grid("", ["compute=1e21", "teacher.loss=2.1"], axes)
    assert [one.teacher.loss for _, one in typed.cells()] == [2.1, 2.1]
    scenarios = file("base: {compute: 1e21}\nscenarios: {a: {teacher.loss: 2.1}, b: {}}\n"
                     "matrix: {teacher: [7B:2T, 3B:1T]}")  # fmt: skip
    (_, first), *_, (_, last) = read_grid(scenarios).cells()
    assert [first.teacher, last.teacher] == measured
    order = file("base: {compute: 1e21}\nmatrix: {teacher.loss: [2.1, 2.2], teacher: 7B:2T}")
    assert [one.scenario.teacher.loss for one in read_scenarios(order)] == [2.1, 2.2]
    with pytest.raises(InputError, match="bytes per token"):
        read_grid("", ["compute=1e21", "teacher.bpb=0.7"], axes)


def test_two_words_for_the_student_are_one(file):
    named = file("base: {compute: 1e21, student: 1B}\nscenarios: {a: {student_model: qwen3-0.6b}}")
    assert only(named).student_model.name == "qwen3-0.6b"
    both = "base: {compute: 1e21}\nscenarios: {a: {student_model: qwen3-0.6b}}\n"
    with pytest.raises(InputError, match="student is also given by scenario a"):
        read_grid(file(f"{both}matrix: {{student: [1B, 3B]}}"))


def test_every_fault_in_one_message(file):
    message = fault(
        file(
            "base:\n"
            "  compute: true\n"
            "  studnt: 1B\n"
            "scenarios:\n"
            "  a:\n"
            "    teacher: {parms: 7B}\n"
            "    student: 7Q\n"
            "  b: {students: 1.5, student: 1B, student: 2B}\n"
            "  c: {logits: ofline, law: busbridge, compute: .nan}\n"
            "matrix: {tie: [-1]}\n"
            "assert: {verdit: distill}\n"
            "extra: 1\n",
            "many.yaml",
        )
    )
    for part in [
        "many.yaml: 12 faults",
        "line 2, base: compute: expected a number, got true or false",
        "line 3, base: unknown key 'studnt'; did you mean 'student'",
        "line 6, scenario a: teacher: unknown key 'parms'; did you mean 'params'",
        "line 7, scenario a: student: '7Q' has the unknown suffix 'Q'",
        "line 8, duplicate key 'student'",
        "line 8, scenario b: students: 1.5 is not a whole number",
        "line 9, scenario c: logits: 'ofline' is none of online, stored, cached",
        "line 9, scenario c: law: 'busbridge' is unknown; did you mean 'busbridge2025'",
        "line 9, scenario c: compute: 'nan' is not finite",
        "line 10, matrix: tie: '-1' is not positive",
        "line 11, all scenarios: assertion: the key 'verdit' is unknown; did you mean 'verdict'",
        "line 12, unknown key 'extra' at the top of the file",
    ]:
        assert part in message
    assert message.count("\n") == message.count("line ")


def test_contradictions_have_their_place(file):
    message = fault(
        file(
            "base: {compute: 1e21}\n"
            "scenarios:\n"
            "  a: {}\n"
            "  b:\n"
            "    logits: cached\n"
            "  c:\n"
            "    teacher: 7B\n"
            "  d: {law: besiroglu2024, teacher: 7B:2T}\n"
        )
    )
    assert "line 5, scenario b: logits: they cannot be cached" in message
    assert "line 7, scenario c: teacher: 7.00B parameters alone" in message
    assert "line 8, scenario d: law: besiroglu2024 says nothing about distillation" in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("compute: 1e21\nbase: {}", "unknown key 'compute' at the top of the file; put it under"),
        ("compute: 1e21\nx: 1", "line 2, base: unknown key 'x'"),
        ("", "an empty file; write e.g. compute"),
        ("# nothing yet\n", "an empty file"),
        ("[1, 2]", "not a scenario file"),
        ("base: [1]", "line 1, base: not a mapping; write its keys below it, e.g. student: 1B"),
        ("base: {}\nscenarios: [{student: 1B}]", "write each name with its keys below it"),
        ("base: {}\nmatrix: [student]", "write each key with its values, e.g. student"),
        ("base: {}\nassert: [loss <= 2]", "write each key with its condition, e.g. loss: '<="),
        ("scenarios: {a: {student: 1B}}", "compute: the budget is missing"),
        ("base: {compute: 1e21, teacher: 7B:2T, teacher_params: 5B}", "leave one out"),
        ("base: {compute: 1e21, max_student_tokens: 1}", "not a range"),
        ("base: {compute: 1e21, teacher: [7B]}", "nor a mapping"),
        ("base: {compute: 1e21, bounds: {student_params: 7B}}", "not a pair"),
        ("base: {compute: 1e21}\nmatrix: {foo: [1]}", "unknown key 'foo'"),
        ("base: {compute: 1e21}\nmatrix: {student: []}", "no values"),
        ("base: {compute: 1e21}\nmatrix: {student: 1B:2B:0}", "not positive"),
        (
            "base: {compute: 1e21}\nmatrix: {student: [1B], student_params: [2B]}",
            "both give student_params",
        ),
        (
            "base: {student: 1B, tokens: 20B}\nmatrix: {compute: [1e20, 1e21]}",
            "matrix: compute and base both give budget; leave one out",
        ),
        (
            "matrix: {compute: [1e20, 1e21], student: ['1B:20B']}",
            "matrix: student and compute both give budget; leave one out",
        ),
        (
            "base: {compute: 1e21}\nscenarios: {a: {student: 1B}}\nmatrix: {student: [1B]}",
            "also given by scenario a",
        ),
        (
            "base: {compute: 1e21, hardware: {gpu: h100-sxm, deadline: 7 days}}",
            "hardware: unknown key 'deadline'; put it beside hardware, not below it",
        ),
        (
            "compute: 1e21\nassert:\n  loss: >= 2",
            "line 3: a condition or a value that starts with >",
        ),
        (
            "compute: 1e21 # \t\nassert: {loss: >= 2}",
            "line 2: a value that starts with '>' needs quotes",
        ),
        ("compute: 1e21\nassert: {verdict: ! distill}", "unsupported tag '!'"),  # not: not distill
        ("compute: 1e21\nteacher: @qwen", "a value that starts with '@' needs quotes"),
        ("[base]\ncompute = 1e21", "something follows where the first value has ended; is the"),
        ("base: {compute: 1e21, logits: off}", "logits: 'off' is none of online, stored, cached"),
        (
            "base: {compute: 1e21}\nmatrix: {teacher: {params: [3B, 7B], tokens: 1T}}",
            "matrix: teacher: a list within a mapping; write the axis teacher.params",
        ),
        ('scenarios: {"a\\e[31m": {compute: 1e21}}', "is not a name"),
        ("scenarios: {" + "n" * 101 + ": {compute: 1e21}}", "is not a name"),
        ("extends: /etc/passwd", "not the relative path"),
        ("extends: gone.yaml", "gone.yaml: cannot be read"),
        ("base: {compute: 1e21}\nassert: {loss: '<> 2'}", "not a number"),
        ("base: {compute: 1e21}\nassert: {verdict: maybe}", "none of distill"),
        ("base: {compute: 1e21}\nmatrix: {student: 1B:2B:100, students: 1:1000:100}", "too many"),
    ],
)
def test_faults_say_what_would_be_right(file, text, says):
    assert says in fault(file(text))


@pytest.mark.parametrize("text", ["teacher.loss", "=1", "compute=yes", "foo=1", "student=[1]"])
def test_faults_of_the_command_line(file, text):
    assert "--set" in fault(file("base: {compute: 1e21}"), sets=[text])


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(compute=1.0e21, law=law()),
        Scenario(compute=1.1e21, law=law("besiroglu2024"), student_params=1e9),
        Scenario(
            compute=3.3e22,
            law=law(),
            student_params=1.2345678901e9,
            students=7,
            teacher=Teacher(params=7e9, tokens=2e12, loss=1.9512345),
            logits=Logits.STORED,
            accounting=Accounting.TRAIN,
            tie_nats=0.0,
            bounds=Bounds(student_tokens=(1e8, 3e13)),
            architecture=FixedAspect(context=8192.0, omega=11.5),
            inference_tokens=1e12,
            max_unique_tokens=5e10,
        ),
        Scenario(
            compute=1e21, law=law(), teacher=Teacher(loss=1.95), logits=Logits.CACHED, students=2
        ),
        scenario_from_options(compute="64 h100-sxm for 7 days", student="1B", deadline="3 days"),
        scenario_from_options(compute="$20k", gpu="a100-80gb", price=1.75, teacher="7B:2T"),
        scenario_from_options(
            compute=1e22,
            hardware={
                "gpu": "h200-sxm",
                "gpus": 16,
                "tp": 2,
                "mfu": 0.4,
                "goodput": 0.9,
                "precision": "fp8",
                "checkpointing": "full",
                "country": "FRA",
            },
            max_cost_usd="$1M",
            max_memory_bytes="100GB",
        ),
    ],
    ids=["bare", "supervised", "all", "cached", "rented", "dollars", "machine"],
)
def test_the_scenario_block_of_a_plan_is_a_scenario(file, scenario):
    """Written to YAML by another program and read again: the same Plan, to the last bit."""
    answer = plan(scenario, quick=True)
    block = json.loads(json.dumps(document(answer)))["scenario"]
    path = file(yaml.safe_dump({"scenarios": {"it": block}}))
    assert only(path) == replace(scenario)
    assert plan(only(path), quick=True) == answer


@pytest.mark.parametrize(
    ("words", "nats"),
    [
        ({"teacher": {"params": "7B", "bpb": 0.72}, "bytes_per_token": 4.3}, 0.72 * 4.3 * LN2),
        ({"teacher": "7B", "teacher_bpb": 0.72, "bytes_per_token": 4.3}, 0.72 * 4.3 * LN2),
        ({"teacher": "7B", "teacher_loss": 3, "loss_unit": "bits-per-token"}, 3 * LN2),
        ({"teacher": "7B", "teacher_loss": 8, "loss_unit": "perplexity"}, math.log(8)),
        (
            {"teacher": {"params": "7B", "loss": 2.5, "bytes_per_token": 5}, "bytes_per_token": 4},
            2.0,
        ),
    ],
    ids=str,
)
def test_losses_in_other_units(file, words, nats):
    """bits/byte x bytes/token x ln 2, and the other definitions."""
    assert only(file({"base": {"compute": 1e21, **words}})).teacher.loss == pytest.approx(nats)


def test_a_loss_in_nats_takes_the_place_of_one_in_bits_and_back(file):
    base = {"compute": 1e21, "teacher_params": "7B", "teacher_bpb": 0.7, "bytes_per_token": 4.3}
    above = {"teacher": {"bpb": 0.72}}
    assert only(file({"base": base, "scenarios": {"it": above}})).teacher.loss == pytest.approx(
        0.72 * 4.3 * LN2
    )
    path = file({"base": base, "scenarios": {"it": {"teacher_loss": 1.9, "bytes_per_token": None}}})
    assert only(path).teacher.loss == 1.9
    over = only(path, sets=["teacher.bpb=0.71", "bytes_per_token=4"]).teacher.loss
    assert over == pytest.approx(0.71 * 4 * LN2)
    both = {**base, "teacher_loss": 1.9}
    assert "both give teacher.loss" in fault(file({"base": both}))
    inside = {"params": "7B", "bpb": 0.72, "bytes_per_token": 4.3}
    told = fault(file({"base": {"compute": 1e21, "teacher": inside}}))
    assert "teacher.bytes_per_token is of the teacher's own tokenizer" in told
    assert told.endswith("add bytes_per_token: 4.3 beside the teacher")


def test_own_files_are_asked_for_again(file, tmp_path):
    """A law, a GPU and a price list of the user's, named in the block of the plan."""
    own = yaml.safe_load((COEFFICIENTS / "laws" / "busbridge2025.yaml").read_text("utf-8"))
    own["name"] = "ours"
    del own["draws"]
    (tmp_path / "law.yaml").write_text(yaml.safe_dump(own), "utf-8")
    shape = {"model_type": "llama", "num_hidden_layers": 16, "hidden_size": 2048}
    shape |= {"num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 8192}
    shape |= {"vocab_size": 128256, "tie_word_embeddings": True}
    for name in ("small.json", "large.json"):
        (tmp_path / name).write_text(json.dumps(shape), "utf-8")
        shape["num_hidden_layers"] = 32
    gpus = yaml.safe_load((COEFFICIENTS / "gpus.yaml").read_text("utf-8"))
    ours = {**gpus, "gpus": {"my-gpu": {**gpus["gpus"]["h100-sxm"], "aliases": []}}}
    written = yaml.safe_dump(ours).replace("calibrated: true", "calibrated: yes")  # as people do
    assert "calibrated: yes" in written
    (tmp_path / "gpu.yaml").write_text(written, "utf-8")
    (tmp_path / "p.csv").write_text("gpu,usd_per_hour\nmy-gpu,1.25\n", "utf-8")
    scenario = scenario_from_options(
        compute="$20k",
        student=str(tmp_path / "small.json"),
        teacher=f"{tmp_path / 'large.json'}:2T",
        law=str(tmp_path / "law.yaml"),
        gpu=str(tmp_path / "gpu.yaml"),
        prices=str(tmp_path / "p.csv"),
    )
    answer = plan(scenario, quick=True)
    block = json.loads(json.dumps(document(answer)))["scenario"]
    assert plan(only(file({"base": block})), quick=True) == answer


def test_a_price_list_and_a_country(file, tmp_path):
    (tmp_path / "p.csv").write_text(
        "gpu,usd_per_hour,seller,date,source\nh100-sxm,1.25,us,2026-11-01,contract\n", "utf-8"
    )
    text = "base: {{compute: 1e21, gpu: h100-sxm, prices: '{}', country: FRA}}"
    machine = only(file(text.format(tmp_path / "p.csv"))).machine
    assert machine.price.usd_per_hour == 1.25
    assert machine.grid_g_co2_per_kwh == 56.0  # Our World in Data / Ember, 2023


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ({"deadline": "2 days", "gpus": 16}, 16 * 48.0),
        ({"max_cost_usd": "$1000", "price": 2.0}, 500.0),
        ({"deadline": "2 days", "gpus": 16, "max_cost_usd": "$1000", "price": 2.0}, 500.0),
        ({"compute": "5k gpu-hours", "gpus": 16, "deadline": "2 days"}, 16 * 48.0),
        ({"compute": "$300", "max_cost_usd": "$1000", "price": 2.0}, 150.0),
    ],
    ids=str,
)
def test_limits_set_the_budget_that_is_not_given(words, hours):
    """The least of GPUs x time, dollars over price, and the budget in hours."""
    scenario = scenario_from_options(gpu="h100-sxm", student="1B", **words)
    assert scenario.gpu_hours == pytest.approx(hours, rel=1e-12)
    answer = plan(scenario, quick=True)
    assert not [one for one in answer.warnings if one.code.startswith("over_")]
    for option in answer.options:
        assert option.bill.gpu_hours.mid == pytest.approx(hours, rel=1e-9)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"deadline": "2 days", "gpus": 16}, "keeps to the deadline"),
        ({"max_cost_usd": "$1000", "price": 2.0}, "keeps to the cost limit"),
        ({"deadline": "9 years", "gpus": 16, "max_cost_usd": "$9M", "price": 2.0}, ""),
    ],
    ids=str,
)
def test_a_budget_that_a_limit_cuts_is_said_to_be_cut(words, said):
    """What a file's limits leave of the hours on the command line: 48 x 16 and $1000 / $2."""
    scenario = scenario_from_options(gpu="h100-sxm", compute="5k gpu-hours", student="1B", **words)
    cut = [one for one in plan(scenario, quick=True).warnings if one.code == "budget_cut"]
    assert len(cut) == bool(said)
    for one in cut:
        assert said in one.message
        assert "of the 5.00k GPU-hours" in one.message


@pytest.mark.parametrize("command", ["compare", "report", "validate"])
def test_an_answer_is_no_scenario_file_and_said_to_be_none(command, tmp_path):
    words = ["-o", tmp_path / "report.html"] if command == "report" else []
    found = run(command, EXAMPLES / "plan.json", *words)
    assert found.returncode == 2
    said = found.stdout + found.stderr
    assert "an answer (distillplan/plan@2), not a scenario file; write the question" in said
    assert "unknown key" not in said


def test_a_plan_in_flops_says_what_it_exceeds():
    """Below both options no plan works; between them one is left; above both nothing is said.

    Time and money cut the budget instead (tests/test_kept_limits.py).
    """
    words = {"compute": 1e22, "gpu": "h100-sxm", "student": "1B", "price": 2.0}
    words["hardware.loss"] = "dense"  # or one in chunks would keep to a limit
    free = plan(scenario_from_options(**words), quick=True)
    by_method = {
        one.method: one.bill.memory_bytes_per_gpu.mid for one in (free.supervised, free.deciding)
    }
    low, high = sorted(by_method.values())

    def limited(most):
        return plan(scenario_from_options(**words, max_memory_bytes=most), quick=True)

    with pytest.raises(InfeasibleError, match="over the memory"):
        limited(low * 0.99)
    one = limited(math.sqrt(low * high))
    assert "over_memory" in one.warning_codes
    assert one.verdict_reason == "only_one_possible"
    assert by_method[one.verdict] == by_method[one.recommended.method] == low
    both = limited(high * 1.01)
    assert "over_memory" not in both.warning_codes
    assert both.verdict == free.verdict


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"compute": 1e21, "deadline": "2 days"}, "deadline needs a GPU; add gpu: h100-sxm"),
        ({"deadline": "2 days"}, "deadline needs a GPU; add gpu: h100-sxm"),
        ({"compute": "$20k"}, "compute: hours and money need a GPU; add gpu: h100-sxm"),
        ({"compute": 1e21, "gpus": 8}, "gpus needs a GPU; add gpu: h100-sxm"),
        ({"compute": 1e21, "gpu_hours": 5}, "leave one out"),
        ({"compute": 1e21, "gpu": "h100-sxm", "deadline": "soon"}, "deadline: 'soon'"),
        (
            {"compute": 1e21, "gpu": "h100-sxm", "max_memory_bytes": "3 GPUs"},
            "not a number of bytes",
        ),
        ({"compute": 1e21, "gpu": 100}, "expected a name"),
        ({"compute": 1e21, "gpu": "h100-sxm", "country": False}, "expected a name, got 'False'"),
        ({"compute": 1e21, "gpu": "h100-sxm", "precision": "fp7"}, "is none of"),
        ({"gpu_hours": 5, "gpu": "h100-sxm", "inference_tokens": "1T"}, "not modeled"),
    ],
    ids=str,
)
def test_faults_of_hardware(words, says):
    with pytest.raises(InputError, match=says):
        scenario_from_options(**words)


def test_the_schema_knows_every_key():
    known = validator("scenario").schema["$defs"]["scenario"]["properties"]
    assert set(known) == {*TABLE.words(), *KEYS, "assert"}
    for group in GROUPS:
        inner = next(one for one in known[group]["anyOf"] if one.get("type") == "object")
        names = {key.partition(".")[2] for key in KEYS if key.startswith(f"{group}.")}
        assert set(inner["properties"]) == names
    examples = list(EXAMPLES.glob("*.yaml"))
    assert examples
    for example in examples:
        validate(yaml.safe_load(example.read_text(encoding="utf-8")), "scenario")


@pytest.mark.parametrize("key", [key for key in KEYS if key not in OTHERWISE])
def test_the_schema_knows_each_key_in_both_forms(key):
    group, _, name = key.rpartition(".")
    for value in (*samples(key), None):
        validate({"base": {key: value}}, "scenario")
        validate({"base": {group: {name: value}} if group else {key: value}}, "scenario")


def test_the_schema_refuses_what_we_refuse():
    for wrong in (
        {"base": {"studnt": 1}},
        {"base": {"compute": True}},
        {"compute": 1e21, "base": {}},
        {"assert": {"loss": "<= 2"}},
        {"studnet": 1},
        {},
        {"base": {"teacher": {"parms": 1}}},
        {"base": {"teacher_gpus": 4}},  # which no plan takes
        {"base": {"hardware": {"teacher_gpus": 4}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong, "scenario")


@pytest.mark.parametrize("name", ["compare.yaml", "grid.yaml", "lifetime.yaml", "machines.yaml"])
def test_the_examples_are_read(name):
    assert read_grid(str(EXAMPLES / name)).size > 1


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(string.printable, max_size=12),
    st.sampled_from(["1e21", "7B", "7B:2T", "1e19:1e24:3", "online", "free", "busbridge2025", "-"]),
)
names = st.one_of(st.sampled_from([*TABLE.words(), *KEYS, "assert", "params", "loss"]), st.text())
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
top = st.dictionaries(
    st.sampled_from(["base", "scenarios", "matrix", "assert", "extends"]) | st.text(max_size=3),
    st.dictionaries(names, anything, max_size=4) | anything,
    max_size=4,
)
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_or_refuse(path):
    """Any other exception than ours is a bug."""
    with contextlib.suppress(InputError):
        assert len(read_scenarios(path)) >= 1
        read_grid(path)


@quick
@given(value=top)
def test_any_structure_is_read_or_refused(file, value):
    read_or_refuse(file(yaml.safe_dump(value, allow_unicode=False)))


@quick
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(file, text):
    read_or_refuse(file(text))


@quick
@given(
    where=st.integers(0, 10_000),
    what=st.text(st.sampled_from("{}[]:,-?&*!|>'\"%@` \n\t#yes0b1e9~<="), max_size=3),
)
def test_a_damaged_example_is_read_or_refused(file, where, what):
    text = (EXAMPLES / "compare.yaml").read_text(encoding="utf-8")
    cut = where % len(text)
    read_or_refuse(file(text[:cut] + what + text[cut + len(what) :]))


@quick
@given(
    compute=st.floats(1e18, 1e26),
    student=st.none() | st.floats(1e7, 1e12),
    students=st.integers(1, 1000),
    tie=st.floats(0, 0.1),
)
def test_what_is_written_is_what_is_read(file, compute, student, students, tie):
    block = {"compute": compute, "student_params": student, "students": students, "tie_nats": tie}
    found = only(file({"base": block}))
    assert (found.compute, found.student_params) == (compute, student)
    assert (found.students, found.tie_nats) == (students, tie)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("gpus: 12, tp: 8", "gpus: 12 GPUs cannot be divided into groups of tp 8"),
        ("gpu: a100-80gb, precision: fp8", "precision: GPU a100-80gb has no fp8"),
        ("mfu: 1.5", "mfu: 1.5 is above 1"),
        ("pue: 0.5", "pue: 0.5; it must be at least 1"),
    ],
)
def test_a_machine_that_cannot_be_is_a_fault_of_the_file(tmp_path, words, says):
    path = tmp_path / "s.yaml"
    gpu = "" if "gpu:" in words else "gpu: h100-sxm, "
    path.write_text(f"base: {{{gpu}{words}, deadline: 7 days, student: 1B}}\n")
    for command in ("validate", "compare"):
        found = run(command, path)
        assert found.returncode == 2
        assert f"line 1, base: {says}" in found.stderr
