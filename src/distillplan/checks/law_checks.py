"""Published numbers against ours: what `distillplan check` shows and the tests assert."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distillplan.accounting import Accounting
from distillplan.files.entries import Entry, coefficients_dir
from distillplan.files.yaml_reader import read_yaml
from distillplan.laws.law_catalog import law
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import HEAD_WIDTH
from distillplan.models.shapes import ModelShape
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.planner import plan, predict
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.inverse import least_compute

if TYPE_CHECKING:
    from distillplan.checks.published_speeds import ErrorSummary

EVEN, THIRD, LITTLE = 0.15, 0.2, 0.1
"""How the words of Table 3 are read: two shares within EVEN of each other are even, three of at
least THIRD are equal thirds, one below LITTLE is little."""


class CheckGroup(NamedTuple):
    """One table or figure, as the data file gives it."""

    where: str
    kind: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    relative: bool = False
    """Whether `low` and `high` are parts of the published value."""
    low: float = 0.0
    high: float = 0.0
    """Bounds of ours minus published."""


class CheckRow(NamedTuple):
    """One published number and ours."""

    law: str
    where: str
    what: str
    published: float | str
    computed: float | str | None
    difference: float | None
    """Ours minus published, as a part of the published value where `relative`."""
    relative: bool
    low: float | None
    high: float | None
    passed: bool


class CheckReport(NamedTuple):
    """All of them."""

    rows: tuple[CheckRow, ...]
    passed: int
    failed: int
    errors: "tuple[ErrorSummary, ...]" = ()
    """Of the speed model, where it is what is checked."""


def report(rows: Iterator[CheckRow], errors: "tuple[ErrorSummary, ...]" = ()) -> CheckReport:
    """Rows with their count."""
    found = tuple(rows)
    passed = sum(row.passed for row in found)
    return CheckReport(rows=found, passed=passed, failed=len(found) - passed, errors=errors)


def check_law(law: PublishedLaw) -> Iterator[CheckRow]:
    """The points that a coefficient file says its set must reproduce."""
    for one in law.checks:
        given = ", ".join(f"{name} {value:g}" for name, value in one.given.items())
        yield _row(
            law,
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
        for what, published, computed in KINDS[group.kind](law, row):
            if isinstance(published, str):
                yield _statement(law, group, what, published, str(computed))
            elif isinstance(computed, float):
                yield _row(
                    law,
                    group.where,
                    what,
                    published,
                    computed,
                    low=group.low,
                    high=group.high,
                    relative=group.relative,
                )
            else:
                yield _row(law, group.where, what, published, None, low=0.0, high=0.0)


def _row(
    law: PublishedLaw,
    where: str,
    what: str,
    published: float,
    computed: float | None,
    *,
    low: float,
    high: float,
    relative: bool = False,
) -> CheckRow:
    difference = None if computed is None else computed - published
    if difference is not None and relative:
        difference /= published
    # a difference may touch its bound by the last bits of a double
    passed = difference is not None and low - 1e-12 <= difference <= high + 1e-12
    return CheckRow(
        law=law.name,
        where=where,
        what=what,
        published=published,
        computed=computed,
        difference=difference,
        relative=relative,
        low=low,
        high=high,
        passed=passed,
    )


def _statement(
    law: PublishedLaw, group: CheckGroup, what: str, published: str, computed: str
) -> CheckRow:
    return CheckRow(
        law=law.name,
        where=group.where,
        what=what,
        published=published,
        computed=computed,
        difference=None,
        relative=False,
        low=None,
        high=None,
        passed=computed.startswith(published),
    )


Finding = tuple[str, Any, Any]
"""What, published, computed."""


def _model_shape(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """A model of the paper: parameters, and the forward FLOPs of its fixed-aspect formula."""
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
    yield f"parameters, {name}", row["params"], float(shape.params)
    yield f"total parameters, {name}", row["total_params"], float(shape.total_params)
    yield f"forward FLOPs, {name}", row["forward_flops"], float(flops)


def _best_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    answer = plan(Scenario(compute=row["compute"], student_params=row["student_params"], law=law))
    for option in answer.options:
        name = option.accounting or "supervised"
        if row.get(name) is not None:
            yield f"{name} loss, {_at(row)}", row[name], option.loss


def _best_sizes(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    option = _own_teacher(law, row)
    for name in ("teacher_params", "student_tokens", "teacher_tokens"):
        yield f"{name}, {_at(row)}", row[name], getattr(option, name)


def _crossover_tokens(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The first token count at which the distilled loss is no better than the supervised one."""
    student = float(row["student_params"])
    teacher_loss = law.supervised.loss(float(row["teacher_params"]), float(row["teacher_tokens"]))
    distillation = evaluate.law_of(Scenario(compute=1.0, law=law))
    low, high = math.log(1e9), math.log(1e13)
    for _ in range(4):  # 400-fold each; the gain changes sign once at these tokens
        logs = np.linspace(low, high, 401)
        gain = law.supervised.loss_at_logs(math.log(student), logs) - distillation.loss_at_logs(
            math.log(student), logs, math.log(teacher_loss)
        )
        ends = np.flatnonzero((gain[:-1] > 0) & (gain[1:] <= 0))
        if not ends.size:
            break
        low, high = float(logs[ends[0]]), float(logs[ends[0] + 1])
    what = f"tokens, {row['teacher_params']:.3g} teacher, {student:.3g} student"
    yield what, row["student_tokens"], math.exp(low)


def _best_teacher_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    found = predict(
        law,
        student_params=row["student_params"],
        student_tokens=row["student_tokens"],
        teacher_loss=row["teacher_loss"],
    )
    what = f"teacher loss, {row['student_params']:.3g} student, {row['student_tokens']:.3g} tokens"
    yield what, row["teacher_loss"], found.best_teacher_loss


def _shares(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    option = _own_teacher(law, row)
    if option.flops is None or option.total_flops is None:
        yield f"shares, {_at(row)}", row["statement"], "infeasible"
        return
    parts = {
        name: getattr(option.flops, name) / option.total_flops
        for name in ("student_training", "teacher_logits", "teacher_training")
    }
    yield f"shares, {_at(row)}", row["statement"], f"{_described(parts)} ({_percent(parts)})"


def _described(parts: Mapping[str, float]) -> str:
    """The words of Table 3 for three shares."""
    student, logits, teacher = parts.values()
    if min(parts.values()) >= THIRD:
        return "equal thirds"
    if teacher < LITTLE and abs(student - logits) < EVEN:
        return "evenly student_training and teacher_logits"
    return f"mostly {max(parts, key=lambda name: parts[name])}"


def _percent(parts: Mapping[str, float]) -> str:
    return " / ".join(f"{part:.0%}" for part in parts.values())


def _saving(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    scenario = Scenario(compute=1.0, student_params=row["student_params"], law=law)
    loss = row["loss"]
    alone = least_compute(scenario, None, loss)
    distilled = least_compute(scenario, Accounting.EXISTS, loss)
    what = f"to {loss} nats, {row['student_params']:.3g} student, teacher exists"
    if alone is None or distilled is None:
        yield f"compute {what}", row["compute_ratio"], None
        return
    yield f"compute {what}", row["compute_ratio"], distilled / alone
    tokens = law.supervised.tokens_for_loss(float(loss), float(row["student_params"]))
    at = cells(scenario, Accounting.EXISTS, budget=distilled)
    ours = float(evaluate.distilled(scenario, at).student_tokens[0])
    yield f"tokens {what}", row["token_ratio"], ours / tokens


def _own_teacher(law: PublishedLaw, row: Mapping[str, Any]) -> Option:
    """The best plan that trains its own teacher."""
    answer = plan(Scenario(compute=row["compute"], student_params=row["student_params"], law=law))
    return next(one for one in answer.options if one.accounting is Accounting.TRAIN)


def _at(row: Mapping[str, Any]) -> str:
    return f"{row['student_params']:.3g} student at {row['compute']:.3g}"


KINDS: Mapping[str, Callable[[PublishedLaw, Mapping[str, Any]], Iterator[Finding]]] = {
    "model_shape": _model_shape,
    "best_loss": _best_loss,
    "best_sizes": _best_sizes,
    "crossover_tokens": _crossover_tokens,
    "best_teacher_loss": _best_teacher_loss,
    "shares": _shares,
    "saving": _saving,
}
"""How each kind of published number is computed here."""


def check_groups() -> tuple[tuple[PublishedLaw, CheckGroup], ...]:
    """The published tables and figures to check, each with the law it belongs to."""
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
        relative=bool(entry.data.get("relative", False)),
        low=entry.number("low") if "low" in entry else 0.0,
        high=entry.number("high") if "high" in entry else 0.0,
    )
    entry.finish("relative")
    return group
