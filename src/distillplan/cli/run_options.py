"""Options of commands that read files of runs: which rows and columns, in which unit."""

from typing import Annotated, Literal, TypeAlias

import typer

from distillplan.cli import flags

PANEL = "Table of runs"

FitForm: TypeAlias = Literal["supervised", "distillation", "p2"]
HistoriesOption: TypeAlias = Literal["drop", "keep"]
ReplicatesOption: TypeAlias = Literal["lowest", "all"]

RunFiles: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="RUNS...",
        help="Files of runs: CSV (commas, semicolons or tabs) or JSON Lines; - reads standard "
        "input.",
    ),
]
FittedForm: TypeAlias = Annotated[
    FitForm | None,
    typer.Option(
        "--form",
        rich_help_panel=PANEL,
        help="Kind of runs to use; p2: runs of cut models, for starts from an open model.",
        show_default="all that are not of cut models",
    ),
]
Columns: TypeAlias = Annotated[
    str,
    typer.Option(
        "--columns",
        rich_help_panel=PANEL,
        metavar="NAME=COLUMN,...",
        help="Columns for the names above, or one value for all: params=190M, loss=val/loss.",
        show_default=False,
    ),
]
Where: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        rich_help_panel=PANEL,
        metavar="WHERE",
        help="Rows to use, e.g. 'State = finished and tokens > 1B'; may be repeated.",
    ),
]
LastOf: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--last-of",
        rich_help_panel=PANEL,
        metavar="COLUMN",
        help="Use only the last row of each value of this column, e.g. of each run.",
    ),
]
HistoriesChoice: TypeAlias = Annotated[
    HistoriesOption,
    typer.Option(
        "--histories",
        rich_help_panel=PANEL,
        help="Intermediate points of a run, where they are recognized: leave out, or use.",
    ),
]
ReplicatesChoice: TypeAlias = Annotated[
    ReplicatesOption | None,
    typer.Option(
        "--replicates",
        rich_help_panel=PANEL,
        help="Runs of one size and length: use the lowest loss of each, or all.",
        show_default="all, or lowest where they differ by more than seeds do",
    ),
]
LossUnitOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--loss-unit",
        rich_help_panel=PANEL,
        metavar="UNIT",
        help="Unit of the losses: nats/token, bits/token, bits/byte (bpb) or perplexity (ppl).",
        show_default="nats/token, where they can be",
    ),
]
BytesPerToken: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--bytes-per-token",
        parser=flags.number("--bytes-per-token"),
        rich_help_panel=PANEL,
        metavar="N",
        help="Bytes of a text divided by its tokens, for losses in bits/byte, e.g. 4.3.",
    ),
]
