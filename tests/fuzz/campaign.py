"""Many inputs of all targets, side by side, and a table of what came of them."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.fuzz.case import Fault, Trial, case_of
from tests.fuzz.running import prepared
from tests.fuzz.targets import TARGETS

BLOCK = 50
"""Inputs that a process tries before it reports."""


class Finding(NamedTuple):
    """A fault, with the first input that shows it."""

    target: str
    index: int
    fault: Fault


@dataclass
class Tally:
    """What came of the inputs of one target."""

    inputs: int = 0
    codes: Counter[int | None] = field(default_factory=Counter)
    seconds: float = 0.0
    """Of the processor."""
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """By what makes two faults one."""

    def add(self, name: str, index: int, trial: Trial) -> None:
        """Count one input."""
        self.inputs += 1
        self.codes[trial.code] += 1
        for fault in trial.faults:
            known = self.findings.get(fault.key)
            if known is None or index < known.index:
                self.findings[fault.key] = Finding(target=name, index=index, fault=fault)

    def join(self, other: "Tally") -> None:
        """Add those of another process."""
        self.inputs += other.inputs
        self.codes += other.codes
        self.seconds += other.seconds
        for key, one in other.findings.items():
            if key not in self.findings or one.index < self.findings[key].index:
                self.findings[key] = one


def try_one(name: str, seed: int, index: int) -> Trial:
    """Try one input; in a folder of `running.prepared`."""
    target = TARGETS[name]
    try:
        return target.try_out(case_of(name, target, seed, index), index)
    except Exception as error:
        error.add_note(f"a bug of the fuzzer: --seed {seed} --only {name!r} --index {index}")
        raise


def tally(name: str, seed: int, indexes: Sequence[int]) -> Tally:
    """Try some inputs of a target in this process; in a folder of `running.prepared`."""
    found = Tally()
    start = time.process_time()
    for index in indexes:
        found.add(name, index, try_one(name, seed, index))
    found.seconds = time.process_time() - start
    return found


def shares(inputs: int, names: Sequence[str]) -> dict[str, int]:
    """Inputs of each target, by the weights; at least one."""
    whole = sum(TARGETS[name].weight for name in names)
    return {name: max(1, round(inputs * TARGETS[name].weight / whole)) for name in names}


def run(
    inputs: int, *, seed: int, jobs: int, names: Sequence[str], seconds: float = math.inf
) -> Iterator[tuple[str, Tally]]:
    """Try inputs of some targets.

    Args:
        inputs: of all of them together.
        seed: of the inputs.
        jobs: processes that work side by side.
        names: of the targets.
        seconds: after which no more are started.

    Yields:
        What came of a block of them, with the target's name, as it is done.
    """
    end = time.monotonic() + seconds
    blocks = _mixed(shares(inputs, names))
    with ProcessPoolExecutor(jobs, initializer=_begin) as pool:
        waiting = {}
        more = True
        while more or waiting:
            while more and len(waiting) < 3 * jobs:
                block = next(blocks, None) if time.monotonic() < end else None
                if block is None:
                    more = False
                    break
                name, indexes = block
                waiting[pool.submit(tally, name, seed, indexes)] = name
            if waiting:
                done = next(as_completed(waiting))
                yield waiting.pop(done), done.result()


def _mixed(counts: Mapping[str, int]) -> Iterator[tuple[str, range]]:
    """Blocks of all targets, so mixed that each is about as far as the others at any time."""
    blocks = [
        (start / count, name, range(start, min(start + BLOCK, count)))
        for name, count in counts.items()
        for start in range(0, count, BLOCK)
    ]
    for _, name, indexes in sorted(blocks, key=lambda one: one[0]):
        yield name, indexes


_forever = ExitStack()


def _begin() -> None:
    """What a process needs before its first input; within bounds that save the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    _forever.enter_context(prepared())


MOST_BYTES = 6_000_000_000
"""Of address space of a process; far above what a case may take."""
