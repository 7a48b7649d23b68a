"""The P2 form: the loss of a model that was cut from a dense parent and trained on.

    L = L0 + rho^-gamma N0^-delta (N_C / N0^alpha + D_C / D^beta + E)

with rho the share of the parameters that is kept, N0 those of the parent, L0 its loss and D the
tokens of recovery (arXiv:2411.10272). Its published coefficients were not found, and none are
invented: a law of this form is fitted to one's own runs.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.files.text_reader import read_text
from distillplan.files.tree import parse_foreign_yaml
from distillplan.laws.provenance import ParameterCount, within
from distillplan.laws.soundness import MOST_LOSS
from distillplan.named_tuples import NamedTuple

SCHEMA: Final = "distillplan/pruning_law@1"
FORM: Final = "L = L0 + rho^-gamma N0^-delta (N_C / N0^alpha + D_C / D^beta + E)"
LETTERS: Final = ("gamma", "delta", "N_C", "alpha", "D_C", "beta", "E")
ANY_SIGN: Final = frozenset(("gamma", "delta"))
"""Letters that a fit leaves free; another below zero would reward less training."""
SOURCE: Final = "form: arXiv:2411.10272; its published coefficients were not found"
LONGER: Final = 4.0
"""Times the longest recovery behind a law within which its losses are shown, and less than the
shortest divided by it."""
SAME_PARENT: Final = 1.1
"""Parents count as of one size within this factor."""
COVERAGE: Final = (0.05, 0.95)
"""Ends of a 90% range."""


class PruningLaw(NamedTuple):
    """The letters of the form: floats, or arrays of shape (draws,)."""

    gamma: Any
    delta: Any
    N_C: Any
    alpha: Any
    D_C: Any
    beta: Any
    E: Any

    def excess(self, kept: float, parent_params: float, tokens: float) -> Any:
        """Loss above that of the parent, nats per token.

        Args:
            kept: share of the parent's parameters, above 0 and at most 1.
            parent_params: of the parent.
            tokens: of recovery.

        >>> law = PruningLaw(gamma=1.0, delta=0.0, N_C=0.0, alpha=0.0, D_C=1e5, beta=0.5, E=0.1)
        >>> round(float(law.excess(0.5, 8e9, 1e10)), 9)
        2.2
        """
        rho, n, d = np.log((kept, parent_params, tokens))
        with np.errstate(over="ignore", invalid="ignore"):  # a plan refuses what is not finite
            inner = self.N_C * np.exp(-self.alpha * n) + self.D_C * np.exp(-self.beta * d) + self.E
            return np.exp(-self.gamma * rho - self.delta * n) * inner


class PruningRange(NamedTuple):
    """Where the runs behind a law are; least and largest of each."""

    kept: tuple[float, float]
    parent_params: tuple[float, float]
    tokens: tuple[float, float]


class FittedPruning(NamedTuple):
    """A law of the form that was fitted to somebody's runs."""

    law: PruningLaw
    draws: tuple[tuple[float, ...], ...]
    """Joint draws: the letters of each, in the order of `LETTERS`."""
    valid: PruningRange
    counts: ParameterCount
    """What sizes and shares count."""
    taught: bool | None
    """Whether the parent taught in the runs; None: the runs do not say."""
    runs: int
    noise: float
    """Standard deviation of the log loss of a run around the law."""
    file: str | None = None
    """Where it was read from; None: it was just fitted."""


class StartLoss(NamedTuple):
    """The loss of a cut model by a law that was fitted to one's own runs."""

    loss: float
    """Nats per token."""
    low: float | None
    """Of a 90% range of the law; one run's noise is not in it. None without joint draws."""
    high: float | None

    @property
    def band(self) -> tuple[float, float] | None:
        """The range."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def outside(fitted: FittedPruning, kept: float, parent_params: float, tokens: float) -> str:
    """Why a law does not reach a place, in words; empty where it does."""
    valid = fitted.valid
    low, high = valid.kept
    if not within(kept, low, high):
        return f"its runs kept {low:.0%} to {high:.0%} of the parameters, and this keeps {kept:.0%}"
    low, high = valid.parent_params
    if not within(parent_params, low / SAME_PARENT, high * SAME_PARENT):
        return (
            f"its parents have {low:.3g} to {high:.3g} parameters, and this has {parent_params:.3g}"
        )
    low, high = valid.tokens
    if not within(tokens, low / LONGER, high * LONGER):
        return f"its runs took {low:.3g} to {high:.3g} tokens, and this takes {tokens:.3g}"
    return ""


def start_loss(
    fitted: FittedPruning, *, kept: float, parent_params: float, parent_loss: float, tokens: float
) -> StartLoss:
    """The loss of a cut model with its range, which the draws give.

    Args:
        fitted: the law.
        kept: share of the parent's parameters.
        parent_params: of the parent, as the law counts them.
        parent_loss: of the parent on the text of the runs, nats per token.
        tokens: of recovery.
    """
    middle = parent_loss + float(fitted.law.excess(kept, parent_params, tokens))
    if not fitted.draws:
        return StartLoss(loss=middle, low=None, high=None)
    columns = dict(zip(LETTERS, np.transpose(fitted.draws), strict=True))
    drawn = PruningLaw(**columns).excess(kept, parent_params, tokens)
    low, high = (parent_loss + np.quantile(drawn, COVERAGE)).tolist()
    return StartLoss(loss=middle, low=min(low, middle), high=max(high, middle))


def read_pruning_law(path: str) -> FittedPruning:
    """A law that `distillplan fit --form p2` wrote.

    Raises:
        InputError: when the file cannot be read, or is none.
    """
    return _law_in(read_text(path), path)


@lru_cache(16)  # a comparison asks for it once for each scenario
def _law_in(text: str, path: str) -> FittedPruning:
    name = Path(path).name
    data = parse_foreign_yaml(text, name)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(
            f"{name}: not a law of starts from a cut model; make one with distillplan fit "
            "RUNS --form p2 -o p2.yaml"
        )
    whole = Entry(data, name)
    letters, valid = whole.mapping("coefficients"), whole.mapping("valid")
    lines = whole.texts("draws")
    if not lines or tuple(lines[0].split(",")) != LETTERS:
        raise InputError(f"{name}: draws: the first line is not {','.join(LETTERS)}; fit it again")
    found = FittedPruning(
        law=PruningLaw(
            **{
                one: letters.number(one) if one in ANY_SIGN else letters.not_negative(one)
                for one in LETTERS
            }
        ),
        draws=_draws(lines[1:], name),
        valid=PruningRange(**{one: _range(valid, one) for one in PruningRange._fields}),
        counts=whole.member("counts", ParameterCount),
        taught=whole.flag("taught") if whole.has("taught") else None,
        runs=whole.whole("runs"),
        noise=whole.not_negative("noise"),
        file=path,
    )
    _demand_finite(found, name)
    return found


def _range(valid: Entry, key: str) -> tuple[float, float]:
    """A range of positive numbers; shares are at most 1."""
    low, high = valid.pair(key)
    if low <= 0 or (key == "kept" and high > 1):
        most = " to 1" if key == "kept" else ""
        raise InputError(f"{valid.where}.{key}: {low:g} to {high:g} is not above 0{most}")
    return low, high


def _demand_finite(fitted: FittedPruning, name: str) -> None:
    """Refuse letters that give no finite loss somewhere in the range of their runs."""
    columns = dict(zip(LETTERS, np.transpose([fitted.law, *fitted.draws]), strict=True))
    excess = [PruningLaw(**columns).excess(*corner) for corner in product(*fitted.valid)]
    wild = ~(np.array(excess) < MOST_LOSS).all(axis=0)
    if wild.any():
        first = int(np.flatnonzero(wild)[0])
        which = f"draw {first}" if first else "coefficients"
        raise InputError(f"{name}: {which}: no finite loss everywhere in the range of its runs")


def _draws(lines: Sequence[str], name: str) -> tuple[tuple[float, ...], ...]:
    """The numbers of each line."""
    try:
        found = tuple(tuple(float(one) for one in line.split(",")) for line in lines)
    except ValueError:
        found = ((),)
    if not all(len(one) == len(LETTERS) and all(map(math.isfinite, one)) for one in found):
        raise InputError(f"{name}: draws: not {len(LETTERS)} finite numbers in each line")
    for number, one in enumerate(found, 1):
        for letter, value in zip(LETTERS, one, strict=True):
            if value < 0 and letter not in ANY_SIGN:
                raise InputError(f"{name}: draw {number}: {letter}: {value:g} is negative")
    return found
