"""What a check answers: published numbers and statements, and the computed ones."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from distillplan.named_tuples import NamedTuple

if TYPE_CHECKING:
    from distillplan.checks.published_speeds import ErrorSummary
    from distillplan.hardware.range import Range

STATED: Final = 0.8
"""Share of published numbers that the range of an estimate is meant to hold."""
COVERED: Final = 0.1
"""How far the share that it does hold may be from that."""
EXPECTED: Final = f"outside its {STATED:.0%} range, as one in five is meant to be"
"""Why a single number may miss; that not more of them do is a check of its own."""


class CheckRow(NamedTuple):
    """One published number or statement, and the computed one."""

    law: str
    """Name of the law, or the topic of a check of hardware."""
    where: str
    what: str
    published: float | str
    computed: float | str | None
    difference: float | None
    """Computed minus published, relative to published where `relative`."""
    relative: bool
    low: float | None
    high: float | None
    passed: bool
    """Whether the difference is within its bounds, or the statement holds."""
    known: str | None = None
    """Why this row is known to miss; None where a miss is a failure."""

    @property
    def failed(self) -> bool:
        """Whether it misses and nobody knows why."""
        return not self.passed and self.known is None


class CheckReport(NamedTuple):
    """All checks that were asked for."""

    rows: tuple[CheckRow, ...]
    passed: int
    failed: int
    """Rows that miss and are not known to."""
    known: int = 0
    """Rows that miss and are known to: disagreements with the source, each with its reason."""
    errors: "tuple[ErrorSummary, ...]" = ()
    """Errors of the speed model, where its speeds were checked."""


def report(rows: Iterable[CheckRow], errors: "tuple[ErrorSummary, ...]" = ()) -> CheckReport:
    """Rows with the numbers of those that passed, failed, and are known to miss."""
    found = tuple(rows)
    passed, failed = sum(row.passed for row in found), sum(row.failed for row in found)
    known = len(found) - passed - failed
    return CheckReport(rows=found, passed=passed, failed=failed, known=known, errors=errors)


def compared(
    law: str,
    where: str,
    what: str,
    published: float,
    computed: float | None,
    *,
    low: float,
    high: float,
    relative: bool = False,
    known: str | None = None,
) -> CheckRow:
    """A published number and the computed one, with the verdict on their difference.

    Args:
        law: name of the law, or the topic.
        where: the table, figure or source.
        what: the quantity.
        published: its published value.
        computed: the computed value; None: there is none, which never passes.
        low: least allowed difference, computed minus published.
        high: greatest allowed difference.
        relative: whether differences are relative to the published value.
        known: why a miss is known; None where it is a failure.
    """
    difference = None if computed is None else computed - published
    if difference is not None and relative:
        difference /= published
    # a difference may touch its bound by the last bits of a double
    passed = difference is not None and low - 1e-12 <= difference <= high + 1e-12
    return CheckRow(
        law=law,
        where=where,
        what=what,
        published=published,
        computed=computed,
        difference=difference,
        relative=relative,
        low=low,
        high=high,
        passed=passed,
        known=known,
    )


def within_its_range(
    law: str, where: str, what: str, published: float, estimate: "Range", known: str = EXPECTED
) -> CheckRow:
    """A published number and an estimate, whose own range is what may lie between them."""
    row = compared(
        law,
        where,
        what,
        published,
        estimate.mid,
        low=estimate.mid / estimate.high - 1,
        high=estimate.mid / estimate.low - 1,
        relative=True,
    )
    return row if row.passed else row._replace(known=known)


def held_share(law: str, where: str, what: str, share: float) -> CheckRow:
    """The share of numbers that ranges hold, against the share that they are meant to hold."""
    what = f"share of {what} inside their {STATED:.0%} range"
    return compared(law, where, what, STATED, share, low=-COVERED, high=COVERED)
