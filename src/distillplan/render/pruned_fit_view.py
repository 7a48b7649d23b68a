"""A fit of the P2 form for people: coefficients, predictions, and what it may be used for."""

from collections.abc import Iterator

from distillplan.fitting.pruned_fit import PrunedFit, PrunedPrediction
from distillplan.laws.pruning_law import LONGER
from distillplan.notices import worst_first
from distillplan.render.blocks import Block, Headline, Section, Sections, TableBlock, Text
from distillplan.render.notice_blocks import watching
from distillplan.units.quantities import format_count

_SHOWN = 8
"""Predictions on one screen."""
_NEEDS = {"N_C": "three sizes of parents", "alpha": "three sizes", "delta": "two sizes"}


def pruned_fit_view(report: PrunedFit, *, details: bool = False) -> Iterator[Block]:
    """The blocks of a fit.

    Args:
        report: the answer.
        details: show every prediction instead of one screen.
    """
    yield Headline(
        f"{report.runs} runs of cut models, predicted to {report.mean_relative_error:.2%} on "
        "average."
    )
    yield Text(report.form, "quiet")
    yield _letters(report)
    shown = report.predictions if details else report.predictions[:_SHOWN]
    yield TableBlock(
        "Predicted, nats per token (90% of the law; one run's noise aside)",
        ("parent", "its loss", "kept", "tokens", "loss", "90%"),
        tuple(map(_prediction, shown)),
    )
    yield Sections(
        (
            Section("Open", tuple(_open(report)), "-"),
            watching(_watch(report)),
            Section("Wrote", (report.saved,) if report.saved else ()),
            Section("Next", (_next(report),)),
        )
    )
    yield Text(f"{report.source[:1].upper()}{report.source[1:]}. More: --details  -o json", "quiet")


def _letters(report: PrunedFit) -> TableBlock:
    rows = []
    for one in report.letters:
        if one.value is None:
            rows.append((one.name, "left out", f"needs {_NEEDS[one.name]}"))
            continue
        ends = "open" if report.draw_count else ""
        if one.low is not None:
            ends = f"{one.low:.4g} to {one.high:.4g}"
        rows.append((one.name, f"{one.value:.4g}", ends))
    return TableBlock("", ("", "value", "90%"), tuple(rows))


def _prediction(one: PrunedPrediction) -> tuple[str, ...]:
    return (
        format_count(one.parent_params),
        f"{one.parent_loss:.3f}",
        f"{one.kept:.0%}",
        format_count(one.tokens),
        f"{one.loss:.3f}{'?' if one.beyond else ''}",
        "" if one.low is None or one.high is None else f"{one.low:.3f} {one.high:.3f}",
    )


def _open(report: PrunedFit) -> Iterator[str]:
    """What the runs do not show."""
    loose = [one.name for one in report.letters if one.value is not None and not one.settled]
    if loose and report.draw_count:
        yield f"the runs do not settle {', '.join(loose)}; the losses between them are better known"
    if report.dropped:
        yield (
            f"left out: {', '.join(report.dropped)}; the law holds for parents of the sizes in "
            "the runs"
        )
    if any(one.beyond for one in report.predictions):
        yield f"? is longer than every run; up to {LONGER:g} times as long is shown"


def _watch(report: PrunedFit) -> Iterator[str]:
    """What to doubt."""
    yield from (one.message for one in worst_first(report.warnings))
    if report.taught is None:
        yield (
            "the runs do not say whether the parent taught, so no plan takes this law; add a "
            "column taught, or --columns taught=yes"
        )
    if report.clustered:
        yield "the points of one recovery err together, so that ranges stand on few recoveries"
    if not report.converged:
        yield "the descent did not settle; give more runs"
    if not report.draw_count:
        yield "without resamples there are no ranges"


def _next(report: PrunedFit) -> str:
    if report.saved is None:
        return "save the law and plan with it: add -o p2.yaml"
    return (
        "distillplan budget 1e22 --student 4B --start pruned --parent qwen3-8b --parent-loss 2.1 "
        f"--start-law {report.saved}"
    )
