"""What can go wrong for a user, and the exit code that a shell sees."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_CONTROL = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that move a terminal's cursor, color it or turn its text round, but for line ends."""


def printable(text: str) -> str:
    r"""A text with escapes for the characters that a terminal would obey.

    >>> print(printable("\x1b[31mred"))
    \x1b[31mred
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class Word(NamedTuple):
    """A key of a scenario in the sentence of an error: an option where it was typed as one.

    >>> str(Word("deadline")), str(Word("gpu", "h100-sxm"))
    ('deadline', 'gpu: h100-sxm')
    """

    key: str
    """As the table of keys has it, such as ``teacher.loss``."""
    value: str = ""
    """What to write there, where the sentence says so."""

    def __str__(self) -> str:
        """The word as a file has it."""
        return f"{self.key}: {self.value}" if self.value else self.key


class DistillplanError(Exception):
    """Base of every error that is the user's to mend; its text is one whole sentence."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        """An error from its sentence, which may have words of a file or a command line in it."""
        super().__init__(printable(text))


class InputError(DistillplanError):
    """An option, a file or a name that cannot be used: what was given, and what would be right."""

    exit_code = 2

    def __init__(
        self,
        *parts: str | Word,
        also: Sequence[str] = (),
        others: "Sequence[InputError]" = (),
    ) -> None:
        """An error from the parts of its sentence.

        Args:
            parts: texts, and the keys that the error is about, the one to blame first.
            also: keys that it depends on and does not name.
            others: more that is wrong with the same thing, where all of it was looked for.
        """
        super().__init__("".join(map(str, parts)))
        self.parts, self.also, self.others = parts, tuple(also), tuple(others)

    @property
    def about(self) -> tuple[str, ...]:
        """The keys of a scenario that it depends on, the one to blame first; none: not known."""
        return (*(part.key for part in self.parts if isinstance(part, Word)), *self.also)

    def told(self, name: Callable[[Word], str]) -> "InputError":
        """The same error in other words for its keys, such as the options of a command."""
        parts = (name(part) if isinstance(part, Word) else part for part in self.parts)
        others = [other.told(name) for other in self.others]
        return InputError(*parts, also=self.about, others=others)


class InfeasibleError(DistillplanError):
    """A well-formed question that has no answer, such as a loss below what the law can reach."""
