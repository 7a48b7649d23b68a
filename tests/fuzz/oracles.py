"""What must hold of any command line and its result, one function each."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NoReturn
from xml.etree import ElementTree as ET

from distillplan.cli.app import COMMANDS
from distillplan.cli.other_words import in_our_words
from distillplan.errors import InputError
from distillplan.planning.scenario import Scenario
from tests.built import command as click_command
from tests.fuzz.case import Case, Result
from tests.fuzz.command_lines import options_of
from tests.schemas import validator

CODES = (0, 1, 2, 3)
"""Answered, no answer, unusable input, an assertion that failed."""
FAILED = 3
ANSWERED = (0, FAILED)
LONGEST_LINE = 3_000
"""Characters of a message about one table of runs, which names up to 12 faults."""
MOST_LINES = 40
"""Of a message with all faults of a file."""
SECONDS = 6.0
"""Twice what a command may take alone, for it shares its processor."""
BYTES = 500e6
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, colors it or turns its text round."""
_BUG = re.compile(r"Traceback|\w+Warning:|<object|object at 0x|\bArray\(|\barray\(|np\.float")
NO_NUMBER = re.compile(r"(?<![\w./-])[+-]?(?:nan|inf|NaN|Infinity|None)(?![\w./-])|∞")

_PROGRESS = re.compile(r"^[A-Z][a-z ]+: (?:at work|[\d,]+ of [\d,]+)\n", re.MULTILINE)

Oracle = Callable[[Case, Result], Iterator[str]]


def exit_code(case: Case, result: Result) -> Iterator[str]:  # noqa: ARG001  (an oracle)
    if result.error is None and result.code not in CODES:
        yield f"exit code {result.code}: {result.err[-300:]}"


def no_sign_of_a_bug(case: Case, result: Result) -> Iterator[str]:
    found = _BUG.search(result.out + result.err)
    if found is not None and found[0] not in text_of(case):
        yield f"{found[0]!r} in what it says: {(result.out + result.err)[:300]}"


def an_error_is_one_sentence(case: Case, result: Result) -> Iterator[str]:
    if result.code not in (1, 2) or _faults_are_the_answer(case):
        return
    if result.out:
        yield f"an error, and something on standard output: {result.out[:100]!r}"
    err = quiet(result.err)
    yield from sentence(err.removesuffix("\n").removeprefix("error: "), case)
    control = CONTROL.search(err)
    if control is not None:
        yield f"the control character {control[0]!r}: {err[:300]!r}"
    if not err.startswith("error: ") or not err.endswith("\n"):
        yield f"not 'error: ' and a line: {err[:200]!r}"


def _faults_are_the_answer(case: Case) -> bool:
    """Whether faults of a file go into a document on standard output."""
    return case.words[:1] == ("validate",) and form_of(case) == "json"


def faults_are_whole(case: Case, result: Result) -> Iterator[str]:
    """The document of `validate`: faults with exit code 2, none with 0, each one sentence."""
    if not _faults_are_the_answer(case) or not result.out.startswith("{"):
        return
    document = strictly(result.out)
    if (result.code == 2) != bool(document["faults"]):
        yield f"exit code {result.code} and {len(document['faults'])} faults"
    if quiet(result.err):
        yield f"a document, and on standard error: {result.err[:200]!r}"
    yield from document_is_sound(document)
    for one in document["faults"]:
        yield from sentence(one["message"], case)


def sentence(text: str, case: Case) -> Iterator[str]:
    """An error's text: one line, or a line for each fault of a scenario file."""
    first, *others = text.split("\n")
    if not first.strip() or text != text.strip():
        yield f"empty, or with space around it: {text[:200]!r}"
    if others and not (first.endswith("faults") and all(one.startswith("  ") for one in others)):
        yield f"{len(others) + 1} lines: {text[:300]!r}"
    if len(others) > MOST_LINES:
        yield f"{len(others) + 1} lines"
    longest = max(map(len, (first, *others)))
    if longest > LONGEST_LINE:
        yield f"a line of {longest} characters: {text[:160]}..."
    said = _BUG.search(text)
    if said is not None and said[0] not in text_of(case):
        yield f"{said[0]!r} in {text[:300]}"


def an_answer_is_quiet(case: Case, result: Result) -> Iterator[str]:
    if result.code == 0:
        if quiet(result.err):
            yield f"answered, and yet on standard error: {result.err[:300]!r}"
        rows = form_of(case) == "jsonl" or "--shard" in " ".join(case.words)  # there may be none
        if not result.out.strip() and not rows:
            yield "answered with nothing"
    if result.code == FAILED:
        if not result.out.strip():
            yield "an assertion failed, and there is no answer"
        for line in quiet(result.err).splitlines():
            if not line.startswith("assertion failed: "):
                yield f"on standard error: {line[:300]!r}"


def quiet(err: str) -> str:
    """What is on standard error beside how far it is, which is said as time goes by."""
    return _PROGRESS.sub("", err)


def text_is_plain(case: Case, result: Result) -> Iterator[str]:
    """Tables and Markdown: no control characters, no number that is none."""
    if result.code in ANSWERED and form_of(case) in ("table", "markdown", "map"):
        yield from plain(result.out, case)


def plain(text: str, case: Case) -> Iterator[str]:
    """What is wrong with a text for people."""
    control = CONTROL.search(text)
    if control is not None:
        yield f"the control character {control[0]!r} in the answer"
    if case.words[:1] in (("schema",), ("help",)) or {"--help", "-h"} & set(case.words):
        return
    number = NO_NUMBER.search(text)
    if number is not None and number[0].lower() not in text_of(case).lower():
        line = next(line for line in text.splitlines() if number[0] in line)
        yield f"{number[0]!r} in the answer: {line.strip()[:200]}"


def json_is_strict(case: Case, result: Result) -> Iterator[str]:
    if result.code not in ANSWERED or form_of(case) != "json" or not result.out.startswith("{"):
        return
    try:
        document = strictly(result.out)
    except ValueError as error:
        yield f"not JSON: {error}"
        return
    if case.words[:1] != ("schema",):
        yield from document_is_sound(document)


def document_is_sound(document: Mapping[str, Any]) -> Iterator[str]:
    """Against its schema, with losses better than guessing."""
    name = re.fullmatch(r"distillplan/([a-z_]+)@\d+", str(document.get("schema")))
    if name is None:
        yield f"schema {document.get('schema')!r}"
        return
    checker = validator(name[1])
    if not checker.is_valid(document):
        error = next(iter(checker.iter_errors(document)))
        yield f"{name[1]}, {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
    if name[1] in WITH_LOSSES:
        for part, most in _guesses(document):
            for place, loss in _losses(part, ""):
                if loss >= most:
                    yield f"{place} of {name[1]}: a loss of {loss!r} is no better than guessing"
                if loss <= 0:
                    yield f"{place} of {name[1]}: a loss of {loss!r}"


WITH_LOSSES = (
    *("plan", "comparison", "ensemble", "sweep", "target", "crossover", "prediction", "track"),
    *("family", "teachers", "teacher_losses", "losses", "optima", "onpolicy", "serving"),
)
"""Documents whose losses are those of models, in nats per token."""
NO_LOSSES = ("scenario", "law", "by_10_percent", "differences")
"""Parts of them whose losses are ranges, changes, differences, or what was asked."""


def _guesses(document: Mapping[str, Any]) -> Iterator[tuple[Any, float]]:
    """Parts of a document, each with the loss of a model that knows only its vocabulary."""
    import math

    usual = Scenario(compute=1.0, law=_default_law()).architecture.vocab
    said = document.get("scenario") or {}
    own = max((said.get("architecture") or {}).get("vocab") or usual, usual)
    if not document["schema"].startswith("distillplan/teachers@"):
        yield document, math.log(own)
        return
    rows = document[
        "teachers"
    ]  # each student has its teacher's vocabulary, pretraining the first's
    vocabs = [max(own, one["model"]["vocab"]) for one in rows]
    yield from zip(rows, map(math.log, vocabs), strict=True)
    rest = {key: one for key, one in document.items() if key != "teachers"}
    yield rest, math.log(vocabs[0] if vocabs else own)


def _default_law() -> Any:
    from distillplan.laws import law_catalog

    return law_catalog.law()


def _losses(value: Any, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("loss", "losses") or key.endswith("_loss"):
                yield from _numbers(one, key)
            elif key not in NO_LOSSES:
                yield from _losses(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _losses(one, place)


def _numbers(value: Any, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield place, float(value)
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one, place)


def rows_parse(case: Case, result: Result) -> Iterator[str]:
    """CSV and JSON Lines: rows with the same keys, and numbers in them."""
    form = form_of(case)
    if result.code not in ANSWERED or form not in ("csv", "jsonl"):
        return
    yield from rows_are_sound(result.out, form)


def rows_are_sound(text: str, form: str) -> Iterator[str]:
    """What is wrong with CSV or JSON Lines."""
    if form == "jsonl":
        try:
            rows = [strictly(line) for line in text.splitlines()]
        except ValueError as error:
            yield f"JSON Lines: {error}"
            return
        if len({tuple(row) for row in rows}) > 1:
            yield "JSON Lines: keys differ from line to line"
        return
    header, *cells = csv.reader(io.StringIO(text), strict=True) if text else [[]]
    if any(len(row) != len(header) for row in cells):
        yield "CSV: rows of several lengths"
    for row in cells:
        for name, cell in zip(header, row, strict=False):
            if NO_NUMBER.fullmatch(cell):
                yield f"CSV: {name} is {cell}"


def files_are_sound(case: Case, result: Result) -> Iterator[str]:
    """Pictures and data that a command leaves: whole, finite, and none beside an error."""
    for name, content in result.saved.items():
        if result.code in (1, 2) and not {"--state", "--save"} & set(case.words):
            yield f"an error, and the file {name!r}"
        ending = name.rpartition(".")[2]
        if not content:
            yield f"the empty file {name!r}"
        elif ending in MAGIC and not content.startswith(MAGIC[ending]):
            yield f"the picture {name!r} starts with {content[:8]!r}"
        elif ending == "svg":
            yield from _picture_is_sound(content.decode("utf-8"))
        elif ending in ("csv", "jsonl") and "--data" in " ".join(case.words):
            yield from rows_are_sound(content.decode("utf-8"), ending)
        elif ending == "json" and "--data" in " ".join(case.words):
            yield from document_is_sound(strictly(content.decode("utf-8")))


MAGIC = {"png": b"\x89PNG\r\n", "pdf": b"%PDF-"}
"""What pictures begin with."""


def _picture_is_sound(text: str) -> Iterator[str]:
    """XML, without numbers that are none."""
    try:
        ET.fromstring(text)  # noqa: S314  (our own)
    except ET.ParseError as error:
        yield f"a picture that is no XML: {error}"
    found = re.search(r'="[^"]*\b(nan|inf)\b[^"]*"', text)
    if found is not None:
        yield f"a picture with {found[0][:80]}"


def bounds(_case: Case, result: Result) -> Iterator[str]:
    """Time, where nothing says how far it is, and memory; of two runs, the quicker one."""
    if result.seconds > SECONDS and not _PROGRESS.search(result.err):
        yield f"{result.seconds:.1f} s of the processor"
    if result.growth > BYTES:
        yield f"{result.growth / 1e6:.0f} MB"


ORACLES: Mapping[str, Oracle] = {
    one.__name__: one
    for one in (
        *(exit_code, no_sign_of_a_bug, an_error_is_one_sentence, an_answer_is_quiet),
        *(text_is_plain, json_is_strict, rows_parse, faults_are_whole, files_are_sound, bounds),
    )
}
"""By name."""


def form_of(case: Case) -> str:
    """The form of output that a command line asks for; the last one counts."""
    found, option = "table", ""
    for word in _in_our_words(case.words):
        if option:
            found = word if option in ("-o", "--output") else found
            option = ""
        elif word.startswith("--output="):
            found = word.partition("=")[2]
        elif word.startswith("-o") and len(word) > 2:
            found = word[2:].removeprefix("=")
        elif word in _with_values():
            option = word
    return found


def _in_our_words(words: tuple[str, ...]) -> list[str]:
    """A command line with the options of other tools replaced, as the command does."""
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in COMMANDS:
            try:
                return in_our_words(words[count:], click_command(name).params)
            except InputError:  # for which there is no answer in any form
                break
    return list(words)


@cache
def _with_values() -> frozenset[str]:
    """The options of any command that take the word after them."""
    options = (one for name in COMMANDS for one in options_of(name))
    return frozenset(flag for one in options if one.takes for flag in one.flags)


def strictly(text: str) -> Any:
    """The value of a JSON text, in which NaN and infinity are no numbers.

    Raises:
        ValueError: where it is not JSON.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def text_of(case: Case) -> str:
    """All that a case says itself."""
    files = (content.decode("utf-8", "replace") for content in case.files.values())
    return "\n".join((*case.words, *files))
