"""What a token costs by the size of the model, in FLOPs or in GPU-seconds.

The optimizer spends a budget in either unit; it only requires that a larger model costs more.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from distillplan.accounting import TRAINING_PASSES
from distillplan.laws.formulas import FloatArray
from distillplan.models.architecture import Family
from distillplan.named_tuples import NamedTuple


class Costs(Protocol):
    """Costs per token at the logarithms of parameter counts, which are floats or arrays."""

    def student_training(self, n: Any) -> Any:
        """The cost of one token in training a student."""

    def student_forward(self, n: Any) -> Any:
        """The cost of serving one token with the student."""

    def teacher_forward(self, t: Any) -> Any:
        """The cost of the teacher's logits for one token."""

    def teacher_training(self, t: Any) -> Any:
        """The cost of one token in training the teacher."""

    def teacher(self, t: Any) -> tuple[Any, Any]:
        """`teacher_forward` and `teacher_training`."""

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """Logarithm of the size of the student at a cost; minus infinity where none is that cheap.

        Args:
            cost: per training token.
            forwards: forward passes that are paid for with each training token, for serving.
        """


class FlopCosts(NamedTuple):
    """FLOPs: a training token is a forward and a backward pass (Equation 70)."""

    family: Family

    def student_training(self, n: Any) -> Any:
        """3 F(N_S)."""
        return TRAINING_PASSES * self.family.forward_flops_at_log(n)

    def student_forward(self, n: Any) -> Any:
        """F(N_S)."""
        return self.family.forward_flops_at_log(n)

    def teacher_forward(self, t: Any) -> Any:
        """F(N_T)."""
        return self.family.forward_flops_at_log(t)

    def teacher_training(self, t: Any) -> Any:
        """3 F(N_T)."""
        return TRAINING_PASSES * self.family.forward_flops_at_log(t)

    def teacher(self, t: Any) -> tuple[Any, Any]:
        """Both, for the price of one."""
        forward = self.family.forward_flops_at_log(t)
        return forward, TRAINING_PASSES * forward

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """The inverse of `student_training`, with additional forward passes."""
        return self.family.log_params_for_flops(np.asarray(cost) / (TRAINING_PASSES + forwards))


class OneStudent(NamedTuple):
    """Other costs, with those of the one student of an exact shape instead of its family's."""

    others: Costs
    factor: float
    """Its cost per token over what the others say."""

    def student_training(self, n: Any) -> Any:
        """Times the factor."""
        return self.factor * self.others.student_training(n)

    def student_forward(self, n: Any) -> Any:
        """Times the factor."""
        return self.factor * self.others.student_forward(n)

    def teacher_forward(self, t: Any) -> Any:
        """As the others have it."""
        return self.others.teacher_forward(t)

    def teacher_training(self, t: Any) -> Any:
        """As the others have it."""
        return self.others.teacher_training(t)

    def teacher(self, t: Any) -> tuple[Any, Any]:
        """As the others have it."""
        return self.others.teacher(t)

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """The inverse of `student_training`."""
        return self.others.log_student_for(np.asarray(cost) / self.factor, forwards)


class CostCurve:
    """A cost at some sizes, interpolated linearly in logarithms.

    Beyond both ends the last line continues, so that the cost never stops growing. It is computed
    when it is first asked for: who plans with one given teacher needs no cost of others.
    """

    def __init__(self, log_params: FloatArray, cost: Callable[[float], float]) -> None:
        """Take the sizes, and what to ask for the cost of one.

        Args:
            log_params: logarithms of the sizes, increasing, shape (sizes,).
            cost: of a model of so many parameters.
        """
        self._log_params, self._cost = log_params, cost

    @cached_property
    def _log_costs(self) -> FloatArray:
        """At the sizes, shape (sizes,); where a layout makes one fall, it rises by a hair."""
        costs = np.log([self._cost(size) for size in np.exp(self._log_params).tolist()])
        return np.maximum.accumulate(costs) + 1e-12 * np.arange(costs.size)

    def at(self, n: Any) -> Any:
        """The cost at logarithms of sizes."""
        return np.exp(_line(n, self._log_params, self._log_costs))

    def log_size_for(self, cost: Any) -> Any:
        """The inverse of `at`; minus infinity where there is nothing to spend."""
        with np.errstate(invalid="ignore", divide="ignore"):
            sizes = _line(np.log(cost), self._log_costs, self._log_params)
            return np.where(np.asarray(cost) > 0, sizes, -np.inf)


class TabulatedCosts(NamedTuple):
    """Costs along curves."""

    student: CostCurve
    """Of a student's training token."""
    forward: CostCurve
    """Of the teacher's forward pass."""
    training: CostCurve
    """Of the teacher's training token."""

    def student_training(self, n: Any) -> Any:
        """Interpolated."""
        return self.student.at(n)

    def student_forward(self, n: Any) -> Any:
        """Interpolated; nobody asks for it, for serving has no cost in seconds."""
        return self.forward.at(n)

    def teacher_forward(self, t: Any) -> Any:
        """Interpolated."""
        return self.forward.at(t)

    def teacher_training(self, t: Any) -> Any:
        """Interpolated."""
        return self.training.at(t)

    def teacher(self, t: Any) -> tuple[Any, Any]:
        """Both."""
        return self.forward.at(t), self.training.at(t)

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """The inverse of `student_training`; serving has no cost in seconds.

        Raises:
            ValueError: when there are forward passes.
        """
        if forwards:
            raise ValueError("no seconds of serving")  # `Scenario` refuses it before
        return self.student.log_size_for(cost)


def _line(at: Any, x: FloatArray, y: FloatArray) -> Any:
    """Straight lines through the points, which continue beyond both ends."""
    below = (y[1] - y[0]) / (x[1] - x[0]) * np.minimum(at - x[0], 0.0)
    above = (y[-1] - y[-2]) / (x[-1] - x[-2]) * np.maximum(at - x[-1], 0.0)
    return np.interp(at, x, y) + below + above
