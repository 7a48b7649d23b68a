"""Rows of the table of keys: how logits are stored."""

from distillplan.hardware.stored_format import LogitKind
from distillplan.scenarios import values
from distillplan.scenarios.key import DISTILLATION, Key, at

LOGIT_KEYS = (
    Key(
        word="logit_format",
        value=values.one_of(lambda: LogitKind),
        place="stored.kind",
        help="Format of stored logits, which changes the gain, not only the bytes.",
        written=at("stored.kind"),
        flags=("--logit-format",),
        commands="budget estimate",
        panel=DISTILLATION,
        default="not asked; sampled with --logit-k or --logit-months",
    ),
    Key(
        word="logit_k",
        value=values.WHOLE,
        place="stored.entries",
        help="Entries stored per token.",
        written=at("stored.entries"),
        flags=("--logit-k",),
        commands="budget estimate",
        metavar="N",
        panel=DISTILLATION,
        default="depends on the format",
    ),
    Key(
        word="logit_months",
        value=values.ZERO_OR_COUNT,
        place="stored.months",
        help="Months to keep stored logits.",
        written=at("stored.months"),
        flags=("--logit-months",),
        commands="budget estimate",
        metavar="N",
        panel=DISTILLATION,
        default="1",
    ),
)
