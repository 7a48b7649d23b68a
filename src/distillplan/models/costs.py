"""What a token costs, by the size of the model: in FLOPs, or in GPU-seconds.

The optimizer spends a budget in whatever these count; it only asks that a larger model costs more.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from distillplan.accounting import TRAINING_PASSES
from distillplan.laws.formulas import FloatArray
from distillplan.models.architecture import Family


class Costs(Protocol):
    """Costs per token at the logarithm of a parameter count, float or array."""

    def student_training(self, n: Any) -> Any:
        """Of one token of a student's training."""

    def teacher_forward(self, t: Any) -> Any:
        """Of the teacher's logits for one token."""

    def teacher_training(self, t: Any) -> Any:
        """Of one token of the teacher's training."""

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """Logarithm of the student that costs so much per token; minus infinity: none so cheap.

        Args:
            cost: per token of training.
            forwards: forward passes that are paid beside each of them, for serving.
        """


class FlopCosts(NamedTuple):
    """FLOPs: a training token is a forward and a backward pass (Equation 70)."""

    family: Family

    def student_training(self, n: Any) -> Any:
        """3 F(N_S)."""
        return TRAINING_PASSES * self.family.forward_flops_at_log(n)

    def teacher_forward(self, t: Any) -> Any:
        """F(N_T)."""
        return self.family.forward_flops_at_log(t)

    def teacher_training(self, t: Any) -> Any:
        """3 F(N_T)."""
        return TRAINING_PASSES * self.family.forward_flops_at_log(t)

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """The inverse of `student_training`, with so many forward passes more."""
        return self.family.log_params_for_flops(np.asarray(cost) / (TRAINING_PASSES + forwards))


class TabulatedCosts(NamedTuple):
    """Costs known at some sizes, straight lines between them in logarithms.

    Beyond the ends the last line goes on, so that a cost never stops growing.
    """

    log_params: FloatArray
    """Increasing."""
    log_student: FloatArray
    """Logarithms of the costs at those sizes, increasing."""
    log_forward: FloatArray
    log_training: FloatArray

    def student_training(self, n: Any) -> Any:
        """Between the tabulated sizes."""
        return np.exp(_line(n, self.log_params, self.log_student))

    def teacher_forward(self, t: Any) -> Any:
        """Between the tabulated sizes."""
        return np.exp(_line(t, self.log_params, self.log_forward))

    def teacher_training(self, t: Any) -> Any:
        """Between the tabulated sizes."""
        return np.exp(_line(t, self.log_params, self.log_training))

    def log_student_for(self, cost: Any, forwards: float = 0.0) -> Any:
        """The inverse of `student_training`; serving is not known in seconds."""
        if forwards:
            raise ValueError("no seconds of serving")  # Scenario lets nobody ask
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(
                np.asarray(cost) > 0,
                _line(np.log(cost), self.log_student, self.log_params),
                -np.inf,
            )


def _line(at: Any, x: FloatArray, y: FloatArray) -> Any:
    """Straight lines through the points, going on beyond both ends."""
    below = (y[1] - y[0]) / (x[1] - x[0]) * np.minimum(at - x[0], 0.0)
    above = (y[-1] - y[-2]) / (x[-1] - x[-2]) * np.maximum(at - x[-1], 0.0)
    return np.interp(at, x, y) + below + above
