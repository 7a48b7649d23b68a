"""Small networks in numpy: stacks of perceptrons with two hidden layers, trained side by side.

A stack holds networks of one width. All of them read the same inputs; each has targets of its own,
which are distributions. Weights, their gradients and Adam's moments are one flat array each, of
which the layers are views, so that a step of the optimizer is a few operations on all networks.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distillplan.demos.claims import Advance
from distillplan.named_tuples import NamedTuple

Floats: TypeAlias = np.ndarray[Any, np.dtype[Any]]

WARMUP_SHARE = 0.05
"""Of all steps, in which the learning rate rises (Busbridge et al. 2025, Appendix C.2)."""
TOLD_EVERY = 32
"""Steps between two calls of what is told how far a training is."""
FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8
"""Adam's, as Kingma & Ba (2015) recommend."""


class Shape(NamedTuple):
    """Sizes of a network."""

    inputs: int
    width: int
    """Of both hidden layers."""
    outputs: int

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each layer."""
        return (
            (self.inputs, self.width),
            (self.width, self.width),
            (self.width, self.outputs),
        )

    @property
    def params(self) -> int:
        """Weights and biases of one network."""
        return sum((into + 1) * out for into, out in self.layers)


class Batch(NamedTuple):
    """What a step of training reads."""

    inputs: Floats
    """Of shape (batch, inputs)."""
    targets: Floats
    """Distributions, of shape (networks or 1, batch, outputs)."""


class Perceptrons:
    """A stack of networks of one shape."""

    def __init__(
        self,
        shape: Shape,
        networks: int,
        random: np.random.Generator,
        *,
        copies: int = 1,
        dtype: Any = np.float32,
    ) -> None:
        """Networks with random weights (He et al. 2015) and biases of zero.

        They begin alike, so that what becomes of them differs by their targets only.

        Args:
            shape: of each.
            networks: how many that begin alike.
            random: the source of the weights.
            copies: of each of these, next to each other; they begin with different weights.
            dtype: of weights and gradients; double precision for tests.
        """
        self.shape, self.networks = shape, networks * copies
        self.flat: Floats = np.zeros(self.networks * shape.params, dtype)
        self.gradient: Floats = np.zeros_like(self.flat)
        self._first, self._second = np.zeros_like(self.flat), np.zeros_like(self.flat)
        self._steps = 0
        self.weights, self.biases = self._views(self.flat)
        self._weight_gradients, self._bias_gradients = self._views(self.gradient)
        for (into, out), weights in zip(shape.layers, self.weights, strict=True):
            first = random.normal(0.0, math.sqrt(2.0 / into), (copies, into, out))
            weights[:] = np.tile(first, (networks, 1, 1))

    def _views(self, flat: Floats) -> tuple[list[Floats], list[Floats]]:
        """The weights and biases of each layer in a flat array."""
        weights, biases, start = [], [], 0
        for into, out in self.shape.layers:
            end = start + self.networks * into * out
            weights.append(flat[start:end].reshape(self.networks, into, out))
            start, end = end, end + self.networks * out
            biases.append(flat[start:end].reshape(self.networks, 1, out))
            start = end
        return weights, biases

    def distributions(self, inputs: Floats) -> Floats:
        """What each network says of inputs of shape (batch, inputs).

        Returns:
            Distributions, of shape (networks, batch, outputs).
        """
        return _softmax(self._forward(inputs)[-1])

    def backward(self, batch: Batch) -> None:
        """Set the gradient of the cross-entropy of each network with its targets."""
        first, second, logits = self._forward(batch.inputs)
        delta = _softmax(logits)
        delta -= batch.targets
        delta /= len(batch.inputs)
        self._layer_gradient(2, second, delta)
        delta = delta @ self.weights[2].transpose(0, 2, 1)
        delta *= second > 0
        self._layer_gradient(1, first, delta)
        delta = delta @ self.weights[1].transpose(0, 2, 1)
        delta *= first > 0
        self._layer_gradient(0, batch.inputs[None], delta)

    def step(self, rate: float) -> None:
        """One step of Adam along the gradient.

        Args:
            rate: the learning rate of this step.
        """
        self._steps += 1
        self._first *= FIRST_DECAY
        self._first += (1 - FIRST_DECAY) * self.gradient
        self._second *= SECOND_DECAY
        self.gradient *= self.gradient
        self.gradient *= 1 - SECOND_DECAY
        self._second += self.gradient
        unbiased = math.sqrt(1 - SECOND_DECAY**self._steps)
        scale = np.sqrt(self._second)
        scale += EPSILON * unbiased
        np.divide(self._first, scale, out=scale)
        scale *= rate * unbiased / (1 - FIRST_DECAY**self._steps)
        self.flat -= scale

    def _forward(self, inputs: Floats) -> tuple[Floats, Floats, Floats]:
        """Both hidden layers and the logits, each of shape (networks, batch, ...)."""
        first = _rectified(self._layer(0, inputs))
        second = _rectified(self._layer(1, first))
        return first, second, self._layer(2, second)

    def _layer(self, layer: int, inputs: Floats) -> Floats:
        found = inputs @ self.weights[layer]
        found += self.biases[layer]
        return found

    def _layer_gradient(self, layer: int, inputs: Floats, delta: Floats) -> None:
        np.matmul(inputs.transpose(0, 2, 1), delta, out=self._weight_gradients[layer])
        np.sum(delta, axis=1, keepdims=True, out=self._bias_gradients[layer])


def _rectified(values: Floats) -> Floats:
    return np.maximum(values, 0, out=values)


def _softmax(logits: Floats) -> Floats:
    """Distributions from logits, over the last axis; the logits are overwritten."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A linear warm-up and one cycle of a cosine down to zero.

    Args:
        step: from 0.
        steps: of the whole training.
        peak: the highest rate.

    >>> [round(learning_rate(step, 105, 1.0), 3) for step in (0, 4, 5, 55, 104)]
    [0.2, 1.0, 1.0, 0.5, 0.0]
    """
    warmup = max(1, round(WARMUP_SHARE * steps))
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))


def train(
    networks: Perceptrons,
    batches: Callable[[], Batch],
    *,
    steps: int,
    peak_rate: float,
    advance: Advance | None = None,
) -> None:
    """Train a stack with Adam, warm-up and cosine.

    Args:
        networks: are changed.
        batches: gives the next batch.
        steps: how many.
        peak_rate: the highest learning rate.
        advance: is told how many steps are done.
    """
    for step in range(steps):
        networks.backward(batches())
        networks.step(learning_rate(step, steps, peak_rate))
        if advance is not None and (step % TOLD_EVERY == 0 or step == steps - 1):
            advance(step + 1)
