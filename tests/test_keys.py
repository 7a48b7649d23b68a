"""The table of keys: one row is an option, a key of a file, of the schemas and of the documents."""

import importlib
import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

import distillplan.schemas
from distillplan import plan
from distillplan.cli import app as application
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.render.documents import document
from distillplan.scenarios import key_table, schema
from distillplan.scenarios.key import PANELS, Key
from distillplan.scenarios.scenario_file import read_grid, read_scenarios
from distillplan.scenarios.values import count
from tests.plans import scenario_from_options

SHIPPED = Path(distillplan.schemas.__file__).parent / "scenario.schema.json"
MADE_UP = Key(
    word="wished_tokens",
    value=count("7B"),
    place="max_unique_tokens",
    help="Number of tokens one wishes for.",
    written=lambda scenario: scenario.max_unique_tokens,
    aliases=("wish",),
    flags=("--wish",),
    commands="budget sweep",
    metavar="WISHES",
)


def run(*words):
    return CliRunner().invoke(application.app, list(words))


def words_of(*words):
    """What a command prints, without frames and line ends."""
    return " ".join(run(*words).output.replace("│", " ").split())


@pytest.fixture
def wished(monkeypatch):
    """A table with one row more."""
    from distillplan.cli.commands import budget, sweep

    rows = (*key_table.TABLE.keys.values(), MADE_UP)
    monkeypatch.setattr(key_table, "TABLE", key_table.table_of(rows))
    for command in (budget, sweep):
        importlib.reload(command)
    yield
    monkeypatch.undo()
    for command in (budget, sweep):
        importlib.reload(command)


@pytest.mark.usefixtures("wished")
def test_a_new_key_is_one_row(tmp_path):
    """On the command line, in a file, as an axis, in the schemas, the documents and their table."""
    usage = words_of("budget", "--help")
    assert "--wish" in usage
    assert "WISHES" in usage
    question = ["budget", "1e21", "--student", "1B", "--quick", "-o", "json"]
    typed = json.loads(run(*question, "--wish", "5B").stdout)
    assert typed["scenario"]["wished_tokens"] == 5e9
    assert "--wish: 'x'" in run_error(*question, "--wish", "x")

    file = tmp_path / "s.yaml"
    file.write_text("base: {compute: 1e21, student: 1B, wish: 5B}", encoding="utf-8")
    (read,) = read_scenarios(str(file))
    assert json.loads(json.dumps(document(plan(read.scenario, quick=True)))) == typed
    (over,) = read_scenarios(str(file), ["wished_tokens=6B"])
    assert over.scenario.max_unique_tokens == 6e9
    assert read_grid("", ["compute=1e21"], {"wish": "1B:4B:3"}).columns == ("wished_tokens",)

    whole = schema.scenario_file_schema()
    for word in ("wish", "wished_tokens"):
        jsonschema.validate({"base": {"compute": 1, word: "5B"}}, whole)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"base": {"compute": 1, "wish": 0}}, whole)
    jsonschema.validate(typed["scenario"], schema.scenario_block_schema())
    assert "wished_tokens" in schema.scenario_block_schema()["required"]
    assert "| `wished_tokens`, `wish` | `--wish` | Number of tokens" in schema.keys_as_markdown()


def test_without_the_row_there_is_no_such_key():
    assert "no such option" in run_error("budget", "1e21", "--wish", "5B")
    with pytest.raises(InputError, match="unknown key 'wish'"):
        scenario_from_options(compute=1e21, wish=1)


def run_error(*words):
    """What a shell sees on standard error."""
    import contextlib
    import io
    import sys
    from unittest import mock

    written = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["distillplan", *words]),
        contextlib.redirect_stderr(written),
    ):
        application.run()
    return written.getvalue()


def test_the_shipped_schema_is_that_of_the_table():
    """Rewrite it with DISTILLPLAN_REWRITE_SCHEMAS=1 after a change of the table."""
    text = json.dumps(schema.scenario_file_schema(), indent=2) + "\n"
    if os.environ.get("DISTILLPLAN_REWRITE_SCHEMAS"):
        SHIPPED.write_text(text, encoding="utf-8")
    assert SHIPPED.read_text(encoding="utf-8") == text, "stale: set DISTILLPLAN_REWRITE_SCHEMAS=1"


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"teacher": "7B:2T", "accounting": "train", "max_unique_tokens": "10B"},
        {"bounds": "paper"},
        {
            "gpu": "h100-sxm",
            "gpus": 64,
            "deadline": "2 days",
            "attention": "flash2",
            "interleave": 2,
        },
    ],
    ids=str,
)
def test_a_scenario_block_is_of_its_schema(words):
    answer = plan(scenario_from_options(compute=1e21, **words), quick=True)
    block = json.loads(json.dumps(document(answer)))
    jsonschema.Draft202012Validator.check_schema(schema.scenario_block_schema())
    jsonschema.validate(block["scenario"], schema.scenario_block_schema())


NAMED = {"paper": (1e6, 1e17), "published": (1e6, 4e13)}
"""Bounds of the student's tokens: the paper's (Section 5.3), and up to Llama 4 Scout's 40T."""


@pytest.mark.parametrize(("name", "tokens"), NAMED.items())
def test_bounds_have_names(tmp_path, name, tokens):
    """On the command line, in a file and as an axis; a mapping or a limit beside them narrows."""
    typed = json.loads(run("budget", "1e21", "--quick", "-o", "json", "--bounds", name).stdout)
    assert typed["scenario"]["bounds"]["student_tokens"] == list(tokens)
    file = tmp_path / "s.yaml"
    narrower = "b: {max_student_tokens: 1T}, c: {bounds: {student_tokens: [1B, 2T]}}"
    file.write_text(
        f"base: {{compute: 1e21, bounds: {name}}}\nscenarios: {{a: {{}}, {narrower}}}",
        encoding="utf-8",
    )
    read = [one.scenario.bounds for one in read_scenarios(str(file))]
    assert [one.student_tokens for one in read] == [tokens, (1e6, 1e12), (1e9, 2e12)]
    assert len({(one.student_params, one.teacher_tokens) for one in read}) == 1
    axis = [one.bounds for _, one in read_grid("", ["compute=1e21"], {"bounds": name}).cells()]
    assert axis == read[:1]


def test_a_name_of_bounds_replaces_a_mapping(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(
        "base: {compute: 1e21, bounds: {student_tokens: [1B, 2T]}}\n"
        "scenarios: {a: {bounds: paper}, b: {bounds: null}}",
        encoding="utf-8",
    )
    read = [one.scenario.bounds.student_tokens for one in read_scenarios(str(file))]
    assert read == [NAMED["paper"], NAMED["published"]]


@pytest.mark.parametrize("whole", [True, False])
def test_keys_at_the_top_that_begin_with_x_hold_anchors(tmp_path, whole):
    """As in Docker Compose: nobody reads them, and only there."""
    said = {"compute": 1e21, "student": "1B", "teacher": {"params": "7B", "tokens": "2T"}}
    lines = "compute: 1e21\nstudent: 1B\nteacher: *t\n"
    above = "x-t: &t {params: 7B, tokens: 2T}\nx-why: [odd, {teachr: 1}]\n"
    if whole:
        lines, said = f"base:\n  {lines.replace(chr(10), f'{chr(10)}  ')}", {"base": said}
    file = tmp_path / "s.yaml"
    file.write_text(f"{above}{lines}\n", encoding="utf-8")
    (read,) = read_scenarios(str(file))
    assert read.scenario == read_scenarios(said)[0].scenario
    accepts = jsonschema.Draft202012Validator(schema.scenario_file_schema()).is_valid
    assert accepts({"x-t": {"teachr": 1}, **said})
    below = {"base": {"compute": 1e21, "x-t": 1}}
    assert not accepts(below)
    with pytest.raises(InputError, match="unknown key 'x-t'"):
        read_scenarios(below)


def test_other_names_of_bounds_are_refused():
    said = "bounds: 'papr' is none of published, paper; did you mean 'paper'?"
    assert f"--{said}" in run_error("budget", "1e21", "--bounds", "papr")
    whole = schema.scenario_file_schema()
    for bounds in (*NAMED, {"student_tokens": ["1B", 2e12]}):
        jsonschema.validate({"base": {"compute": 1, "bounds": bounds}}, whole)
    for bounds in ("papr", 3, {"student": [1, 2]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"base": {"compute": 1, "bounds": bounds}}, whole)


def test_every_row_is_whole():
    words = [
        *key_table.TABLE.words(),
        *(key.word for key in key_table.TABLE.keys.values() if key.group),
    ]
    assert len(words) == len(set(words))
    for key in key_table.TABLE.keys.values():
        assert key.panel in PANELS
        assert key.help.endswith(".")
        assert not key.help.startswith(("Of ", "How many"))
        assert {*key.commands.split(), *key.refused.split()} <= set(application.COMMANDS)
        assert bool(key.commands) == bool(key.flags)
        assert key.group == "" or key.group in key_table.TABLE.keys


@pytest.mark.parametrize("command", application.COMMANDS)
def test_every_option_of_the_table_is_in_the_help(command):
    shown = run(*command.split(), "--help").output
    for key in key_table.TABLE.options(command):
        assert (key.flags[0][:20] in shown) is (command not in key.refused.split())


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--deadline", "2 days"], "--deadline needs a GPU; add --gpu h100-sxm"),
        (["--max-cost", "$5"], "--max-cost needs a GPU; add --gpu h100-sxm"),
        (["--gpus", "8"], "--gpus needs a GPU; add --gpu h100-sxm"),
        (["--student", "x"], "--student: no model is named 'x'"),
        (["--teacher-loss", "1.9"], "--teacher: its forward passes"),
        (["--teacher", "7B:2T", "--teacher-params", "7B"], "--teacher and --teacher-params both"),
        (["--logits", "x"], "--logits: 'x' is none of online, stored, cached"),
        (["--context", "0"], "--context: '0' is not positive"),
        (["--teacher-bpb", "0.7"], "add for example --bytes-per-token 4.3"),
        (["--loss-unit", "bpb"], "but no loss; add --teacher-loss 2.1"),
    ],
    ids=str,
)
def test_errors_name_what_was_typed(words, option):
    """Options on the command line; the same in a file names its keys."""
    assert option in run_error("budget", "1e21", *words)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["family", "1e22", "--students", "1B,3B"], "what it costs a family is not modeled"),
        (["pilot", "1e22", "--student", "1B"], "pilots do not weigh formats of logits"),
    ],
    ids=["family", "pilot"],
)
def test_an_option_that_is_refused_is_hidden_and_says_why(words, why):
    said = run_error(*words, "--logits", "stored", "--logit-format", "top-k", "--logit-k", "50")
    assert f"--logit-format: {why}" in said
    assert "--logit-format" not in run(words[0], "--help").stdout
    assert "--logit-format" in run("budget", "--help").stdout


def test_errors_of_a_file_name_its_keys(tmp_path):
    file = tmp_path / "s.yaml"
    scenarios = "{a: {deadline: 2 days}, b: {teacher: {params: 7B, bpb: 0.7}}}"
    file.write_text(f"base: {{compute: 1e21}}\nscenarios: {scenarios}", encoding="utf-8")
    said = run_error("compare", str(file))
    assert "line 2, scenario a: deadline needs a GPU; add gpu: h100-sxm" in said
    assert "line 2, scenario b: teacher loss: 0.7 bits/byte needs the bytes per token" in said
    assert "add for example bytes_per_token: 4.3" in said


def test_set_is_named_where_there_is_no_option():
    words = ["target", "--loss", "2.2", "--set", "deadline=5"]
    assert "--set deadline needs a GPU; add --gpu h100-sxm" in run_error(*words)


def test_the_page_of_keys_names_the_commands_that_take_set():
    page = Path(__file__).parents[1] / "docs" / "reference" / "scenario-keys.md"
    named = re.search(
        r"`--set KEY=VALUE` takes any of them in (.*?);", page.read_text("utf-8"), re.DOTALL
    )[1]
    taking = [one for one in application.COMMANDS if "--set" in run(*one.split(), "--help").output]
    assert sorted(re.findall(r"`([^`]*)`", named)) == sorted(taking)


@pytest.mark.parametrize("word", ["min_teacher_params=8B", "bounds.teacher_params=[8B, 9B]"])
def test_set_of_a_plan_is_the_key_in_a_file(tmp_path, word):
    """For keys that are no option, such as the least teacher, which the best one here is below."""
    key, _, value = word.partition("=")
    file = tmp_path / "s.yaml"
    file.write_text(f"compute: 1e21\nstudent: 1B\n{key}: {value}", encoding="utf-8")
    words = ("--quick", "-o", "json")
    plans = (("compare", str(file)), ("budget", "1e21", "--student", "1B", "--set", word))
    compared, asked = (json.loads(run(*one, *words).stdout) for one in plans)
    assert asked["options"] == compared["plans"][0]["options"]
    (trained,) = (one for one in asked["options"] if one["accounting"] == "train")
    assert trained["teacher_params"] >= 8e9


def test_a_plan_reads_set_as_its_options():
    """In what they rule out, and in the question that --why asks again."""
    assert "no law knows" in run_error("budget", "1e21", "--laws", "all", "--set", "start=pruned")
    assert "names a law" in run_error(
        "budget", "1e21", "--laws", "all", "--set", "law=besiroglu2024"
    )
    assert "--start shows" in run_error("budget", "1e21", "--plot", "--set", "start=pruned")
    assert "unknown key 'computer'" in run_error("budget", "1e21", "--set", "computer=1")
    question = ("1e21", "--student", "1B", "--teacher", "7B:2T", "--set", "logits=cached")
    told = words_of("budget", *question, "--why").replace(" \\ ", " ")
    assert "--set logits=cached --teacher-loss LOSS" in told
    assert f"distillplan pilot {' '.join(question)}" in told
    assert run("pilot", *question).exit_code == 0
    assert "distillplan compare FILE" in run_error("teachers", "1e21", "--set", "student=1B")


def test_the_old_spelling_still_works_and_is_hidden():
    assert "--minimise" not in run("target", "--help").output
    question = ["target", "--loss", "2.2", "--student", "1B", "-o", "json"]
    new, old = (
        run(*question, flag, "cost", "--gpu", "h100-sxm").stdout
        for flag in ("--minimize", "--minimise")
    )
    assert new == old
    assert json.loads(new)["minimise"] == "cost"  # the document's key is a contract


def test_defaults_are_those_of_a_bare_scenario():
    usage = words_of("estimate", "--help")
    for default in ("8", "bf16", "selective", "given", "adam", "1.2", "online"):
        assert f"[default: {default}]" in usage
    assert f"[default: {law_catalog.DEFAULT_LAW}]" in words_of("budget", "--help")


GPUS = [("a100-80gb", "a100-sxm-80gb"), ("A100-SXM-80GB", "a100-80gb"), ("h100-sxm", "H100-SXM")]


@pytest.mark.parametrize(("budget", "option"), GPUS)
def test_a_gpu_may_be_named_twice_in_any_spelling(budget, option):
    """The catalog's aliases name the same GPU."""
    twice = scenario_from_options(compute=f"64 {budget} for 7 days", gpu=option)
    once = scenario_from_options(compute=f"64 {budget} for 7 days")
    assert twice == once


def test_two_gpus_are_one_too_many():
    with pytest.raises(InputError, match="the budget says h100-sxm, gpu says l4; leave one out"):
        scenario_from_options(compute="64 h100-sxm for 7 days", gpu="l4")
    with pytest.raises(InputError, match="the budget says 64 GPUs, gpus says 8; leave one out"):
        scenario_from_options(compute="64 h100-sxm for 7 days", gpus=8)


FAULTS = """\
base:
  compute: 1e21
  studnt: 1B
  logits: cached
  hardware: {gpuss: 8, tp: many}
scenarios:
  a: {teacher: 7B}
  b: {deadline: 3 days}
  c: {tie: -1, student: 7Q}
  d: {min_student_tokens: 5T, max_student_tokens: 1T}
  e: {teacher: {parms: 7B, tokns: 2T}}
  f: {teacher: 7B:2T, logits: online, accounting: free, assert: {loss: [2]}}
matrix:
  students: [1, 1.5, x]
  foo: [1]
assert: {verdit: distill}
extends: gone.yaml
"""


def test_all_faults_at_once_and_each_once(tmp_path):
    """Unknown keys, bad values, contradictions, axes, assertions and a missing file together."""
    file = tmp_path / "s.yaml"
    file.write_text(FAULTS, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_grid(str(file))
    told = str(caught.value).splitlines()
    expected = [
        "line 3, base: unknown key 'studnt'",
        "line 5, base: hardware: unknown key 'gpuss'; did you mean 'gpus'",
        "line 5, base: hardware.tp: 'many' is not a number",
        "line 9, scenario c: tie: '-1' is not positive",
        "line 9, scenario c: student: '7Q' has the unknown suffix",
        "line 11, scenario e: teacher: unknown key 'parms'; did you mean 'params'",
        "line 11, scenario e: teacher: unknown key 'tokns'; did you mean 'tokens'",
        "line 12, scenario f: assertion loss: not a condition",
        "line 14, matrix: students: 1.5 is not a whole number",
        "line 14, matrix: students: 'x' is not a number",
        "line 15, matrix: unknown key 'foo'",
        "line 16, all scenarios: assertion: the key 'verdit' is unknown",
        "line 17, extends: ",
    ]
    for part in expected:
        assert sum(part in line for line in told) == 1, part
    file.write_text(FAULTS.replace("extends: gone.yaml\n", ""), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_grid(str(file))
    told = str(caught.value).splitlines()
    contradictions = [
        "line 4, scenarios b, c, d: logits: they cannot be cached",
        "line 7, scenario a: teacher: 7.00B parameters alone",
        "line 10, scenario d: bounds of student_tokens: 5.00T to 1.00T",
    ]
    for part in [*expected[:-1], *contradictions]:
        assert sum(part in line for line in told) == 1, part
    assert len(told) == 1 + len(expected[:-1]) + len(contradictions)
    assert f"{file}: {len(told) - 1} faults" in told[0]


def test_a_contradiction_of_the_base_is_told_once(tmp_path):
    file = tmp_path / "s.yaml"
    scenarios = "scenarios: {a: {student: 1B}, b: {student: 3B}, c: {}}\n"
    file.write_text(f"base: {{compute: 1e21, logits: cached}}\n{scenarios}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenarios(str(file))
    assert str(caught.value).startswith(f"{file}, line 1, base: logits: they cannot be cached")
    file.write_text(scenarios, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenarios(str(file))
    assert str(caught.value).count("the budget is missing") == 1


def test_a_word_that_cannot_be_read_has_no_consequences(tmp_path):
    """No budget, no teacher and no GPU are missing where they were only written wrongly."""
    file = tmp_path / "s.yaml"
    for base in (
        "{compute: 1e2x1}",
        "{computee: 1e21}",
        "{compute: 1e21, gpu: h100-smx, deadline: 3 days}",
        "{deadline: soon, gpu: h100-sxm}",
        "{compute: 1e21, logits: cached, teacher: {params: 7B, loss: low}}",
        "{compute: 1e21, law: gone, teacher: {params: 7B, loss: 1.3}}",
    ):
        file.write_text(f"base: {base}", encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_scenarios(str(file))
        assert "\n" not in str(caught.value)


def test_contradictions_name_the_cells_that_have_them(tmp_path):
    """Once, however many cells of the other axes share them."""
    file = tmp_path / "s.yaml"
    axes = "{compute: 1e19:1e24:6, logits: [online, cached]}"
    file.write_text(f"base: {{student: 1B}}\nmatrix: {axes}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_grid(str(file))
    assert str(caught.value).startswith(f"{file}, line 2, matrix: logits cached: logits: they")
    assert "\n" not in str(caught.value)


def test_an_extended_file_is_checked_with_the_other(tmp_path):
    (tmp_path / "below.yaml").write_text("base: {compute: 1e21, studnt: 1B}", encoding="utf-8")
    file = tmp_path / "s.yaml"
    file.write_text("extends: below.yaml\nscenarios: {a: {tie: -1}}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenarios(str(file))
    told = str(caught.value)
    assert "line 2, scenario a: tie: '-1' is not positive" in told
    assert f"{tmp_path / 'below.yaml'}, line 1, base: unknown key 'studnt'" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["1e21", "--student", "1B", "--max-student-params", "500M"], "--student: 1.00B is more"),
        (["--student", "1B:300B", "--max-student-tokens", "100B"], "--tokens: 300B is more"),
        (
            ["1e21", "--student", "1B", "--teacher", "7B:2T", "--max-teacher-params", "5B"],
            "--teacher: 7.00B is more than --max-teacher-params 5.00B; change one of them",
        ),
    ],
    ids=str,
)
def test_a_given_size_outside_its_bounds_is_refused(words, says):
    assert says in run_error("budget", *words)


def test_a_given_size_may_pass_a_named_range(tmp_path):
    """Such as the published one, which is of what the search chooses."""
    path = tmp_path / "s.yaml"
    path.write_text(
        "base: {compute: 1e21}\nscenarios: {a: {student: 1B, bounds: {student_params: [2B, 5B]}}, "
        "b: {student: 500k, min_teacher_params: 2B}}\n"
    )
    said = run_error("compare", str(path))
    assert "scenario a: student_params: 1.00B is less than min_student_params: 2.00B" in said
    assert "scenario b" not in said


def test_an_open_teacher_is_of_a_size_that_is_considered():
    words = ("budget", "1e21", "--student", "1B", "--quick", "-o", "json")
    for text, most in (("400M", 400e6), ("3B", 3e9)):
        found = json.loads(run(*words, "--max-teacher-params", text).stdout)
        named = [one for one in found["options"] if one["teacher_name"] is not None]
        assert all(one["teacher_params"] <= most for one in named)
