"""What one row of the table of keys says."""

from collections.abc import Callable
from typing import Any

from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.scenarios.values import BOUNDS as BOUNDS_VALUE
from distillplan.scenarios.values import GROUP, SIZES, Value

Written = Callable[[Scenario], Any]
"""The value of a key, from a scenario."""

UNITS = "Units of the teacher's loss"
BOUNDS = "Bounds of the search"
ARCHITECTURE = "Architecture (sets FLOPs per token)"
MODEL = "Model"
START = "Start"
LAYOUT = "Hardware and layout"
DISTILLATION = "Distillation"
SPEED = "What you measured"
COSTS = "Costs"
LIMITS = "Limits"
PANELS = (
    *("", START, UNITS, BOUNDS, ARCHITECTURE),
    *(MODEL, LAYOUT, DISTILLATION, SPEED, COSTS, LIMITS),
)
"""Headings of the options in a command's help, in their order; the first are the plain options."""


class Narrower(NamedTuple):
    """What the option of a key takes in commands that take less of it than a file."""

    commands: str
    metavar: str
    help: str


class Key(NamedTuple):
    """A key of a scenario, everywhere that it can be written or read."""

    word: str
    """As files have it; what stands before a dot is the mapping that it is in."""
    value: Value
    """How it is read."""
    place: str
    """Where it goes among the values of `keys.scenario_of`, with dots."""
    help: str
    """One sentence for the command line, the schemas and the documentation."""
    written: Written | None = None
    """Its value in the scenario block of a document; None: it does not stand there."""
    aliases: tuple[str, ...] = ()
    """Other words for it in files and after ``--set``."""
    flags: tuple[str, ...] = ()
    """Options of the command line, the longest first."""
    commands: str = ""
    """Commands that have the option."""
    refused: str = ""
    """Commands that know the option only to say why it is not for them; their help hides it."""
    metavar: str = ""
    """What the option takes; empty: the choices of the value."""
    panel: str = ""
    """Heading of the option."""
    default: str | Callable[[], str] | None = None
    """What holds where it is not given, in words; None: what a bare scenario has."""
    narrower: Narrower | None = None
    planned: bool = True
    """Whether a plan can depend on it; what none can is no key of files."""

    def known_to(self, command: str) -> bool:
        """Whether a command reads the option, be it to refuse it."""
        return command in (*self.commands.split(), *self.refused.split())

    def of(self, command: str) -> "Key":
        """The key as a command takes it."""
        less = self.narrower
        if less is None or command not in less.commands.split():
            return self
        return self._replace(metavar=less.metavar, help=less.help)

    @property
    def group(self) -> str:
        """The mapping that it is in; empty for none."""
        return self.word.rpartition(".")[0]

    @property
    def short(self) -> str:
        """The word that people write where one is shorter: its option's, or its first alias."""
        own = f"--{self.word.replace('_', '-')}" in self.flags
        return self.aliases[0] if self.aliases and not own else self.word

    @property
    def name(self) -> str:
        """Its name within that mapping."""
        return self.word.rpartition(".")[2]

    @property
    def is_group(self) -> bool:
        """Whether its value may be a mapping of other keys."""
        return self.value in (GROUP, SIZES, BOUNDS_VALUE)


def row(*, word: str, **said: Any) -> Key:
    """A row of the table; its place and its option are named as its word, unless said otherwise.

    Args:
        word: the word.
        said: the other fields of a `Key`.
    """
    flag = f"--{word.replace('.', '-').replace('_', '-')}"
    usual = {"place": word, "flags": (flag,) if said.get("commands") else ()}
    return Key(word=word, **(usual | said))


def at(path: str) -> Written:
    """The value at a path of fields in a scenario; None where a step of it is None.

    >>> from distillplan.laws import law_catalog
    >>> at("limits.hours")(Scenario(compute=1e21, law=law_catalog.law())) is None
    True
    """
    names = path.split(".")

    def value(scenario: Scenario) -> Any:
        found: Any = scenario
        for name in names:
            found = None if found is None else getattr(found, name)
        return found

    return value
