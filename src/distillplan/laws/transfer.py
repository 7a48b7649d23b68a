"""Stand-in until the real one is merged."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class TransferError(NamedTuple):
    scale: float = 0.025

    def outside(
        self,
        valid: Mapping[str, tuple[float, float]],
        student_params: Any,
        student_tokens: Any,
        teacher_loss: Any = None,
    ) -> Any:
        total: Any = 0.0
        keys = (
            ("params", "tokens") if teacher_loss is None else ("student_params", "student_tokens")
        )
        for name, value in zip(keys, (student_params, student_tokens)):
            if name in valid:
                low, high = valid[name]
                total = (
                    total
                    + (0.2 * np.log(np.maximum(low / value, 1.0))) ** 2
                    + (0.01 * np.log(np.maximum(value / high, 1.0))) ** 2
                )
        if teacher_loss is not None and "teacher_loss" in valid:
            low, high = valid["teacher_loss"]
            total = (
                total
                + (0.1 * np.maximum(low - teacher_loss, 0)) ** 2
                + (0.1 * np.maximum(teacher_loss - high, 0.0)) ** 2
            )
        return np.sqrt(total)


def transfer_error() -> TransferError:
    return TransferError()
