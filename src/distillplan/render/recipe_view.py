"""How to run a plan, for people: what to do on one screen, and all of it with why and whence."""

from collections.abc import Iterator

from distillplan.laws.format_studies import KeptLogits, KeptShare
from distillplan.questions.recipe_records import (
    Recipe,
    StartingPoint,
    Sureness,
)
from distillplan.questions.recipe_studies import LittleText, LittleTextResult, MixedLoss, MixResult
from distillplan.questions.starting_points import format_rate
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Room,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
)
from distillplan.units.quantities import format_count

_SURE = {
    Sureness.PAPER: "measured by the paper",
    Sureness.OTHERS: "measured by others",
    Sureness.MIXED: "published results differ",
    Sureness.SUPERVISED: "from pretraining",
    Sureness.CONVENTION: "convention",
    Sureness.TERMS: "license or file format",
    Sureness.PLAN: "computed by the plan",
}
"""What stands behind a line."""
_TAGS = {
    Sureness.PAPER: "paper",
    Sureness.OTHERS: "others",
    Sureness.MIXED: "results differ",
    Sureness.SUPERVISED: "pretraining",
    Sureness.CONVENTION: "convention",
    Sureness.TERMS: "terms",
    Sureness.PLAN: "plan",
}
"""The same in a word, for one screen."""
_TAGGED = (
    "[paper], [others]: who measured it; [pretraining]: untried in distillation; [plan]: computed."
)
_FORMATS = {
    KeptLogits.SAMPLED: "sampled",
    KeptLogits.TOP_K: "top k alone",
    KeptLogits.TOP_K_AND_LABEL: "top k, rest to the label",
}
_RESULTS = {
    MixResult.BETTER: "better",
    MixResult.SAME: "no difference",
    MixResult.WORSE: "worse",
    MixResult.NOT_COMPARED: "not compared",
}
_MARGIN = 12
"""Columns of the headings in the margin of the details."""
_INDENT = 11
"""Columns that headings take on one screen."""
_FRAME = 3
"""Empty lines, and the last one."""


def recipe_view(found: Recipe) -> Iterator[Block]:
    """A recipe, on one screen."""
    yield Headline(found.headline)
    room = Room(_FRAME, _INDENT)
    room.take(found.headline, _TAGGED)
    yield Sections(
        tuple(
            Section(one.topic.title(), room.fill([f"{one.do} [{_TAGS[one.sure]}]"]))
            for one in found.lines
            if one.on_screen
        )
    )
    yield Text(_TAGGED, "quiet")
    yield Text("More: --details  --export TRAINER --save FOLDER  -o markdown", "quiet", tight=True)


def recipe_details(found: Recipe) -> Iterator[Block]:
    """A recipe: every line with its reason and source."""
    yield Headline(found.headline)
    for one in found.lines:
        yield Sections(
            (
                Section(one.topic.title(), (one.do,)),
                Section("Why", (one.why,)),
                Section("From", (f"{one.source} [{_SURE[one.sure]}]",)),
            ),
            margin=_MARGIN,
        )
    yield TableBlock(
        "Starting points, from laws of pretraining",
        ("law", "peak rate", "final rate", "batch", "this run"),
        tuple(map(_starting_row, found.starting_points)),
        text_columns=(0, 4),
    )
    yield Bullets("", tuple(f"{one.law}: {one.source}" for one in found.starting_points))
    if found.kept_source is not None:
        yield TableBlock(
            "Share of the gain of full logits that stored ones keep",
            ("stored", "per position", "loss", "share kept"),
            tuple(map(_share_row, found.kept_shares)),
        )
        yield Bullets("", (found.kept_source,))
    if found.mixed_losses:
        yield TableBlock(
            "Losses that mix hard labels in, against distillation alone",
            ("setting", "distilled part", "result"),
            tuple(map(_mixed_row, found.mixed_losses)),
            text_columns=(0, 1, 2),
        )
        yield Bullets("", tuple(f"{one.says} ({one.source})" for one in found.mixed_losses))
    if found.little_text is not None:
        yield from _little(found.little_text)
    yield Bullets(
        "Not exported to", tuple(f"{one.name}: {one.why} ({one.source})" for one in found.skipped)
    )


def _starting_row(one: StartingPoint) -> tuple[str, ...]:
    final = cell(one.final_learning_rate, format_rate)
    inside = f"outside its runs ({', '.join(one.outside)})" if one.outside else "inside its runs"
    batch = f"{format_count(one.batch_tokens)} tokens"
    return one.law, format_rate(one.learning_rate), final, batch, inside


def _mixed_row(one: MixedLoss) -> tuple[str, ...]:
    part = "not stated"
    if one.start is not None and one.end is not None:
        part = f"{one.start:g}" if one.start == one.end else f"{one.start:g} to {one.end:g}"
    return one.setting, part, _RESULTS[one.result]


def _little(found: LittleText) -> Iterator[Block]:
    yield TableBlock(
        f"Losses on {format_count(found.tokens, 2)} unique tokens, nats per token",
        ("trained", "size", "loss"),
        tuple(map(_little_row, found.results)),
    )
    yield Bullets("Not measured", found.unmeasured)
    yield Bullets("", (found.source,))


def _little_row(one: LittleTextResult) -> tuple[str, ...]:
    return one.what, cell(one.params), f"{one.loss:.3g}"


def _share_row(one: KeptShare) -> tuple[str, ...]:
    error = "" if one.share_error is None else f" ± {one.share_error:.0%}"
    return _FORMATS[one.format], f"{one.kept:g}", f"{one.loss:.2f}", f"{one.share:.0%}{error}"
