"""A number with bounds, and the arithmetic that bills and memory need."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from distillplan.errors import InputError


@dataclass(frozen=True, slots=True)
class Range:
    """The low, middle and high value of a quantity, in its own unit.

    Sums add the ends: the errors of one run's parts have the same cause (the speed model, the
    memory model), so they do not cancel.

    >>> Range(low=1.0, mid=2.0, high=4.0) + Range.exact(1.0)
    Range(low=2.0, mid=3.0, high=5.0)
    """

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: when they are not in order, or not numbers.
        """
        if not self.low <= self.mid <= self.high:
            ends = f"low {self.low}, mid {self.mid}, high {self.high}"
            raise InputError(f"range: {ends} are not in that order")

    @classmethod
    def exact(cls, value: float) -> Self:
        """A number without error."""
        return cls(low=value, mid=value, high=value)

    @classmethod
    def within(cls, mid: float, error: float) -> Self:
        """A number with so large a relative error."""
        return cls(low=mid * (1 - error), mid=mid, high=mid * (1 + error))

    @classmethod
    def total(cls, parts: "Iterable[Range]") -> Self:
        """The sum of parts; zero without any."""
        return cls.of_ends(lambda ends: sum(ends, 0.0), parts)

    @classmethod
    def of_ends(cls, how: Callable[[list[float]], float], parts: "Iterable[Range]") -> Self:
        """What follows from each end of ranges that err alike, by itself; from low to high.

        >>> Range.of_ends(max, [Range(low=1.0, mid=2.0, high=3.0), Range.exact(2.5)])
        Range(low=2.5, mid=2.5, high=3.0)
        """
        ends = [(part.low, part.mid, part.high) for part in parts]
        low, mid, high = (how([one[place] for one in ends]) for place in range(3))
        return cls(low=min(low, mid, high), mid=mid, high=max(low, mid, high))

    def divide_into(self, amount: float) -> "Range":
        """An amount at the middle, and what it is when this many of a fixed sum go to each.

        >>> Range(low=1.0, mid=2.0, high=4.0).divide_into(100.0)
        Range(low=50.0, mid=100.0, high=200.0)
        """
        # by ratios, which are 1 where the ends are the middle: products first may round past it
        low, high = amount * (self.mid / self.high), amount * (self.mid / self.low)
        return Range(low=low, mid=amount, high=high)

    @classmethod
    def independent_product(cls, factors: "Iterable[Range]") -> Self:
        """The product of positive factors whose errors have different causes.

        The logarithms of the ends over the middle add in quadrature.

        >>> Range.independent_product([Range(low=0.5, mid=1.0, high=2.0), Range.exact(3.0)])
        Range(low=1.5, mid=3.0, high=6.0)
        """
        listed = tuple(factors)
        mid = math.prod(factor.mid for factor in listed)
        low = math.hypot(*(math.log(factor.mid / factor.low) for factor in listed))
        high = math.hypot(*(math.log(factor.high / factor.mid) for factor in listed))
        return cls(low=mid * math.exp(-low), mid=mid, high=mid * math.exp(high))

    def __add__(self, other: "Range") -> "Range":
        return Range.total((self, other))

    def scale(self, factor: float) -> "Range":
        """The range times a factor, which is not negative."""
        return Range(low=self.low * factor, mid=self.mid * factor, high=self.high * factor)

    def divide(self, amount: float) -> "Range":
        """An amount of work over this rate; a high rate gives a short time, so the ends swap."""
        return Range(low=amount / self.high, mid=amount / self.mid, high=amount / self.low)
