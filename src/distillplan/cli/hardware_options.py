"""Options of `estimate` that are no keys of a scenario: a model of any shape, and its logits."""

from typing import Annotated, Any, Literal, TypeAlias

import typer

from distillplan.cli import flags
from distillplan.scenarios import values
from distillplan.scenarios.key import DISTILLATION, LAYOUT, MODEL


def _option(panel: str, name: str, text: str, **more: Any) -> Any:
    if "min" in more:
        more.setdefault("metavar", "N")
    return typer.Option(name, rich_help_panel=panel, help=text, **more)


def _tokens(panel: str, name: str, text: str, **more: Any) -> Any:
    read = flags.number(name, values.TOKENS)
    return _option(panel, name, text, parser=read, metavar="N", **more)


ModelName: TypeAlias = Annotated[
    str | None,
    _option(
        MODEL,
        "--model",
        "Model to train: non-embedding parameters (7B), a name (see `distillplan models`), or a "
        "Hugging Face config.json.",
        metavar="MODEL",
    ),
]
Layers: TypeAlias = Annotated[int | None, _option(MODEL, "--layers", "Number of blocks.", min=1)]
Width: TypeAlias = Annotated[
    int | None, _option(MODEL, "--width", "Channels of the residual stream.", min=1)
]
Ffn: TypeAlias = Annotated[
    int | None, _option(MODEL, "--ffn", "Hidden channels of the feed-forward block.", min=1)
]
FfnMatrices: TypeAlias = Annotated[
    int,
    _option(
        MODEL,
        "--ffn-matrices",
        "Matrices of the feed-forward block: 3 gated (SwiGLU), 2 plain (GPT).",
        min=2,
        max=3,
    ),
]
Heads: TypeAlias = Annotated[
    int | None, _option(MODEL, "--heads", "Number of attention heads.", min=1)
]
KvHeads: TypeAlias = Annotated[
    int | None,
    _option(
        MODEL,
        "--kv-heads",
        "Number of key-value heads.",
        min=1,
        show_default="as many as --heads",
    ),
]
Vocab: TypeAlias = Annotated[
    int | None,
    _option(
        MODEL,
        "--vocab",
        "Vocabulary size.",
        min=1,
        show_default="that of the other model, else that of the paper's family",
    ),
]
Tied: TypeAlias = Annotated[
    bool, _option(MODEL, "--tied/--untied", "Whether the output projection is the embedding.")
]
Tokens: TypeAlias = Annotated[
    float, _tokens(MODEL, "--tokens", "Tokens to train the model on, e.g. 140B.")
]
SeqLen: TypeAlias = Annotated[int, _option(LAYOUT, "--seq-len", "Tokens per sequence.", min=1)]
Ep: TypeAlias = Annotated[int, _option(LAYOUT, "--ep", "Size of an expert-parallel group.", min=1)]
TeacherName: TypeAlias = Annotated[
    str | None,
    _option(DISTILLATION, "--teacher", "Teacher, named as in --model.", metavar="MODEL"),
]
TeacherTokens: TypeAlias = Annotated[
    float | None,
    _tokens(
        DISTILLATION,
        "--teacher-tokens",
        "Tokens the teacher must first be trained on.",
        show_default="none, it exists",
    ),
]
LogitFormat: TypeAlias = Annotated[
    Literal["full", "full-fp32", "top-k", "top-p", "sampled", "distillkit"],
    _option(DISTILLATION, "--logit-format", "Format of stored logits."),
]
LogitK: TypeAlias = Annotated[
    int | None,
    _option(
        DISTILLATION,
        "--logit-k",
        "Entries stored per token.",
        min=1,
        show_default="depends on the format",
    ),
]
LogitMonths: TypeAlias = Annotated[
    float,
    _option(
        DISTILLATION,
        "--logit-months",
        "Months to keep stored logits.",
        parser=flags.number("--logit-months", values.ZERO_OR_COUNT),
        metavar="N",
    ),
]
