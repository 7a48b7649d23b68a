"""Budgets up to which distilling pays, for people."""

import math
from collections.abc import Iterator, Sequence

from distillplan.accounting import in_a_table
from distillplan.planning.scenario import TIE_NATS
from distillplan.questions.crossover import (
    BEYOND,
    DECADES,
    CrossingPoint,
    CrossoverRow,
    Crossovers,
    GainLevel,
    GainWindow,
)
from distillplan.render.blocks import (
    MOST_ROWS,
    Block,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.render.notice_blocks import (
    first_in_words,
    notice_blocks,
    other_doubts,
    under_headline,
    watching,
)
from distillplan.render.odds_view import percent
from distillplan.units.quantities import format_count, format_flops

_FRAME, _INDENT, _REMARKS = 6, 10, 2
"""Empty lines, the title and head of the table, and the last line; columns that headings take; and
lines that remarks have in any case."""
_LEVELS = 3
"""Gains beside each other on a screen."""
AGAIN = ", …"
"""What a cell ends with whose gain comes back at larger budgets."""


def crossover_view(found: Crossovers) -> Iterator[Block]:
    """Crossovers, on one screen."""
    tie = found.scenario.tie_nats
    main = min(found.gains_nats, key=lambda gain: abs(gain - tie))
    headline, first = _answer(found, main), first_in_words(found.warnings)
    yield Headline(headline)
    yield from under_headline(first)
    gains = sorted(found.gains_nats, key=lambda gain: abs(gain - main))[:_LEVELS]
    shown = [gain for gain in found.gains_nats if gain in gains]
    columns = ("student", "teacher", *(f"{gain:g} nats" for gain in shown))
    others = sorted((gain for gain in shown if gain != main), key=abs)
    yield TableBlock(
        "Largest budget, in FLOPs, at which distilling still gains this much",
        columns,
        tuple(_row(row, shown) for row in found.rows[:MOST_ROWS]),
        text_columns=(0, 1),
        spare=tuple(2 + shown.index(gain) for gain in others),
    )
    yield from _cut(len(found.rows))
    room = Room(_FRAME, _INDENT)
    room.take(headline, first, rows=min(len(found.rows), MOST_ROWS))
    example = room.keep(_example(found, main))
    why = room.keep((_WHY,) if example else ())
    watch = room.fill(_watch(found, shown), max(room.left, _REMARKS))
    yield Sections((Section("Example", example), Section("Why", why), watching(watch)))
    more = "More: --details  -o csv; one budget: distillplan budget"
    yield Text(f"Law {found.law.name}. {more}", "quiet")


_WHY = (
    "The more a student reads for itself, the less a teacher adds; a larger student takes a "
    "larger budget to get there."
)


def _level(row: CrossoverRow, gain: float) -> GainLevel:
    return next(one for one in row.levels if one.gain_nats == gain)


def _windows(row: CrossoverRow, gain: float) -> tuple[GainWindow, ...]:
    return _level(row, gain).windows


def _guesses(level: GainLevel) -> list[bool]:
    """Of each window whether it is a guess; where there is none, of that."""
    return [one.is_guess for one in level.windows or (level,)]


def _answer(found: Crossovers, main: float) -> str:
    """Up to which budgets distilling pays, in one sentence."""
    decides = math.isclose(main, found.scenario.tie_nats)  # else a plan's verdict is another
    levels = [(row, _level(row, main)) for row in found.rows]
    if all(all(_guesses(level)) for _, level in levels):
        return (
            f"No verdict: so far outside its runs the law cannot say at which budgets distilling "
            f"gains {main:g} nats."
        )
    sure = [(row, level.windows) for row, level in levels if not any(_guesses(level))]
    rest = " In rows with a question mark the law cannot tell." if len(sure) < len(levels) else ""
    return f"{_without_guesses(sure, main, decides=decides)}{rest}"


def _without_guesses(
    windows: Sequence[tuple[CrossoverRow, tuple[GainWindow, ...]]], main: float, *, decides: bool
) -> str:
    """The same of rows at whose ends plans have a verdict."""
    pays = f"Distilling gains at least {main:g} nats"
    if not any(each for _, each in windows):
        return f"{pays} at no budget here{': pretrain' * decides}."
    if all(len(each) == 1 and each[0].from_ is each[0].to is None for _, each in windows):
        return f"{pays} at every budget that was searched{': distill' * decides}."
    ends = [
        (each[0].to, row)
        for row, each in windows
        if len(each) == 1 and each[0].from_ is None and each[0].to is not None
    ]
    if len(ends) < len(windows):
        return f"{pays} at some budgets: see each row."
    (low, first), (high, last) = (choose(ends, key=lambda end: end[0]) for choose in (min, max))
    more = "; with more, pretrain" * decides
    if first is last:
        return f"{pays} up to {format_flops(low)} FLOPs ({_who(first)}){more}."
    return (
        f"{pays} up to a budget between {format_flops(low)} FLOPs ({_who(first)}) and "
        f"{format_flops(high)} ({_who(last)}){more}."
    )


def _who(row: CrossoverRow) -> str:
    return f"{format_count(row.student_params)}, {in_a_table(row.accounting)}"


def _row(row: CrossoverRow, gains: list[float]) -> tuple[str, ...]:
    by_gain = {one.gain_nats: one for one in row.levels}
    return (
        format_count(row.student_params),
        in_a_table(row.accounting),
        *(_cell(by_gain[gain]) for gain in gains),
    )


def _cell(level: GainLevel) -> str:
    if not level.windows:
        return f"never{'?' * level.is_guess}"
    first, *others = level.windows
    return f"{_window(first)}{AGAIN * bool(others)}"


def _window(one: GainWindow) -> str:
    """The budgets of a window, and the odds in it; a guess has a question mark."""
    odds = "?" * one.is_guess
    if one.odds is not None:
        odds += f" ({percent(one.odds.distill)})"
    if one.from_ is None:
        return f"always{odds}" if one.to is None else f"{format_flops(one.to)}{odds}"
    if one.to is None:
        return f"from {format_flops(one.from_)}{odds}"
    return f"{format_flops(one.from_)} to {format_flops(one.to)}{odds}"


def _example(found: Crossovers, main: float) -> Iterator[str]:
    """How to read a cell, by one of them."""
    for row in found.rows:
        for one in _windows(row, main):
            at_end = one.from_ is None and one.to is not None
            if at_end and one.odds is not None and not one.is_guess:
                yield (
                    f"{_who(row)}: distilling gains at least {main:g} nats up to "
                    f"{format_flops(one.to)} FLOPs; in brackets the odds at 1/{BEYOND:g} of that: "
                    f"{percent(one.odds.distill)}."
                )
                return


def _watch(found: Crossovers, gains: list[float]) -> Iterator[str]:
    """Which columns say little, and what their cells leave out."""
    again = any(len(_windows(row, gain)) > 1 for row in found.rows for gain in gains)
    note = f" {AGAIN.strip(', ')}: more in --details" if again else ""
    yield from other_doubts(found.warnings)
    if any(abs(gain) < TIE_NATS for gain in gains):
        what = "rounding of the published coefficients moves losses as much"
        if found.law.is_own:
            what = (
                "they change so little with the budget that a small error of the law moves it far"
            )
        yield f"gains under {TIE_NATS:g} nats: {what}, so the budget is uncertain.{note}"
    elif again:
        yield note.strip()


def _cut(rows: int) -> Iterator[Text]:
    if rows > MOST_ROWS:
        yield Text(f"{MOST_ROWS} of {rows} rows; all: -o csv, jsonl or json", "quiet")


def crossover_details(found: Crossovers) -> Iterator[Block]:
    """Crossovers: every window with its ends."""
    yield Text("Budgets, in FLOPs, at which distillation gains at least this many nats.", "verdict")
    yield TableBlock(
        "",
        ("student", "teacher", "gain", "from", "to", "tokens/param", "odds"),
        tuple(_point(one) for one in found.points[:MOST_ROWS]),
        text_columns=(0, 1),
        tight=True,
    )
    yield from _cut(len(found.points))
    yield from notice_blocks(found.warnings)
    yield Text(found.note, "quiet")
    yield Text(
        f"start, end = of the budgets searched, 1 to {format_count(10.0**DECADES)} tokens per "
        "parameter; tokens/param = of pretraining at the larger budget; odds = that "
        f"distillation is better by more than a tie, in the middle of the budgets, or a factor "
        f"{BEYOND:g} inside the one end there is.",
        "quiet",
    )
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _point(one: CrossingPoint) -> tuple[str, ...]:
    window = one.window
    start = (format_count(one.student_params), in_a_table(one.accounting), f"{one.gain_nats:g}")
    if window is None:
        return (*start, "never", "", "", "")
    return (
        *start,
        *(_end(end, window) for end in (("start", window.from_), ("end", window.to))),
        cell(window.to_tokens_per_param),
        "" if window.odds is None else percent(window.odds.distill),
    )


def _end(end: tuple[str, float | None], window: GainWindow) -> str:
    name, budget = end
    return name if budget is None else f"{format_flops(budget)}{'?' * window.is_guess}"
