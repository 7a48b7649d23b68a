"""Options of commands that read files of runs: which rows and columns, in which unit."""

from functools import partial
from typing import Annotated, Literal, TypeAlias

import typer

from distillplan.cli import flags
from distillplan.scenarios import values

_table = partial(flags.option, rich_help_panel="Table of runs")

FitForm: TypeAlias = Literal["supervised", "distillation", "p2"]
HistoriesOption: TypeAlias = Literal["drop", "keep"]
ReplicatesOption: TypeAlias = Literal["lowest", "all"]

RunFiles: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="RUNS...",
        help="Files of runs: CSV or another table of text, or JSON; - reads standard input.",
    ),
]
FittedForm: TypeAlias = Annotated[
    FitForm | None,
    _table(
        "--form",
        "Kind of runs to use; p2: runs of cut models, for starts from an open model.",
        show_default="all that are not of cut models",
    ),
]
Columns: TypeAlias = Annotated[
    str,
    _table(
        "--columns",
        "Columns for the names above, one value for all, or arithmetic: loss=val/loss, "
        "params=190M, tokens=steps*batch*seq.",
        metavar="NAME=COLUMN,...",
        show_default=False,
    ),
]
Where: TypeAlias = Annotated[
    list[str] | None,
    _table(
        "--where",
        "Rows to use, e.g. 'State = finished and tokens > 1B'; may be repeated.",
        metavar="WHERE",
    ),
]
LastOf: TypeAlias = Annotated[
    str | None,
    _table(
        "--last-of",
        "Use only the last row of each value of this column, e.g. of each run.",
        metavar="COLUMN",
    ),
]
HistoriesChoice: TypeAlias = Annotated[
    HistoriesOption,
    _table(
        "--histories",
        "Intermediate points of a run, where they are recognized: leave out, or use.",
    ),
]
ReplicatesChoice: TypeAlias = Annotated[
    ReplicatesOption | None,
    _table(
        "--replicates",
        "Runs of one size and length: use the lowest loss of each, or all.",
        show_default="all, or lowest where they differ by more than seeds do",
    ),
]
LossUnitOption: TypeAlias = Annotated[
    str | None,
    _table(
        "--loss-unit",
        "Unit of the losses: nats/token, bits/token, bits/byte (bpb) or perplexity (ppl).",
        metavar="UNIT",
        show_default="nats/token, where they can be",
    ),
]
BytesPerToken: TypeAlias = Annotated[
    float | None,
    _table(
        "--bytes-per-token",
        "Bytes of a text divided by its tokens, for losses in bits/byte, e.g. 4.3.",
        value=values.count("4.3"),
        metavar="N",
    ),
]
