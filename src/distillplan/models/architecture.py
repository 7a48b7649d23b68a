"""A model's shape, and what follows from it exactly: parameters and forward FLOPs per token.

`FixedAspect` is the paper's family, in which depth and width follow from the parameter count, so
that a planner can move along a continuous size (Busbridge et al. 2025, Appendix G, Equations 57 to
69). One concrete model is a `ModelShape` (in `shapes`), which few commands need.

Counting rules (Tables 9 to 12 of the paper): a multiply-add is two FLOPs, attention is causal (half
of the score matrix), norms count nothing, the embedding look-up counts 2 FLOPs per channel and the
output projection is counted whether or not it is tied. A backward pass costs two forward passes.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from distillplan.errors import InputError

if TYPE_CHECKING:
    from distillplan.models.shapes import ModelShape

HEAD_WIDTH = 128
"""Channels of an attention head in the paper's models; Table 13 comes out to the unit with it."""


@dataclass(frozen=True, kw_only=True)
class FixedAspect:
    """The paper's model family: F(N) = 2 N (1 + c1 N^(-1/3) + c2 N^(-2/3))  (Equation 69).

    Attention and vocabulary are inside; the familiar 6 N D leaves them out and is low by 40% at
    100M parameters, by 7% at 13B (Table 13).

    >>> family = FixedAspect()
    >>> round(family.forward_flops(1.821e9) / 1e9, 2)
    4.28
    """

    aspect: float = 128.0
    """d_model / layers (rho)."""
    omega: float = 12.0
    """Non-embedding parameters over layers * d_model^2: 2 + 2/g + n_ffn * ffn_ratio."""
    context: float = 4096.0
    """Tokens of context."""
    vocab: float = 32768.0
    """Rows of the embedding table; the value behind Table 13 (the text says 32168)."""

    def __post_init__(self) -> None:
        """Refuse settings that no transformer can have."""
        for name in ("aspect", "omega", "context", "vocab"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"architecture: {name} is {value}; it must be positive")

    @property
    def c1(self) -> float:
        """Weight of attention: n_ctx / (rho omega^2)^(1/3)."""
        return self.context * (self.aspect * self.omega**2) ** (-1 / 3)

    @property
    def c2(self) -> float:
        """Weight of the vocabulary: n_vocab (rho / omega)^(1/3)."""
        return self.vocab * (self.aspect / self.omega) ** (1 / 3)

    def forward_flops(self, N: Any) -> Any:  # noqa: N803  (the paper's letter)
        """FLOPs of one forward pass per token of N non-embedding parameters, float or array."""
        root = np.cbrt(N) if isinstance(N, np.ndarray) else math.cbrt(N)
        return 2 * root * (root * root + self.c1 * root + self.c2)

    def forward_flops_at_log(self, n: Any) -> Any:
        """The same at log N = n."""
        root = np.exp(n / 3)
        return 2 * root * (root * root + self.c1 * root + self.c2)

    def log_params_for_flops(self, flops: Any) -> Any:
        """The inverse: log N of the model with this forward cost per token.

        Minus infinity where no model is so cheap.
        """
        return _log_of_cubic(np.asarray(flops, dtype=float) / 2, self.c1, self.c2)

    def log_params_of_total(self, total: Any) -> Any:
        """Log of the non-embedding parameters of a model with so many in all."""
        embedding = self.vocab * (self.aspect / self.omega) ** (1 / 3)
        return _log_of_cubic(np.asarray(total, dtype=float), 0.0, embedding)

    def width(self, N: float) -> float:  # noqa: N803  (the paper's letter)
        """Channels of the residual stream of N parameters (Appendix G)."""
        return math.cbrt(N * self.aspect / self.omega)

    def nearest_shape(self, N: float, group: int = 1) -> "ModelShape":  # noqa: N803  (the paper's letter)
        """The whole-numbered model of the family nearest to N parameters, for memory.

        Depth is rounded, widths are multiples of 128 (one head), the feed-forward's rounded up, as
        in Table 13.

        Args:
            N: non-embedding parameters.
            group: what must divide the heads, such as a tensor-parallel group.
        """
        from distillplan.models.shapes import ModelShape  # a start of `budget` does without

        unit = HEAD_WIDTH * group
        width = max(round(self.width(N) / unit), 1) * unit
        layers = max(round(N / (self.omega * width**2)), 1)
        ffn_width = math.ceil((self.omega - 4) / 3 * width / HEAD_WIDTH) * HEAD_WIDTH
        return ModelShape(
            layers=layers,
            width=width,
            ffn_width=ffn_width,
            heads=width // HEAD_WIDTH,
            vocab=round(self.vocab),
        )

    def total_params(self, N: float) -> float:  # noqa: N803  (the paper's letter)
        """All parameters of a model with N non-embedding ones and tied embeddings."""
        return N + self.vocab * self.width(N)


class WithEmbedding(NamedTuple):
    """The same family, for laws whose N counts the embedding as well."""

    family: FixedAspect

    def forward_flops(self, total: float) -> float:
        """FLOPs of one forward pass per token of a model with so many parameters in all."""
        return float(self.forward_flops_at_log(np.log(total)))

    def forward_flops_at_log(self, n: Any) -> Any:
        """The same at the logarithm of all parameters."""
        return self.family.forward_flops_at_log(self.family.log_params_of_total(np.exp(n)))

    def log_params_for_flops(self, flops: Any) -> Any:
        """The inverse: log of all parameters of the model with this forward cost per token."""
        n = self.family.log_params_for_flops(flops)
        embedding = self.family.vocab * np.cbrt(np.exp(n) * self.family.aspect / self.family.omega)
        return np.log(np.exp(n) + embedding)


Family: TypeAlias = FixedAspect | WithEmbedding
"""What turns a parameter count into FLOPs per token."""


def _log_of_cubic(target: Any, square: float, linear: float) -> Any:
    """3 log r with r^3 + square r^2 + linear r = target, by Newton.

    The cubic is convex and increasing for r > 0, so Newton from a point above the root falls to
    it; either term alone gives such a point.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.minimum(np.cbrt(target), target / linear)
        for _ in range(12):  # quadratic; five steps reach the last bit from so near
            value = root * (root * root + square * root + linear) - target
            root = root - value / (3 * root * root + 2 * square * root + linear)
        return np.where(target > 0, 3 * np.log(root), -np.inf)
