"""The open models of the catalog that can teach, from a short table that is quick to read.

Every plan without a teacher needs them, and the whole catalog takes as long to read as a plan. The
table is made from the catalog; a test says when it is stale.
"""

import csv
from collections.abc import Iterator
from functools import cache

from distillplan.files.entries import coefficients_dir
from distillplan.files.text_reader import read_text
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import KnownModel
from distillplan.models.tokenizers import other_tokenizer
from distillplan.named_tuples import NamedTuple

FILE = "open_models.csv"


class OpenModel(NamedTuple):
    """A dense open model whose training tokens are known and whose terms let it teach.

    Its weights were not tuned after that, so that a law can place it.
    """

    name: str
    params: int
    """Non-embedding parameters."""
    tokens: float
    """Tokens of its pretraining."""
    tokenizer: str
    """It can teach models with a tokenizer of this name, token by token."""
    vocab: int
    """Rows of its vocabulary."""
    forward_flops: float
    """FLOPs per token of its forward pass, on sequences as long as the paper's."""


def open_models(*students: KnownModel | None) -> tuple[OpenModel, ...]:
    """The open models that a law of sizes can place, and that can teach some students.

    Args:
        students: models known to have another tokenizer than one of them are left out.

    >>> open_models()[0].name
    'llama-3.1-8b'
    """
    return tuple(
        one for one in _table() if not any(other_tokenizer(each, one) for each in students)
    )


def model_of_table(name: str) -> KnownModel:
    """A model of the table, as one that was named, without its shape.

    Raises:
        StopIteration: when there is none of exactly this name.

    >>> model_of_table("llama-3.1-8b").forward_flops(4096)
    16093552640.0
    """
    found = next(one for one in _table() if one.name == name)
    params = float(found.params)
    return KnownModel(
        name=name,
        params=params,
        all_params=params,
        trained_tokens=found.tokens,
        vocab=found.vocab,
        tokenizer=found.tokenizer,
        passed_flops=found.forward_flops,
    )


@cache
def _table() -> tuple[OpenModel, ...]:
    rows = csv.DictReader(read_text(coefficients_dir() / FILE).splitlines())
    return tuple(
        OpenModel(
            name=row["name"],
            params=int(row["params"]),
            tokens=float(row["tokens"]),
            tokenizer=row["tokenizer"],
            vocab=int(row["vocab"]),
            forward_flops=float(row["forward_flops"]),
        )
        for row in rows
    )


def table_of_catalog() -> str:
    """The text of the table, made from the catalog."""
    lines = [",".join(OpenModel._fields), *_lines()]
    return "".join(f"{line}\n" for line in lines)


def _lines() -> Iterator[str]:
    from distillplan.models.model_catalog import models  # only to make the table
    from distillplan.models.model_licenses import Distilling

    for one in models():
        if one.license.distilling is Distilling.FORBIDDEN or one.hub is None or one.tuned:
            continue
        if one.trained_tokens is not None and not one.shape.experts:
            passed = one.shape.forward_flops(round(FixedAspect().context))
            sizes = f"{one.shape.params},{one.trained_tokens:.7g}"
            yield f"{one.name},{sizes},{one.tokenizer},{one.shape.vocab},{passed:.17g}"
