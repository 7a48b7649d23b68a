"""Rows of the table of keys: how logits are stored."""

from functools import partial

from distillplan.laws.logit_formats import LogitKind
from distillplan.scenarios import values
from distillplan.scenarios.key import DISTILLATION, at, row

_key = partial(row, commands="budget estimate", refused="family pilot", panel=DISTILLATION)

LOGIT_KEYS = (
    _key(
        word="logit_format",
        value=values.one_of(lambda: LogitKind),
        place="stored.kind",
        help="Format of stored logits, which changes the gain, not only the bytes.",
        written=at("stored.kind"),
        default="not asked; sampled with --logit-k or --logit-months",
    ),
    _key(
        word="logit_k",
        value=values.whole("64"),
        place="stored.entries",
        help="Entries stored per token.",
        written=at("stored.entries"),
        metavar="N",
        default="depends on the format",
    ),
    _key(
        word="logit_months",
        value=values.zero_or_count("3", r"months?"),
        place="stored.months",
        help="Months to keep stored logits.",
        written=at("stored.months"),
        metavar="N",
        default="as long as the training takes, at least 1",
    ),
)
