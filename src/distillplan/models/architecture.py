"""The paper's family of models: parameters and forward FLOPs per token, at any size.

In `FixedAspect` depth and width follow from the parameter count, so that a planner can vary it
continuously (Busbridge et al. 2025, Appendix G, Equations 57 to 69). A single concrete model is a
`ModelShape` (in `shapes`), which few commands need.

Counting rules (Tables 9 to 12 of the paper): a multiply-add is two FLOPs, attention is causal (half
of the score matrix), norms count nothing, the embedding lookup counts 2 FLOPs per channel and the
output projection counts whether or not it is tied. A backward pass costs two forward passes.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.named_tuples import NamedTuple

if TYPE_CHECKING:
    from distillplan.models.shapes import ModelShape

HEAD_WIDTH = 128
"""Channels of an attention head in the paper's models; it reproduces Table 13 to the unit."""


MOST_CONTEXT: Final = 1e9
"""Tokens of a sequence, far beyond every model."""
_POSSIBLE: Final = {
    "aspect": (0.01, 1e6),
    "omega": (4.1, 1e6),
    "context": (1e-9, MOST_CONTEXT),
    "vocab": (1e-9, 1e12),
}
"""Near enough that no FLOP count overflows. Attention alone has an omega of 4; 1e-9 is as good as
none."""


def check_context(tokens: float, word: str) -> None:
    """Refuse a sequence longer than `MOST_CONTEXT`.

    Raises:
        InputError: by the word that gave it.
    """
    if tokens > MOST_CONTEXT:
        raise InputError(
            Word(word), f": a sequence of {tokens:g} tokens; the most is {MOST_CONTEXT:g}"
        )


@dataclass(frozen=True, kw_only=True)
class FixedAspect:
    """The paper's model family: F(N) = 2 N (1 + c1 N^(-1/3) + c2 N^(-2/3))  (Equation 69).

    It includes attention and vocabulary, which the familiar 6 N D leaves out: it is 40% low at
    100M parameters and 7% low at 13B (Table 13).

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
        """Check the settings.

        Raises:
            InputError: when one is of no model that could be.
        """
        settle(self, "architecture.")
        for name, (low, high) in _POSSIBLE.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    Word(f"architecture.{name}"),
                    f": {value:g}; it must be from {low:g} to {high:g}",
                )

    @cached_property
    def c1(self) -> float:
        """Weight of attention: n_ctx / (rho omega^2)^(1/3)."""
        return self.context * (self.aspect * self.omega**2) ** (-1 / 3)

    @cached_property
    def c2(self) -> float:
        """Weight of the vocabulary: n_vocab (rho / omega)^(1/3)."""
        return self.vocab * (self.aspect / self.omega) ** (1 / 3)

    def forward_flops(self, N: Any) -> Any:  # noqa: N803  (the paper's letter)
        """FLOPs of one forward pass per token; N non-embedding parameters, float or array."""
        root = np.cbrt(N) if isinstance(N, np.ndarray) else math.cbrt(N)
        return 2 * root * (root * root + self.c1 * root + self.c2)

    def forward_flops_at_log(self, n: Any) -> Any:
        """The same at log N = n, float or array."""
        root = np.exp(n / 3)
        return 2 * root * (root * root + self.c1 * root + self.c2)

    def log_params_for_flops(self, flops: Any) -> Any:
        """The inverse: log N of the model with these forward FLOPs per token, float or array.

        Minus infinity where no model is that cheap.
        """
        return _log_of_cubic(np.asarray(flops, dtype=float) / 2, self.c1, self.c2)

    def log_params_of_total(self, total: Any) -> Any:
        """Log of the non-embedding parameters, from all parameters, float or array."""
        embedding = self.vocab * (self.aspect / self.omega) ** (1 / 3)
        return _log_of_cubic(np.asarray(total, dtype=float), 0.0, embedding)

    def width(self, N: float) -> float:  # noqa: N803  (the paper's letter)
        """Channels of the residual stream of a model of N parameters (Appendix G)."""
        return math.cbrt(N * self.aspect / self.omega)

    def nearest_shape(
        self,
        N: float,  # noqa: N803  (the paper's letter)
        group: int = 1,
        stages: int = 1,
    ) -> "ModelShape":
        """The model of the family with whole numbers nearest to N parameters, for its memory.

        Depth is rounded; widths are multiples of `HEAD_WIDTH`, that of the feed-forward block
        rounded up, as in Table 13.

        Args:
            N: non-embedding parameters.
            group: what must divide the heads, such as the tensor-parallel group.
            stages: least number of layers; where the family has fewer, it gets narrower ones.
        """
        from distillplan.models.uniform import uniform_shape  # not needed to start `budget`

        unit = HEAD_WIDTH * group
        for channels in (self.width(N), math.sqrt(N / (self.omega * stages))):
            width = max(round(channels / unit), 1) * unit
            layers = max(round(N / (self.omega * width**2)), 1)
            if layers >= stages:
                break
        layers = max(layers, stages)
        ffn_width = math.ceil((self.omega - 4) / 3 * width / HEAD_WIDTH) * HEAD_WIDTH
        return uniform_shape(
            layers=layers,
            width=width,
            ffn_width=ffn_width,
            heads=width // HEAD_WIDTH,
            vocab=round(self.vocab),
        )

    def total_params(self, N: float) -> float:  # noqa: N803  (the paper's letter)
        """All parameters of a model with N non-embedding parameters and tied embeddings."""
        return N + self.vocab * self.width(N)


class WithEmbedding(NamedTuple):
    """The same family, for laws whose N includes the embedding."""

    family: FixedAspect

    def forward_flops(self, total: float) -> float:
        """FLOPs of one forward pass per token, from all parameters."""
        return float(self.forward_flops_at_log(np.log(total)))

    def forward_flops_at_log(self, n: Any) -> Any:
        """The same at the logarithm of all parameters, float or array."""
        return self.family.forward_flops_at_log(self.family.log_params_of_total(np.exp(n)))

    def log_params_for_flops(self, flops: Any) -> Any:
        """The inverse: log of all parameters of the model with these forward FLOPs per token."""
        n = self.family.log_params_for_flops(flops)
        embedding = self.family.vocab * np.cbrt(np.exp(n) * self.family.aspect / self.family.omega)
        return np.log(np.exp(n) + embedding)


Family: TypeAlias = FixedAspect | WithEmbedding
"""What gives the FLOPs per token of a parameter count."""


def _log_of_cubic(target: Any, square: float, linear: float) -> Any:
    """3 log r with r^3 + square r^2 + linear r = target, by Newton.

    The cubic is convex and increasing for r > 0, so Newton descends to the root from any point
    above it, such as the solution of either term alone.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.minimum(np.cbrt(target), target / linear)
        for _ in range(12):  # convergence is quadratic: five steps reach the last bit
            value = root * (root * root + square * root + linear) - target
            root = root - value / (3 * root * root + 2 * square * root + linear)
        return np.where(target > 0, 3 * np.log(root), -np.inf)
