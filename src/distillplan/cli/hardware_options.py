"""Options of `estimate` that are no keys of a scenario: a model of any shape."""

from functools import partial
from typing import Annotated, Any, TypeAlias

import typer

from distillplan.cli import flags
from distillplan.scenarios import values
from distillplan.scenarios.key import DISTILLATION, LAYOUT, MODEL


def _option(panel: str, name: str, text: str, **more: Any) -> Any:
    return typer.Option(name, rich_help_panel=panel, help=text, **more)


def _number(kind: values.Value, panel: str, name: str, text: str, **more: Any) -> Any:
    return _option(panel, name, text, parser=flags.number(name, kind), metavar="N", **more)


_tokens, _whole = partial(_number, values.TOKENS), partial(_number, values.WHOLE)


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
Layers: TypeAlias = Annotated[int | None, _whole(MODEL, "--layers", "Number of blocks.")]
Width: TypeAlias = Annotated[
    int | None, _whole(MODEL, "--width", "Channels of the residual stream.")
]
Ffn: TypeAlias = Annotated[
    int | None, _whole(MODEL, "--ffn", "Hidden channels of the feed-forward block.")
]
FfnMatrices: TypeAlias = Annotated[
    int,
    _option(
        MODEL,
        "--ffn-matrices",
        "Matrices of the feed-forward block: 3 gated (SwiGLU), 2 plain (GPT).",
        min=2,
        max=3,
        metavar="N",
    ),
]
Heads: TypeAlias = Annotated[int | None, _whole(MODEL, "--heads", "Number of attention heads.")]
KvHeads: TypeAlias = Annotated[
    int | None,
    _whole(
        MODEL,
        "--kv-heads",
        "Number of key-value heads.",
        show_default="as many as --heads",
    ),
]
Vocab: TypeAlias = Annotated[
    int | None,
    _whole(
        MODEL,
        "--vocab",
        "Vocabulary size.",
        show_default="that of the other model, else that of the paper's family",
    ),
]
Tied: TypeAlias = Annotated[
    bool, _option(MODEL, "--tied/--untied", "Whether the output projection is the embedding.")
]
Tokens: TypeAlias = Annotated[
    float, _tokens(MODEL, "--tokens", "Tokens to train the model on, e.g. 140B.")
]
SeqLen: TypeAlias = Annotated[int, _whole(LAYOUT, "--seq-len", "Tokens per sequence.")]
Ep: TypeAlias = Annotated[int, _whole(LAYOUT, "--ep", "Size of an expert-parallel group.")]
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
