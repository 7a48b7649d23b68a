"""Cases are tried: command lines, and readers without the command around them."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from distillplan.errors import DistillplanError
from distillplan.optimize.problems import Bounds
from tests.fuzz.answers import forms_agree
from tests.fuzz.case import Case, Fault, Result, Trial, faults_of
from tests.fuzz.oracles import ANSWERED, ORACLES, SECONDS, bounds, quiet, sentence
from tests.fuzz.running import fault_of, files_of, run, watched

EVERY_SECOND = 8
"""So many cases for one that runs a second time."""
EVERY_FORM = 3
"""So many answers for one that is compared in all its forms."""


def command(case: Case, index: int) -> Trial:
    """Run a command line, and look at what came of it."""
    result = run(case)
    faults = list(_faults(case, result))
    if result.error is None and result.code in ANSWERED and index % EVERY_FORM == 0:
        try:
            for answer, how in result.answers:
                faults += faults_of("forms_agree", forms_agree(case, answer, how))
        except Exception as error:
            faults.append(fault_of(error))
    if index % EVERY_SECOND == 0 and result.error is None:
        faults += faults_of("second_run", _same_again(result, run(case)))
    return Trial(code=result.code, faults=tuple(faults))


def _faults(case: Case, result: Result) -> Iterator[Fault]:
    if result.error is not None:
        yield fault_of(result.error)
        return
    for name, oracle in ORACLES.items():
        said = list(oracle(case, result))
        if said and oracle is bounds and result.seconds > SECONDS:
            again = run(case)  # another process may have been in the way
            said = list(oracle(case, again._replace(growth=result.growth)))
        yield from faults_of(name, said)


def _same_again(first: Result, second: Result) -> Iterator[str]:
    if (first.code, first.out, quiet(first.err)) != (second.code, second.out, quiet(second.err)):
        ours, theirs = (f"{one.code} {one.out[:99]!r} {one.err[:99]!r}" for one in (first, second))
        yield f"{ours}, then {theirs}"
    if first.saved != second.saved:
        yield f"files differ: {sorted(first.saved)}, then {sorted(second.saved)}"


def reader(read: Callable[[Case], Iterable[str]]) -> Callable[[Case, int], Trial]:
    """A trial of a function that reads the files of a case.

    Args:
        read: gives what is wrong with what it has read; its own errors are the user's.
    """

    def try_out(case: Case, index: int) -> Trial:  # noqa: ARG001  (as for commands)
        faults: list[Fault] = []
        code: int | None = 0
        with files_of(case), watched() as cost:
            try:
                faults += faults_of("reader", read(case))
            except DistillplanError as error:
                code = error.exit_code
                faults += faults_of("sentence", sentence(str(error), case))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                code = None
                faults.append(fault_of(error))
        cheap = Result(code=code, out="", err="", error=None, seconds=cost[0], growth=cost[1])
        return Trial(code=code, faults=(*faults, *faults_of("bounds", bounds(case, cheap))))

    return try_out


def not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Numbers in a record that are none; sizes may have no upper bound."""
    if isinstance(value, float | np.ndarray):
        if np.asarray(value).dtype.kind == "f" and not np.isfinite(value).all():
            yield f"{place} is not finite"
    elif isinstance(value, list | tuple) and not hasattr(value, "_asdict"):
        for one in value:
            yield from not_finite(one, place)
    elif not isinstance(value, Bounds):
        for name, one in _parts(value).items():
            yield from not_finite(one, f"{place}.{name}")


def _parts(value: Any) -> Mapping[Any, Any]:
    """The fields of a record, or the entries of a mapping."""
    if isinstance(value, dict):
        return value
    if hasattr(value, "_asdict"):
        return value._asdict()
    if dataclasses.is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    return {}
