"""The rule of the verdict and its windows of budgets, written without `distillplan.planning`.

For a given student and a given teacher: plain formulas, a dense grid and bisection. The constants
of the error outside the fitted range are read from their file; the rule is what `verdict.weigh`
says in words.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from tests import independent
from tests.independent import forward_flops

_FILES = Path(__file__).parents[1] / "coefficients"
_ERROR = yaml.safe_load((_FILES / "transfer.yaml").read_text())["error"]
SCALE = _ERROR["scale"]["value"]
SLOPES = {name: one["value"] for name, one in _ERROR.items() if isinstance(one, dict)}
LARGEST_GAIN = 0.33  # Marin, 0.6B student on 1.8B tokens
GUESSING = math.log(32768)
MOST_TOKENS, FEWEST_TOKENS = 4e13, 1e6  # of a student
PARAMS, TOKENS, TEACHER_LOSS = (1.434e8, 7.747e9), (3.6e9, 5.15e11), (1.895, 2.755)  # of the runs
NOBODY_KNOWS = -9
DECADES = 4
NARROW = 5e-3  # of an e-fold: no budget is known to half a percent


class Span(NamedTuple):
    """Neighboring budgets of one verdict; an end is None where nothing was looked at beyond."""

    side: int
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is asked: a student, its teacher, and what is paid for it."""

    student: float
    teacher_loss: float
    teacher_params: float = 0.0
    teacher_tokens: float = 0.0
    logits: float = 0.0
    """Share of the forward passes that each student pays."""
    training: float = 0.0
    """Share of the teacher's training."""
    students: int = 1
    tie: float = 0.01
    law: independent.Letters = independent.RECOVERED

    def gain(self, budget):
        """Supervised minus distilled loss at budgets, shape (budgets,)."""
        return self._at(budget)[0]

    def side(self, budget):
        """1, 0 or -1 at budgets, shape (budgets,); NOBODY_KNOWS where there is no verdict."""
        gain, supervised, distilled, D, D_S = self._at(budget)
        paid = np.isfinite(gain)
        certain = np.maximum(np.minimum(np.abs(gain), LARGEST_GAIN), max(self.tie, 2 * SCALE))
        # distilling leaves so few tokens that no gain can make up for them
        left = independent.supervised_loss(self.student, np.where(paid, D_S, 1.0), self.law)
        starved = ~paid | ((gain <= -self.tie) & (left - supervised > LARGEST_GAIN))
        silent = (self._outside(gain, D, D_S) > certain) & ~starved
        silent |= D < self.student
        silent |= (supervised >= GUESSING) | (paid & (distilled >= GUESSING))
        won = np.where(gain >= self.tie, 1, np.where(gain <= -self.tie, -1, 0))
        return np.where(silent, NOBODY_KNOWS, won)

    def _at(self, budget):
        each = np.atleast_1d(np.asarray(budget, float)) / self.students
        student, teacher = forward_flops(self.student), 0.0
        if self.teacher_params:
            teacher = forward_flops(self.teacher_params)
        D = np.minimum(each / (3 * student), MOST_TOKENS)
        rest = each - self.training * 3 * teacher * self.teacher_tokens
        D_S = np.minimum(rest / (3 * student + self.logits * teacher), MOST_TOKENS)
        paid = D_S >= FEWEST_TOKENS
        supervised = independent.supervised_loss(self.student, D, self.law)
        found = independent.distilled_loss(
            self.student, np.where(paid, D_S, FEWEST_TOKENS), self.teacher_loss, self.law
        )
        distilled = np.where(paid, found, np.inf)
        return supervised - distilled, supervised, distilled, D, D_S

    def _outside(self, gain, D, D_S):
        below = max(math.log(PARAMS[0] / self.student), 0.0)
        above = max(math.log(self.student / PARAMS[1]), 0.0)
        with np.errstate(invalid="ignore"):
            few = np.maximum(np.log(TOKENS[0] / np.minimum(D, np.maximum(D_S, 1.0))), 0.0)
            many = np.maximum(np.log(np.maximum(D, D_S) / TOKENS[1]), 0.0)
        beyond = max(TEACHER_LOSS[0] - self.teacher_loss, self.teacher_loss - TEACHER_LOSS[1], 0.0)
        share = SLOPES["gain_share"] * np.where(np.isfinite(gain), gain, 0.0)
        parts = (
            SLOPES["params_below"] * below,
            SLOPES["tokens_below"] * few,
            SLOPES["above"] * above,
            SLOPES["above"] * many,
            SLOPES["teacher_loss"] * beyond,
            share * below,
            share * few,
        )
        return np.sqrt(sum(np.square(part) for part in parts))

    def spans(self, budget, points=8_001):
        """All windows within DECADES of a budget, on a dense grid with bisected edges."""
        logs = np.linspace(-DECADES, DECADES, points) * math.log(10) + math.log(budget)
        sides = self.side(np.exp(logs))
        edges, kinds = [None], [int(sides[0])]
        for row in np.flatnonzero(np.diff(sides)):
            low, high, before = logs[row], logs[row + 1], sides[row]
            for _ in range(60):
                middle = (low + high) / 2
                same = self.side(np.exp(middle))[0] == before
                low, high = (middle, high) if same else (low, middle)
            edges.append(math.exp(high))
            kinds.append(int(sides[row + 1]))
        found = []
        for kind, (low, high) in zip(kinds, pairwise([*edges, None]), strict=True):
            narrow = low is not None and high is not None and math.log(high / low) < NARROW
            if found and (narrow or found[-1].side == kind):
                found[-1] = found[-1]._replace(high=high)
            else:
                found.append(Span(side=kind, low=low, high=high))
        return found

    def flips(self, budget):
        """The nearest windows with another verdict, below and above a budget; None for none."""
        now = self.side(budget)[0]
        others = [one for one in self.spans(budget) if one.side not in (NOBODY_KNOWS, now)]
        below = [one for one in others if one.high is not None and one.high <= budget]
        above = [one for one in others if one.low is not None and one.low >= budget]
        return below[-1] if below else None, above[0] if above else None
