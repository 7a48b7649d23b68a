"""Several laws on one question, for people."""

from collections import Counter
from collections.abc import Iterator, Sequence

from distillplan.laws.provenance import LawStatus
from distillplan.planning.headline import format_budget
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.ensemble import Ensemble, LawSays, LawSpread
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.render.notice_blocks import first_in_words, notice_blocks, under_headline
from distillplan.render.plan_words import TOO_CLOSE, verdict_in_a_table
from distillplan.units.quantities import format_count

_NAMED = 9
"""Laws of one remark."""


def ensemble_view(ensemble: Ensemble) -> Iterator[Block]:
    """An ensemble, on one screen."""
    speak = [one for one in ensemble.said if one.verdict is not None]
    silent = [one for one in ensemble.said if one.verdict is None]
    yield Headline(_answer(ensemble, speak))
    yield from under_headline(first_in_words(ensemble.warnings))
    if speak:
        yield TableBlock(
            "",
            ("law", "verdict", "gain", "best tokens per parameter", "note"),
            tuple(_said(one) for one in speak),
            text_columns=(0, 1, 4),
            spare=(3,),
        )
    yield Sections(
        (
            Section("Odd one out", tuple(_odd_ones(speak))),
            Section("No verdict", tuple(_silent(silent))),
            Section("Spread", tuple(_spread_in_words(ensemble))),
        )
    )
    yield Text(
        f"{format_budget(ensemble.scenario)}; gain in nats per token of the law's own tokenizer: "
        f"compare losses within a law only{_of_best(ensemble) if speak else ''}.",
        "quiet",
    )
    yield Text("More: --details  -o markdown; a law: distillplan laws NAME", "quiet", tight=True)


def _of_best(ensemble: Ensemble) -> str:
    """Whose tokens per parameter are shown, where the gain is that of a given student."""
    params = ensemble.scenario.student_params
    if params is None:
        return ""
    return (
        "; best tokens per parameter: of the best size, whereas the gain is of "
        f"{format_count(params)}"
    )


def _answer(ensemble: Ensemble, speak: Sequence[LawSays]) -> str:
    """On what the laws agree, or how they part."""
    every, sets = len(ensemble.said), sum(ensemble.verdicts.values())
    if not speak:
        return f"No verdict from any of {every} laws."
    once = ""
    if sets < len(speak):
        once = f", all fitted to {'the same runs' if sets == 1 else f'{sets} sets of runs'}"
    of = f"{len(speak)} of {every} laws {'has' if len(speak) == 1 else 'have'} a verdict{once}"
    counts = Counter(_shown(one.verdict) for one in speak if one.verdict is not None)
    if len(counts) == 1:
        (word,) = counts
        return f"{word.capitalize()}, as far as laws can tell: {of}."
    parts = ", ".join(f"{count} say {word}" for word, count in counts.most_common())
    return f"The laws disagree: {parts} ({of})."


def _shown(verdict: Verdict) -> str:
    return TOO_CLOSE if verdict is Verdict.TIE else verdict.shown


def _said(one: LawSays) -> tuple[str, ...]:
    return (
        one.law,
        verdict_in_a_table(one.verdict),
        cell(one.margin_nats, "+.3f"),
        _ratio(one.best_tokens_per_param),
        _note(one),
    )


def _note(one: LawSays) -> str:
    """Why a law may be off."""
    outside = ("outside its data",) if one.outside_fit else ()
    return ", ".join((*_status(one), *outside))


def _status(one: LawSays) -> tuple[str, ...]:
    """Why a law is kept for comparison only; empty where it may be used."""
    return () if one.status in (LawStatus.DEFAULT, LawStatus.AVAILABLE) else (one.status.value,)


def _odd_ones(speak: Sequence[LawSays]) -> Iterator[str]:
    """The laws whose verdict is not that of most, and what may be wrong with them."""
    counts = Counter(one.verdict for one in speak)
    if len(counts) < 2:
        return
    (usual, most), *_ = counts.most_common()
    if most == 1:
        return
    for one in speak:
        if one.verdict is not usual:
            why = _status(one) or ("outside its data",) * bool(one.outside_fit)
            gain = "" if one.margin_nats is None else f", {one.margin_nats:+.3f}"
            yield ", ".join((f"{one.law}: {verdict_in_a_table(one.verdict)}{gain}", *why))


def _silent(silent: Sequence[LawSays]) -> Iterator[str]:
    """The laws that say nothing about distillation here."""
    poor = [one.law for one in silent if one.supervised_loss is None]
    others = [one.law for one in silent if one.supervised_loss is not None]
    if others:
        yield f"{_named(others)}: nothing on distilling here"
    if poor:
        yield f"{_named(poor)}: the budget is too small for a student"


def _named(laws: Sequence[str]) -> str:
    more = f" and {len(laws) - _NAMED} more" if len(laws) > _NAMED else ""
    return f"{', '.join(laws[:_NAMED])}{more}"


def _spread_in_words(ensemble: Ensemble) -> Iterator[str]:
    """How far apart the laws are on the best student, and where the ends come from."""
    spread = ensemble.tokens_per_param
    if spread is None:
        return
    notes = {one.law: _note(one) for one in ensemble.said}
    least, most = (
        f"{law}{', ' * bool(notes[law])}{notes[law]}" for law in (spread.least_law, spread.most_law)
    )
    yield (
        f"The best pretrained student reads {spread.least:.3g} ({least}) to {spread.most:.3g} "
        f"({most}) tokens per parameter: each law knows its own text and recipe."
    )


def ensemble_details(ensemble: Ensemble) -> Iterator[Block]:
    """An ensemble: every law."""
    words = ", ".join(
        f"{count} {_shown(Verdict(word))}" for word, count in ensemble.verdicts.items()
    )
    asked = f"{format_budget(ensemble.scenario)} under {len(ensemble.said)} laws"
    silent = sum(one.verdict is None for one in ensemble.said)
    counted = sum(ensemble.verdicts.values()) + silent
    once = "" if counted == len(ensemble.said) else "; laws fitted to the same runs count once"
    yield Text(f"{asked}: {words or 'no verdict from any'}{once}.", "verdict")
    spreads = (
        (ensemble.tokens_per_param, "costs of the model's shape"),
        (ensemble.tokens_per_param_6nd, "6 N D FLOPs"),
    )
    apart = tuple(_apart(spread, how) for spread, how in spreads if spread is not None)
    if apart:
        yield Bullets("Tokens per parameter of the best pretrained student", apart)
    yield TableBlock(
        "",
        ("law", "verdict", "margin", "loss*", "best N", "D/N", "D/N at 6ND"),
        tuple(_row(one) for one in ensemble.said),
        text_columns=(0, 1),
        tight=True,
    )
    yield Text(
        "* in nats per token of each law's own tokenizer and corpus: compare losses within a row, "
        "never between rows.",
        "quiet",
    )
    yield from notice_blocks(ensemble.warnings)


def _apart(spread: LawSpread, how: str) -> str:
    return (
        f"{spread.least:.3g} ({spread.least_law}) to {spread.most:.3g} ({spread.most_law}), "
        f"{spread.ratio:.2g} times apart, with {how}"
    )


def _row(one: LawSays) -> tuple[str, ...]:
    return (
        one.law,
        "–" if one.verdict is None else verdict_in_a_table(one.verdict),
        cell(one.margin_nats, "+.3f"),
        "over budget" if one.supervised_loss is None else f"{one.supervised_loss:.3f}",
        format_count(one.best_params),
        _ratio(one.best_tokens_per_param),
        _ratio(one.best_tokens_per_param_6nd),
    )


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
