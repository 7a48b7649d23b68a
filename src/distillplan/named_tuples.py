"""Named tuples whose classes are made in a fifth of the time.

A start makes about a hundred. `typing.NamedTuple` looks at each annotation, compiles a function for
each class and makes each twice, which is a third of what the imports of this package take.
"""

import sys
from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING or sys.version_info >= (3, 14):  # which reads annotations only when asked
    from typing import NamedTuple
else:
    from collections import _tuplegetter
    from functools import cache
    from types import FunctionType

    class _Record(tuple):
        """What `typing.NamedTuple` makes for each class, made once for all."""

        __slots__ = ()
        _fields = ()

        @classmethod
        def _make(cls, values):
            """One of the values of all its fields."""
            return cls(*values)

        def _replace(self, /, **changed):
            """A copy with other values in some fields."""
            made = tuple.__new__(type(self), map(changed.pop, self._fields, self))
            if changed:
                raise ValueError(f"Got unexpected field names: {list(changed)!r}")
            return made

        def _asdict(self):
            """The values by the names of their fields."""
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    @cache
    def _code_of_new(count):
        """The code of a `__new__` with so many fields, whose names each class puts in its place."""
        names = "".join(f"_{place}, " for place in range(count))
        return eval(f"lambda _cls, {names}: _new(_cls, ({names}))").__code__  # noqa: S307  (ours)

    class _Maker(type):
        """Makes a plain class of what would be one of its own."""

        def __new__(cls, name, bases, body):
            annotations = body.get("__annotations__", {})
            fields = tuple(annotations)
            defaults = {field: body.pop(field) for field in fields if field in body}
            code = _code_of_new(len(fields)).replace(co_varnames=("_cls", *fields))
            new = FunctionType(code, {"_new": tuple.__new__}, "__new__", (*defaults.values(),))
            new.__annotations__ = annotations
            made = {"__slots__": (), "__match_args__": fields, "__new__": new}
            made |= {"_fields": fields, "_field_defaults": defaults}
            made |= {field: _tuplegetter(place, "") for place, field in enumerate(fields)}
            return type(name, (_Record, *bases[1:]), made | body)

    NamedTuple = type.__new__(_Maker, "NamedTuple", (_Record,), {})
