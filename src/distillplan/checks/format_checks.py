"""What stored logits keep of the gain, as published and as a plan counts it."""

from collections.abc import Iterator
from typing import Final

from distillplan.checks.check_records import CheckRow, compared
from distillplan.laws import law_catalog
from distillplan.laws.format_studies import FormatSetting, KeptLogits, KeptShare, format_studies
from distillplan.laws.logit_formats import format_penalty
from distillplan.planning.evaluate import law_of
from distillplan.planning.scenario import Scenario

TOPIC: Final = "formats"
"""The word to ask for it."""
_NAMES: Final = {
    KeptLogits.SAMPLED: "sampled",
    KeptLogits.TOP_K: "top k",
    KeptLogits.TOP_K_AND_LABEL: "top k, rest to the label",
}
_PERCENT_ROUNDING: Final = 0.005


def format_rows() -> Iterator[CheckRow]:
    """Printed shares beside printed losses, and the gains that a plan would predict."""
    studies = format_studies()
    for setting in studies.settings:
        for one in setting.shares:
            if one.share_error is None:
                yield _share_row(setting, one, studies.rounding)
        for one in setting.shares:
            yield _gain_row(setting, one, studies.rounding)


def _what(one: KeptShare) -> str:
    return f"{_NAMES[one.format]}, {one.kept:g}"


def _share_row(setting: FormatSetting, one: KeptShare, rounding: float) -> CheckRow:
    """A printed share, and the one that follows from the printed losses."""
    follows = (setting.hard_labels_loss - one.loss) / setting.gain
    allowed = 2 * rounding * (1 + abs(follows)) / setting.gain + _PERCENT_ROUNDING
    where = f"shares of the gain, {setting.name}"
    return compared(TOPIC, where, _what(one), one.share, follows, low=-allowed, high=allowed)


def _gain_row(setting: FormatSetting, one: KeptShare, rounding: float) -> CheckRow:
    """A published gain over hard labels, and the law's gain less what the format costs.

    Losses of the law are on another corpus, so only gains can be compared.
    """
    law = law_catalog.law()
    size = (setting.student_params, setting.student_tokens)
    teacher = law.supervised.loss(setting.teacher_params, setting.teacher_tokens)
    full = law.supervised.loss(*size) - law_of(Scenario(compute=1.0, law=law)).loss(*size, teacher)
    penalty = format_penalty(one.format, one.kept)
    return compared(
        TOPIC,
        f"gains in nats, {setting.name}",
        _what(one),
        setting.hard_labels_loss - one.loss,
        full - penalty.nats,
        low=-2 * rounding - (penalty.nats - penalty.low),
        high=2 * rounding + (penalty.high - penalty.nats),
    )
