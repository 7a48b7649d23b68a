"""How sure a plan is, for people."""

from distillplan.accounting import in_a_table
from distillplan.planning.results import Confidence, OptionBands
from distillplan.render.blocks import TableBlock
from distillplan.units import format_count

_WHERE = {
    "budget_down": " at half that",
    "budget_up": " at twice that",
    "teacher_loss": " with the best",
}
"""Where the share of a flip was taken, when it is not at the flip itself."""


def confidence_line(confidence: Confidence) -> str:
    """The line under the headline."""
    return (
        f"Confidence: {share(confidence.agree)} ({confidence.draws} draws of the law's "
        f"coefficients plus run-to-run noise; {share(confidence.agree_without_noise)} without "
        "noise)."
    )


def share(part: float | None) -> str:
    """A part of some hundred draws: never all of them, for the next might differ."""
    if part is None:
        return "–"
    if part > 0.99:
        return ">99%"
    if part < 0.01:
        return "<1%"
    return f"{part:.0%}"


def flip_share(part: float | None, where: str = "") -> str:
    """What a line on a flip ends with; nothing where it was not asked for."""
    return "" if part is None else f" ({share(part)}{_WHERE.get(where, '')})"


def confidence_bands(confidence: Confidence) -> TableBlock:
    """The bands of losses and sizes."""
    return TableBlock(
        "90% bands (losses with run-to-run noise; sizes without)",
        ("option", "loss", "gain", "tokens", "teacher", "its loss"),
        tuple(
            (
                in_a_table(one.accounting),
                _nats(one.loss),
                _nats(one.gain_nats, "+"),
                _counts(one, "student_tokens"),
                _counts(one, "teacher_params"),
                _nats(one.teacher_loss),
            )
            for one in confidence.options
        ),
        tight=True,
    )


def _nats(band: tuple[float, float] | None, sign: str = "") -> str:
    if band is None:
        return ""
    return " ".join(f"{one:{sign}.3f}" for one in band)


def _counts(option: OptionBands, name: str) -> str:
    """Both ends of a size, or the one number where they are the same."""
    band = getattr(option, name)
    if band is None:
        return ""
    low, high = (format_count(one) for one in band)
    return low if low == high else f"{low} {high}"
