"""What a plan must meet for a script to go on: ``verdict: distill``, ``loss: "<= 2.3"``."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any

from distillplan.accounting import SUPERVISED_SHOWN, Accounting, Flops
from distillplan.errors import EXAMPLE_GPU, InputError, Word
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import BANDS, Option, Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.suggest import did_you_mean, nearest
from distillplan.units.quantities import SECONDS_PER_HOUR, parse_bytes, parse_count, refuse_grouped
from distillplan.units.times import parse_hours

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_PLAN_NUMBERS = ("margin_nats", *(f"odds.{name}" for name in Odds._fields))
OF_THE_PLAN = ("verdict", "verdict_reason", "warnings", *_PLAN_NUMBERS)
"""Keys of the plan itself; all others are of one of its options."""
WORD_KEYS = ("verdict", "verdict_reason", "status", "fits")
"""Keys whose values are words."""
CODES = "warnings"
"""The key whose value is a list of codes: a demand names a code, or a part of several."""
LIST_SIGNS = ("includes", "excludes")
BILL = ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg", "memory_bytes_per_gpu")
"""Totals of an option's bill; the middle of the range unless an end is named."""
NUMBERS = (
    *_PLAN_NUMBERS,
    *(name for name, kind in Option.__annotations__.items() if kind == float | None),
    *(f"{name}.{end}" for name in Option._fields if name in BANDS for end in ("low", "high")),
    *(f"flops.{name}" for name in Flops._fields),
    *BILL,
    *(f"{name}.{end}" for name in BILL for end in ("low", "mid", "high")),
)
"""Keys whose values are numbers."""
ENDS = ("low", "high")
PARTS = ("supervised", "distill", *Accounting)
"""Options that a key may name before a dot; without one, it is what the verdict recommends."""
LONGEST = 200
"""Characters of an assertion."""
EXAMPLE = "<= 2.3"
_TIMES = dict.fromkeys(("time", "hours", "days", "duration"), "wall_seconds")
_OTHERWISE = "use a word of the answers with -o json, e.g. loss, cost_usd or wall_seconds"

_EXPRESSION = re.compile(
    r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|!=|==|=|<|>|:|includes |excludes )\s*(.+?)\s*", re.ASCII
)
_CONDITION = re.compile(r"\s*(<=|>=|!=|==|=|<|>)?\s*(.+?)\s*", re.ASCII | re.DOTALL)


class Assertion(NamedTuple):
    """One condition on a plan."""

    key: str
    operator: str
    wanted: float | str
    text: str
    """As it was written."""


class Outcome(NamedTuple):
    """Whether a plan meets an assertion."""

    assertion: str
    """As it was written."""
    value: float | str | None
    """What the plan has; None where it has no such value."""
    passed: bool


def parse_assertion(text: str) -> Assertion:
    """An assertion as written on a command line.

    Raises:
        InputError: when it has no key, operator and value, or one of them is unknown.

    >>> parse_assertion("loss <= 2.3").wanted, parse_assertion("verdict=distill").wanted
    (2.3, 'distill')
    """
    plain = text[: LONGEST + 1].replace("≤", "<=").replace("≥", ">=").replace("≠", "!=")
    match = _EXPRESSION.fullmatch(plain) if len(text) <= LONGEST else None
    if match is None:
        raise InputError(
            f"assertion {text[:60]!r}: not a key, an operator and a value; write for example "
            f"'loss {EXAMPLE}'"
        )
    key, sign, value = match.groups()
    return assertion(key, value if sign == ":" else f"{sign} {value}")


def assertion(key: str, condition: Any) -> Assertion:
    """An assertion from a key and its condition, such as ``"<= 2.3"`` or ``distill``.

    Raises:
        InputError: when the key or the value is unknown.
    """
    name = known_name(key)
    if name == CODES:
        return _of_codes(key, condition)
    sign, value = _sign_and_value(key, name, condition)
    text = f"{key} {sign} {value}"
    if name not in WORD_KEYS:
        return Assertion(key=key, operator=sign, wanted=_number(value, key), text=text)
    words, plain = _words(name), value.strip("'\"")
    meant = _words_of_screens(name).get(plain, plain)
    if meant not in words or sign not in ("==", "=", "!="):
        raise InputError(f"assertion {key}: {condition!r} is none of {', '.join(words)}")
    return Assertion(key=key, operator=sign, wanted=meant, text=text)


def _of_codes(key: str, condition: Any) -> Assertion:
    """An assertion on the codes of the warnings.

    Raises:
        InputError: when it is not written as one.
    """
    sign, _, code = str(condition).strip().partition(" ")
    code = code.strip()
    if sign not in LIST_SIGNS or not re.fullmatch(r"[a-z0-9_]{1,60}", code):
        raise InputError(
            f"assertion {key}: {str(condition)[:60]!r} is not 'includes CODE' or 'excludes CODE'; "
            f"write for example {key}: 'excludes outside_fit'"
        )
    known = _codes()
    if not any(code in one for one in known):  # a typing error would exclude what never comes
        raise InputError(
            f"assertion {key}: no warning has {code!r} in its code; "
            f"{nearest(code, known, 'run distillplan explain for the list')}"
        )
    return Assertion(key=key, operator=sign, wanted=code, text=f"{key} {sign} {code}")


def _codes() -> list[str]:
    """The codes of all warnings."""
    from distillplan.questions.glossary.explanation import WordKind, explanations  # slow, as below

    return [one.word for one in explanations() if one.kind is WordKind.WARNING]


def known_name(key: str) -> str:
    """The name that a key has without the option before its dot.

    Raises:
        InputError: when the key is unknown.
    """
    part, _, name = key.partition(".")
    if part not in PARTS:
        part, name = "", key
    known = name in WORD_KEYS or name in NUMBERS or name == CODES
    if not known or (part and name in OF_THE_PLAN):
        meant = key.replace(SUPERVISED_SHOWN, Verdict.SUPERVISED)
        advice = f"write {meant}" if meant != key else _meant(name.lower())
        raise InputError(f"assertion: the key {key!r} is unknown; {advice}")
    return name


def _meant(name: str) -> str:
    """The keys that a word may mean: those that have it for a part, or resemble it."""
    known, word = [*WORD_KEYS, CODES, *NUMBERS], _TIMES.get(name, name)
    having = [one for one in known if "." not in one and word in (one, *one.split("_"))]
    return did_you_mean(having[:3]) if having else nearest(name, known, _OTHERWISE)


def _words_of_screens(name: str) -> dict[str, str]:
    """The values of a key that screens call otherwise than documents, by the words of screens."""
    if name == "fits":
        from distillplan.hardware.memory_fit import FITS_SHOWN  # slow, as below

        return {shown: one for one, shown in FITS_SHOWN.items()}
    return {SUPERVISED_SHOWN: Verdict.SUPERVISED} if name == "verdict" else {}


def _sign_and_value(key: str, name: str, condition: Any) -> tuple[str, str]:
    """The operator of a condition, equality where it has none, and the value behind it.

    Raises:
        InputError: when it is no condition.
    """
    if name == "fits" and isinstance(condition, bool):  # YAML reads yes and no as booleans
        condition = "yes" if condition else "no"
    match = None
    if isinstance(condition, str | int | float) and not isinstance(condition, bool):
        text = str(condition)
        match = _CONDITION.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        example = _words(name)[0] if name in WORD_KEYS else f"'{EXAMPLE}'"
        raise InputError(f"assertion {key}: not a condition; write for example {key}: {example}")
    sign, value = match.groups()
    return sign or "==", value


def _words(name: str) -> tuple[str, ...]:
    """The values that a key of `WORD_KEYS` can have."""
    if name == "fits":
        from distillplan.hardware.memory_fit import Fits  # slow, and most assertions do without

        return tuple(Fits)
    kinds: dict[str, type[StrEnum]] = {"verdict": Verdict, "verdict_reason": Reason}
    return tuple(kinds.get(name, SearchStatus))


def demand_known(
    assertions: Sequence[Assertion], scenario: Scenario, *, quick: bool = False, name: str = ""
) -> None:
    """Refuse assertions about what no plan of a scenario can have, whatever it comes to.

    Args:
        assertions: on its plan.
        scenario: the question.
        quick: whether the odds and bands are left out.
        name: of the scenario, where there are several.

    Raises:
        InputError: for all of them, with what to add to the question.
    """
    where = f"{name}: " if name else ""
    found = [error for _, error in unanswerable(assertions, scenario, quick=quick)]
    if found:
        parts = [part for error in found for part in ("; ", where, *error.parts)]
        raise InputError(*parts[1:])


def unanswerable(
    assertions: Sequence[Assertion], scenario: Scenario, *, quick: bool = False
) -> Iterator[tuple[Assertion, InputError]]:
    """The assertions about what no plan of a scenario can have, each with the error of it.

    Args:
        assertions: on its plan.
        scenario: the question.
        quick: whether the odds and bands are left out.
    """
    for one in assertions:
        part, _, key = one.key.partition(".")
        first = (key if part in PARTS else one.key).partition(".")[0]
        if quick and first in ("odds", "regret_nats", *BANDS):
            yield (
                one,
                InputError(
                    f"assertion {one.key}: --quick leaves the odds and bands out; leave out "
                    "--quick or the assertion"
                ),
            )
            continue
        missing = _missing(first, scenario)
        if missing is not None:
            what, add = missing
            yield one, InputError(f"assertion {one.key}: {what}; add ", add)


def _missing(first: str, scenario: Scenario) -> tuple[str, Word] | None:
    """What a total of the bill needs and a scenario does not have, and what to add to it."""
    machine = scenario.machine
    if first not in (*BILL, "fits"):
        return None
    if machine is None:
        return "no GPU is named", EXAMPLE_GPU
    if first == "cost_usd" and machine.price is None:
        return f"no price of {machine.gpu.name} is known", Word("price", "2.5")
    if first == "co2_kg" and machine.grid_g_co2_per_kwh is None:
        return "the country of the grid is not known", Word("country", "FRA")
    return None


def check(assertions: Sequence[Assertion], plan: Plan) -> tuple[Outcome, ...]:
    """Whether a plan meets each assertion; one about a value that it does not have fails."""
    found = []
    for one in assertions:
        if one.key == CODES:
            found.append(_on_codes(one, plan.warning_codes))
            continue
        value = _value(plan, one.key)
        passed = value is not None and _holds(value, one.operator, one.wanted)
        found.append(Outcome(assertion=one.text, value=value, passed=passed))
    return tuple(found)


def _on_codes(one: Assertion, codes: Sequence[str]) -> Outcome:
    """Whether some code is, or has, what is wanted; the value names those that do."""
    those = [code for code in codes if str(one.wanted) in code]
    passed = bool(those) is (one.operator == LIST_SIGNS[0])
    return Outcome(assertion=one.text, value=" ".join(those or codes) or "none", passed=passed)


def _holds(value: float | str, sign: str, wanted: float | str) -> bool:
    """Whether a condition holds; numbers that differ by rounding are equal."""
    if not isinstance(value, str) and not isinstance(wanted, str):
        value = wanted if math.isclose(value, wanted, rel_tol=1e-9) else value
    return _OPERATORS[sign](value, wanted)


def _value(plan: Plan, key: str) -> float | str | None:
    part, _, name = key.partition(".")
    if part not in PARTS:
        part, name = "", key
    value: Any = plan if name in OF_THE_PLAN else _option(plan, part)
    first, _, end = name.partition(".")
    if first in BILL or first == "fits":
        value = value and value.bill
        name = name if end or first == "fits" else f"{name}.mid"
    for step in name.split("."):
        if isinstance(value, tuple) and step in ENDS and first in BANDS:
            value = value[ENDS.index(step)]
        else:
            value = None if value is None else getattr(value, step)
    return value


def _option(plan: Plan, part: str) -> Option | None:
    if not part:
        return plan.recommended
    if part == "distill":
        return plan.deciding
    accounting = None if part == "supervised" else part
    return next((one for one in plan.options if one.accounting == accounting), None)


def _number(text: str, key: str) -> float:
    """A number that may have a sign, a suffix or a dollar sign, or be zero."""
    steps = {*key.split(".")}
    if steps & {*BILL}:
        refuse_grouped(text.lstrip("$ "), f"assertion {key}")
    with suppress(InputError):  # a bare number is of the key's own unit
        if "wall_seconds" in steps:
            return parse_hours(text, key) * SECONDS_PER_HOUR
        if "memory_bytes_per_gpu" in steps and text[-1:].isalpha():
            return parse_bytes(text, key)
        if "odds" in steps and text.endswith("%"):
            return parse_count(text.removesuffix("%"), key) / 100
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-").removeprefix("$").strip()
    if re.fullmatch(r"0+(\.0*)?|\.0+", digits):
        return 0.0
    return sign * parse_count(digits, f"assertion {key}", "2.3")
