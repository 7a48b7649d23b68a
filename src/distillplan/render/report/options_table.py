"""The options of a plan, and the scenarios of a comparison, as tables that a script can sort."""

from collections.abc import Iterable, Sequence

from distillplan.accounting import in_a_table
from distillplan.hardware.memory_fit import FITS_SHOWN, Fits
from distillplan.named_tuples import NamedTuple
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Option, Plan
from distillplan.questions.comparison_records import Comparison
from distillplan.render.blocks import cell
from distillplan.render.odds_view import percent
from distillplan.render.plan_words import teacher_in_words, verdict_in_a_table
from distillplan.render.report.markup import Markup, element
from distillplan.units.quantities import (
    format_bytes,
    format_duration,
    format_flops,
    format_usd,
)

FITS_ORDER = {Fits.YES: 0, Fits.UNCERTAIN: 1, Fits.NO: 2}


class SortedCell(NamedTuple):
    """A cell of a table, and what it is sorted by."""

    text: str
    value: float | str | None = None
    """None: it comes last."""
    is_number: bool = True


def options_table(plan: Plan) -> Markup:
    """Every way to spend the budget."""
    rows = [_option_row(plan, one) for one in plan.options]
    chosen = [one.recommended for one in plan.options]
    caption = "Options; the arrow is at the choice"
    return table(caption, tuple(rows[0]), rows, chosen)


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[dict[str, SortedCell]],
    marked: Sequence[bool],
) -> Markup:
    """A table that the page's script can sort; columns that are empty everywhere are left out.

    Args:
        caption: what it shows.
        columns: the heads, the first one that of the rows' names.
        rows: cells by head.
        marked: whether each row is the choice.
    """
    every = list(rows)
    first, *others = [one for one in columns if any(row[one].text for row in every)]

    def cell(row: dict[str, SortedCell], head: str) -> Markup:
        found = row[head]
        value = "" if found.value is None else found.value
        kind = "number" if found.is_number else None
        return element(
            "th" if head == first else "td",
            found.text,
            data_value=repr(value) if isinstance(value, float) else value,
            class_=kind,
            scope="row" if head == first else None,
        )

    body = (
        element(
            "tr", (cell(row, one) for one in (first, *others)), class_="chosen" if mark else None
        )
        for row, mark in zip(every, marked, strict=True)
    )
    heads = (
        element("th", one, scope="col", class_="number" if every[0][one].is_number else None)
        for one in (first, *others)
    )
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", heads)),
            element("tbody", body),
            class_="sortable",
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _option_row(plan: Plan, one: Option) -> dict[str, SortedCell]:
    given = plan.models.teacher
    named = None if given is None else given.name
    mark = "→ " if one.recommended else ""
    name = f"run {one.teacher_name}" if one.teacher_name else in_a_table(one.accounting)
    row = {
        "option": SortedCell(f"{mark}{name}", name, is_number=False),
        "loss": SortedCell(loss_in_words(one), one.loss),
        "gain": SortedCell(cell(one.gain_nats, "+.3f"), one.gain_nats),
        "student": _count(one.student_params),
        "tokens": _count(one.student_tokens),
        "teacher": SortedCell(teacher_in_words(one, named), one.teacher_params, is_number=False),
        "its loss": SortedCell(cell(one.teacher_loss, ".3f"), one.teacher_loss),
        "FLOPs": SortedCell(
            "" if one.total_flops is None or one.bill else format_flops(one.total_flops),
            one.total_flops,
        ),
    }
    return row | _bill_cells(one)


def _bill_cells(one: Option) -> dict[str, SortedCell]:
    """Hours, money and memory; empty without a machine."""
    bill = one.bill
    if bill is None:
        heads = ("GPU-hours", "time", "cost", "memory", "fits")
        return {head: SortedCell("", is_number=head != "fits") for head in heads}
    cost = bill.cost_usd
    return {
        "GPU-hours": _count(bill.gpu_hours.mid),
        "time": SortedCell(format_duration(bill.wall_seconds.mid), bill.wall_seconds.mid),
        "cost": SortedCell("") if cost is None else SortedCell(format_usd(cost.mid), cost.mid),
        "memory": SortedCell(
            format_bytes(bill.memory_bytes_per_gpu.mid), bill.memory_bytes_per_gpu.mid
        ),
        "fits": SortedCell(FITS_SHOWN[bill.fits], FITS_ORDER[bill.fits], is_number=False),
    }


def loss_in_words(option: Option) -> str:
    """The loss and its error; a guess is marked as one."""
    if option.loss is None:
        return option.status.replace("_", " ") if option.student_params else "over budget"
    error = "" if option.loss_error is None else f" ± {option.loss_error:.3f}"
    return f"{option.loss:.3f}{'?' if option.is_guess else ''}{error}"


def _count(value: float | None) -> SortedCell:
    return SortedCell(cell(value), value)


def scenarios_table(found: Comparison) -> Markup:
    """The scenarios side by side."""
    rows = []
    for one in found.plans:
        plan = one.plan
        best, odds = plan.recommended or plan.supervised, plan.odds
        mark = "→ " if one.name == found.winner else ""
        shares = (
            {"distill": None, "pretrain": None}
            if odds is None
            else {"distill": odds.distill, "pretrain": odds.supervised}
        )
        rows.append(
            {
                "scenario": SortedCell(f"{mark}{one.name}", one.name, is_number=False),
                "verdict": SortedCell(
                    verdict_in_a_table(plan.verdict),
                    verdict_in_a_table(plan.verdict),
                    is_number=False,
                ),
                **{
                    head: SortedCell("" if value is None else percent(value), value)
                    for head, value in shares.items()
                },
                "loss": SortedCell(
                    "" if best.loss is None else f"{best.loss:.3f}{'?' if best.is_guess else ''}",
                    best.loss,
                ),
                "budget": SortedCell(format_budget(plan.scenario), plan.scenario.budget),
                "student": _count(best.student_params),
                "tokens": _count(best.student_tokens),
                "if distilled": SortedCell(
                    "" if plan.deciding is None else in_a_table(plan.scenario.pays),
                    in_a_table(plan.scenario.pays),
                    is_number=False,
                ),
            }
        )
    chosen = [one.name == found.winner for one in found.plans]
    caption = "Scenarios; distill, pretrain: the odds of each"
    return table(caption, tuple(rows[0]), rows, chosen)
