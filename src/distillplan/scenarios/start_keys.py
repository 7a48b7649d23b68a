"""Rows of the table of keys: what the student starts from."""

from distillplan.planning.start import StartKind
from distillplan.scenarios import values
from distillplan.scenarios.key import START, at, row

STARTS = ("start", "parent", "parent_loss", "start_law")
"""Words that only a plan knows what to do with."""
START_KEYS = (
    row(
        word="start",
        value=values.one_of(lambda: StartKind),
        place="start.kind",
        help="What the student starts from: scratch, an open model cut to its size (pruned), or an "
        "open model of its size (continued).",
        written=at("start.kind"),
        commands="budget",
        panel=START,
        default=StartKind.SCRATCH.value,
    ),
    row(
        word="parent",
        value=values.MODEL,
        place="start.parent",
        help="Open model that the student is cut from, or goes on from: a name such as qwen3-8b, a "
        "Hugging Face name or a config.json.",
        written=at("start.parent.word"),
        commands="budget",
        metavar="MODEL",
        panel=START,
        default="with pruned the open model that takes the fewest cuts",
    ),
    row(
        word="parent_loss",
        value=values.loss("1.95"),
        place="start.parent_loss",
        help="Loss of the parent on your corpus, in nats per token.",
        written=at("start.parent_loss"),
        commands="budget",
        metavar="LOSS",
        panel=START,
    ),
    row(
        word="start_law",
        value=values.PRUNING_LAW,
        place="start.law",
        help="Law of cut models that was fitted to your own runs (`distillplan fit --form p2`): "
        "the only thing that gives their loss.",
        written=at("start.law.file"),
        commands="budget",
        metavar="FILE",
        panel=START,
    ),
)
