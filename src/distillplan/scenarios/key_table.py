"""The table of keys: all that a scenario may say. A new key is one row of it."""

from collections.abc import Iterable, Mapping

from distillplan.named_tuples import NamedTuple
from distillplan.scenarios.hardware_keys import HARDWARE, LIMIT_KEYS
from distillplan.scenarios.key import PANELS, Key
from distillplan.scenarios.logit_keys import LOGIT_KEYS
from distillplan.scenarios.question_keys import BUDGET_KEYS, QUESTION_KEYS
from distillplan.scenarios.start_keys import START_KEYS


class Table(NamedTuple):
    """All keys, by their words."""

    keys: Mapping[str, Key]
    """In the order of the documents."""
    aliases: Mapping[str, str]
    """From other words to those of `keys`."""

    def find(self, word: str) -> Key | None:
        """The key that somebody wrote, by its word or an alias; hyphens are those of options."""
        word = word.replace("-", "_")
        return self.keys.get(self.aliases.get(word, word))

    def within(self, group: str) -> list[Key]:
        """The keys of a mapping; those that are in none for an empty name."""
        return [key for key in self.keys.values() if key.group == group]

    def options(self, command: str) -> list[Key]:
        """The keys that are options of a command, in the order of its help."""
        found = [key.of(command) for key in self.keys.values() if key.known_to(command)]
        return sorted(found, key=lambda key: PANELS.index(key.panel))

    def words(self) -> tuple[str, ...]:
        """All words that may stand in a scenario."""
        return (*(key.word for key in self.within("")), *self.aliases)


def table_of(rows: Iterable[Key]) -> Table:
    """The table with these rows."""
    keys = {key.word: key for key in rows}
    return Table(keys, {alias: key.word for key in keys.values() for alias in key.aliases})


TABLE = table_of((*BUDGET_KEYS, *HARDWARE, *QUESTION_KEYS, *START_KEYS, *LOGIT_KEYS, *LIMIT_KEYS))
"""Read it as ``key_table.TABLE``, so that a test can put another in its place."""
