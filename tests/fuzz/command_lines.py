"""Command lines: those of the help with small changes, and any option with any value.

All of it comes from the commands themselves, so new commands, options and keys need nothing here.
"""

import inspect
import shlex
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from random import Random
from typing import NamedTuple, get_args

from distillplan.cli.app import COMMANDS
from distillplan.render.show import RowOutput
from distillplan.scenarios import key_table
from tests.built import command as click_command
from tests.documentation import SHOWN
from tests.fuzz.case import Case
from tests.fuzz.data_files import fixtures_named
from tests.fuzz.mutations import changed_text
from tests.fuzz.scenario_texts import assertion, value_of
from tests.fuzz.written import WHOLES, garbage, number, odd, one_of, several, usual

FILES = {
    "--output": (
        *("picture.svg", "picture.svg", "picture.png", "picture.pdf", "page.html", "json", "csv"),
        *("jsonl", "no.such", "nosuch/picture.svg"),
    ),
    "--data": ("data.csv", "data.json", "data.jsonl", "data.txt", "picture.svg"),
}
"""Files that are written."""
ONE_PROCESS = "--jobs"
"""An option that starts processes, which a fuzzer does not."""
NO_TEXT = "parquet"
"""A form of an answer that is bytes."""
SMALL = {
    "--resamples": ("0", "0", "1", "8", "64", "-1", "x", "100001"),
    ONE_PROCESS: ("1", "0", "257", "x"),
}
"""Options whose large values take long, by progress bars that say so."""


class Option(NamedTuple):
    """An option of a command."""

    flags: tuple[str, ...]
    takes: str
    """What it takes, as its help says; empty for a switch."""
    choices: tuple[str, ...]


@cache
def options_of(name: str) -> tuple[Option, ...]:
    """The options of a command."""
    found = []
    for one in click_command(name).params:
        if one.param_type_name != "option":
            continue
        flags = (*one.opts, *one.secondary_opts)
        choices = tuple(map(str, getattr(one.type, "choices", ())))
        choices = tuple(each for each in choices if each != NO_TEXT)
        takes = "" if one.is_flag else (one.metavar or one.name or "VALUE")
        found.append(Option(flags=flags, takes=takes, choices=choices))
    return tuple(found)


@cache
def forms_of(name: str) -> tuple[str, ...]:
    """Forms of the answer of a command: as often JSON as all others, and one that it may lack."""
    (one,) = [one for one in options_of(name) if "--output" in one.flags]
    known = one.choices or get_args(RowOutput)
    return (*known, *("json" for _ in known), "jsonl")


@cache
def examples_of(name: str) -> tuple[tuple[str, ...], ...]:
    """The command lines of a command's own help and of its page."""
    module = name.replace(" ", "_")
    function = getattr(import_module(f"distillplan.cli.commands.{module}"), module)
    lines = [line.strip() for line in (inspect.getdoc(function) or "").splitlines()]
    lines = [line for line in (*lines, SHOWN[name]) if line.startswith(f"distillplan {name}")]
    found = []
    for line in lines:
        words = shlex.split(line)
        end = min(words.index(sign) if sign in words else len(words) for sign in "|<")
        found.append(tuple(words[1 + len(name.split()) : end]))
    return tuple(found)


def command_line(name: str, random: Random) -> Case:
    """A command line with the files that it names."""
    words = list(random.choice(examples_of(name)))
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 2, 3, 5))):
        _change(name, words, random)
    flags = {flag for one in options_of(name) for flag in one.flags}
    if "--quick" in flags and random.random() < 0.85:
        words.append("--quick")
    if "--resamples" in flags and not any(word.startswith("--resamples") for word in words):
        words += ["--resamples", random.choice(SMALL["--resamples"][:5])]
    drawn = [at for at, word in enumerate(words) if word.endswith((".svg", ".png", ".pdf"))]
    if name.startswith("plot") and drawn and random.random() < 0.5:  # drawing takes most time
        words[drawn[0]] = random.choice(("json", "json", "jsonl", "csv"))
    if "--output" in flags and random.random() < 0.8 and "-o" not in words:
        words += ["-o", random.choice(forms_of(name))]
    return with_files((*name.split(), *_kept_small(words)), random)


def with_files(words: tuple[str, ...], random: Random) -> Case:
    """A case of these words; its files are sound for the most part."""
    return Case(words=words, files=fixtures_named(words, random), stdin=_stdin(words, random))


def _stdin(words: tuple[str, ...], random: Random) -> bytes:
    return next(iter(fixtures_named(("compare.yaml",), random).values())) if "-" in words else b""


def any_line(random: Random) -> Case:
    """A command line of any words."""
    words = random.choice((*COMMANDS, *COMMANDS, odd(random))).split(" ")
    for _ in range(random.choice((0, 1, 2, 4))):
        other = random.choice(COMMANDS)
        flags = [flag for option in options_of(other) for flag in option.flags] or ["-h"]
        words.append(random.choice((odd(random), garbage(random), random.choice(flags))))
    if words[0] in ("pilot", "check"):  # what they refuse only once they are done takes long
        words = [*words[:1], f"--{words[-1]}"]
    return Case(words=tuple(_kept_small(words)))


def _change(name: str, words: list[str], random: Random) -> None:
    chance = random.random()
    if chance < 0.65 and options_of(name):
        option = random.choice(options_of(name))
        words += _written(option, random)
    elif chance < 0.82 and words:
        at = random.randrange(len(words))
        before = words[at - 1] if at else ""
        is_option = words[at].startswith("-") and options_of(name)
        words[at] = (
            random.choice((odd, number, partial(_other, before, words[at])))(random)
            if not is_option
            else random.choice(random.choice(options_of(name)).flags)
        )
    elif chance < 0.9 and words:
        del words[random.randrange(len(words))]
    elif chance < 0.95 and words:
        at = random.randrange(len(words))
        words[at] = changed_text(random, words[at], 2)
    elif words:
        words.insert(random.randrange(len(words) + 1), random.choice((odd(random), words[0])))


def _other(before: str, old: str, random: Random) -> str:
    """Another usual value."""
    return usual(
        before if before.startswith("-") else "compute" if old[:1].isdigit() else "law", random
    )


def _written(option: Option, random: Random) -> list[str]:
    """An option with a value."""
    flag = random.choice(option.flags)
    if not option.takes:
        return [flag]
    value = _value(option, random)
    return [f"{flag}={value}"] if flag.startswith("--") and random.random() < 0.2 else [flag, value]


def _value(option: Option, random: Random) -> str:
    """A value for an option: by its name where that says what it takes, by its key otherwise."""
    flag = option.flags[0]
    if random.random() < 0.1:
        return odd(random)
    if flag in SMALL:
        return random.choice(SMALL[flag])
    if option.choices:
        return random.choice(option.choices)
    if flag in FILES:
        return random.choice(FILES[flag])
    key = next((one for one in key_table.TABLE.keys.values() if flag in one.flags), None)

    def of_key(random: Random) -> str:
        value = usual(flag, random) if key is None else value_of(key, random)
        return str(value).strip("'")

    if option.takes in ("VALUES", "LIST"):
        return several(of_key)(random)
    return TAKEN.get(option.takes, of_key)(random)


def where(random: Random) -> str:
    """Rows of a table."""
    if random.random() < 0.15:
        return odd(random)
    column = random.choice(("params", "tokens", "loss", "teacher_loss", "State", "val/loss", "x"))
    sign = random.choice(("<", "<=", ">", ">=", "=", "!=", "==", "~"))
    wanted = random.choice(("2.6", "1B", "finished", "20B", "''", odd(random)))
    text = f"{column} {sign} {wanted}"
    return f"{text} and {where(random)}" if random.random() < 0.2 else text


def columns(random: Random) -> str:
    """Which columns of a file are which."""
    names = ("params", "tokens", "loss", "teacher_loss", "step", "student_params", "x")
    there = (
        "params",
        "tokens",
        "loss",
        "N",
        "val/loss",
        "eval_loss",
        "_step",
        "190M",
        "20B",
        "2.0",
    )
    pairs = []
    for _ in range(random.choice((1, 1, 2, 3))):
        column = random.choice(there) if random.random() < 0.9 else odd(random)
        pairs.append(f"{random.choice(names)}={column}")
    return ",".join(pairs)


def _key_and_value(random: Random) -> str:
    key = random.choice(list(key_table.TABLE.keys.values()))
    return f"{random.choice((key.word, key.short))}={value_of(key, random)}"


TAKEN: Mapping[str, Callable[[Random], str]] = {
    "K": one_of(WHOLES),
    "KEY=VALUE": _key_and_value,
    "KEY=VALUES": _key_and_value,
    "EXPR": assertion,
    "WHERE": where,
    "NAME=COLUMN,...": columns,
    "COLUMN": one_of(("run", "State", "params", "loss", "N")),
    "LAW.yaml": one_of(("mine.yaml", "mine.yaml", "law.yaml", "mine.yml", "runs.yaml", "mine.txt")),
    "I/N": one_of(("1/1", "2/3", "3/16", "16/16", "999999999/999999999", "0/4", "5/4", "3")),
    "LINE": one_of(("3", "5", "12", "0", "-1", "99999")),
    "all|NAME,...": one_of(("all", "busbridge2025,hoffmann2022_a3", "law.yaml,kaplan2020")),
}
"""Values by what an option takes, as its help says it."""


def _kept_small(words: list[str]) -> list[str]:
    """Without what starts processes or resamples for minutes."""
    found = list(words)
    for at, word in enumerate(found):
        for flag, allowed in SMALL.items():
            if word == flag and at + 1 < len(found) and found[at + 1] not in allowed:
                found[at + 1] = allowed[0]
            elif word.startswith(f"{flag}=") and word.partition("=")[2] not in allowed:
                found[at] = f"{flag}={allowed[0]}"
    return found
