"""What repeated tokens are worth: Muennighoff et al. 2023, arXiv:2305.16264, Equation 5.

A corpus of U unique tokens that is read D / U times is worth

    D' = U + U R* (1 - exp(-R / R*)),    R = D / U - 1,    R* = 15.39

tokens, and exactly D while nothing is repeated. Only this half of their law is used: the other half
discounts parameters beyond 0.051 U, and would move the loss of a student that repeats nothing.
"""

import math
from typing import Any

import numpy as np

REPEATS_WORTH = 15.387756
"""R*: repetitions after which nearly nothing is left to learn (182 runs, 7M to 9B parameters)."""


def log_worth(d: Any, unique: float) -> Any:
    """Log of the unique tokens that exp(d) tokens from a corpus of ``unique`` are worth.

    >>> round(math.exp(log_worth(math.log(4e9), 1e9)) / 4e9, 3)
    0.931
    """
    if unique == math.inf:
        return d
    epochs = np.exp(d - math.log(unique))
    repeats = np.maximum(epochs - 1.0, 0.0)
    worth = 1.0 - REPEATS_WORTH * np.expm1(-repeats / REPEATS_WORTH)
    return np.where(epochs > 1.0, math.log(unique) + np.log(worth), d)


def log_tokens(worth: Any, unique: float) -> Any:
    """The inverse: log of the tokens that are worth exp(worth); infinite where no number is.

    >>> round(math.exp(log_tokens(log_worth(math.log(4e9), 1e9), 1e9)) / 1e9, 9)
    4.0
    """
    if unique == math.inf:
        return worth
    beyond = np.exp(np.minimum(worth - math.log(unique), 50.0)) - 1.0  # 50: far above any worth
    share = np.clip(beyond / REPEATS_WORTH, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        epochs = 1.0 - REPEATS_WORTH * np.log1p(-share)
    return np.where(beyond > 0.0, math.log(unique) + np.log(epochs), worth)
