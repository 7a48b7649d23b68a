"""Options that commands share, declared once."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

import typer

from distillplan.accounting import Accounting, Logits
from distillplan.laws.loss_units import LossUnit, parse_loss_unit
from distillplan.render.show import Output, RowOutput
from distillplan.scenarios.keys import KEYS
from distillplan.units import Budget, parse_budget, parse_count


def _count(what: str, example: str) -> Callable[[str], float]:
    """A parser that says what it was reading when it fails."""
    return lambda text: parse_count(text, what, example)


def _budget(text: str) -> Budget:
    return parse_budget(text)


_budget.__name__ = "budget"  # stands in the help
Compute: TypeAlias = Annotated[
    Budget,
    typer.Argument(
        parser=_budget,
        metavar="COMPUTE",
        help="Of the whole family: FLOPs (1e21, '10 PF-days'), GPUs for a time ('64 h100-sxm for "
        "7 days'), '5k gpu-hours' or '$20k'.",
    ),
]
Params: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--student",
        "-s",
        parser=_count("student", "1B"),
        metavar="PARAMS",
        help="Non-embedding parameters of the student, such as 1B; absent: the best size.",
    ),
]
RequiredParams: TypeAlias = Annotated[
    float,
    typer.Option(
        "--student",
        "-s",
        parser=_count("student", "1B"),
        metavar="PARAMS",
        help="Non-embedding parameters of the student, such as 1B.",
    ),
]
Tokens: TypeAlias = Annotated[
    float,
    typer.Option(
        "--tokens",
        "-t",
        parser=_count("tokens", "100B"),
        metavar="TOKENS",
        help="Tokens the student is trained on, such as 100B.",
    ),
]
Students: TypeAlias = Annotated[
    int,
    typer.Option("--students", "-k", metavar="K", help="Students alike that share the teacher."),
]
Teacher: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        metavar="PARAMS[:TOKENS]",
        help="A teacher that exists: non-embedding parameters and trained tokens, such as 7B:2T.",
    ),
]
TeacherLoss: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--teacher-loss",
        parser=_count("teacher loss", "1.95"),
        metavar="LOSS",
        help="The teacher's loss on your corpus, nats per token or --loss-unit; wins over the "
        "law's.",
    ),
]
_UNITS = "Units of the teacher's loss"
LossUnits: TypeAlias = Annotated[
    LossUnit | None,
    typer.Option(
        "--loss-unit",
        parser=parse_loss_unit,
        metavar="UNIT",
        rich_help_panel=_UNITS,
        help="Of --teacher-loss: nats-per-token, bits-per-token, bits-per-byte, perplexity.",
    ),
]
TeacherBpb: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--teacher-bpb",
        parser=_count("teacher loss", "0.72"),
        metavar="BITS",
        rich_help_panel=_UNITS,
        help="The teacher's loss in bits per byte, instead; needs --bytes-per-token.",
    ),
]
BytesPerToken: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--bytes-per-token",
        parser=_count("bytes per token", "4.3"),
        metavar="BYTES",
        rich_help_panel=_UNITS,
        help="Of your corpus under the law's tokenizer.",
    ),
]
TeacherBytesPerToken: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--teacher-bytes-per-token",
        parser=_count("bytes per token", "4.7"),
        metavar="BYTES",
        rich_help_panel=_UNITS,
        help="Of your corpus under the teacher's tokenizer, where that is another.",
    ),
]
TeacherParams: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--teacher-params",
        parser=_count("teacher parameters", "7B"),
        metavar="PARAMS",
        help="Its non-embedding parameters, beside --teacher-loss.",
    ),
]
LogitsSource: TypeAlias = Annotated[
    Logits,
    typer.Option(
        "--logits",
        help="online: every student runs the teacher; stored: it runs once for all students; "
        "cached: its logits are already on disk.",
    ),
]
Pays: TypeAlias = Annotated[
    Accounting | None,
    typer.Option(
        "--accounting",
        help="What the budget pays for; absent: what follows from the teacher and the logits.",
    ),
]
LawName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--law", metavar="NAME", help="A law by name (distillplan laws) or a file of that form."
    ),
]
Laws: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--laws", metavar="all|NAME,...", help="Several laws instead: where they disagree."
    ),
]
Tie: TypeAlias = Annotated[
    float,
    typer.Option("--tie", metavar="NATS", min=0.0, help="Gains below this are a tie."),
]
Quick: TypeAlias = Annotated[
    bool,
    typer.Option("--quick", help="Leave out how sure the answer is (joint draws of the law)."),
]
InferenceTokens: TypeAlias = Annotated[
    float,
    typer.Option(
        "--inference-tokens",
        parser=lambda text: KEYS["inference_tokens"].parse(text, "inference tokens"),
        metavar="TOKENS",
        show_default=False,
        help="Tokens each student will serve; the budget pays a forward pass for each.",
    ),
]
MaxUniqueTokens: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--max-unique-tokens",
        parser=_count("unique tokens", "100B"),
        metavar="TOKENS",
        help="Tokens of your corpus; more are repeats, which are worth less.",
    ),
]
Asserted: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="EXPR",
        help="Exit with 3 unless it holds: 'verdict = distill', 'loss <= 2.3'; may be repeated.",
    ),
]
Sets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any key of a scenario, above all else: teacher.loss=1.9; may be repeated.",
    ),
]
File: TypeAlias = Annotated[
    str, typer.Argument(metavar="FILE", help="A scenario file; - reads standard input.")
]
ShowRows: TypeAlias = Annotated[
    RowOutput, typer.Option("--output", "-o", help="Form of the answer.")
]
Show: TypeAlias = Annotated[Output, typer.Option("--output", "-o", help="Form of the answer.")]


def largest(size: str) -> typer.models.OptionInfo:
    """An option for the upper bound of one size of the search."""
    name = size.replace("_", "-")
    parser = _count(f"largest {size.replace('_', ' ')}", "30T" if "tokens" in size else "70B")
    option: typer.models.OptionInfo = typer.Option(
        f"--max-{name}",
        parser=parser,
        metavar="N",
        rich_help_panel="Bounds of the search",
        help=f"Largest {size.replace('_', ' ')} to consider.",
    )
    return option


MaxStudentParams: TypeAlias = Annotated[float | None, largest("student_params")]
MaxStudentTokens: TypeAlias = Annotated[float | None, largest("student_tokens")]
MaxTeacherParams: TypeAlias = Annotated[float | None, largest("teacher_params")]
MaxTeacherTokens: TypeAlias = Annotated[float | None, largest("teacher_tokens")]


def _architecture(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{name}",
        min=1.0,
        metavar="N",
        rich_help_panel="Architecture (sets FLOPs per token)",
        help=text,
    )
    return option


Context: TypeAlias = Annotated[float, _architecture("context", "Tokens of context.")]
Vocab: TypeAlias = Annotated[float, _architecture("vocab", "Rows of the embedding table.")]
Aspect: TypeAlias = Annotated[float, _architecture("aspect", "Width over depth.")]
Omega: TypeAlias = Annotated[
    float, _architecture("omega", "Parameters over layers times width squared.")
]


HARDWARE = "Hardware (hours, memory and cost of each option)"


def _hardware(name: str, text: str, metavar: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{name}", metavar=metavar, rich_help_panel=HARDWARE, help=text
    )
    return option


GpuName: TypeAlias = Annotated[
    str | None,
    _hardware("gpu", "A GPU of the catalog, such as h100-sxm, or a YAML file of one.", "GPU"),
]
Gpus: TypeAlias = Annotated[int | None, _hardware("gpus", "How many; absent: 8.", "N")]
PricePerHour: TypeAlias = Annotated[
    float | None, _hardware("price", "USD per GPU-hour; absent: the catalog's.", "USD")
]
Prices: TypeAlias = Annotated[
    str | None,
    _hardware("prices", "A CSV of prices: gpu,usd_per_hour,seller,date,source.", "FILE"),
]
Mfu: TypeAlias = Annotated[
    float | None, _hardware("mfu", "Your own, of training, 0 to 1; absent: estimated.", "MFU")
]
TeacherMfu: TypeAlias = Annotated[
    float | None, _hardware("teacher-mfu", "Your own, of the teacher's forward passes.", "MFU")
]
Goodput: TypeAlias = Annotated[
    float | None, _hardware("goodput", "Productive share of allocated time; absent: 0.87.", "SHARE")
]
Precision: TypeAlias = Annotated[
    Literal["bf16", "fp16", "fp8"] | None, _hardware("precision", "Of matrix products; bf16.")
]
Checkpointing: TypeAlias = Annotated[
    Literal["none", "selective", "full"] | None,
    _hardware("checkpointing", "Of activations; selective."),
]
TeacherPrecision: TypeAlias = Annotated[
    Literal["bf16", "fp8", "int4"] | None,
    _hardware("teacher-precision", "Of a frozen teacher's weights; bf16."),
]
Deadline: TypeAlias = Annotated[
    str | None,
    _hardware("deadline", "Longest time from start to end: '7 days'; sets or checks.", "TIME"),
]
MaxCost: TypeAlias = Annotated[str | None, _hardware("max-cost", "Dollars at most: $20k.", "USD")]
MaxMemory: TypeAlias = Annotated[
    str | None, _hardware("max-memory", "Bytes per GPU at most: 80GB.", "BYTES")
]
Pue: TypeAlias = Annotated[
    float | None, _hardware("pue", "Power usage effectiveness of the building; 1.2.", "PUE")
]
Country: TypeAlias = Annotated[
    str | None, _hardware("country", "Whose grid it is, for CO2: FRA, Germany.", "NAME")
]
