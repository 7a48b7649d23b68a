"""Laws for people."""

from collections.abc import Iterator

from distillplan.laws.law_catalog import LawList
from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.units.quantities import format_count


def laws_view(found: LawList) -> Iterator[Block]:
    """The blocks of a list of laws."""
    yield TableBlock(
        "",
        ("name", "form", "status", "N counts", "corpus"),
        tuple(
            (
                law.name,
                law.form,
                law.status,
                law.counts.removesuffix(" parameters").split(",")[0],
                law.corpus.split(",")[0].split(";")[0],
            )
            for law in found.laws
        ),
        text_columns=(0, 1, 2, 3, 4),
        tight=True,
    )
    yield Text("One of them in full, with its source: distillplan laws NAME", "quiet")


def law_view(law: PublishedLaw) -> Iterator[Block]:
    """The blocks of one law."""
    yield Text(f"{law.name}: {law.title}", "verdict")
    yield Bullets(
        "",
        (
            f"source: {law.source}",
            f"N counts: {law.counts}",
            f"loss: {law.loss_unit}",
            f"corpus: {law.corpus}",
            f"tokenizer: {law.tokenizer}",
            f"status: {law.status}",
        ),
    )
    rows = []
    for name, one in law.coefficients.items():
        interval = level = "–"
        if one.low is not None and one.high is not None and one.level is not None:
            interval, level = f"{one.low:.6g} to {one.high:.6g}", f"{one.level:.0%}"
        rows.append((name, f"{one.value:.8g}", interval, level))
    yield TableBlock("Coefficients", ("", "value", "interval", "level"), tuple(rows))
    yield TableBlock(
        "Fitted range",
        ("input", "from", "to"),
        tuple(
            (name, _size(name, low), _size(name, high)) for name, (low, high) in law.valid.items()
        ),
    )
    if law.accuracy:
        yield Bullets("Accuracy", law.accuracy)
    if law.errata:
        yield Bullets("Errata", law.errata, "warning")
    if law.notes:
        yield Bullets(
            "Notes", law.notes, "warning" if law.status is not LawStatus.DEFAULT else "plain"
        )


def _size(name: str, value: float) -> str:
    return f"{value:.3f} nats" if name.endswith("loss") else format_count(value)
