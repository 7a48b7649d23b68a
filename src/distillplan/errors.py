"""What can go wrong for a user, and the exit code that a shell sees."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from distillplan.named_tuples import NamedTuple

LONGEST_WORD = 300
"""Letters of a word in a sentence; a longer one is cut."""
_ENDLESS = rf"(\S{{{LONGEST_WORD}}})\S+"


def one_line(text: str) -> str:
    r"""A sentence that may have words of a file or a command line in it, without their line ends.

    >>> one_line("there is no " + "x" * 1000 + "\nhere")[-20:]
    'xxxxxxxxxxxx... here'
    """
    return re.sub(_ENDLESS, r"\1...", " ".join(text.splitlines()))


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

    def __init__(self, text: str, below: Sequence[str] = ()) -> None:
        """An error from its sentence, and what stands in lines of their own below it."""
        super().__init__("\n  ".join(map(one_line, (text, *below))))

    def __reduce__(self) -> "tuple[Any, ...]":
        """What another process is sent, which makes the same error of it."""
        return _as_it_was, (type(self), self.args, vars(self))


class InputError(DistillplanError):
    """An option, a file or a name that cannot be used: what was given, and what would be right."""

    exit_code = 2

    def __init__(
        self,
        *parts: str | Word,
        also: Sequence[str] = (),
        others: "Sequence[InputError]" = (),
        below: Sequence[str] = (),
    ) -> None:
        """An error from the parts of its sentence.

        Args:
            parts: texts, and the keys that the error is about, the one to blame first.
            also: keys that it depends on and does not name.
            others: more that is wrong with the same thing, where all of it was looked for.
            below: sentences that stand below it, each on its line.
        """
        super().__init__("".join(map(str, parts)), below)
        self.parts, self.also, self.others = parts, tuple(also), tuple(others)
        self.below = tuple(below)

    @property
    def about(self) -> tuple[str, ...]:
        """The keys of a scenario that it depends on, the one to blame first; none: not known."""
        return (*(part.key for part in self.parts if isinstance(part, Word)), *self.also)

    def told(self, name: Callable[[Word], str]) -> "InputError":
        """The same error in other words for its keys, such as the options of a command."""
        parts = (name(part) if isinstance(part, Word) else part for part in self.parts)
        others = [other.told(name) for other in self.others]
        return InputError(*parts, also=self.about, others=others, below=self.below)


def _as_it_was(
    kind: type[DistillplanError], texts: tuple[str, ...], fields: Mapping[str, Any]
) -> DistillplanError:
    """An error that came from another process, whose sentence is made already."""
    error = kind.__new__(kind)
    error.args = texts
    vars(error).update(fields)
    return error


class InfeasibleError(DistillplanError):
    """A well-formed question that has no answer, such as a loss below what the law can reach."""


EXAMPLE_GPU = Word("gpu", "h100-sxm")
"""What to add to a question that needs hardware."""


def needs_gpu(what: Word) -> InputError:
    """The error of a key that means nothing without hardware."""
    return InputError(what, " needs a GPU; add ", EXAMPLE_GPU)
