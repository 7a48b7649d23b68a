"""Where the sizes of an option leave the range that a law was fitted in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distillplan.accounting import Accounting
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.units.quantities import format_count

if TYPE_CHECKING:
    from distillplan.planning.results import Option


class OutsideFit(NamedTuple):
    """A size of an option that is outside the fitted range of the law."""

    size: str
    """Name of the field of the option, such as `student_tokens`."""
    accounting: Accounting | None
    """Which option's; None for supervised training."""
    value: float
    low: float
    """Least of the fitted range."""
    high: float
    """Largest of the fitted range."""

    @property
    def times(self) -> float:
        """By which factor it is outside."""
        return self.value / self.high if self.value > self.high else self.low / self.value


class Size(NamedTuple):
    """A size of an option: its name in prose, and that of the law's range for it."""

    words: str
    supervised: str
    distilled: str


SIZES = {
    "student_params": Size(
        words="student parameters", supervised="params", distilled="student_params"
    ),
    "student_tokens": Size(words="student tokens", supervised="tokens", distilled="student_tokens"),
    "teacher_params": Size(words="teacher parameters", supervised="params", distilled="params"),
    "teacher_tokens": Size(words="teacher tokens", supervised="tokens", distilled="tokens"),
    "teacher_loss": Size(words="teacher loss", supervised="teacher_loss", distilled="teacher_loss"),
}


def outside_fit(scenario: Scenario, compared: "Sequence[Option]") -> tuple[OutsideFit, ...]:
    """The sizes of some options that are outside the fitted range of the law, size by size."""
    found = []
    for name in SIZES:
        if name in ("teacher_params", "teacher_tokens") and _measured(scenario):
            continue
        for one in compared:
            value = getattr(one, name)
            beyond = None if value is None else outside(scenario.law, name, value, one.accounting)
            if beyond is not None:
                found.append(beyond)
    return tuple(found)


def outside(
    law: PublishedLaw, name: str, value: float, accounting: Accounting | None
) -> OutsideFit | None:
    """A size, where it is outside the fitted range."""
    size = SIZES[name]
    ends = law.range_left(size.supervised if accounting is None else size.distilled, value)
    if ends is None:
        return None
    low, high = ends
    return OutsideFit(size=name, accounting=accounting, value=value, low=low, high=high)


def in_its_unit(size: str, value: float) -> str:
    """A size of an option as people read it."""
    return f"{value:.3f}" if size == "teacher_loss" else format_count(value)


def _measured(scenario: Scenario) -> bool:
    """Whether the teacher's loss was measured, so that its sizes do not enter the law."""
    return scenario.teacher is not None and scenario.teacher.loss is not None
