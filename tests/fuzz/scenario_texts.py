"""Scenario files: made from the table of keys, and the examples with small changes."""

import json
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from distillplan.questions.assertions import NUMBERS as ASSERTED_NUMBERS
from distillplan.questions.assertions import OF_THE_PLAN, PARTS
from distillplan.scenarios import key_table, values
from distillplan.scenarios.key import Key
from tests.fuzz.mutations import changed_text
from tests.fuzz.written import LAWS, SIZES, TEACHERS, TOKENS, garbage, number, odd, several, usual

EXAMPLES = Path(__file__).parents[2] / "examples"
_PLAIN = re.compile(r"[\w$.+~][\w$.+:~ /-]*\Z", re.ASCII)
_NAMES = ("a", "b", "alone", "online", "cached", "never served", "é", "1", "none", "x y")
SOUND = (
    {"compute": "1e21", "student": "1B"},
    {"compute": "1e21", "student": "1B", "teacher": "7B:2T"},
    {"compute": "1e21", "student": "3B", "teacher": "7B:1T", "logits": "cached"},
    {"compute": "1e20", "teacher": {"params": "7B", "loss": "1.95"}},
    {"gpu": "h100-sxm", "gpus": "64", "deadline": "7 days", "student": "1B", "teacher": "7B:2T"},
    {"compute": "'64 h100-sxm for 7 days'", "student": "1B", "teacher": "3B:1T"},
    {"compute": "$20k", "gpu": "a100-80gb", "student": "1B", "teacher": "7B:2T"},
)
"""Parts of scenarios that can be answered."""


@cache
def _examples() -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.yaml")))


def scenario_text(random: Random) -> str:
    """A scenario file."""
    chance = random.random()
    if chance < 0.2:
        return changed_text(random, random.choice(_examples()))
    text = _file(random)
    return changed_text(random, text) if chance < 0.35 else text


def small_scenario_text(random: Random) -> str:
    """One of few scenarios, which mostly can be answered, without a matrix."""
    data: dict[str, Any] = {"base": _part(random, SOUND[1:])}
    if random.random() < 0.6:
        names = random.sample(_NAMES, 2)
        has_gpu = "gpu" in data["base"]
        data["scenarios"] = {
            name: _some_keys(random, random.randint(0, 2), has_gpu=has_gpu) for name in names
        }
    return _lines(random, data)


def _file(random: Random) -> str:
    data: dict[str, Any] = {}
    if random.random() < 0.9:
        data["base"] = _part(random, SOUND)
    if random.random() < 0.6:
        count = random.choice((1, 1, 2, 2, 3, 6))
        names = [
            random.choice(_NAMES) if random.random() < 0.95 else odd(random) for _ in range(count)
        ]
        has_gpu = "gpu" in data.get("base", {})
        data["scenarios"] = {
            name: _some_keys(random, random.choice((0, 1, 1, 2)), has_gpu=has_gpu) for name in names
        }
        if random.random() < 0.05:
            data["scenarios"] = odd(random)
    if random.random() < 0.2:
        data["matrix"] = _matrix(random)
    if random.random() < 0.15:
        data["assert"] = _assertions(random)
    if random.random() < 0.07:
        data["extends"] = random.choice(("base.yaml", "compare.yaml", "nosuch.yaml", odd(random)))
    if random.random() < 0.03:
        data[odd(random)] = odd(random)
    return _lines(random, data)


def _part(random: Random, sound: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    part = dict(random.choice(sound)) if random.random() < 0.93 else {}
    part |= _some_keys(random, random.choice((0, 0, 0, 1, 1, 2, 5)), has_gpu="gpu" in part)
    if random.random() < 0.1:
        part["assert"] = _assertions(random)
    if part and random.random() < 0.1:
        del part[random.choice(list(part))]
    return part


def _some_keys(random: Random, count: int, *, has_gpu: bool) -> dict[str, Any]:
    """Keys with values; rarely those of a machine where there is none."""
    every = list(key_table.TABLE.keys.values())
    fit = [key for key in every if has_gpu or key.group != "hardware"]
    found: dict[str, Any] = {}
    for _ in range(count):
        key = random.choice(fit if random.random() < 0.9 else every)
        chance = random.random()
        if chance < 0.03:
            found[odd(random)] = value_of(key, random)
            continue
        name = random.choice((key.word, key.short, *key.aliases))
        group = found.get(key.group, {})
        if "." in name and isinstance(group, dict) and chance < 0.9:
            found[key.group] = {**group, key.name: value_of(key, random)}
        else:
            found[name] = value_of(key, random)
    return found


def value_of(key: Key, random: Random) -> Any:
    """A value of a key: mostly a usual one, as it is written in a file."""
    chance = random.random()
    if chance < 0.06:
        return random.choice((odd, odd, number, garbage))(random)
    if chance < 0.08:
        return {"params": random.choice(SIZES), "loss": usual("loss", random)}
    if key.value.choices is not None and chance < 0.9:
        return random.choice(list(key.value.choices()))
    if key.is_group and key.value is not values.SIZES:
        inside = key_table.TABLE.within(key.word)
        chosen = random.sample(inside, min(len(inside), random.randint(0, 3)))
        return {one.name: value_of(one, random) for one in chosen}
    return _KINDS.get(id(key.value), lambda random: usual(key.word, random))(random)


_KINDS = {
    id(values.PAIR): lambda random: f"[{number(random)}, {random.choice(TOKENS)}]",
    id(values.SIZES): lambda random: random.choice((random.choice(TEACHERS), "null")),
    id(values.LAW): lambda random: random.choice(LAWS),
}


def _matrix(random: Random) -> Any:
    if random.random() < 0.03:
        return odd(random)
    found: dict[str, Any] = {}
    for _ in range(random.choice((1, 1, 2, 3))):
        key = random.choice(list(key_table.TABLE.keys.values()))
        if random.random() < 0.5:
            key = key_table.TABLE.keys[random.choice(("compute", "student_params", "logits"))]
        values_there = several(lambda random, key=key: _text(value_of(key, random)))(random)
        found[random.choice((key.word, key.short))] = (
            f"[{values_there}]" if random.random() < 0.6 else values_there
        )
    return found


def _assertions(random: Random) -> Any:
    if random.random() < 0.03:
        return odd(random)
    pairs = (assertion(random).partition(" ") for _ in range(random.choice((1, 1, 2))))
    return {key: condition.removeprefix("= ") for key, _, condition in pairs}


def assertion(random: Random) -> str:
    """A demand on a plan, as ``--assert`` takes it."""
    if random.random() < 0.12:
        return odd(random)
    key = random.choice((*OF_THE_PLAN, *ASSERTED_NUMBERS, "status", "fits", "loss", "verdict"))
    if random.random() < 0.2:
        key = f"{random.choice(PARTS)}.{key}"
    sign = random.choice(("<=", ">=", "=", "!=", "<", ">", ":", "includes", "excludes", ""))
    wanted = random.choice(("2.3", "distill", "supervised", "0.5", "yes", "1e21", odd(random)))
    return f"{key} {sign} {wanted}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(random: Random, data: dict[str, Any], depth: int = 0) -> str:
    """Block style for the most part, flow style here and there."""
    lines = []
    for key, value in data.items():
        start = "  " * depth + _scalar(random, key) + ":"
        if not isinstance(value, dict):
            lines.append(f"{start} {_scalar(random, value)}")
        elif value and (depth == 0 or random.random() < 0.4):
            lines.append(f"{start}\n{_lines(random, value, depth + 1)}")
        else:
            lines.append(f"{start} {_flow(random, value)}")
    return "\n".join(lines) + ("\n" if depth == 0 else "")


def _flow(random: Random, value: Any) -> str:
    if not isinstance(value, dict):
        return _scalar(random, value)
    pairs = (f"{_scalar(random, key)}: {_flow(random, one)}" for key, one in value.items())
    return "{" + ", ".join(pairs) + "}"


def _scalar(random: Random, value: Any) -> str:
    """As people write it where that can be read, mostly."""
    text = _text(value)
    as_it_is = _PLAIN.match(text) or text.startswith(("[", "{", "'")) or random.random() < 0.1
    return text if as_it_is else json.dumps(text, ensure_ascii=random.random() < 0.5)
