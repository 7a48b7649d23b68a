"""Inputs of every kind do no harm; and what does harm is found."""

import json

import pytest

from distillplan.fitting import law_files
from distillplan.render import plan_view
from distillplan.units import quantities, times
from tests import shell
from tests.fuzz.answers import forms_agree
from tests.fuzz.campaign import Tally, shares, tally
from tests.fuzz.case import Case, Result, case_of
from tests.fuzz.oracles import ORACLES, document_is_sound, form_of
from tests.fuzz.running import prepared, run
from tests.fuzz.targets import READERS, TARGETS

SEED = 20_250_212
INPUTS = 20_000
FEWER = 6
"""Command lines are this many times fewer than in a campaign: they take most of its time."""
BLOCK = 300
"""Inputs of one test."""


def counts() -> dict[str, int]:
    """Inputs of each target."""
    whole = shares(INPUTS, tuple(TARGETS))
    lines = {name: -(-count // FEWER) for name, count in whole.items() if name not in READERS}
    return {**shares(INPUTS - sum(lines.values()), tuple(READERS)), **lines}


BLOCKS = [
    (name, start, min(start + BLOCK, count))
    for name, count in counts().items()
    for start in range(0, count, BLOCK)
]


def said(found: Tally) -> str:
    return "\n".join(
        f"{one.fault.kind}: {one.fault.text}\n"
        f"  python -m tests.fuzz --seed {SEED} --only {one.target!r} --index {one.index}"
        for one in found.findings.values()
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "start", "end"), BLOCKS)
def test_no_input_does_harm(name, start, end):
    with prepared():
        found = tally(name, SEED, range(start, end))
    assert not found.findings, said(found)


def test_inputs_are_the_same_for_ever():
    with prepared():
        for name, target in TARGETS.items():
            assert case_of(name, target, SEED, 3) == case_of(name, target, SEED, 3)
            assert any(
                case_of(name, target, SEED, 3) != case_of(name, target, SEED, index)
                for index in range(4, 24)
            )


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TARGETS if name not in ("any line", "pilot")])
def test_every_target_has_inputs_that_are_answered(name):
    """A generator whose inputs are all refused would find little."""
    with prepared():
        found: Tally = Tally()
        for index in range(400):
            found.join(tally(name, SEED, (index,)))
            if found.codes[0] or found.codes[3]:
                return
    pytest.fail(f"{name}: {found.codes}")


def test_an_exception_is_found_with_its_place(monkeypatch):
    monkeypatch.setitem(times.HOURS, "week", 0.0)
    monkeypatch.setattr(quantities, "positive", lambda value, *_: 1 / value)
    with prepared():
        found = tally("numbers", SEED, range(400))
    assert "ZeroDivisionError" in {kind for kind, _ in found.findings}
    (one,) = [one for (kind, _), one in found.findings.items() if kind == "ZeroDivisionError"][:1]
    with prepared():
        again = tally("numbers", SEED, (one.index,))
    assert one.fault.key in again.findings  # the line that it prints shows it again


@pytest.mark.slow
def test_a_table_that_disagrees_is_found(monkeypatch):
    shown = plan_view.loss_in_words
    monkeypatch.setattr(plan_view, "loss_in_words", lambda option: shown(option).replace("2", "3"))
    with prepared():
        found = tally("budget", SEED, range(60))
    assert "forms_agree" in {kind for kind, _ in found.findings}


@pytest.mark.slow
def test_a_law_that_is_saved_wrong_is_found(monkeypatch):
    text = law_files.law_text
    monkeypatch.setattr(
        law_files, "law_text", lambda *given: text(*given).replace("value: 1", "value: 2")
    )
    with prepared():
        found = tally("fitted", SEED, range(12))
    assert "saved" in {kind for kind, _ in found.findings}


GOOD = Result(code=0, out='{"a": 1}\n', err="", error=None, seconds=0.1, growth=0.0)
REFUSED = GOOD._replace(code=2, out="", err="error: one sentence\n")
ASKED = Case(words=("schema", "plan", "-o", "json"))
TABLE = Case(words=("budget", "1e21"))
ROWS = Case(words=("target", "-o", "csv"))
HARM = {
    "exit_code": (ASKED, GOOD._replace(code=70)),
    "no_sign_of_a_bug": (ASKED, REFUSED._replace(err="Traceback (most recent call last):\n")),
    "an_error_is_one_sentence": (ASKED, REFUSED._replace(err="error: one\ntwo\n")),
    "faults_are_whole": (
        Case(words=("validate", "s.yaml", "-o", "json")),
        GOOD._replace(code=2, out='{"schema": "distillplan/validation@1", "faults": []}\n'),
    ),
    "an_answer_is_quiet": (ASKED, GOOD._replace(err="RuntimeWarning: overflow\n")),
    "text_is_plain": (TABLE, GOOD._replace(out="odds: nan%\n")),
    "json_is_strict": (ASKED, GOOD._replace(out='{"a": NaN}\n')),
    "rows_parse": (ROWS, GOOD._replace(out="a,b\n1\n")),
    "files_are_sound": (ASKED, GOOD._replace(saved={"a.svg": b'<svg><path d="M nan 1"/></svg>'})),
    "bounds": (TABLE, GOOD._replace(seconds=7.0)),
}


@pytest.mark.parametrize("name", ORACLES)
def test_each_oracle_sees_what_it_is_for(name):
    case, wrong = HARM[name]
    assert list(ORACLES[name](case, wrong))
    right = GOOD if name == "json_is_strict" else GOOD._replace(out="a,b\n1,2\n")
    assert not list(ORACLES[name](case, right))
    assert not list(ORACLES[name](case, REFUSED))


def test_a_loss_that_is_no_better_than_guessing_is_seen():
    """ln(32768) = 10.397 nats per token, for a model that knows its vocabulary only."""
    with prepared():
        result = run(Case(words=("predict", "--student", "1B", "--tokens", "100B", "-o", "json")))
    document = json.loads(result.out)
    assert not list(document_is_sound(document))
    document["supervised_loss"] = 10.4
    assert list(document_is_sound(document))


def test_a_student_guesses_among_the_words_of_its_own_teacher():
    """ln(262144) = 12.477: the vocabulary of the student is its teacher's, whatever the law's."""
    with prepared():
        result = run(Case(words=("teachers", "1e21", "--student", "1B", "-o", "json")))
    document = json.loads(result.out)
    assert not list(document_is_sound(document))
    document["teachers"][0]["model"]["vocab"] = 262_144
    for loss, faults in ((12.4, 0), (12.5, 1)):
        document["teachers"][0]["loss"] = loss
        assert len(list(document_is_sound(document))) == faults


def test_what_shows_how_far_it_is_may_take_longer():
    slow, case = GOOD._replace(seconds=7.0), Case(words=("crossover", "--student", "1B"))
    for shown in ("Rows: 19 of 186\n", "Published cases: at work\n"):
        assert not list(ORACLES["bounds"](case, slow._replace(err=shown)))
    assert list(ORACLES["bounds"](case, slow._replace(err="note: 19 of 186\n")))


def test_a_difference_of_losses_is_no_loss():
    """The same plan twice: they differ by nothing, which would be no loss of a model."""
    twice = b"base: {compute: 1e20, student: 1B}\nscenarios: {one: {}, two: {}}\n"
    words = ("compare", "s.yaml", "--baseline", "one", "--quick", "-o", "json")
    with prepared():
        result = run(Case(words=words, files={"s.yaml": twice}))
    document = json.loads(result.out)
    assert [one["loss"] for one in document["differences"]] == [0.0]
    assert not list(document_is_sound(document))
    document["plans"][0]["options"][0]["loss"] = 0.0
    assert list(document_is_sound(document))


def test_a_schema_of_several_words_is_known():
    with prepared():
        words = ("plot", "teacher", "--student", "1B", "--tokens", "10B", "-o", "json")
        result = run(Case(words=words))
    document = json.loads(result.out)
    assert document["schema"] == "distillplan/teacher_losses@1"
    assert not list(document_is_sound(document))
    document["points"][0]["student_loss"] = 12.5
    assert list(document_is_sound(document))


def test_a_chart_is_not_read_as_a_table():
    words = ("budget", "1e21", "--student", "1B", "--plot", "--quick")
    with prepared():
        result = run(Case(words=words))
        ((answer, how),) = result.answers
        assert how["chart"]
        assert not list(forms_agree(Case(words=words), answer, how))


@pytest.mark.parametrize(
    ("words", "form"),
    [
        (("budget",), "table"),
        (("budget", "-o", "json"), "json"),
        (("budget", "--output=csv", "-ojsonl"), "jsonl"),
        (("validate", "-o", "json", "--set", "--output=table"), "json"),
        (("validate", "--set", "-o", "-o", "json"), "json"),
        (("validate", "-o", "csv", "--out", "json"), "json"),
        (("plot", "map", "--save", "--json", "--format=csv"), "csv"),
        (("budget", "1e21", "--json"), "json"),
    ],
)
def test_the_form_that_is_asked_for(words, form):
    assert form_of(Case(words=words)) == form


def test_the_fuzzer_runs_commands_as_a_shell_does():
    """Against `tests.shell`, which builds everything anew and has no cache; after help, too."""
    lines = (
        ("predict", "--student", "1B", "--tokens", "100B"),
        ("predict", "--student", "1B", "--tokens", "100B", "-o", "json"),
        ("budget",),
        ("laws", "x"),
    )
    alone = [shell.run(*words) for words in lines]
    with prepared():
        run(Case(words=("predict", "--help")))  # which changes the defaults of its command
        run(Case(words=("budget", "--help")))
        ours = [run(Case(words=words)) for words in lines]
    assert [(one.code, one.out) for one in ours] == [(one.returncode, one.stdout) for one in alone]
    assert [len(one.err.splitlines()) for one in ours] == [0, 0, 1, 1]
