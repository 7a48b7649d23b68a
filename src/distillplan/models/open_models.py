"""The open models of the catalog that can teach, from a short table that is quick to read.

Every plan without a teacher needs them, and the whole catalog takes as long to read as a plan. The
table is made from the catalog; a test says when it is stale.
"""

import csv
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from distillplan.files.entries import coefficients_dir
from distillplan.files.text_reader import read_text

FILE = "open_models.csv"


class OpenModel(NamedTuple):
    """A dense open model whose training tokens are known and whose terms let it teach."""

    name: str
    params: int
    """Non-embedding parameters."""
    tokens: float
    """Tokens of its pretraining."""
    tokenizer: str
    """Models with a tokenizer of one name can share logits."""


@cache
def open_models() -> tuple[OpenModel, ...]:
    """The open models that a law of sizes can place.

    >>> open_models()[0].name
    'llama-3.1-8b'
    """
    rows = csv.DictReader(read_text(coefficients_dir() / FILE).splitlines())
    return tuple(
        OpenModel(
            name=row["name"],
            params=int(row["params"]),
            tokens=float(row["tokens"]),
            tokenizer=row["tokenizer"],
        )
        for row in rows
    )


def table_of_catalog() -> str:
    """The text of the table, made from the catalog."""
    lines = ["name,params,tokens,tokenizer", *_lines()]
    return "".join(f"{line}\n" for line in lines)


def _lines() -> Iterator[str]:
    from distillplan.models.model_catalog import Distilling, models  # only to make the table

    for one in models():
        if one.license.distilling is Distilling.FORBIDDEN or one.hub is None:
            continue
        if one.trained_tokens is not None and not one.shape.experts:
            yield f"{one.name},{one.shape.params},{one.trained_tokens:.7g},{one.tokenizer}"
