"""The commands as a shell sees them: exit code, stdout, stderr."""

import json
import math
import subprocess
import sys
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from distillplan import Scenario, plan
from distillplan.cli.app import COMMANDS
from distillplan.laws import law_catalog
from distillplan.render import show
from distillplan.render.documents import document
from tests.schemas import validate
from tests.shell import overridden, run, told_in_one_sentence

BUDGET = ["budget", "1e21", "--student", "1B"]
ESTIMATE = ["estimate", "--model", "7B", "--tokens", "140B", "--gpu", "h100-sxm"]
DISTILLING = [
    *("estimate", "--model", "llama-3.2-1b", "--teacher", "llama-3.1-8b", "--tokens", "100B"),
    *("--gpu", "a100-80gb", "--gpus", "16"),
]
PLAN = str(Path(__file__).parents[1] / "examples" / "plan.json")
QUESTIONS = [
    BUDGET,
    [*BUDGET, "--teacher", "7B:2T"],
    [*BUDGET, "--teacher-loss", "1.95", "--teacher-params", "7B"],
    [*BUDGET, "--teacher", "7B:2T", "--logits", "cached"],
    [*BUDGET, "--teacher", "7B:2T", "--accounting", "train"],
    ["budget", "1e22", "--student", "3B", "--students", "8"],
    ["budget", "1e21"],
    [*BUDGET, "--quick"],
    [*BUDGET, "--teacher-bpb", "0.72", "--bytes-per-token", "4.3", "--logits", "cached"],
    [*BUDGET, "--laws", "all"],
    [*BUDGET, "--laws", "besiroglu2024,kaplan2020", "--teacher", "7B:2T"],
    ["budget", "1e21", "--law", "besiroglu2024"],
    ["budget", "64 h100-sxm for 7 days", "--student", "1B", "--country", "FRA"],
    ["budget", "$20k", "--gpu", "a100-80gb", "--gpus", "16"],
    ["budget", "1e22", "--gpu", "h200-sxm", "--student", "3B", "--teacher", "30B:2T"],
    ["budget", "1e30", "--student", "1B", "--max-teacher-tokens", "30T"],
    ["predict", "--student", "1B", "--tokens", "100B", "--teacher-loss", "2.0"],
    ["predict", "--student", "1B", "--tokens", "100B"],
    ["recipe", PLAN],
    ["recipe", PLAN, "--option", "supervised"],
    ["laws"],
    ["laws", "busbridge2025"],
    ["check", "Figure 9"],
    ["check", "throughput"],
    ["check", "memory"],
    ["check", "runs"],
    ESTIMATE,
    [*DISTILLING, "--country", "FRA"],
    [*DISTILLING, "--logits", "stored", "--teacher-tokens", "2T", "--students", "3"],
    ["estimate", "--model", "405B", "--tokens", "1T", "--gpu", "t4", "--seq-len", "131072"],
    ["gpus"],
    ["gpus", "h100-sxm"],
    ["models"],
    ["models", "llama-3.1-8b"],
]
SCHEMAS = {"budget": "plan", "predict": "prediction"}


def schema_of(words):
    if words[0] in {"laws", "gpus", "models"}:
        return words[0].removesuffix("s") if len(words) > 1 else words[0]
    if "--laws" in words:
        return "ensemble"
    return SCHEMAS.get(words[0], words[0])


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_json_is_one_document_of_its_schema(words):
    found = run(*words, "-o", "json")
    assert found.returncode == 0
    assert found.stderr == ""
    answer = json.loads(found.stdout, parse_constant=pytest.fail)
    validate(answer, schema_of(words))


@cache
def as_people_read_it(*words: str) -> tuple[str, str]:
    """What a command says, and the same answer as `-o markdown` gives it."""
    answers = []

    def kept(answer, output, **how):
        answers.append((answer, how))
        return rendered(answer, output, **how)

    rendered = show.rendered
    with mock.patch.object(show, "rendered", kept):
        found = run(*words, COLUMNS="80", NO_COLOR="1")
    assert found.returncode == 0
    ((answer, how),) = answers
    return found.stdout, rendered(answer, "markdown", **how)


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_tables_fit_80_columns(words):
    shown, _ = as_people_read_it(*words)
    assert shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_markdown_tables_are_whole(words):
    _, text = as_people_read_it(*words)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    tables, rest = [], rows
    while rest:
        width = rest[0].replace("\\|", "").count("|")
        size = next(
            (n for n, row in enumerate(rest) if row.replace("\\|", "").count("|") != width),
            len(rest),
        )
        tables.append(rest[:size])
        rest = rest[size:]
    assert all(len(table) >= 3 for table in tables)
    assert all(set(table[1]) <= set("|-: ") for table in tables)


@pytest.mark.parametrize("words", QUESTIONS[:7], ids=" ".join)
def test_table_and_json_show_the_same_numbers(words):
    answer = json.loads(run(*words, "-o", "json").stdout)
    table, detailed = (run(*words, *more, COLUMNS="200").stdout for more in ([], ["--details"]))
    assert answer["headline"] in detailed
    for option in answer["options"]:
        if option["loss"] is None:
            continue
        shown = option["decides"] or option["method"] == "supervised" or option["teacher_name"]
        assert not shown or f"{option['loss']:.3f}" in table
        for name in ("loss", "gain_nats"):
            value = option[name]
            number = "" if value is None else f"{value:{'+' if name == 'gain_nats' else ''}.3f}"
            assert number in detailed
        for name in ("loss_band", "gain_band") if option["loss_band"] else ():
            sign = "+" if name == "gain_band" else ""
            if option[name] is not None:
                assert " ".join(f"{end:{sign}.3f}" for end in option[name]) in detailed
    for warning in answer["warnings"]:
        assert warning["code"] in detailed


def test_the_command_gives_the_planners_own_numbers():
    """Same numbers from Python and from the shell, to the last digit."""
    asked = Scenario(compute=1e21, student_params=1e9, law=law_catalog.law())
    for words, quick in ((["--quick"], True), ([], False)):
        found = json.loads(run(*BUDGET, *words, "-o", "json").stdout)
        assert found == json.loads(json.dumps(document(plan(asked, quick=quick))))


def without_odds(value):
    """A document without what stands on the odds."""
    if isinstance(value, list):
        return [without_odds(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_odds(one)
        for key, one in value.items()
        if key not in {"odds", "confidence", "regret_nats"} and not key.endswith("_band")
    }


def test_quick_leaves_out_nothing_but_the_odds():
    quick, whole = (
        json.loads(run(*BUDGET, *more, "-o", "json").stdout) for more in (["--quick"], [])
    )
    assert quick["odds"] is None
    assert quick["confidence"] is None
    assert whole["confidence"]["draws"] == 300
    assert without_odds(quick) == without_odds(whole)


def percent(share):
    """No share is all or nothing, which no number of draws can show."""
    return ">99%" if share > 0.99 else "<1%" if share < 0.01 else f"{share:.0%}"


SHOWN_AS = {"supervised": "pretrain", "distill": "distill", "tie": "tie"}
"""Verdicts of the JSON in the words of a screen."""


def test_the_odds_stand_in_the_table():
    answer = json.loads(run(*BUDGET, "-o", "json").stdout)
    table, detailed = (
        " ".join(run(*BUDGET, *more, COLUMNS="200").stdout.split()) for more in ([], ["--details"])
    )
    for odds in (answer["odds"], answer["confidence"]["odds_like_the_law"]):
        assert sum(odds.values()) == pytest.approx(1)
        order = sorted(odds, key=odds.get, reverse=True)
        told = [f"{SHOWN_AS[word]} {percent(odds[word])}" for word in order]
        assert ", ".join(told) in detailed
        assert odds is not answer["odds"] or " ".join(told) in table
    flip = answer["flips"]["students"]
    sides = f"distill {percent(flip['odds']['distill'])}"
    sides += f", pretrain {percent(flip['odds']['supervised'])}"
    assert flip["verdict"] == "tie"
    line = f"--students {flip['students']}: too close to call ({sides})"
    assert line in table


def test_the_mark_stands_at_the_choice():
    """The arrow is before the row that the JSON recommends, in every table of a plan."""
    for words in QUESTIONS[:7]:
        answer = json.loads(run(*words, "--quick", "-o", "json").stdout)
        table = run(*words, "--quick", "--details", COLUMNS="200").stdout
        marked = {line.split("  ")[0] for line in table.splitlines() if line.startswith("→")}
        (best,) = (one for one in answer["options"] if one["recommended"])
        assert (best["method"] == "distill") is (answer["verdict"] == "distill")
        name = "pretrain" if best["method"] == "supervised" else "logits on disk"
        assert marked == {f"→ {name}"}
        screen = run(*words, "--quick", COLUMNS="200").stdout
        (line,) = (line for line in screen.splitlines() if line.startswith("→"))
        assert line.split()[1] == SHOWN_AS[best["method"]]


def test_a_guess_is_marked_as_one():
    """Where Marin measured distillation 0.29 nats better, and the law has it worse."""
    words = ["budget", "3.5e17", "--student", "440M", "--teacher", "31.2B:36T"]
    words += ["--logits", "cached"]
    answer = json.loads(run(*words, "-o", "json").stdout)
    assert (answer["verdict"], answer["odds"]) == (None, None)
    table = run(*words).stdout
    assert table.startswith("No verdict:")
    assert "→" not in table
    for option in answer["options"]:
        if option["loss"] is None:
            continue
        assert option["loss"] < math.log(32768)
        assert option["is_guess"]
        assert f"{option['loss']:.3f}?" in table
    assert "? is a guess" in table


def test_a_prediction_says_where_nobody_can_tell():
    """At Marin's 440M student on 0.1B tokens, and not inside the range of the runs."""
    for size, tokens, far in (("440M", "100M", True), ("1B", "100B", False)):
        words = ["predict", "--student", size, "--tokens", tokens, "--teacher-loss", "2.0"]
        answer = json.loads(run(*words, "-o", "json").stdout)
        assert ("far_outside_fit" in [one["code"] for one in answer["warnings"]]) is far
        for name in ("distilled_loss", "supervised_loss"):
            low, high = answer[f"{name}_band"]
            assert low <= answer[name] <= high < math.log(32768)
        low, high = answer["gain_band"]
        assert low < answer["gain_nats"] < high


@pytest.mark.parametrize(
    ("words", "nats"),
    [
        (["--teacher-bpb", "0.72", "--bytes-per-token", "4.3"], 0.72 * 4.3 * math.log(2)),
        (["--teacher-loss", "3", "--loss-unit", "bits-per-token"], 3 * math.log(2)),
        (["--teacher-loss", "8", "--loss-unit", "perplexity"], math.log(8)),
        (
            ["--teacher-loss", "2.5", "--teacher-bytes-per-token", "5", "--bytes-per-token", "4"],
            2.0,
        ),
    ],
    ids=str,
)
def test_teacher_losses_come_in_many_units(words, nats):
    answer = json.loads(run(*BUDGET, *words, "--logits", "cached", "-o", "json").stdout)
    assert answer["scenario"]["teacher"]["loss"] == pytest.approx(nats, rel=1e-12)
    point = ["predict", "--student", "1B", "--tokens", "100B"]
    answer = json.loads(run(*point, *words, "-o", "json").stdout)
    assert answer["teacher_loss"] == pytest.approx(nats, rel=1e-12)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["budget", "1e21", "--student", "7Q"], 2, "unknown suffix 'Q'"),
        (["budget", "--student", "1B", "--", "-5"], 2, "not positive"),
        (["budget", "0"], 2, "not positive"),
        (["budget", "nan"], 2, "not finite"),
        (["budget", "1e999"], 2, "not finite"),
        (["budget", "1e21", "--student", "nan"], 2, "student: 'nan' is not finite"),
        (["budget", "1e10", "--student", "1B"], 2, "cannot train"),
        (["budget", "500"], 2, "cannot train"),
        (["budget", "1e21", "--law", "busbrige2025"], 2, "did you mean 'busbridge2025'"),
        (["budget", "1e21", "--law", "gone.yaml"], 2, "gone.yaml: cannot be read"),
        ([*BUDGET, "--teacher", "7B"], 2, "add its tokens"),
        ([*BUDGET, "--teacher", "7B:2T:1"], 2, "PARAMETERS:TOKENS"),
        ([*BUDGET, "--teacher-loss", "1.1", "--teacher-params", "7B"], 2, "at or below 1.21951"),
        ([*BUDGET, "--teacher-loss", "1.95"], 2, "without its parameters"),
        ([*BUDGET, "--logits", "cached"], 2, "no teacher has written them"),
        ([*BUDGET, "--teacher", "7B:2T", "--teacher-params", "8B"], 2, "leave one out"),
        (
            [*BUDGET, "--teacher", "7B:2T", "--logits", "cached", "--accounting", "train"],
            2,
            "logits are cached",
        ),
        (
            [*BUDGET, "--law", "besiroglu2024", "--teacher", "7B:2T"],
            2,
            "nothing about distillation",
        ),
        ([*BUDGET, "--tie", "nan"], 2, "--tie: 'nan' is not finite"),
        ([*BUDGET, "--teacher-bpb", "0.72"], 2, "needs the bytes per token of the tokenizer"),
        ([*BUDGET, "--loss-unit", "bpb"], 2, "but no loss"),
        ([*BUDGET, "--teacher-loss", "2", "--loss-unit", "nits"], 2, "'nits' is unknown"),
        ([*BUDGET, "--teacher-loss", "2", "--teacher-bpb", "0.7"], 2, "both give teacher.loss"),
        ([*BUDGET, "--teacher-loss", "2", "--bytes-per-token", "4"], 2, "needs no bytes per token"),
        (
            [*BUDGET, "--teacher-loss", "2", "--teacher-bytes-per-token", "4"],
            2,
            "needs the bytes per token of the law's",
        ),
        ([*BUDGET, "--laws", "busbridge"], 2, "did you mean 'busbridge2025'"),
        ([*BUDGET, "--laws", "all", "--law", "besiroglu2024"], 2, "leave one out"),
        ([*BUDGET, "--students", "0"], 2, "students"),
        ([*BUDGET, "--max-teacher-tokens", "1"], 2, "not a range"),
        (
            ["predict", "--student", "1M", "--tokens", "1M", "--teacher-loss", "2"],
            1,
            "busbridge2025 does not hold for 1.00M parameters on 1.00M tokens: it gives 17.5 nats",
        ),
        ([*BUDGET, "-o", "xml"], 2, "--output: 'xml' is none of table, json"),
        (["budget"], 2, "the budget is missing"),
        (["budgt"], 2, "no such command"),
        (["budget", "1e21", "--studnt", "1B"], 2, "no such option"),
        (["predict", "--student", "1B"], 2, "missing; add --tokens 100B"),
        (["laws", "busbridge"], 2, "did you mean"),
        (["check", "Figure 99"], 2, "no published number"),
        (["schema", "pln"], 2, "did you mean 'plan'"),
        (["gpus", "h100-sxn"], 2, "did you mean 'h100-sxm'"),
        (["gpus", "h100", "--details"], 2, "shows one of a list in full"),
        (["gpus", "gone.yaml"], 2, "gone.yaml: cannot be read"),
        (["models", "lama-3.1-8b"], 2, "did you mean 'llama-3.1-8b'"),
        ([*ESTIMATE[:-1], "h100"], 2, "sold in several variants"),
        ([*ESTIMATE[:-1], "warp9"], 2, "run distillplan gpus for the list"),
        (overridden(*ESTIMATE, "--model", "lama-3.1-8b"), 2, "did you mean 'llama-3.1-8b'"),
        (overridden(*ESTIMATE, "--model", "7Q"), 2, "unknown suffix 'Q'"),
        (overridden(*ESTIMATE, "--model", "7"), 2, "did you mean 7B?"),
        (overridden(*ESTIMATE, "--model", "gone.json"), 2, "gone.json: cannot be read"),
        ([*ESTIMATE, "--layers", "32"], 2, "both give the model"),
        (["estimate", "--layers", "32", *ESTIMATE[3:]], 2, "--width, --ffn, --heads, --vocab"),
        ([*ESTIMATE, "--tp", "7"], 2, "use a multiple of 7"),
        ([*ESTIMATE, "--pp", "99", "--gpus", "99"], 2, "--pp: 99 stages are more than the model"),
        (overridden(*ESTIMATE, "--precision", "fp8", "--gpu", "a100-80gb"), 2, "has no fp8"),
        ([*ESTIMATE, "--precision", "fp7"], 2, "--precision: 'fp7' is none of"),
        ([*ESTIMATE, "--mfu", "1.4"], 2, "--mfu: 1.4 is above 1"),
        ([*ESTIMATE, "--goodput", "1.2"], 2, "--goodput: 1.2 is above 1"),
        ([*ESTIMATE, "--tokens-per-s", "0"], 2, "not positive"),
        ([*ESTIMATE, "--price", "nan"], 2, "--price: 'nan' is not finite"),
        ([*ESTIMATE, "--prices", "gone.csv"], 2, "gone.csv: cannot be read"),
        ([*ESTIMATE, "--country", "Frnce"], 2, "France (FRA)"),
        ([*ESTIMATE, "--logits", "cached"], 2, "give --teacher"),
        ([*ESTIMATE, "--teacher-tokens", "1T"], 2, "give --teacher"),
        ([*DISTILLING, "--logit-k", "999999"], 2, "give fewer"),
        ([*DISTILLING, "--logit-format", "full", "--logit-k", "9"], 2, "has no k"),
        ([*DISTILLING, "--logit-months", "nan"], 2, "'nan' is not finite"),
        (["estimate", "--model", "7B", "--gpu", "h100-sxm"], 2, "missing option '--tokens'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_get_one_sentence(words, code, says):
    told_in_one_sentence(run(*words), code, says)


def test_a_bug_keeps_its_traceback(tmp_path):
    script = (
        "import distillplan.planning.planner\n"
        "def broken(scenario, quick): raise ZeroDivisionError('a bug')\n"
        "distillplan.planning.planner.plan = broken\n"
        "from distillplan.cli.main import main\n"
        "import sys; sys.argv = ['distillplan', 'budget', '1e21']\n"
        "main()\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert found.returncode == 70  # EX_SOFTWARE
    assert "ZeroDivisionError: a bug" in found.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    found = run(*command.split(), "--help")
    assert found.returncode == 0
    assert f"distillplan {command}" in found.stdout
    assert "Example" in found.stdout


def test_version():
    import distillplan

    assert run("--version").stdout == f"distillplan {distillplan.__version__}\n"


def test_a_reader_may_leave_early():
    """As `distillplan laws | head -1` does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "distillplan", "laws", "-o", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert b"Traceback" not in error


OF_NUMPY_2 = pytest.mark.skipif(
    int(np.__version__.split(".")[0]) < 2, reason="numpy 1 loads masked arrays itself"
)


@pytest.mark.parametrize(
    "module",
    [
        "scipy",
        "matplotlib",
        pytest.param("numpy.ma", marks=OF_NUMPY_2),
        "rich.table",
        "distillplan.hardware",
        "distillplan.hardware.gpu_catalog",
    ],
)
def test_a_json_budget_imports_nothing_slow(module):
    assert module not in imported()
    assert "distillplan.planning.planner" in imported()


@cache
def imported() -> list[str]:
    """The modules that a budget in JSON loads in a new process."""
    script = (
        "import sys\n"
        "sys.argv = ['distillplan', 'budget', '1e21', '--student', '1B', '-o', 'json']\n"
        "from distillplan.cli.app import run\n"
        "run()\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    return found.stderr.split()


@pytest.mark.parametrize(
    "option",
    [
        ["--students", "2"],
        ["--accounting", "free"],
        ["--logits", "stored", "--students", "4"],
        ["--law", "busbridge2025_figure1"],
        ["--tie", "0.2"],
        ["--max-student-tokens", "1B"],
        ["--max-teacher-params", "500M"],
        ["--max-teacher-tokens", "10B"],
        ["--context", "8192"],
        ["--vocab", "128000"],
        ["--aspect", "64"],
        ["--omega", "10"],
        ["--teacher", "3B:1T"],
    ],
    ids=" ".join,
)
def test_every_option_changes_the_answer(option):
    def essence(words):
        answer = json.loads(run(*words, "-o", "json").stdout)
        return [(one["loss"], one["decides"]) for one in answer["options"]], answer["verdict"]

    base = [*BUDGET, "--students", "4"] if "stored" in option else BUDGET
    assert essence(overridden(*base, *option)) != essence(base)


def test_the_largest_student_may_be_bound():
    answer = json.loads(run("budget", "1e21", "--max-student-params", "2B", "-o", "json").stdout)
    assert answer["options"][0]["student_params"] == 2e9
    assert answer["options"][0]["status"] == "at_upper_bound"


@pytest.mark.parametrize("word", ["\x1b[31mred", "\u202e7B", "--\x9b31m", "\x85"])
@pytest.mark.parametrize("command", [["budget"], ["budget", "1e21", "--law"], ["laws", "x"]])
def test_an_error_moves_no_cursor(command, word):
    """What was typed is repeated, with escapes for what a terminal would obey."""
    found = run(*command, word)
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert all(one.isprintable() for one in line)


def test_a_long_word_is_cut():
    found = run("budget", "--" + "k" * 10_000)
    assert found.returncode == 2
    assert found.stderr.startswith("error: no such option: --kkk")
    assert len(found.stderr) < 400
