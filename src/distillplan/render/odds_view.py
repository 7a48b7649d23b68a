"""How sure an answer is, for people."""

from distillplan.planning.confidence import Confidence
from distillplan.planning.results import Band
from distillplan.planning.verdict_records import HALF, Odds, Verdict
from distillplan.units.quantities import format_count


def percent(part: float) -> str:
    """A probability: never all or nothing, which no number of draws can show.

    Nor a half that it does not reach, as a verdict needs that.

    >>> percent(0.4996), percent(0.5), percent(0.994)
    ('<50%', '50%', '>99%')
    """
    if part > 0.99:
        return ">99%"
    if part < 0.01:
        return "<1%"
    if HALF - 0.005 <= part < HALF:
        return f"<{HALF:.0%}"
    return f"{part:.0%}"


def odds_in_words(odds: Odds, between: str = ", ") -> str:
    """The three odds, largest first."""
    order = sorted(Verdict, key=odds.of, reverse=True)
    return between.join(f"{one.shown} {percent(odds.of(one))}" for one in order)


def odds_line(odds: Odds, confidence: Confidence) -> str:
    """The lines under the headline: the odds, and what they were on data like the law's."""
    if not confidence.transfer_nats:
        return f"Odds: {odds_in_words(odds)}."
    alike = odds_in_words(confidence.odds_like_the_law)
    return (
        f"Odds, given how other labs' runs came out: {odds_in_words(odds)}. "
        f"With data and a recipe like the law's: {alike}."
    )


def in_brackets(odds: Odds | None, verdict: Verdict) -> str:
    """What a line on another verdict ends with: its odds, at a tie those of both sides."""
    if odds is None:
        return ""
    if verdict is Verdict.TIE:
        sides = (Verdict.DISTILL, Verdict.SUPERVISED)
        return f" ({', '.join(f'{one.shown} {percent(odds.of(one))}' for one in sides)})"
    return f" ({percent(odds.of(verdict))})"


def nats_band(band: Band | None, sign: str = "") -> str:
    """Both ends of a band of losses or gains."""
    if band is None:
        return ""
    low, high = band
    return f"{low:{sign}.3f} {high:{sign}.3f}"


def count_band(band: Band | None) -> str:
    """Both ends of a band of sizes, or the one number where they read the same."""
    if band is None:
        return ""
    low, high = (format_count(one) for one in band)
    return low if low == high else f"{low} {high}"
