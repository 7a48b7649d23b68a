"""What is wrong with a scenario file, collected into one message."""

from collections.abc import Collection, Container, Mapping, Sequence

from distillplan.errors import InputError, Word, one_line
from distillplan.named_tuples import NamedTuple
from distillplan.scenarios.layers import MOST_FAULTS


class _Placed(NamedTuple):
    """A fault and where it is."""

    source: str
    line: int
    parts: tuple[str | Word, ...]
    scenario: str | None = None
    key: str | None = None


class FileFault(NamedTuple):
    """What is wrong at a place in a scenario file, or on the command line."""

    source: str | None
    """The file, which may be one that is extended; None: the command line."""
    line: int | None
    """None where it is in no line, or not known."""
    scenario: str | None
    """The scenario, or base; None for other parts of the file."""
    key: str | None
    """The key that it is about; None where it is about no single one."""
    message: str
    """What was given, what is wrong, and what would be right."""


class FaultyFileError(InputError):
    """All faults of a scenario file; its text is that of the message for people."""

    def __init__(self, text: str, below: Sequence[str], faults: Sequence[FileFault]) -> None:
        """An error from its sentence, the lines below it, and the faults as records."""
        super().__init__(text, below=below)
        self.faults = tuple(faults)


class Faults:
    """What is wrong with a file, or with what the command line says of it."""

    def __init__(self, source: str) -> None:
        """Nothing is wrong yet.

        Args:
            source: the file; empty for the command line alone.
        """
        self.source, self.found = source, list[_Placed]()

    def add(
        self, line: int, *parts: str | Word, scenario: str | None = None, key: str | None = None
    ) -> None:
        """One more.

        Args:
            line: where it is; 0 is the command line.
            parts: of its sentence.
            scenario: that it is in, or base.
            key: that it is about; the first one in the sentence unless given.
        """
        named = (one.key for one in parts if isinstance(one, Word))
        self.found.append(
            _Placed(
                source=self.source,
                line=line,
                parts=parts,
                scenario=scenario,
                key=key or next(named, None),
            )
        )

    def add_error(
        self,
        line: int,
        where: str,
        error: InputError,
        *,
        scenario: str | None = None,
        key: str | None = None,
    ) -> None:
        """An error and those that came with it; arguments as for `add`."""
        for one in (error, *error.others):
            self.add(line, where, *one.parts, scenario=scenario, key=key)

    def add_clash(
        self,
        line: int,
        where: str,
        name: str,
        places: Collection[str],
        others: Mapping[str, Container[str]],
    ) -> None:
        """What is wrong with something that gives what another one gives; nothing if none does.

        Args:
            line: where it is.
            where: what stands before the sentence.
            name: of it.
            places: that it gives.
            others: that may give them, by their names.
        """
        for other, given in others.items():
            both = [place for place in sorted(places) if place in given]
            both.sort(key=lambda place: place not in (name, other))  # what a reader knows, first
            if both:
                said = f"{name} and {other} both give {both[0]}"
                said = f"{name} is given twice" if name == other else said
                self.add(line, f"{where}{said}; leave one out")

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
            InputError: with each fault on its own line; a `FaultyFileError` where there is a file.
        """
        found = sorted(dict.fromkeys(self.found), key=self._order)
        if not found:
            return
        if not self.source:  # the caller knows what the options are called
            first, *others = (InputError(*one.parts) for one in found)
            raise InputError(*first.parts, others=others)
        records = tuple(map(_as_record, found[:MOST_FAULTS]))
        if len(found) == 1:
            raise FaultyFileError(self._told(found[0], f"{self.source}, "), (), records)
        count = str(len(found)) if len(found) <= MOST_FAULTS else f"more than {MOST_FAULTS}"
        lines = tuple(self._told(one, "") for one in found[:MOST_FAULTS])
        raise FaultyFileError(f"{self.source}: {count} faults", lines, records)

    def _order(self, one: _Placed) -> tuple[bool, str, int]:
        return one.source != self.source, one.source, one.line

    def _told(self, one: _Placed, own: str) -> str:
        """A fault with its place."""
        sentence = _sentence(one)
        if not one.line:
            return sentence
        source = own if one.source == self.source else f"{one.source}, "
        return f"{source}line {one.line}, {sentence}"


def _sentence(one: _Placed) -> str:
    return "".join(map(str, one.parts))


def _as_record(one: _Placed) -> FileFault:
    return FileFault(
        source=one.source if one.line else None,
        line=one.line or None,
        scenario=one.scenario,
        key=one.key,
        message=one_line(_sentence(one)),
    )
