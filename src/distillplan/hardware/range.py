"""A number that is known to within bounds, and the little arithmetic that bills and fits need."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from distillplan.errors import InputError


class HasEnds(Protocol):
    """Anything with a low, a middle and a high value, such as a throughput interval."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def mid(self) -> float:
        """The best guess."""

    @property
    def high(self) -> float:
        """The upper end."""


@dataclass(frozen=True, slots=True)
class Range:
    """Low, middle and high of one quantity, in its own unit.

    Sums add the ends: the errors of one run's parts have one cause (the throughput, the memory
    model), so they do not cancel.

    >>> Range(1.0, 2.0, 4.0) + Range.exact(1.0)
    Range(low=2.0, mid=3.0, high=5.0)
    """

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        """Refuse ends that are out of order, or no numbers."""
        if not self.low <= self.mid <= self.high:
            raise InputError(
                f"range: low {self.low}, mid {self.mid}, high {self.high} are not in that order"
            )

    @classmethod
    def exact(cls, value: float) -> Self:
        """A number without error."""
        return cls(value, value, value)

    @classmethod
    def of(cls, bounds: HasEnds) -> Self:
        """A copy of anything that has the three values."""
        return cls(bounds.low, bounds.mid, bounds.high)

    @classmethod
    def total(cls, parts: "Iterable[Range]") -> Self:
        """The sum of parts; zero of none."""
        listed = tuple(parts)
        return cls(
            sum(part.low for part in listed),
            sum(part.mid for part in listed),
            sum(part.high for part in listed),
        )

    @classmethod
    def independent_product(cls, factors: "Iterable[Range]") -> Self:
        """The product of positive factors whose errors have different causes.

        Logarithms of the ends' distances from the middle add as the sides of a right triangle.

        >>> Range.independent_product([Range(0.5, 1.0, 2.0), Range.exact(3.0)])
        Range(low=1.5, mid=3.0, high=6.0)
        """
        listed = tuple(factors)
        mid = math.prod(factor.mid for factor in listed)
        low = math.hypot(*(math.log(factor.mid / factor.low) for factor in listed))
        high = math.hypot(*(math.log(factor.high / factor.mid) for factor in listed))
        return cls(mid * math.exp(-low), mid, mid * math.exp(high))

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.mid + other.mid, self.high + other.high)

    def scale(self, factor: float) -> "Range":
        """The same range in other units, or so many times it; the factor is not negative."""
        return Range(self.low * factor, self.mid * factor, self.high * factor)

    def divide(self, amount: float) -> "Range":
        """So much work at this rate: a high rate ends early, so the ends change places."""
        return Range(amount / self.high, amount / self.mid, amount / self.low)
