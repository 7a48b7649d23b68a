"""What a scenario may say: the one table from the words that people write to a `Scenario`.

Files, ``--set`` and the options of a command all pass through it. A new key is one line of `KEYS`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import measured_loss
from distillplan.models.architecture import FixedAspect
from distillplan.optimize.problems import SIZE_RANGE, Bounds
from distillplan.planning.scenario import Limits, Scenario, Teacher
from distillplan.scenarios import values as value_of
from distillplan.scenarios.budgets import spend
from distillplan.suggest import nearest
from distillplan.units import parse_pair

Values = dict[str, Any]
"""From places in a `Scenario`, such as ``teacher.loss``, to parsed values."""


class Key(NamedTuple):
    """One word of a scenario."""

    parse: Callable[[Any, str], Any]
    """From what was written, and the word, to the value; InputError where it is none."""
    place: str
    """Where it goes in a `Scenario`, with dots."""
    is_number: bool = True
    """Whether a range such as 1e19:1e24:41 makes sense."""


_HARDWARE: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(("gpus", "tp", "pp", "cp", "interleave", "micro_batch"), value_of.whole),
    **dict.fromkeys(
        ("mfu", "teacher_mfu", "tokens_per_s", "goodput", "batch_tokens"), value_of.count
    ),
    **dict.fromkeys(("price", "pue", "grid_g_co2_per_kwh"), value_of.zero_or_count),
    **dict.fromkeys(("gpu", "prices", "country", "precision", "teacher_precision"), value_of.text),
    **dict.fromkeys(("checkpointing", "sharding", "attention", "optimizer", "loss"), value_of.text),
}
"""Words of `machines.MachineWords`, which says what they mean; imported for hardware only."""

_SIZES = ("student_params", "student_tokens", "teacher_params", "teacher_tokens")

KEYS: dict[str, Key] = {
    "compute": Key(value_of.budget, "budget"),
    "gpu_hours": Key(value_of.gpu_hours, "budget"),
    "deadline": Key(value_of.hours, "limits.hours", is_number=False),
    "max_cost_usd": Key(value_of.usd, "limits.usd"),
    "max_memory_bytes": Key(value_of.memory, "limits.bytes_per_gpu"),
    "student_params": Key(value_of.count, "student_params"),
    "students": Key(value_of.whole, "students"),
    "teacher.params": Key(value_of.count, "teacher.params"),
    "teacher.tokens": Key(value_of.count, "teacher.tokens"),
    "teacher.loss": Key(value_of.count, "teacher.loss"),
    "teacher.bpb": Key(value_of.bits_per_byte, "teacher.loss"),
    "teacher.loss_unit": Key(value_of.loss_unit, "teacher.unit", is_number=False),
    "teacher.bytes_per_token": Key(value_of.count, "teacher.bytes_per_token"),
    "bytes_per_token": Key(value_of.count, "bytes_per_token"),
    "logits": Key(value_of.one_of(Logits), "logits", is_number=False),
    "accounting": Key(value_of.one_of(Accounting), "accounting", is_number=False),
    "law": Key(value_of.law, "law", is_number=False),
    "tie_nats": Key(value_of.zero_or_count, "tie_nats"),
    "inference_tokens": Key(value_of.zero_or_count, "inference_tokens"),
    "max_unique_tokens": Key(value_of.count, "max_unique_tokens"),
    "architecture.context": Key(value_of.count, "architecture.context"),
    "architecture.vocab": Key(value_of.count, "architecture.vocab"),
    "architecture.aspect": Key(value_of.count, "architecture.aspect"),
    "architecture.omega": Key(value_of.count, "architecture.omega"),
    **{
        f"hardware.{name}": Key(parse, f"hardware.{name}", is_number=parse is not value_of.text)
        for name, parse in _HARDWARE.items()
    },
    **{f"max_{size}": Key(value_of.count, f"bounds.{size}.high") for size in _SIZES},
    **{f"min_{size}": Key(value_of.count, f"bounds.{size}.low") for size in _SIZES},
    **{f"bounds.{size}": Key(value_of.pair, f"bounds.{size}", is_number=False) for size in _SIZES},
}
"""Every word, and where it goes."""

_PAIRS = frozenset(f"bounds.{size}" for size in _SIZES)
"""Places that have a low and a high end."""

ALIASES = {
    "student": "student_params",
    "tie": "tie_nats",
    "teacher_params": "teacher.params",
    "teacher_tokens": "teacher.tokens",
    "teacher_loss": "teacher.loss",
    "teacher_bpb": "teacher.bpb",
    "loss_unit": "teacher.loss_unit",
    "teacher_bytes_per_token": "teacher.bytes_per_token",
    **{name: f"architecture.{name}" for name in ("context", "vocab", "aspect", "omega")},
    **{name: f"hardware.{name}" for name in _HARDWARE if name != "loss"},
}
"""The words of the command line, where they are shorter."""

SEE = "see distillplan schema scenario"
"""Where all the words are."""

GROUPS = ("teacher", "bounds", "architecture", "hardware")
"""Words whose value is a mapping of others, merged one level deep."""


class Layer(NamedTuple):
    """What one mapping says: what it takes back, then what it sets."""

    cleared: frozenset[str] = frozenset()
    """Places, or beginnings of places, whose values of the layers below no longer hold."""
    values: Mapping[str, Any] = {}

    def over(self, below: Mapping[str, Any]) -> Values:
        """The values of the layers below with this one on top."""
        kept = {
            place: value
            for place, value in below.items()
            if place not in self.cleared and place.split(".")[0] not in self.cleared
        }
        kept.update(self.values)
        return kept


MOST_FAULTS = 30
"""Of one file; nobody reads more."""

Fault = tuple[str, str]
"""The key as it was written, and the sentence."""


def read_layer(entries: Iterable[tuple[str, Any]], faults: list[Fault]) -> Layer:
    """The values of one mapping; what is wrong with it is added to the faults.

    Args:
        entries: words and plain values: scalars, lists, mappings. None takes a value back.
        faults: grows by each.
    """
    cleared: set[str] = set()
    values: Values = {}
    by: dict[str, str] = {}
    for written, value in entries:
        if len(faults) >= MOST_FAULTS:  # a suggestion for each of a million would take minutes
            break
        try:
            took, found = _one_key(written, value)
        except InputError as error:
            faults.append((written, str(error)))
            continue
        cleared |= took
        for place, one in found.items():
            if place in by:
                faults.append(
                    (written, f"{by[place]} and {written} both give {place}; leave one out")
                )
            by[place], values[place] = written, one
    return Layer(frozenset(cleared), values)


def _one_key(written: str, value: Any) -> tuple[set[str], Values]:
    """What one word takes back and sets."""
    key = ALIASES.get(written, written)
    if key in GROUPS:
        return _group(key, value)
    if key not in KEYS:
        raise InputError(f"the key {written[:60]!r} is unknown; {nearest(written, words(), SEE)}")
    known = KEYS[key]
    if value is None:
        ends = (f"{known.place}.low", f"{known.place}.high")
        return {known.place, *ends}, {}
    return set(), _placed(known.place, known.parse(value, written))


def _group(group: str, value: Any) -> tuple[set[str], Values]:
    if value is None:
        return {group}, {}
    if group == "teacher" and isinstance(value, str):
        params, tokens = parse_pair(value, "teacher")
        found = {"teacher.params": params}
        return {group}, found if tokens is None else {**found, "teacher.tokens": tokens}
    if not isinstance(value, Mapping):
        example = "7B:2T or {params: 7B, loss: 1.95}" if group == "teacher" else "a mapping"
        raise InputError(f"{group}: {str(value)[:40]!r} is not a mapping; write {example}")
    cleared: set[str] = set()
    values: Values = {}
    for name, one in value.items():
        if f"{group}.{name}" not in KEYS:
            known = [key.partition(".")[2] for key in KEYS if key.startswith(f"{group}.")]
            raise InputError(f"{group}: the key {name!r} is unknown; {nearest(str(name), known)}")
        took, found = _one_key(f"{group}.{name}", one)
        cleared |= took
        values |= found
    return cleared, values


def _placed(place: str, value: Any) -> Values:
    if place in _PAIRS:
        return {f"{place}.low": value[0], f"{place}.high": value[1]}
    return {place: value}


def words() -> tuple[str, ...]:
    """All words that a scenario may use."""
    return (*(key for key in KEYS if "." not in key), *GROUPS, *ALIASES)


def scenario_of(values: Mapping[str, Any]) -> Scenario:
    """The scenario that the values describe.

    Raises:
        InputError: when there is no budget, or they contradict each other.
    """
    if not values.keys() & {"budget", "limits.hours", "limits.usd"}:
        raise InputError("compute: the budget is missing; write for example compute: 1e21")
    plain: Values = {}
    groups: dict[str, Values] = {}
    for place, value in values.items():
        group, _, name = place.partition(".")
        if name:
            groups.setdefault(group, {})[name] = value
        else:
            plain[place] = value
    plain["teacher"] = _teacher(groups.get("teacher", {}), plain.pop("bytes_per_token", None))
    if "bounds" in groups:
        plain["bounds"] = _bounds(groups["bounds"])
    architecture = FixedAspect(**groups.get("architecture", {}))
    plain.setdefault("law", None)
    if plain["law"] is None:
        plain["law"] = law_catalog.law()
    limits = Limits(**groups.get("limits", {}))
    spent = spend(plain.pop("budget", None), groups.get("hardware", {}), architecture, limits)
    return Scenario(architecture=architecture, limits=limits, **spent._asdict(), **plain)


def _teacher(words: Values, law_bytes_per_token: float | None) -> Teacher | None:
    """The teacher, its loss in nats per token of the law's tokenizer."""
    loss = words.get("loss")
    nats = measured_loss(
        None if isinstance(loss, value_of.InBits) else loss,
        words.get("unit"),
        bpb=loss.value if isinstance(loss, value_of.InBits) else None,
        bytes_per_token=law_bytes_per_token,
        own_bytes_per_token=words.get("bytes_per_token"),
    )
    sizes = {name: words[name] for name in ("params", "tokens") if name in words}
    return Teacher(**sizes, loss=nats) if sizes or nats is not None else None


def _bounds(ends: Values) -> Bounds:
    pairs = {}
    for size in {end.split(".")[0] for end in ends}:
        low, high = (ends.get(f"{size}.{end}") for end in ("low", "high"))
        pairs[size] = (
            SIZE_RANGE[0] if low is None else low,
            SIZE_RANGE[1] if high is None else high,
        )
    return Bounds(**pairs)


def scenario_from_options(*above: Layer, **options: Any) -> Scenario:
    """The scenario of a command's options; those that are None were not given.

    Args:
        above: layers that win over the options.
        options: values by the words of `KEYS` and `ALIASES`.

    Raises:
        InputError: for the first fault.
    """
    faults: list[Fault] = []
    given = ((name, value) for name, value in options.items() if value is not None)
    values: Values = {}
    for layer in (read_layer(given, faults), *above):
        values = layer.over(values)
    for _, message in faults:
        raise InputError(message)
    return scenario_of(values)
