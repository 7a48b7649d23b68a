"""One input of the fuzzer, what came of it, and what is wrong with that."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple


class Case(NamedTuple):
    """One input: a command line with the files that it names."""

    words: tuple[str, ...]
    """What follows ``distillplan``."""
    files: Mapping[str, bytes] = {}
    """By name, in the folder where it runs."""
    stdin: bytes = b""


class Result(NamedTuple):
    """What came of a case."""

    code: int | None
    """The exit code; None where an exception came instead."""
    out: str
    err: str
    error: BaseException | None
    """What no user should meet."""
    seconds: float
    """Of the processor."""
    growth: float
    """Bytes by which the largest size of the process grew."""
    answers: tuple[tuple[Any, Mapping[str, bool]], ...] = ()
    """Each answer that was shown, and how."""
    saved: Mapping[str, bytes] = {}
    """Files that it left, by name."""
    raw: bytes = b""
    """Standard output as it is, which may be Parquet."""


class Fault(NamedTuple):
    """What is wrong with a result."""

    kind: str
    """The oracle, or the type of an exception."""
    place: str
    """Where an exception came from, or what tells two faults of an oracle apart."""
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two faults one finding."""
        return self.kind, self.place


class Target(NamedTuple):
    """One kind of input."""

    make: Callable[[Random], Case]
    try_out: Callable[[Case, int], "Trial"]
    """From a case and its index."""
    weight: float
    """Its share of the inputs, beside those of the others."""


class Trial(NamedTuple):
    """A case that was tried."""

    code: int | None
    """0 where it was answered or read; None for an exception."""
    faults: tuple[Fault, ...]


def case_of(name: str, target: Target, seed: int, index: int) -> Case:
    """The input of a target with an index: the same for ever."""
    return target.make(Random(f"{seed} {name} {index}"))  # noqa: S311  (the same for ever)


def faults_of(kind: str, texts: Iterable[str]) -> Iterable[Fault]:
    """What one oracle said; digits and quoted words do not tell faults apart."""
    import re

    for text in texts:
        place = re.sub(r"'[^']*'|\"[^\"]*\"|[\d.e+-]*\d[\d.e+-]*", "#", text)[:80]
        yield Fault(kind=kind, place=place, text=text)
