"""From the values of keys to a `Scenario`.

Everything that is wrong is looked for at once, and each fault is reported once: what follows from a
word that could not be read is not reported as well.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from distillplan.accounting import Logits
from distillplan.errors import InputError, Word
from distillplan.laws import law_catalog
from distillplan.laws.logit_formats import StoredFormat
from distillplan.laws.loss_units import LossUnit, measured_loss
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import KnownModel, model_params, with_vocabulary
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import Bounds
from distillplan.planning.budget_text import Budget
from distillplan.planning.scenario import Limits, Scenario
from distillplan.planning.start import Start, StartKind, with_parent
from distillplan.planning.teacher import Teacher
from distillplan.scenarios import key_table
from distillplan.scenarios.budgets import Spent, spend, training_of
from distillplan.scenarios.given_sizes import outside_bounds
from distillplan.scenarios.layers import (
    FUNDS,
    STUDENT_PLACES,
    Values,
    root_of,
    values_within,
)
from distillplan.scenarios.values import InBits

Part = TypeVar("Part")
_ANY_SIZES, _FAMILY, _NO_LIMITS = Bounds(), FixedAspect(), Limits()


def scenario_of(values: Mapping[str, Any]) -> Scenario:
    """The scenario that the values describe.

    Raises:
        InputError: when there is no budget, or they contradict each other.
    """
    made = make(values)
    if made.scenario is None:
        first, *others = made.found
        raise InputError(*first.parts, also=first.also, others=others)
    return made.scenario


class Made(NamedTuple):
    """What comes of values."""

    scenario: Scenario | None
    """None where something is wrong."""
    found: list[InputError]
    """All that is wrong."""


def make(values: Mapping[str, Any], unread: frozenset[str] = frozenset()) -> Made:
    """The scenario that the values describe, or all that is wrong with them together.

    Args:
        values: by places.
        unread: beginnings of places with a word that could not be read; their errors are left out.
    """
    maker = _Maker(values, unread)
    scenario = maker.scenario()
    return Made(None if maker.found or unread else scenario, maker.found)


class _Maker:
    """Makes a scenario of values part by part, and notes what is wrong with each."""

    def __init__(self, values: Mapping[str, Any], broken: frozenset[str]) -> None:
        self.found: list[InputError] = []
        self.broken = set(broken)
        self.plain: Values = {}
        self.groups: dict[str, Values] = {}
        for place, value in values.items():
            group, _, name = place.partition(".")
            if name:
                self.groups.setdefault(group, {})[name] = value
            else:
                self.plain[place] = value
        self.funded = bool(values.keys() & FUNDS)

    def scenario(self) -> Scenario | None:
        """The scenario, as far as it can be made; None where it cannot be made at all."""
        made = self.made()
        if made is not None:
            for fault in outside_bounds(made, self.groups.get("bounds", {})):
                self.note(fault)
        return made

    def made(self) -> Scenario | None:
        """The same, whatever bounds leave out."""
        plain, groups = dict(self.plain), self.groups
        rate = plain.pop("bytes_per_token", None)
        teacher, architecture = None, _FAMILY
        bounds = said = plain.pop("bounds", _ANY_SIZES)
        if "teacher" in groups or rate is not None:
            words = tuple(groups.get("teacher", {}).items())
            shared = _rate(words, rate, plain.get("law"))
            teacher = self.part("teacher", lambda: _teacher(words, shared), None)
        if "bounds" in groups:
            bounds = self.part("bounds", lambda: _bounds(said, groups["bounds"]), bounds)
        if "architecture" in groups:
            settings = groups["architecture"]
            architecture = self.part("architecture", lambda: FixedAspect(**settings), architecture)
        plain["law"] = plain.get("law") or law_catalog.law()
        plain |= self.start(plain, teacher, architecture)
        if "vocab" not in groups.get("architecture", {}):
            given = (plain.get("start"), teacher)
            named = [None if one is None else _model_of(one) for one in given]
            architecture = with_vocabulary(architecture, *named, plain.get("student_model"))
        if "stored" in groups:
            plain["stored"] = self.part("stored", lambda: StoredFormat(**groups["stored"]), None)
        limits = Limits(**groups["limits"]) if "limits" in groups else _NO_LIMITS
        budget = plain.pop("budget", None)
        if budget is not None and budget.of_tokens:
            asked = budget
            found = self.part("budget", lambda: training_of(asked, plain, architecture), None)
            budget = Budget(flops=1.0) if found is None else found
            plain["student_tokens"] = budget.tokens
        spent = self.spent(lambda: spend(budget, groups.get("hardware", {}), architecture, limits))
        try:
            return Scenario(
                teacher=teacher,
                bounds=bounds,
                architecture=architecture,
                **_paid(spent, limits, plain),
                compute=spent.compute,
                gpu_hours=spent.gpu_hours,
                machine=spent.machine,
                **plain,
            )
        except InputError as error:
            self.note(error)
            return None

    def start(self, plain: Values, teacher: Teacher | None, architecture: FixedAspect) -> Values:
        """What the student starts from; a model that it goes on from is the student."""
        if "start" not in self.groups:
            return {}
        found = self.part("start", lambda: _start(self.groups["start"]), None)
        if found is None:
            return {"start": None}
        params, model = plain.get("student_params"), plain.get("student_model")
        taught = None if teacher is None else teacher.model
        found = with_parent(found, params, model, taught, plain["law"], architecture)
        if found.kind is not StartKind.CONTINUED or plain.keys() & STUDENT_PLACES:
            return {"start": found}
        return {"start": found, "student_model": found.parent}

    def spent(self, make: Callable[[], Spent]) -> Spent:
        """What the budget is; any, where that is not known."""
        if not self.funded:
            self.note(
                InputError(
                    Word("compute"),
                    ": the budget is missing; add ",
                    Word("compute", "1e21"),
                    ", or with a GPU ",
                    Word("deadline"),
                    " or ",
                    Word("max_cost_usd"),
                )
            )
            self.broken |= {"budget", "limits", "hardware"}
        if not self.broken & {"budget", "hardware"}:
            before = len(self.found)
            found = self.part("budget", make, Spent(compute=1.0))
            if len(self.found) == before:
                return found
        self.broken |= {"budget", "limits", "hardware"}  # each turns into the others
        return Spent(compute=1.0)

    def part(self, root: str, make: Callable[[], Part], otherwise: Part) -> Part:
        """One part; something harmless in its place where something is wrong with it."""
        if root in self.broken:
            return otherwise
        try:
            return make()
        except InputError as error:
            key = "compute" if root == "budget" else root
            self.note(InputError(*error.parts, also=(*error.also, key)))
            self.broken.add(root)
            return otherwise

    def as_given(self, part: str | Word) -> str | Word:
        """A part of an error: a format of logits may be asked for by another word."""
        given = self.groups.get("stored", {})
        if part != Word("logit_format") or not given or "kind" in given:
            return part
        keys = key_table.TABLE.keys.values()
        return Word(next(one.word for one in keys if one.place == f"stored.{next(iter(given))}"))

    def note(self, error: InputError) -> None:
        """Keep an error and those that came with it, but for what follows from other faults."""
        for told in (InputError(*error.parts, also=error.also), *error.others):
            one = InputError(*map(self.as_given, told.parts), also=told.also)
            keys = [key_table.TABLE.find(word) for word in one.about]
            if not self.broken & {root_of(key.place) for key in keys if key is not None}:
                self.found.append(one)


def _paid(spent: Spent, limits: Limits, plain: Values) -> Values:
    """The limits of a scenario, and the money that pays for storage beside the hours."""
    limits = limits._replace(asked_gpu_hours=spent.asked_gpu_hours)
    if "stored" not in plain or plain.get("logits") is not Logits.STORED:
        return {"limits": limits}
    limits = limits._replace(usd=spent.usd)
    if spent.money_over_budget is None:
        return {"limits": limits}
    money = spent.money_over_budget
    return {"limits": limits, "pays_storage": True, "money_over_budget": money}


def teacher_of(values: Mapping[str, Any]) -> Teacher | None:
    """The teacher that values by place describe; None where there is none.

    Raises:
        InputError: when it says too little, or the unit of its loss is missing.
    """
    words = tuple(values_within(values, "teacher").items())
    rate = _rate(words, values.get("bytes_per_token"), values.get("law"))
    return _teacher(words, rate) if words else None


def _rate(
    words: Iterable[tuple[str, Any]], given: float | None, law: PublishedLaw | None
) -> float | None:
    """Bytes per token of the law's tokenizer: given, or where bits need them, those of the law."""
    said = dict(words)
    bits = isinstance(said.get("loss"), InBits) or said.get("unit") is LossUnit.BITS_PER_BYTE
    return (law or law_catalog.law()).bytes_per_token if given is None and bits else given


@lru_cache(1024)  # few of the cells of a sweep differ in their teachers
def _teacher(
    words: tuple[tuple[str, Any], ...], law_bytes_per_token: float | None
) -> Teacher | None:
    sizes = {name: value for name, value in words if name in ("params", "tokens", "model")}
    model: KnownModel | None = sizes.get("model")
    if model is not None:
        sizes.setdefault("tokens", model.trained_tokens)
    named = {f"teacher.{name}": value for name, value in words}
    nats = teacher_nats({**named, "bytes_per_token": law_bytes_per_token})
    return Teacher(**sizes, loss=nats) if sizes or nats is not None else None


def teacher_nats(values: Mapping[str, Any]) -> float | None:
    """The measured loss of the teacher, in nats per token of the law's tokenizer.

    Raises:
        InputError: when its unit, or what that needs, is missing.
    """
    loss = values.get("teacher.loss")
    return measured_loss(
        None if isinstance(loss, InBits) else loss,
        values.get("teacher.unit"),
        bpb=loss.value if isinstance(loss, InBits) else None,
        bytes_per_token=values.get("bytes_per_token"),
        own_bytes_per_token=values.get("teacher.bytes_per_token"),
    )


def _model_of(one: Start | Teacher) -> KnownModel | None:
    """The model that was named."""
    return one.parent if isinstance(one, Start) else one.model


def _start(words: Values) -> Start | None:
    """What the student starts from; None: from scratch."""
    if "kind" not in words:
        raise InputError(
            Word({"parent": "parent", "law": "start_law"}.get(next(iter(words)), "parent_loss")),
            ": a start from scratch has no parent; add ",
            Word("start", StartKind.PRUNED.value),
        )
    return None if words["kind"] is StartKind.SCRATCH else Start(**words)


def _bounds(named: Bounds, ends: Values) -> Bounds:
    """Named bounds, with the ends of some sizes instead."""
    pairs = {}
    for size in {root_of(end) for end in ends}:
        least, largest = getattr(named, size)
        low, high = (ends.get(f"{size}.{end}") for end in ("low", "high"))
        pairs[size] = (least if low is None else low, largest if high is None else high)
    return replace(named, **pairs)


def student_of(values: Mapping[str, Any], law: PublishedLaw) -> float:
    """The parameters of the student that values by place describe, as a law counts them."""
    model: KnownModel | None = values.get("student_model")
    params: float = values["student_params"] if model is None else model_params(model, law.counts)
    return params
