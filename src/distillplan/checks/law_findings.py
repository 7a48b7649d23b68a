"""How each kind of published number about laws is computed."""

import math
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from distillplan.accounting import TRAINING_PASSES, Accounting
from distillplan.laws.formulas import DistillationLaw
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.architecture import HEAD_WIDTH
from distillplan.models.uniform import uniform_shape
from distillplan.named_tuples import NamedTuple
from distillplan.optimize.problems import SizeBounds, bounds_named
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.options import option_of
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.inverse import least_budgets
from distillplan.units.articles import with_article
from distillplan.units.quantities import format_count, format_flops

EVEN, THIRD, LITTLE = 0.15, 0.2, 0.1
"""How the words of Table 3 are read: two shares within EVEN of each other are even, three of at
least THIRD are equal thirds, and one below LITTLE is negligible."""

PAPER_BOUNDS = bounds_named(SizeBounds.PAPER)
"""The range in which the paper searched for sizes."""


class Spending(StrEnum):
    """The statements of Table 3 on how a plan spends its budget."""

    STUDENT_TRAINING = "mostly student_training"
    TEACHER_LOGITS = "mostly teacher_logits"
    TEACHER_TRAINING = "mostly teacher_training"
    STUDENT_AND_LOGITS = "evenly student_training and teacher_logits"
    THIRDS = "equal thirds"


class Beside(StrEnum):
    """The statements of Appendix E.4 on a distilled student."""

    BELOW_TEACHER = "below its teacher's loss"
    NOT_BELOW_TEACHER = "not below its teacher's loss"
    BEATS_SUPERVISED = "beats supervised training"
    LOSES_TO_SUPERVISED = "loses to supervised training"


class Finding(NamedTuple):
    """One published number, and the computed one; None: there is no plan."""

    what: str
    published: float
    computed: float | None
    column: str
    """Where it stands in its row."""


class Statement(NamedTuple):
    """A published statement, and the one that holds here; None: there is no plan."""

    what: str
    published: Spending | Beside
    computed: Spending | Beside | None
    detail: str = ""
    """The numbers behind the computed one."""


def _model_shape(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """A model of the paper: its parameters and the forward FLOPs of its formula."""
    layers, width = int(row["layers"]), int(row["width"])
    architecture = paper_question(law, 1.0).architecture
    shape = uniform_shape(
        layers=layers,
        width=width,
        ffn_width=int(row["ffn_width"]),
        heads=width // HEAD_WIDTH,
        vocab=int(architecture.vocab),
    )
    flops = 2 * (shape.params + layers * architecture.context * width + shape.vocab * width)
    name = f"{layers} layers of {width}"
    for what, key, computed in (
        ("parameters", "params", shape.params),
        ("total parameters", "total_params", shape.total_params),
        ("forward FLOPs", "forward_flops", flops),
    ):
        yield Finding(
            what=f"{what}, {name}", published=row[key], computed=float(computed), column=key
        )


def _exponents(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """How the best sizes grow with compute: a = beta / (alpha + beta), and b = 1 - a."""
    for mark, side in (("", law.supervised), ("'", distillation_of(law))):
        both = side.alpha + side.beta
        for letter, exponent in (("a", side.beta), ("b", side.alpha)):
            name = letter + mark
            if row.get(name) is not None:
                found = exponent / both
                yield Finding(what=name, published=row[name], computed=found, column=name)


def _run_bias(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Mean relative error on the distilled runs among the law's own checks."""
    errors = [
        law.computed(one) / one.published - 1 for one in law.checks if "student_params" in one.given
    ]
    what = f"mean of (law / run - 1), {len(errors)} runs"
    bias = float(np.mean(errors))
    yield Finding(what=what, published=row["bias"], computed=bias, column="bias")


def _best_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The least loss at a budget, by who pays for the teacher."""
    scenario = paper_question(law, row["compute"], row["student_params"])
    for way in (None, *Accounting):
        name = way or "supervised"
        if row.get(name) is not None:
            yield Finding(
                what=f"{name} loss, {_at(row)}",
                published=row[name],
                computed=option_of(scenario, way).loss,
                column=name,
            )


def _best_sizes(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Teacher and tokens of the best plan that trains its own teacher."""
    option = _own_teacher(law, row["student_params"], row["compute"])
    for name in ("teacher_params", "student_tokens", "teacher_tokens"):
        computed, what = getattr(option, name), f"{name}, {_at(row)}"
        yield Finding(what=what, published=row[name], computed=computed, column=name)


def _largest_teacher(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The largest teacher of those plans over all budgets, and the budget that buys it."""
    student = row["student_params"]
    scenario = paper_question(law, 1.0, student)
    budgets = row["compute"] * np.geomspace(0.1, 10, 201)
    found = evaluate.distilled(scenario, cells(scenario, Accounting.TRAIN, budget=budgets))
    sizes = np.asarray(found.teacher_params)
    peak = int(np.argmax(sizes))
    name = f"largest teacher of {with_article(format_count(student))} student"
    for what, column, values in (
        (name, "teacher_params", sizes),
        (f"budget of the {name}", "compute", budgets),
    ):
        computed = float(values[peak])
        yield Finding(what=what, published=row[column], computed=computed, column=column)


def _crossover_tokens(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The fewest tokens at which distillation is no better than supervised training."""
    student = float(row["student_params"])
    teacher_loss = law.supervised.loss(float(row["teacher_params"]), float(row["teacher_tokens"]))
    what = f"tokens, {format_count(row['teacher_params'])} teacher, {format_count(student)} student"
    yield Finding(
        what=what,
        published=row["student_tokens"],
        computed=crossover_tokens(law, student, teacher_loss),
        column="student_tokens",
    )


def crossover_tokens(law: PublishedLaw, student: float, teacher_loss: float) -> float | None:
    """The fewest tokens, from 1B to 100T, at which distilling is no better; None: there are none.

    Args:
        law: with a side of distillation.
        student: parameters.
        teacher_loss: nats per token.
    """
    low, high, found = math.log(1e9), math.log(1e14), None
    for _ in range(4):  # 400 times finer each; the gain changes sign once at these tokens
        logs = np.linspace(low, high, 401)
        gain = law.supervised.loss_at_logs(math.log(student), logs) - distillation_of(
            law
        ).loss_at_logs(math.log(student), logs, math.log(teacher_loss))
        ends = np.flatnonzero((gain[:-1] > 0) & (gain[1:] <= 0))
        if not ends.size:
            break
        low, high = float(logs[ends[0]]), float(logs[ends[0] + 1])
        found = math.exp(low)
    return found


def _best_teacher_loss(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """The loss of the best teacher for a student and its tokens, which a budget buys exactly."""
    student, tokens = float(row["student_params"]), float(row["student_tokens"])
    scenario = paper_question(law, 1.0, student)
    compute = TRAINING_PASSES * scenario.family.forward_flops(student) * tokens
    found = evaluate.distilled(scenario, cells(scenario, Accounting.FREE, budget=compute))
    best = None if found.teacher_loss is None else float(found.teacher_loss[0])
    what = f"teacher loss, {format_count(student)} student, {format_count(tokens)} tokens"
    yield Finding(what=what, published=row["teacher_loss"], computed=best, column="teacher_loss")


def _shares(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Statement]:
    """How the best plan that trains its own teacher spends its budget."""
    option = _own_teacher(law, row["student_params"], row["compute"])
    computed, detail = None, ""
    if option.flops is not None and option.total_flops is not None:
        shares = {
            name: getattr(option.flops, name) / option.total_flops
            for name in ("student_training", "teacher_logits", "teacher_training")
        }
        computed = _spending(shares)
        detail = " / ".join(f"{part:.0%}" for part in shares.values())
    published = Spending(row["statement"])
    yield Statement(
        what=f"shares, {_at(row)}", published=published, computed=computed, detail=detail
    )


def _spending(shares: Mapping[str, float]) -> Spending:
    """The statement of Table 3 that holds for three shares."""
    if min(shares.values()) >= THIRD:
        return Spending.THIRDS
    apart = abs(shares["student_training"] - shares["teacher_logits"])
    if shares["teacher_training"] < LITTLE and apart < EVEN:
        return Spending.STUDENT_AND_LOGITS
    return Spending[max(shares, key=lambda name: shares[name]).upper()]


def _beside_supervised(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Statement]:
    """Whether a student learns more from the best teacher of a training budget than from data."""
    student, tokens = float(row["student_params"]), float(row["student_tokens"])
    teacher = option_of(paper_question(law, row["teacher_compute"]), None).loss
    if teacher is None:
        raise ValueError("this budget trains a teacher")
    gain = law.supervised.loss(student, tokens) - distillation_of(law).loss(
        student, tokens, teacher
    )
    spent = format_flops(row["teacher_compute"])
    yield Statement(
        what=f"{format_count(student)} student, teacher of {spent} FLOPs",
        published=Beside(row["statement"]),
        computed=Beside.BEATS_SUPERVISED if gain > 0 else Beside.LOSES_TO_SUPERVISED,
        detail=f"{gain:+.4f} nats",
    )


def _beside_teacher(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Statement]:
    """Whether a student ends below the loss of its teacher."""
    student, tokens = float(row["student_params"]), float(row["student_tokens"])
    teacher = float(row["teacher_loss"])
    below = teacher - distillation_of(law).loss(student, tokens, teacher)
    yield Statement(
        what=f"{format_count(student)} student, teacher of {teacher:g} nats",
        published=Beside(row["statement"]),
        computed=Beside.BELOW_TEACHER if below > 0 else Beside.NOT_BELOW_TEACHER,
        detail=f"{-below:+.4f} nats",
    )


def _saving(law: PublishedLaw, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Compute and tokens to a loss with an existing teacher, relative to data alone."""
    scenario = paper_question(law, 1.0, row["student_params"])
    loss = row["loss"]
    alone, distilled = least_budgets(scenario, (None, Accounting.EXISTS), loss).amounts
    what = f"to {loss} nats, {format_count(row['student_params'])} student, teacher exists"
    ratio = tokens_ratio = None
    if alone is not None and distilled is not None:
        ratio = distilled / alone
        tokens = law.supervised.tokens_for_loss(float(loss), float(row["student_params"]))
        at = cells(scenario, Accounting.EXISTS, budget=distilled)
        tokens_ratio = float(evaluate.distilled(scenario, at).student_tokens[0]) / tokens
    for of, computed in (("compute", ratio), ("tokens", tokens_ratio)):
        column = f"{of.removesuffix('s')}_ratio"
        yield Finding(what=f"{of} {what}", published=row[column], computed=computed, column=column)


def paper_question(law: PublishedLaw, compute: float, student: float | None = None) -> Scenario:
    """A question as the paper asked it, with its bounds of the search."""
    return Scenario(compute=compute, student_params=student, law=law, bounds=PAPER_BOUNDS)


def _own_teacher(law: PublishedLaw, student: float, compute: float) -> Option:
    """The best plan that trains its own teacher."""
    return option_of(paper_question(law, compute, student), Accounting.TRAIN)


def distillation_of(law: PublishedLaw) -> DistillationLaw:
    """The distillation side of a law that has one."""
    return evaluate.law_of(Scenario(compute=1.0, law=law))


def _at(row: Mapping[str, Any]) -> str:
    return f"{format_count(row['student_params'])} student at {format_flops(row['compute'])} FLOPs"


KINDS: Mapping[
    str, Callable[[PublishedLaw, Mapping[str, Any]], Iterator[Finding] | Iterator[Statement]]
] = {
    "model_shape": _model_shape,
    "exponents": _exponents,
    "run_bias": _run_bias,
    "best_loss": _best_loss,
    "best_sizes": _best_sizes,
    "largest_teacher": _largest_teacher,
    "crossover_tokens": _crossover_tokens,
    "best_teacher_loss": _best_teacher_loss,
    "shares": _shares,
    "beside_supervised": _beside_supervised,
    "beside_teacher": _beside_teacher,
    "saving": _saving,
}
"""How each kind of published number is computed."""
