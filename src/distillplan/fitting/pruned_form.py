"""The P2 form as a fitter sees it: coordinates that are nearly independent, exact slopes.

    log(L - L0) = -gamma log rho - delta (n - n0)
        + log(e^f + e^(v - b (d - d0)) + e^(u - a (n - n0)))

with n and d the logarithms of the parent's parameters and of the tokens, n0 and d0 their middles. A
delta needs two sizes of parents, the last term three; with fewer they are left out, and what is
left holds for these parents.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from distillplan.fitting.forms import bounds
from distillplan.fitting.pruned_runs import PrunedRuns
from distillplan.laws.formulas import FloatArray
from distillplan.laws.pruning_law import COVERAGE, PruningLaw

NAMES: Final = ("floor", "v", "log_b", "gamma", "delta", "u", "log_a")
_TERMS: Final = (
    ("floor", "", ("E",)),
    ("v", "log_b", ("D_C", "beta")),
    ("u", "log_a", ("N_C", "alpha")),
)
"""The level and the exponent of each term, and its letters."""
_UNSEEN: Final = 1e-5
"""Change of a log loss by one e-fold of a term that no run shows."""
_DELTA_PARENTS: Final = 2
_SIZE_PARENTS: Final = 3
"""Sizes of parents that these terms need."""


@dataclass(frozen=True, kw_only=True)
class PrunedForm:
    """The form, with as many terms as the runs can show."""

    middle_log_parent: float
    middle_log_tokens: float
    parents: int

    @classmethod
    def around(cls, runs: PrunedRuns) -> "PrunedForm":
        """The form with its middle in the middle of the runs."""
        return cls(
            middle_log_parent=float(runs.log_parent.mean()),
            middle_log_tokens=float(runs.log_tokens.mean()),
            parents=runs.parents,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        if self.parents >= _SIZE_PARENTS:
            return NAMES
        return NAMES[:5] if self.parents >= _DELTA_PARENTS else NAMES[:4]

    @property
    def dropped(self) -> tuple[str, ...]:
        """Letters that the runs cannot show."""
        if self.parents >= _SIZE_PARENTS:
            return ()
        return ("N_C", "alpha") if self.parents >= _DELTA_PARENTS else ("N_C", "alpha", "delta")

    def predict(self, theta: FloatArray, rows: PrunedRuns) -> tuple[FloatArray, FloatArray]:
        """Log loss, shape (batch, runs), and its slopes, (batch, runs, coordinates)."""
        dn = rows.log_parent - self.middle_log_parent
        dd = rows.log_tokens - self.middle_log_tokens
        floor, v, log_b, gamma = (theta[:, i : i + 1] for i in range(4))
        b = np.exp(log_b)
        terms = [np.broadcast_to(floor, (len(theta), len(rows))), v - b * dd]
        sized = theta.shape[1] > 5
        if sized:
            u, log_a = theta[:, 5:6], theta[:, 6:7]
            terms.append(u - np.exp(log_a) * dn)
        inner = np.logaddexp.reduce(terms)
        log_excess = inner - gamma * rows.log_kept
        if theta.shape[1] > 4:
            log_excess = log_excess - theta[:, 4:5] * dn
        log_loss = np.logaddexp(np.log(rows.parent_loss), log_excess)
        shares = [np.exp(one - inner) for one in terms]
        slopes = np.empty((*log_excess.shape, theta.shape[1]))
        slopes[..., 0] = shares[0]
        slopes[..., 1] = shares[1]
        slopes[..., 2] = -shares[1] * b * dd
        slopes[..., 3] = -rows.log_kept
        if theta.shape[1] > 4:
            slopes[..., 4] = -dn
        if sized:
            slopes[..., 5] = shares[2]
            slopes[..., 6] = -shares[2] * np.exp(log_a) * dn
        return log_loss, slopes * np.exp(log_excess - log_loss)[..., None]

    def law(self, theta: FloatArray) -> PruningLaw:
        """The law of one theta, of shape (coordinates,), or laws with letters of shape (batch,)."""
        n0, d0 = self.middle_log_parent, self.middle_log_tokens
        floor, v, log_b, gamma = (theta[..., i] for i in range(4))
        zero = np.zeros_like(floor)
        delta = theta[..., 4] if theta.shape[-1] > 4 else zero
        alpha, constant = zero, zero
        with np.errstate(over="ignore"):  # a letter beyond all numbers is refused by the fit
            beta = np.exp(log_b)
            if theta.shape[-1] > 5:
                alpha = np.exp(theta[..., 6])
                constant = np.exp(theta[..., 5] + (alpha + delta) * n0)
            return PruningLaw(
                gamma=gamma,
                delta=delta,
                N_C=constant,
                alpha=alpha,
                D_C=np.exp(v + beta * d0 + delta * n0),
                beta=beta,
                E=np.exp(floor + delta * n0),
            )

    def unfound(self, theta: FloatArray, rows: PrunedRuns) -> set[str]:
        """Letters of which draws tell only where the search ended.

        Those of a term that no run shows, or whose exponent lies at a bound. A size term with a
        small alpha is as good as E, so where one of the two vanishes neither is known.

        Args:
            theta: the draws, shape (draws, coordinates).
            rows: the runs.
        """
        if not len(theta):
            return set()
        _, slopes = self.predict(theta, rows)
        ends = np.quantile(theta, COVERAGE, axis=0)
        at_bound = (ends <= bounds(self.names)[0]) | (ends >= bounds(self.names)[1])
        largest = np.quantile(np.abs(slopes).max(axis=1), COVERAGE[1], axis=0)
        found: set[str] = set()
        for level, exponent, letters in _TERMS:
            if level not in self.names:
                continue
            if largest[self.names.index(level)] < _UNSEEN:
                found |= {"E", "N_C", "alpha"} if level in ("floor", "u") else set(letters)
            elif exponent and at_bound[:, self.names.index(exponent)].any():
                found |= set(letters)
        return found

    def starts(self, rows: PrunedRuns) -> FloatArray:
        """Some places to begin, shape (starts, coordinates)."""
        excess = np.maximum(np.exp(rows.log_loss) - rows.parent_loss, 1e-3)
        level = float(np.log(np.median(excess)))
        found = []
        for share, b, gamma, delta in product((0.2, 0.6), (0.2, 0.5), (0.3, 1.5), (0.0, 0.3)):
            scale = level + gamma * float(np.median(rows.log_kept))
            start = [scale + np.log(share), scale + np.log1p(-share), np.log(b), gamma, delta]
            start += [scale + np.log(share), np.log(0.3)]
            found.append(start[: len(self.names)])
        return np.array(found)
