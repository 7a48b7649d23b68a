"""What is wrong with a scenario file, collected into one message."""

from typing import NamedTuple

from distillplan.errors import InputError, Word
from distillplan.scenarios.layers import MOST_FAULTS


class _Placed(NamedTuple):
    """A fault and where it is."""

    source: str
    line: int
    parts: tuple[str | Word, ...]


class Faults:
    """What is wrong with a file, or with what the command line says of it."""

    def __init__(self, source: str) -> None:
        """Nothing is wrong yet.

        Args:
            source: the file; empty for the command line alone.
        """
        self.source, self.found = source, list[_Placed]()

    def add(self, line: int, *parts: str | Word) -> None:
        """One more, by the parts of its sentence; line 0 is the command line."""
        self.found.append(_Placed(source=self.source, line=line, parts=parts))

    def add_error(self, line: int, where: str, error: InputError) -> None:
        """An error and those that came with it."""
        for one in (error, *error.others):
            self.add(line, where, *one.parts)

    @property
    def many(self) -> bool:
        """Whether looking for more of them would help nobody."""
        return len(self.found) > MOST_FAULTS

    @property
    def lines(self) -> frozenset[int]:
        """Lines of this file that have one."""
        return frozenset(one.line for one in self.found if one.source == self.source)

    def raise_any(self) -> None:
        """Raise all of them as one message, in the order of their lines, if there are any.

        Raises:
            InputError: with each fault on its own line.
        """
        found = sorted(dict.fromkeys(self.found), key=self._order)
        if not found:
            return
        if not self.source:  # the caller knows what the options are called
            first, *others = (InputError(*one.parts) for one in found)
            raise InputError(*first.parts, others=others)
        if len(found) == 1:
            raise InputError(self._told(found[0], f"{self.source}, "))
        count = str(len(found)) if len(found) <= MOST_FAULTS else f"more than {MOST_FAULTS}"
        lines = (self._told(one, "") for one in found[:MOST_FAULTS])
        raise InputError(f"{self.source}: {count} faults", below=tuple(lines))

    def _order(self, one: _Placed) -> tuple[bool, str, int]:
        return one.source != self.source, one.source, one.line

    def _told(self, one: _Placed, own: str) -> str:
        """A fault with its place."""
        sentence = "".join(map(str, one.parts))
        if not one.line:
            return sentence
        source = own if one.source == self.source else f"{one.source}, "
        return f"{source}line {one.line}, {sentence}"
