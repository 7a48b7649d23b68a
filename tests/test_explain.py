"""`explain`: every code and every term has an entry, and what an entry says can be done."""

import json
import re
import shlex
import shutil
from enum import StrEnum
from pathlib import Path

import pytest
import typer.main

from distillplan import Bounds
from distillplan.accounting import Accounting, Logits
from distillplan.cli.app import COMMANDS, app
from distillplan.errors import InputError
from distillplan.hardware.strategy import Sharding
from distillplan.laws.format_studies import KeptLogits
from distillplan.laws.provenance import LawStatus
from distillplan.laws.recovery import CutSize
from distillplan.planning.results import Reason
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.start import StartKind
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.glossary.explanation import WordKind, explain, explanations
from distillplan.questions.onpolicy_records import ScoreBasis
from distillplan.questions.pilot_records import Advice
from distillplan.questions.recipe_records import Sureness
from distillplan.questions.teachers import LeftOut
from distillplan.questions.track_records import Doubt, Status
from distillplan.units.quantities import parse_count
from tests.declared_codes import declared_codes
from tests.documentation import BLOCK, EXAMPLES, pages
from tests.shell import run
from tests.terminal import WIDTHS, screens

ROOT = Path(__file__).parents[1]
ALL = explanations()
TRIED = sorted({one.command for one in ALL if one.command})
SHOWN = {
    found["command"]: found["shown"]
    for page in pages()
    for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
}
"""What pages show of commands; `test_docs` runs those."""
GIVEN = "--teacher 7B:2T"
QUESTIONS = [
    f"budget 1e21 --student 1B --quick {GIVEN}",
    "budget 1e21 --student 1B --quick",
    f"budget 1e21 --student 1B --quick {GIVEN} --teacher-loss 3",
    f"budget 1e21 --student 1B --quick --gpu h100-sxm --gpus 64 {GIVEN}",
    "budget 1e21 --student 1B --quick --gpu h100-sxm",
    "estimate --tokens 100B --gpu h100-sxm --gpus 64 --teacher llama-3.1-8b",
    "estimate --model 7B --tokens 100B --gpu h100-sxm --gpus 64",
    "estimate --model qwen3-30b-a3b --tokens 100B --gpu h100-sxm --gpus 64",
    "track plan.json losses.csv --batch-tokens 524288",
    "teachers 1e22 --student 1.5B --tokenizer llama-3 --bytes-per-token 4.3",
    "pilot 1e21 --student 1B --teacher 7B:2T --logits cached",
]
"""What options of an entry may be added to."""


def test_every_code_of_a_remark_is_explained_and_nothing_else():
    explained = {one.word for one in ALL if one.kind is WordKind.WARNING}
    assert explained == set(declared_codes())
    assert len(explained) > 80


@pytest.mark.parametrize(
    "words",
    [
        *(
            KeptLogits,
            Accounting,
            Logits,
            Verdict,
            Reason,
            SearchStatus,
            LeftOut,
            Status,
            Doubt,
            Advice,
            Sureness,
            ScoreBasis,
            StartKind,
            CutSize,
        )
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_word_that_an_answer_may_have_is_explained(words: type[StrEnum]):
    for one in words:
        assert explain(one.value).word == one.value


@pytest.mark.parametrize(
    "word",
    [
        *(one.value for one in LawStatus if one not in (LawStatus.DEFAULT, LawStatus.AVAILABLE)),
        *(one.value for one in Sharding if one is not Sharding.NONE),
        *("loss in nats", "tie", "odds", "tokens per parameter", "muP", "logits"),
        *("patient teacher", "capacity gap", "who pays", "outside the law's data", "FLOPs", "MFU"),
        *("bits per byte", "temperature", "perplexity", "fsdp", "chinchilla", "6ND", "D/N"),
        *("KL", "TPP", "hard labels", "replica", "cascade", "may distill", "its life", "GKD"),
    ],
)
def test_terms_of_the_field_and_of_the_screens_are_explained(word):
    assert run("explain", word).returncode == 0


@pytest.mark.parametrize(
    ("code", "word"), [("at_upper_bound", "teacher_tokens"), ("at_lower_bound", "student_params")]
)
def test_what_to_try_at_a_bound_of_the_search_widens_it(code, word):
    """Beyond the end that the search has by itself."""
    typed = explain(code).command.replace("--set ", "").replace("=", " ").split()
    end = parse_count(typed[1], "tried", "1")
    least, most = getattr(Bounds(), word)
    assert typed[0].strip("-").replace("-", "_") in (f"max_{word}", f"min_{word}")
    assert end < least if code == "at_lower_bound" else end > most


def test_no_two_entries_share_a_name():
    names = [
        "".join(filter(str.isalnum, name.lower())) for one in ALL for name in (one.word, *one.also)
    ]
    assert len(names) == len(set(names))
    assert all(names)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        (["teacher too strong"], "teacher_too_strong"),
        (["teacher", "too", "strong"], "teacher_too_strong"),
        (["Teacher_Too_Strong"], "teacher_too_strong"),
        (["TEACHER-TOO-STRONG"], "teacher_too_strong"),
        (["bits/byte"], "bits per byte"),
        (["Bits-Per-Byte"], "bits per byte"),
        (["BPB"], "bits per byte"),
        (["mup"], "muP"),
        (["gpu", "hours"], "GPU-hour"),
        (["Loss in nats"], "nat"),
    ],
)
def test_any_spelling_will_do(written, word):
    assert json.loads(run("explain", *written, "-o", "json").stdout)["word"] == word


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("teacher_to_strong", "did you mean 'teacher_too_strong'"),
        ("MFUU", "did you mean 'mfu'"),
        ("qqqqqqqq", "run distillplan explain for the list"),
        ("-", "run distillplan explain for the list"),
        ("", "run distillplan explain for the list"),
    ],
)
def test_an_unknown_word_names_the_nearest(written, says):
    found = run("explain", written)
    assert (found.returncode, found.stdout) == (2, "")
    assert says in found.stderr


@pytest.mark.parametrize("width", WIDTHS)
def test_every_entry_fits_its_terminal(width):
    for one in ALL:
        lines = screens("explain", one.word)[width]
        assert max(map(len, lines)) <= width, one.word
        assert width < 80 or len(lines) <= 22, one.word
        if one.kind is WordKind.WARNING:
            assert all(
                any(line.startswith(head) for line in lines) for head in ("Why", "Do", "Try")
            )
        assert any(line.startswith("From") for line in lines), one.word


def test_the_list_has_every_word():
    found = run("explain", COLUMNS="80").stdout
    assert max(map(len, found.splitlines())) <= 80
    listed = " ".join(found.split())
    assert all(one.word in listed for one in ALL)
    groups = json.loads(run("explain", "-o", "json").stdout)["groups"]
    assert [word for one in groups for word in one["words"]] == [one.word for one in ALL]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("bench") / "examples")
    (folder / "measured.csv").write_text("model,bpb\nllama-3.1-8b,0.72\n", encoding="utf-8")
    return folder


def test_a_command_to_try_that_a_page_shows_is_answered_there():
    shown = {one: SHOWN[one] for one in TRIED if one in SHOWN}
    assert len(shown) > 10
    assert all(text and "error:" not in text for text in shown.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [one for one in TRIED if not one.startswith("-") and one not in SHOWN]
)
def test_a_command_to_try_is_answered(command, bench):
    words = shlex.split(command)
    assert words[0] == "distillplan"
    quick = {"fit": ["--resamples", "0"], "budget": ["--quick"]}.get(words[1], [])
    found = run(*words[1:], *(quick if "--laws" not in words else []), folder=bench)
    assert found.returncode == 0, found.stderr
    assert found.stdout


@pytest.mark.parametrize("options", [one for one in TRIED if one.startswith("-")])
def test_options_to_add_are_options_of_a_question(options, bench):
    added = shlex.split(options)
    for question in QUESTIONS:
        words = question.split()
        if "--teacher" in added and GIVEN in question:
            continue
        if run(*words, *added, folder=bench).returncode == 0:
            return
    pytest.fail(options)


def flags() -> set[str]:
    group = typer.main.get_command(app)
    found = {flag for one in group.params for flag in (*one.opts, *one.secondary_opts)}
    for name in COMMANDS:
        for one in group.get_command(None, name).params:
            found |= {*one.opts, *one.secondary_opts}
    return found


def test_what_is_written_as_an_option_or_a_command_is_one():
    known = {*flags(), "--help"}
    for one in ALL:
        text = " ".join(filter(None, (one.means, one.why, one.advice, one.source, one.command)))
        assert set(re.findall(r"--[a-z][a-z-]*", text)) <= known, one.word
        for name in re.findall(r"distillplan ([a-z]+)", text):
            assert name in {word.split()[0] for word in COMMANDS}, one.word


def test_a_source_in_this_project_exists():
    for one in ALL:
        for place in re.findall(r"(?:docs|coefficients)/[\w./-]*\w", one.source):
            assert (ROOT / place).exists(), one.word
            title = one.source.partition(f"{place}, ")[2]
            if place.endswith(".md") and title:
                text = (ROOT / place).read_text(encoding="utf-8")
                assert f"## {title}\n" in text, one.word


def test_an_error_quotes_no_more_of_a_word_than_a_sentence_bears():
    """Found by the fuzzer: 14,000 letters came back whole."""
    with pytest.raises(InputError, match="is unknown") as caught:
        explain("RUN THE TEACHER" * 1000)
    assert len(str(caught.value)) < 300


def test_whether_a_run_fits_is_explained_in_the_words_of_both():
    """Screens say tight for what documents call uncertain."""
    assert explain("fits").word == "fits"
    assert explain("uncertain").word == explain("tight").word == "tight"
