"""The mapping problem: every input that has an answer (Busbridge et al. 2025, Appendix C.2.1).

An input is a context of small integers and a position. The answer is the position itself where the
context has a zero there, which is easy, and otherwise the other position that has the same value,
which is hard.
"""

from typing import Any, TypeAlias

import numpy as np

from distillplan.named_tuples import NamedTuple

Floats: TypeAlias = np.ndarray[Any, np.dtype[Any]]

VALUES = 3
"""Of a context: 0, 1 and 2."""


class MappingProblem(NamedTuple):
    """Every input that has an answer."""

    inputs: Floats
    """The context, and the position as a one among zeros; of shape (inputs, 2 positions)."""
    labels: Floats
    """The answers, of shape (inputs,)."""
    hard: Floats
    """Whether the answer is another position, of shape (inputs,)."""


def mapping_problem(positions: int) -> MappingProblem:
    """All inputs with so many positions whose answer is one, as arrays of shape (inputs, ...).

    A position is asked for only where the context has a zero there, or its value exactly once more.
    """
    contexts = np.arange(VALUES**positions)[:, None] // VALUES ** np.arange(positions) % VALUES
    same = contexts[:, :, None] == contexts[:, None, :]
    others = same.sum(axis=2) - 1
    easy = contexts == 0
    context, position = np.nonzero(easy | (others == 1))
    # of two positions with one value, the other is their sum less the first
    twins = (same * np.arange(positions)).sum(axis=2) - np.arange(positions)
    answers = np.where(easy, np.arange(positions), twins)
    inputs = np.zeros((len(context), 2 * positions), dtype=np.float32)
    inputs[:, :positions] = contexts[context]
    inputs[np.arange(len(context)), positions + position] = 1.0
    return MappingProblem(
        inputs=inputs,
        labels=answers[context, position],
        hard=~easy[context, position],
    )
