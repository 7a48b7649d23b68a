"""Fields of records: those that a program makes refuse what a shell would, and answers are finite.

`demand_finite` is the gate in front of every answer: what is not finite is no number to plan with.
"""

import math
import numbers
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from os import PathLike
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, get_args, overload

from distillplan.errors import InfeasibleError, InputError, Word

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np

    Real: TypeAlias = "float | np.integer[Any] | np.floating[Any] | Fraction"
    """Numbers that `number` takes: of Python, as type checkers read it, and of numpy."""
    _Held_co = TypeVar("_Held_co", covariant=True)
    _Taken_contra = TypeVar("_Taken_contra", contravariant=True)

    class Settled(Generic[_Held_co, _Taken_contra]):
        """The annotation of a field that takes more than it holds, once its record is made."""

        @overload
        def __get__(self, record: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, record: object, owner: Any) -> _Held_co: ...
        def __get__(self, record: Any, owner: Any) -> Any:
            """What it holds."""

        def __set__(self, record: Any, value: _Taken_contra) -> None:
            """What it takes."""

else:
    Real = float

    class Settled:
        """The annotation of a field that takes more than it holds: the first of both."""

        def __class_getitem__(cls, kinds: tuple[Any, Any]) -> Any:
            """What it holds, which is all that a running program asks for."""
            return kinds[0]


def default(value: Any) -> Any:
    """The default of a field that is `Settled`, which checkers would take for the field."""
    return value


def finite(value: float) -> float | None:
    """A number that may be infinite or none, as answers have it: None where it is."""
    return value if math.isfinite(value) else None


def not_positive(value: float | None, word: Word) -> InputError | None:
    """The error of a number that is not positive or not finite; None where it is not given."""
    if value is None or (math.isfinite(value) and value > 0):
        return None
    return InputError(word, f": {value} is not a positive number")


def settle(record: Any, prefix: str = "", only: Container[str] | None = None) -> None:
    """Bring the fields of a frozen dataclass to their declared types.

    The word of an enumeration becomes its member, and a whole float an int where one is declared.

    Args:
        record: just made.
        prefix: of the keys in errors, such as ``teacher.``.
        only: names of the fields to look at; None for all.

    Raises:
        InputError: when a word is none of an enumeration, a number is no number or not whole, or a
            record is of another class.
    """
    kind: Any = type(record)
    for name, kinds in _declared(kind):
        if only is not None and name not in only:
            continue
        value = getattr(record, name)
        if type(value) not in kinds:
            object.__setattr__(record, name, _settled(value, kinds, Word(f"{prefix}{name}")))


@cache
def _declared(kind: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Each field with the classes it may have, by name where it is in quotes; not generic ones."""
    found = []
    for one in fields(kind):
        kinds: tuple[Any, ...] = get_args(one.type) or (one.type,)
        if isinstance(one.type, str) and one.type.replace(" | ", "").isidentifier():
            named = [name for name in one.type.split(" | ") if name != "None"]
            kinds = (*named, NoneType)  # of a module that is not imported at every start
            found.append((one.name, kinds))
        elif all(isinstance(each, type) for each in kinds):
            found.append((one.name, kinds))
    return tuple(found)


def _settled(value: Any, kinds: tuple[Any, ...], word: Word) -> Any:
    """The value as one of the classes."""
    for kind in kinds:
        if kind is NoneType or kind is bool:
            continue
        if isinstance(kind, str):
            if any(one.__name__ == kind for one in type(value).__mro__):
                return value
            continue
        if issubclass(kind, Enum):
            return member(kind, value, word)
        if kind in (int, float):
            return number(value, word, kind)
        if isinstance(value, kind):
            return value
    classes = (one for one in kinds if one is not NoneType)
    names = " or ".join(one if isinstance(one, str) else one.__name__ for one in classes)
    raise InputError(word, f": expected {names}, got {_shown(value)}")


def demand_kind(value: Any, kind: type[Any], word: Word) -> None:
    """Refuse what a program gives in place of a record.

    Raises:
        InputError: when it is of another class.
    """
    if not isinstance(value, kind):
        raise InputError(word, f": expected {kind.__name__}, got {_shown(value)}")


def demand_path(value: Any, word: Word, other: str) -> None:
    """Refuse what is no path, where a program gives one.

    Args:
        value: as given.
        word: for the error.
        other: what else may stand there.

    Raises:
        InputError: when it is neither text nor a path.
    """
    if not isinstance(value, str | PathLike):
        raise InputError(word, f": expected {other} or the path of a file, got {_shown(value)}")


def listed(
    values: Any, word: Word, read: Callable[[Any, Word], Any] | None = None, least: str = ""
) -> list[Any]:
    """Several values as a list; a word or a number is a list of one.

    Args:
        values: as given.
        word: for the error.
        read: brings each to its type; None leaves them as they are.
        least: the example to give where there is none; empty: there may be none.

    Raises:
        InputError: when they are no list, one is None, too few, or by `read`.
    """
    if isinstance(values, str | numbers.Real):
        values = [values]
    try:
        found = list(values)
    except TypeError:
        raise InputError(word, f": expected a list, got {_shown(values)}") from None
    if (least and not found) or any(one is None for one in found):
        raise InputError(word, f": give at least one, e.g. {least}" if least else ": None is none")
    return found if read is None else [read(one, word) for one in found]


def member(kind: type[Any], value: Any, word: Word) -> Any:
    """The member of an enumeration for its word, or a member as it is.

    Raises:
        InputError: when there is none.
    """
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(one.value for one in kind)
        raise InputError(word, f": {_shown(value)} is none of {names}") from None


def number(value: Any, word: Word, kind: Callable[[Any], Any] = float) -> Any:
    """A number as a float, or as an int where it is whole.

    Args:
        value: a number of any library.
        word: for the error.
        kind: float or int.

    Raises:
        InputError: when it is none, is not whole where it must be, or is beyond every float.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        right = "; in Python write it as one, e.g. 1e9" if isinstance(value, str) else ""
        raise InputError(word, f": {_shown(value)} is not a number{right}")
    try:
        found = kind(value)
    except (OverflowError, ValueError):  # an integer beyond every float; nan as a whole number
        found = None
    if found is None or (kind is int and found != value):
        what = "whole" if kind is int else "finite"
        raise InputError(word, f": {_shown(value)} is not a {what} number")
    return found


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:37]}..."


def demand_finite(answer: Any) -> None:
    """Refuse an answer with a number that is not finite.

    Args:
        answer: a record (a NamedTuple), a document, or a part of one. What is neither number,
            collection nor record in it is not looked into.

    Raises:
        InfeasibleError: naming the first such number.

    >>> demand_finite({"loss": 2.2, "band": (2.1, None)})
    >>> demand_finite({"options": [{"loss": math.nan}]})
    Traceback (most recent call last):
    distillplan.errors.InfeasibleError: no answer: options.0.loss came out as nan, so far from its \
data was the law asked
    """
    found = _not_finite(answer)
    if found is not None:
        path, value = found
        raise InfeasibleError(
            f"no answer: {path} came out as {value}, so far from its data was the law asked"
        )


_NO_NUMBER = (NoneType, str, int, bool)


def _not_finite(value: Any) -> tuple[str, float] | None:
    """Where the first number that is not finite stands, and that number."""
    if isinstance(value, float):
        return None if math.isfinite(value) else ("", value)
    if isinstance(value, str | int | None):  # ahead of the slow questions: a plan has hundreds
        return None
    parts: Iterable[tuple[Any, Any]]
    if isinstance(value, list | tuple):
        names = getattr(value, "_fields", None)
        parts = enumerate(value) if names is None else zip(names, value, strict=True)
    elif isinstance(value, Mapping):
        parts = value.items()
    else:
        return None
    for name, part in parts:
        kind = type(part)  # most are of these, and a call takes longer
        if kind in _NO_NUMBER or (kind is float and math.isfinite(part)):
            continue
        found = _not_finite(part)
        if found is not None:
            return f"{name}.{found[0]}".rstrip("."), found[1]
    return None
