"""Several laws on one question, for people."""

from collections.abc import Iterator

from distillplan.planning.headline import format_budget
from distillplan.questions.ensemble import Ensemble, LawSays, LawSpread
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.notice_blocks import notice_blocks
from distillplan.units import format_count


def ensemble_view(ensemble: Ensemble) -> Iterator[Block]:
    """The blocks of an ensemble."""
    words = ", ".join(f"{count} {word}" for word, count in ensemble.verdicts.items())
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
        yield Bullets("Tokens per parameter of the best supervised student", apart)
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
        one.verdict or "–",
        "" if one.margin_nats is None else f"{one.margin_nats:+.3f}",
        "over budget" if one.supervised_loss is None else f"{one.supervised_loss:.3f}",
        format_count(one.best_params),
        _ratio(one.best_tokens_per_param),
        _ratio(one.best_tokens_per_param_6nd),
    )


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
