"""Published numbers of laws, and the same computed here, for `distillplan check` and the tests."""

from collections.abc import Iterator, Mapping
from typing import Any

from distillplan.checks.check_records import CheckRow, compared
from distillplan.checks.law_findings import KINDS, Statement
from distillplan.files.entries import Entry, coefficients_dir, read_shipped
from distillplan.laws.law_catalog import law
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple


class CheckGroup(NamedTuple):
    """One table or figure of a data file, or those rows of it that the law contradicts."""

    where: str
    kind: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    relative: bool = False
    """Whether `low` and `high` are relative to the published value."""
    low: float = 0.0
    high: float = 0.0
    """Bounds of computed minus published: how well the source can be read."""
    known: str | None = None
    """Why the law is known to miss every number of the group; None where it must not."""


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


class PlacedRow(NamedTuple):
    """A published number with the line of the data file that it stands in."""

    given: Mapping[str, Any]
    """The line by its columns."""
    column: str
    """Where the number stands in it."""
    row: CheckRow


def check_group(law: PublishedLaw, group: CheckGroup) -> Iterator[CheckRow]:
    """The numbers of one table or figure."""
    return (one.row for one in placed_rows(law, group))


def placed_rows(law: PublishedLaw, group: CheckGroup) -> Iterator[PlacedRow]:
    """The numbers of one table or figure, each with what it is of."""
    for values in group.rows:
        row = dict(zip(group.columns, values, strict=True))
        for finding in KINDS[group.kind](law, row):
            if isinstance(finding, Statement):
                found = _stated(law, group, finding)
                yield PlacedRow(given=row, column="statement", row=found)
                continue
            found = compared(
                law.name,
                group.where,
                finding.what,
                finding.published,
                finding.computed,
                low=group.low,
                high=group.high,
                relative=group.relative,
                known=group.known,
            )
            yield PlacedRow(given=row, column=finding.column, row=found)


def _stated(law: PublishedLaw, group: CheckGroup, found: Statement) -> CheckRow:
    shown = "infeasible"
    if found.computed is not None:
        shown = f"{found.computed} ({found.detail})"
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
        passed=found.computed is found.published,
        known=group.known,
    )


def check_groups() -> tuple[tuple[PublishedLaw, CheckGroup], ...]:
    """The published tables and figures to check, each with its law.

    Raises:
        InputError: when a data file is not what it should be.
    """
    found: list[tuple[PublishedLaw, CheckGroup]] = []
    for path in sorted((coefficients_dir() / "checks").glob("*.yaml")):
        entry = Entry(read_shipped(f"checks/{path.name}"), path.name)
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
        known=entry.optional_text("known"),
    )
    entry.finish()
    return group
