"""Published numbers of laws, and the same computed here, for `distillplan check` and the tests."""

import math
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from distillplan.accounting import Accounting
from distillplan.checks.check_records import CheckRow, compared
from distillplan.files.entries import Entry, coefficients_dir
from distillplan.files.yaml_reader import read_yaml
from distillplan.laws.law_catalog import law
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import HEAD_WIDTH
from distillplan.models.shapes import ModelShape
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.planner import plan
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.inverse import least_compute
from distillplan.questions.prediction import predict

EVEN, THIRD, LITTLE = 0.15, 0.2, 0.1
"""How the words of Table 3 are read: two shares within EVEN of each other are even, three of at
least THIRD are equal thirds, and one below LITTLE is negligible."""


class Spending(StrEnum):
    """The statements of Table 3 on how a plan spends its budget."""

    STUDENT_TRAINING = "mostly student_training"
    TEACHER_LOGITS = "mostly teacher_logits"
    TEACHER_TRAINING = "mostly teacher_training"
    STUDENT_AND_LOGITS = "evenly student_training and teacher_logits"
    THIRDS = "equal thirds"


class CheckGroup(NamedTuple):
    """One table or figure of a data file."""

    where: str
    kind: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    relative: bool = False
    """Whether `low` and `high` are relative to the published value."""
    low: float = 0.0
    high: float = 0.0
    """Bounds of computed minus published."""


def check_law(law: PublishedLaw) -> Iterator[CheckRow]:
    """The points that a law must reproduce, from its own file."""
    for one in law.checks:
        given = ", ".join(f"{name} {value:g}" for name, value in one.given.items())
        yield compared(
            law.name,
            one.where,
            f"{one.quantity} at {given}",
            one.published,
            law.computed(one),
            low=-one.within,
            high=one.within,
        )


def check_group(law: PublishedLaw, group: CheckGroup) -> Iterator[CheckRow]:
    """The numbers of one table or figure."""
    for values in group.rows:
        row = dict(zip(group.columns, values, strict=True))
        for finding in KINDS[group.kind](law, row):
            if isinstance(finding, Statement):
                yield _statement(law, group, finding)
            else:
                yield compared(
                    law.name,
                    group.where,
                    finding.what,
                    finding.published,
                    finding.computed,
                    low=group.low,
                    high=group.high,
                    relative=group.relative,
                )


class Finding(NamedTuple):
    """One published number, and the computed one; None: there is no plan."""

    what: str
    published: float
    computed: float | None


class Statement(NamedTuple):
    """A published statement on spending, and the shares as computed; None: there is no plan."""

    what: str
    published: Spending
    shares: Mapping[str, float] | None


def _statement(law: PublishedLaw, group: CheckGroup, found: Statement) -> CheckRow:
    computed, shown = None, "infeasible"
    if found.shares is not None:
        computed = _spending(found.shares)
        shown = f"{computed} ({' / '.join(f'{part:.0%}' for part in found.shares.values())})"
    return CheckRow(
        law=law.name,
        where=group.where,
        what=found.what,
        published=found.published,
        computed=shown,
        difference=None,
        relative=False,
        low=None,
        high=None,
        passed=computed is found.published,
    )


def _model_shape(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """A model of the paper: its parameters and the forward FLOPs of its formula."""
    layers, width = int(row["layers"]), int(row["width"])
    shape = ModelShape(
        layers=layers,
        width=width,
        ffn_width=int(row["ffn_width"]),
        heads=width // HEAD_WIDTH,
        vocab=int(Scenario(compute=1.0, law=law).architecture.vocab),
    )
    context = Scenario(compute=1.0, law=law).architecture.context
    flops = 2 * (shape.params + layers * context * width + shape.vocab * width)
    name = f"{layers} layers of {width}"
    for what, key, computed in (
        ("parameters", "params", shape.params),
        ("total parameters", "total_params", shape.total_params),
        ("forward FLOPs", "forward_flops", flops),
    ):
        yield Finding(what=f"{what}, {name}", published=row[key], computed=float(computed))


def _best_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    answer = plan(Scenario(compute=row["compute"], student_params=row["student_params"], law=law))
    for option in answer.options:
        name = option.accounting or "supervised"
        if row.get(name) is not None:
            what = f"{name} loss, {_at(row)}"
            yield Finding(what=what, published=row[name], computed=option.loss)


def _best_sizes(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    option = _own_teacher(law, row)
    for name in ("teacher_params", "student_tokens", "teacher_tokens"):
        computed = getattr(option, name)
        yield Finding(what=f"{name}, {_at(row)}", published=row[name], computed=computed)


def _crossover_tokens(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The fewest tokens at which distillation is no better than supervised training."""
    student = float(row["student_params"])
    teacher_loss = law.supervised.loss(float(row["teacher_params"]), float(row["teacher_tokens"]))
    distillation = evaluate.law_of(Scenario(compute=1.0, law=law))
    low, high = math.log(1e9), math.log(1e13)
    for _ in range(4):  # 400 times finer each; the gain changes sign once at these tokens
        logs = np.linspace(low, high, 401)
        gain = law.supervised.loss_at_logs(math.log(student), logs) - distillation.loss_at_logs(
            math.log(student), logs, math.log(teacher_loss)
        )
        ends = np.flatnonzero((gain[:-1] > 0) & (gain[1:] <= 0))
        if not ends.size:
            break
        low, high = float(logs[ends[0]]), float(logs[ends[0] + 1])
    what = f"tokens, {row['teacher_params']:.3g} teacher, {student:.3g} student"
    yield Finding(what=what, published=row["student_tokens"], computed=math.exp(low))


def _best_teacher_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    found = predict(
        law,
        student_params=row["student_params"],
        student_tokens=row["student_tokens"],
        teacher_loss=row["teacher_loss"],
    )
    what = f"teacher loss, {row['student_params']:.3g} student, {row['student_tokens']:.3g} tokens"
    yield Finding(what=what, published=row["teacher_loss"], computed=found.best_teacher_loss)


def _shares(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Statement]:
    option = _own_teacher(law, row)
    shares = None
    if option.flops is not None and option.total_flops is not None:
        shares = {
            name: getattr(option.flops, name) / option.total_flops
            for name in ("student_training", "teacher_logits", "teacher_training")
        }
    published = Spending(row["statement"])
    yield Statement(what=f"shares, {_at(row)}", published=published, shares=shares)


def _spending(shares: Mapping[str, float]) -> Spending:
    """The statement of Table 3 that holds for three shares."""
    if min(shares.values()) >= THIRD:
        return Spending.THIRDS
    apart = abs(shares["student_training"] - shares["teacher_logits"])
    if shares["teacher_training"] < LITTLE and apart < EVEN:
        return Spending.STUDENT_AND_LOGITS
    return Spending[max(shares, key=lambda name: shares[name]).upper()]


def _saving(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    scenario = Scenario(compute=1.0, student_params=row["student_params"], law=law)
    loss = row["loss"]
    alone = least_compute(scenario, None, loss)
    distilled = least_compute(scenario, Accounting.EXISTS, loss)
    what = f"to {loss} nats, {row['student_params']:.3g} student, teacher exists"
    if alone is None or distilled is None:
        yield Finding(what=f"compute {what}", published=row["compute_ratio"], computed=None)
        return
    ratio = distilled / alone
    yield Finding(what=f"compute {what}", published=row["compute_ratio"], computed=ratio)
    tokens = law.supervised.tokens_for_loss(float(loss), float(row["student_params"]))
    at = cells(scenario, Accounting.EXISTS, budget=distilled)
    ours = float(evaluate.distilled(scenario, at).student_tokens[0])
    yield Finding(what=f"tokens {what}", published=row["token_ratio"], computed=ours / tokens)


def _own_teacher(law: PublishedLaw, row: Mapping[str, Any]) -> Option:
    """The best plan that trains its own teacher."""
    answer = plan(Scenario(compute=row["compute"], student_params=row["student_params"], law=law))
    return next(one for one in answer.options if one.accounting is Accounting.TRAIN)


def _at(row: Mapping[str, Any]) -> str:
    return f"{row['student_params']:.3g} student at {row['compute']:.3g}"


KINDS: Mapping[
    str, Callable[[PublishedLaw, Mapping[str, Any]], Iterator[Finding] | Iterator[Statement]]
] = {
    "model_shape": _model_shape,
    "best_loss": _best_loss,
    "best_sizes": _best_sizes,
    "crossover_tokens": _crossover_tokens,
    "best_teacher_loss": _best_teacher_loss,
    "shares": _shares,
    "saving": _saving,
}
"""How each kind of published number is computed."""


def check_groups() -> tuple[tuple[PublishedLaw, CheckGroup], ...]:
    """The published tables and figures to check, each with its law.

    Raises:
        InputError: when a data file is not what it should be.
    """
    found: list[tuple[PublishedLaw, CheckGroup]] = []
    for path in sorted((coefficients_dir() / "checks").glob("*.yaml")):
        entry = Entry(read_yaml(path), path.name)
        belongs = law(entry.text("law"))
        found += [(belongs, _check_group(one)) for one in entry.items("groups")]
        entry.finish()
    return tuple(found)


def _check_group(data: Any) -> CheckGroup:
    entry = Entry(data, "groups")
    group = CheckGroup(
        where=entry.text("where"),
        kind=entry.choice("kind", tuple(KINDS), ""),
        note=entry.text("note"),
        columns=entry.texts("columns"),
        rows=tuple(tuple(row) for row in entry.items("rows")),
        relative=entry.flag("relative"),
        low=entry.number("low", 0.0),
        high=entry.number("high", 0.0),
    )
    entry.finish()
    return group
