"""Options of `estimate` that are no keys of a scenario: a model of any shape."""

from functools import partial
from typing import Annotated, Any, TypeAlias

from distillplan.cli import flags
from distillplan.planning.budget_text import Budget
from distillplan.scenarios import values
from distillplan.scenarios.key import DISTILLATION, LAYOUT, MODEL

_model = partial(flags.option, rich_help_panel=MODEL)
_layout = partial(flags.option, rich_help_panel=LAYOUT, metavar="N")
_taught = partial(flags.option, rich_help_panel=DISTILLATION)
FFN_MATRICES = 3
"""Of a shape whose feed-forward block is not described."""


def _size(flag: str, text: str, example: str, **more: Any) -> Any:
    """A size of a model, such as the example."""
    return _model(flag, text, value=values.whole(example), metavar="N", **more)


ModelName: TypeAlias = Annotated[
    str | None,
    _model(
        "--model",
        "Model to train: non-embedding parameters (7B), a name (see `distillplan models`), or a "
        "Hugging Face config.json.",
        metavar="MODEL",
    ),
]
Layers: TypeAlias = Annotated[int | None, _size("--layers", "Number of blocks.", "32")]
Width: TypeAlias = Annotated[
    int | None, _size("--width", "Channels of the residual stream.", "4096")
]
Ffn: TypeAlias = Annotated[
    int | None, _size("--ffn", "Hidden channels of the feed-forward block.", "14336")
]
FfnMatrices: TypeAlias = Annotated[
    int | None,
    _model(
        "--ffn-matrices",
        "Matrices of the feed-forward block: 3 gated (SwiGLU), 2 plain (GPT).",
        min=2,
        max=3,
        metavar="N",
        show_default=f"{FFN_MATRICES}, without --model",
    ),
]
Heads: TypeAlias = Annotated[int | None, _size("--heads", "Number of attention heads.", "32")]
KvHeads: TypeAlias = Annotated[
    int | None,
    _size(
        "--kv-heads",
        "Number of key-value heads.",
        "8",
        show_default="as many as --heads",
    ),
]
Vocab: TypeAlias = Annotated[
    int | None,
    _model(
        "--vocab",
        "Vocabulary size.",
        value=values.ROWS,
        metavar="N",
        show_default="that of the other model, else that of the paper's family",
    ),
]
Tied: TypeAlias = Annotated[
    bool | None,
    _model(
        "--tied/--untied",
        "Whether the output projection is the embedding; not, unless said, without --model.",
        show_default=False,
    ),
]
Tokens: TypeAlias = Annotated[
    Budget,
    _model(
        "--tokens",
        "Tokens to train the model on, e.g. 140B, or for each of its parameters, e.g. '20 TPP'.",
        value=values.STUDENT_TOKENS,
        metavar="N",
    ),
]
SeqLen: TypeAlias = Annotated[
    int, _layout("--seq-len", "Tokens per sequence.", value=values.SEQUENCE)
]
Ep: TypeAlias = Annotated[
    int, _layout("--ep", "Size of an expert-parallel group.", value=values.WHOLE)
]
TeacherName: TypeAlias = Annotated[
    str | None,
    _taught("--teacher", "Teacher, named as in --model.", metavar="MODEL"),
]
TeacherTokens: TypeAlias = Annotated[
    float | None,
    _taught(
        "--teacher-tokens",
        "Tokens the teacher must first be trained on.",
        value=values.TOKENS,
        metavar="N",
        show_default="none, it exists",
    ),
]
