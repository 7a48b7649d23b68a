"""What `assert` demands in each layer of a scenario file; null takes back what is below."""

from collections.abc import Mapping

from distillplan.errors import InputError
from distillplan.files.tree import Node
from distillplan.named_tuples import NamedTuple
from distillplan.questions.assertions import Assertion, assertion, known_name
from distillplan.scenarios.faults import Faults

_WRITE = "write each key with its condition, e.g. loss: '<= 2.3'"


class Demands(NamedTuple):
    """The assertions of one layer."""

    by_key: Mapping[str, Assertion | None] = {}
    """None takes back that of the layers below."""
    alone: bool = False
    """Whether those of the layers below are all taken back."""

    def over(self, below: "Demands") -> "Demands":
        """The demands of the layers below with these on top."""
        kept = {} if self.alone else below.by_key
        return Demands({**kept, **self.by_key}, alone=self.alone or below.alone)

    @property
    def all(self) -> tuple[Assertion, ...]:
        """Those that hold."""
        return tuple(one for one in self.by_key.values() if one is not None)


def read_demands(
    where: str, entries: Mapping[str, Node], faults: Faults, scenario: str | None = None
) -> Demands:
    """The demands under ``assert`` in a mapping."""
    node = entries.get("assert")
    if node is None:
        return Demands()
    if node.value is None:
        return Demands(alone=True)
    if not isinstance(node.value, dict):
        faults.add(node.line, f"{where}: assert: not a mapping; {_WRITE}", scenario=scenario)
        return Demands()
    found: dict[str, Assertion | None] = {}
    for key, one in node.value.items():
        if faults.many:
            break
        try:
            known_name(key)
            found[key] = None if one.value is None else assertion(key, one.plain())
        except InputError as error:
            faults.add_error(one.line, f"{where}: ", error, scenario=scenario, key=key)
    return Demands(found)


def demand_lines(node: Node | None) -> dict[str, int]:
    """The lines of the demands under ``assert``, by key."""
    entries = {} if node is None or not isinstance(node.value, dict) else node.value
    return {key: one.line for key, one in entries.items()}
