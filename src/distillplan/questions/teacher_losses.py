"""A student's loss over that of its teacher, at fixed sizes: which teacher is best, and which help.

What a teacher costs is left aside: every student reads the same tokens.
"""

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum

import numpy as np

from distillplan.errors import InfeasibleError
from distillplan.laws import law_catalog
from distillplan.laws.formulas import DistillationLaw, FloatArray
from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.laws.repetition import log_worth
from distillplan.models.open_models import open_models
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.planning import evaluate
from distillplan.planning.bands import loss_band
from distillplan.planning.evaluate import cells
from distillplan.planning.model_warnings import named_warnings
from distillplan.planning.planner import plan
from distillplan.planning.results import Band
from distillplan.planning.scenario import Scenario
from distillplan.planning.stored_logits import lost_nats
from distillplan.planning.teacher import demand_distillation
from distillplan.planning.verdict import Trained, guesses, guessing, outside_loss, sides
from distillplan.questions.prediction import at_point, refuse_nonsense

POINTS = 161
"""Teacher losses of the curve."""
ROOM = 0.2
"""Beyond the losses that matter, as a share of their span."""
WORSE = 0.2
"""Nats by which the weakest teachers of the picture are worse than the student without one."""
ABOVE_FLOOR = 0.02
"""Nats above the least loss of the law, at which its curves begin."""
MOST_MODELS = 8
EDGE = 0.02
"""Of the picture's width that a model keeps from its edges and from the given teacher."""
NEAR = 0.5
"""Of the distance between two of them, within which the best known is taken."""
TELLING_NATS = 1e-4
"""By which a loss on the curve is below that of the best teacher where this is at a bound."""
HALVINGS = 50
"""Of an interval in which teachers begin to help, or stop."""


class TaughtBy(StrEnum):
    """What a teacher is in the picture."""

    ANY = "any"
    """A point of the curve."""
    OPEN_MODEL = "open_model"
    """An open model, whose loss is the law's for its sizes."""
    BEST = "best"
    """The one that is best for this student, of those that the search may choose."""
    GIVEN = "given"
    """That of the question."""


class TaughtLoss(NamedTuple):
    """The student with one teacher."""

    teacher: TaughtBy
    name: str | None
    """None where it has none."""
    teacher_loss: float
    """Nats per token, as all losses."""
    student_loss: float
    low: float | None
    """End of a 90% band of the student's loss; None where the law has no joint draws."""
    high: float | None
    is_guess: bool
    """Whether it is so far outside the fitted range that it is a guess."""
    gain_nats: float
    """Loss of training from data alone minus this one."""


class TeacherLosses(NamedTuple):
    """A student's loss over its teacher's."""

    student_params: float
    student_tokens: float
    supervised_loss: float
    """The same student on the same tokens without a teacher, nats per token."""
    supervised_low: float | None
    """End of its 90% band."""
    supervised_high: float | None
    points: tuple[TaughtLoss, ...]
    """The curve, teacher losses rising, then open models, the best teacher, and the given one."""
    helps_from: float | None
    """Least and largest loss in the picture of a teacher that gains more than a tie; None: none
    does."""
    helps_to: float | None
    runs_from: float | None
    """Teacher losses of the law's runs; None where it does not say."""
    runs_to: float | None
    law: PublishedLaw
    scenario: Scenario
    warnings: tuple[Notice, ...] = ()
    """What to know of the models that were named, and of a law of one's own runs."""

    @property
    def best_is_bound(self) -> bool:
        """Whether still stronger teachers would be better, and the search may not choose them."""
        (best,) = self.of(TaughtBy.BEST)
        least = min(one.student_loss for one in self.of(TaughtBy.ANY))
        return least < best.student_loss - TELLING_NATS

    def of(self, teacher: TaughtBy) -> tuple[TaughtLoss, ...]:
        """The points of one kind."""
        return tuple(one for one in self.points if one.teacher is teacher)


class _Student(NamedTuple):
    """A student on its tokens, in any law."""

    scenario: Scenario
    params: float
    tokens: float
    worth: float
    """Unique tokens that those are worth."""
    alone: float
    """Loss without a teacher, nats per token."""

    def taught(self, teacher_loss: FloatArray, law: DistillationLaw | None = None) -> FloatArray:
        """Losses with some teachers, under the scenario's law or drawn ones of that shape."""
        scenario = self.scenario
        law = law or evaluate.law_of(scenario)
        n, d = math.log(self.params), math.log(self.worth)
        lost = lost_nats(scenario, scenario.share(scenario.pays).logits)
        return np.asarray(law.loss_at_logs(n, d, np.log(teacher_loss))) + lost


def teacher_losses(scenario: Scenario) -> TeacherLosses:
    """The student's loss over its teacher's.

    Args:
        scenario: the question; its student reads the tokens that were given, or those that the
            budget buys without a teacher.

    Raises:
        InputError: when the law knows no distillation.
        InfeasibleError: when the budget trains no student, or the law does not hold there.
    """
    demand_distillation(scenario.law)
    student = _student(scenario)
    best = _best(student)
    losses = _teacher_losses(student, best)
    named: list[tuple[TaughtBy, str | None, float]] = [
        (TaughtBy.OPEN_MODEL, name, loss) for name, loss in _models(scenario, losses)
    ]
    named.append((TaughtBy.BEST, None, best))
    if scenario.teacher is not None and scenario.teacher_loss is not None:
        model = scenario.teacher.model
        named.append((TaughtBy.GIVEN, model and model.name, scenario.teacher_loss))
    every = [*((TaughtBy.ANY, None, one) for one in losses.tolist()), *named]
    low, high = _alone_band(student) or (None, None)
    helps = _helps(student, losses) or (None, None)
    runs = scenario.law.valid.get("teacher_loss", (None, None))
    return TeacherLosses(
        student_params=student.params,
        student_tokens=student.tokens,
        supervised_loss=student.alone,
        supervised_low=low,
        supervised_high=high,
        points=tuple(_points(student, every)),
        helps_from=helps[0],
        helps_to=helps[1],
        runs_from=runs[0],
        runs_to=runs[1],
        law=scenario.law,
        scenario=scenario,
        warnings=(*named_warnings(scenario.models), *scenario.law.warnings),
    )


def _student(scenario: Scenario) -> _Student:
    """The student and the tokens of training it from data alone."""
    params, tokens = scenario.student_params, scenario.student_tokens
    if params is None or tokens is None:
        alone = plan(scenario, quick=True).supervised
        params, tokens = alone.student_params, alone.student_tokens
    if params is None or tokens is None:
        raise ValueError("a plan has a student")
    worth = math.exp(log_worth(math.log(tokens), scenario.unique_tokens))
    loss = scenario.law.supervised.loss(params, worth)
    refuse_nonsense(scenario, {"student_params": params, "student_tokens": tokens}, loss)
    return _Student(scenario=scenario, params=params, tokens=tokens, worth=worth, alone=loss)


def _best(student: _Student) -> float:
    """Loss of the teacher that is best for a student on its tokens, nats per token."""
    scenario = student.scenario
    at = at_point(scenario.law, student.params, student.worth, scenario.bounds)
    found = evaluate.distilled(at, cells(at, at.pays)).teacher_loss
    if found is None:
        raise ValueError("a distillation has a teacher")
    return float(found[0])


def _teacher_losses(student: _Student, best: float) -> FloatArray:
    """The teacher losses of the curve: the law's least, those that help, and some room."""
    law, given = student.scenario.law, student.scenario.teacher_loss
    matter = [best, student.alone + WORSE, *law.valid.get("teacher_loss", ())[:1]]
    matter += [] if given is None else [given]
    low, high = min(matter), max(matter)
    room = ROOM * (high - low)
    least = min(low, law.least_teacher_loss + ABOVE_FLOOR)
    most = max(high, guessing(student.scenario))
    return np.linspace(max(low - room, least), min(high + room, most), POINTS)


def _points(
    student: _Student, every: Sequence[tuple[TaughtBy, str | None, float]]
) -> Iterator[TaughtLoss]:
    """The student with each teacher: what it is, its name and its loss.

    Without those whose student would be no better than guessing, where the law does not hold.
    """
    scenario = student.scenario
    every = [one for one, sound in zip(every, _sound(student, every), strict=True) if sound]
    teachers = np.array([loss for *_, loss in every])
    losses = student.taught(teachers)
    trained = Trained(
        loss=losses,
        params=np.full(losses.shape, student.params),
        tokens=np.full(losses.shape, student.tokens),
        teacher_loss=teachers,
    )
    bands = _taught_bands(student, teachers, losses)
    far = guesses(scenario, trained)
    for (kind, name, teacher), loss, ends, guess in zip(
        every, losses.tolist(), bands, far.tolist(), strict=True
    ):
        low, high = ends or (None, None)
        yield TaughtLoss(
            teacher=kind,
            name=name,
            teacher_loss=teacher,
            student_loss=loss,
            low=low,
            high=high,
            is_guess=guess,
            gain_nats=student.alone - loss,
        )


def _sound(
    student: _Student, every: Sequence[tuple[TaughtBy, str | None, float]]
) -> Iterator[bool]:
    """Whether the law holds with each teacher.

    Raises:
        InfeasibleError: where it does not with the best one or the given one.
    """
    most = guessing(student.scenario)
    for kind, _, teacher in every:
        loss = float(student.taught(np.array(teacher)))
        if loss >= most and kind in (TaughtBy.BEST, TaughtBy.GIVEN):
            raise InfeasibleError(
                f"{student.scenario.law.name} does not hold with a teacher of {teacher:.3f} nats: "
                f"it gives the student {loss:.3g} nats, and guessing gives {most:.3g}"
            )
        yield loss < most


def _taught_bands(student: _Student, teachers: FloatArray, losses: FloatArray) -> list[Band | None]:
    """The 90% band with each teacher."""
    draws, law = law_catalog.draws(student.scenario.law), student.scenario.law
    if draws is None or not isinstance(draws.law, DistillationLaw):
        return [None] * losses.size
    drawn = student.taught(teachers[:, None], draws.law)
    outside = outside_loss(law, student.params, student.tokens, teachers)
    return [
        loss_band(student.scenario, row, own, error)
        for row, own, error in zip(drawn, losses.tolist(), outside.tolist(), strict=True)
    ]


def _alone_band(student: _Student) -> Band | None:
    """The 90% band without a teacher; None where the law has no joint draws."""
    law = student.scenario.law
    draws = law_catalog.draws(law)
    if draws is None:
        return None
    drawn = draws.supervised.loss_at_logs(math.log(student.params), math.log(student.worth))
    error = float(outside_loss(law, student.params, student.tokens))
    return loss_band(student.scenario, np.asarray(drawn), student.alone, error)


def _helps(student: _Student, losses: FloatArray) -> Band | None:
    """Ends of the teacher losses in the picture that gain more than a tie."""

    def helps(teachers: FloatArray) -> FloatArray:
        gain = student.alone - student.taught(teachers)
        found: FloatArray = sides(gain, student.scenario.tie_nats) > 0
        return found

    inside = np.flatnonzero(helps(losses))
    if not inside.size:
        return None
    ends = []
    for within, without in ((inside[0], inside[0] - 1), (inside[-1], inside[-1] + 1)):
        end = float(losses[within])
        if 0 <= without < losses.size:
            beyond = float(losses[without])
            for _ in range(HALVINGS):
                middle = (end + beyond) / 2
                end, beyond = (middle, beyond) if helps(np.array(middle)) else (end, middle)
        ends.append(end)
    low, high = ends
    return low, high


def _models(scenario: Scenario, losses: FloatArray) -> list[tuple[str, float]]:
    """A few open models of different losses, by name, the strongest first.

    Their losses are what the law gives models of their sizes.
    """
    if scenario.law.counts is not ParameterCount.NON_EMBEDDING:
        return []
    given, span = scenario.teacher_loss, float(losses[-1] - losses[0])
    low, high = losses[0] + EDGE * span, losses[-1] - EDGE * span
    every = {
        one.name: scenario.law.supervised.loss(float(one.params), one.tokens)
        for one in open_models(scenario.models.reads_like)
    }
    known = {
        name: loss
        for name, loss in every.items()
        if low <= loss <= high and (given is None or abs(loss - given) > EDGE * span)
    }
    if not known:
        return []
    wanted = np.linspace(min(known.values()), max(known.values()), MOST_MODELS).tolist()
    near = NEAR * (wanted[1] - wanted[0]) or 1.0

    def distance(name: str, loss: float) -> int:  # of those nearby, the first of the table
        return round(abs(known[name] - loss) / near)

    chosen = {min(known, key=lambda name: distance(name, loss)) for loss in wanted}
    return sorted(((name, known[name]) for name in chosen), key=lambda one: one[1])
