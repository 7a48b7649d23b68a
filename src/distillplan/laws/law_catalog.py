"""The laws that ship, and law files of the user's own."""

from contextlib import suppress
from functools import cache
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from distillplan.errors import InputError, Word
from distillplan.fields import demand_path
from distillplan.files.bounds import MOST_BYTES, shown
from distillplan.files.entries import Entry, coefficients_dir, demand_name, read_shipped
from distillplan.files.text_reader import YAML_ENDINGS, read_text
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    SupervisedLaw,
)
from distillplan.laws.loss_units import LossUnit
from distillplan.laws.provenance import (
    Check,
    Coefficient,
    DrawsFile,
    LawRuns,
    LawStatus,
    Origin,
    PublishedLaw,
    SideSource,
    parse_parameter_count,
    primed,
)
from distillplan.laws.soundness import demand_sound
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning
from distillplan.suggest import nearest

if TYPE_CHECKING:
    from distillplan.laws.draws import Draws

DEFAULT_LAW: Final = "busbridge2025"
LawName: TypeAlias = str | PathLike[str] | PublishedLaw
"""What says which law: a name, the path of a YAML file, or the law itself."""

INPUTS: Final = ("params", "tokens", "student_params", "student_tokens", "teacher_loss")
"""What a law may have a range of."""
CHECKED: Final = (("params", "tokens"), INPUTS[2:], ("compute",))
"""What a published point may be given at."""

_INTERVALS: Final = {"ci90": 0.9, "ci95": 0.95}
"""Keys of a coefficient's interval, and its coverage."""


@cache
def law_names() -> tuple[str, ...]:
    """Names of the laws that ship, the default first."""
    names = sorted(path.stem for path in (coefficients_dir() / "laws").glob("*.yaml"))
    return (DEFAULT_LAW, *(name for name in names if name != DEFAULT_LAW))


def law(name: LawName = DEFAULT_LAW) -> PublishedLaw:
    """A law by its name, or from a YAML file of the same form; a law as it is.

    Raises:
        InputError: for an unknown name (with the nearest ones) or an unusable file.

    >>> law().supervised.alpha
    0.40849
    """
    if isinstance(name, PublishedLaw):
        return name
    demand_path(name, Word("law"), "a name")
    name = fspath(name)
    if name.endswith(YAML_ENDINGS):
        from distillplan.files.tree import read_foreign_yaml  # only for a user's own law

        path = Path(name)
        if path.resolve().parent == (coefficients_dir() / "laws").resolve():
            return _shipped_law(path.stem)
        data = read_foreign_yaml(name, MOST_BYTES)
        _demand_no_pruning_law(data, name)
        found = _law_from(path, data)
        demand_own_name(found.name, name)
        return found._replace(file=name)
    if name not in law_names():
        raise InputError(Word("law"), f": {name!r} is unknown; {_other_law(name)}")
    return _shipped_law(name)


def _other_law(name: str) -> str:
    """What to write for a name that no law has."""
    with suppress(OSError, ValueError):  # no name that a file can have
        for file in (name + one for one in YAML_ENDINGS):
            if Path(file).is_file():
                return f"did you mean the file {file}?"
        if Path(name).is_file():
            return "a law is a YAML file; fit one to runs: distillplan fit RUNS -o mine.yaml"
    return nearest(name, law_names())


def _demand_no_pruning_law(data: Any, name: str) -> None:
    import shlex  # only for a user's own law

    from distillplan.laws.pruning_law import SCHEMA

    if isinstance(data, dict) and data.get("schema") == SCHEMA:
        raise InputError(
            f"{Path(name).name}: a law of cut models, which gives what a cut adds to the loss of "
            f"its parent: distillplan budget COMPUTE --student SIZE --start pruned --parent MODEL "
            f"--parent-loss LOSS --start-law {shlex.quote(name)}"
        )


def demand_own_name(name: str, where: str) -> None:
    """Refuse the name of a published law for another one.

    Raises:
        InputError: when it is one, or no name.
    """
    if demand_name(name, where).casefold() in law_names():
        raise InputError(
            f"{where}: a published law is called {name!r}; give it a name of its own: my-{name}"
        )


class LawList(NamedTuple):
    """Laws, as an answer."""

    laws: tuple[PublishedLaw, ...]


def all_laws() -> tuple[PublishedLaw, ...]:
    """All laws that ship, the default first."""
    return tuple(_shipped_law(name) for name in law_names())


def laws_named(names: str) -> tuple[PublishedLaw, ...]:
    """Several laws: ``all`` that ship, or names and files between commas.

    Raises:
        InputError: when none is named, or one is unknown or unusable.

    >>> [one.name for one in laws_named("busbridge2025,kaplan2020")]
    ['busbridge2025', 'kaplan2020']
    """
    if names.strip() == "all":
        return all_laws()
    wanted = list(dict.fromkeys(filter(None, (one.strip() for one in names.split(",")))))
    if not wanted:
        raise InputError(f"laws: none is named; write 'all' or names such as {DEFAULT_LAW}")
    return tuple(law(one) for one in wanted)


def draws(law: PublishedLaw) -> "Draws | None":
    """The joint draws of a law's coefficients; None where it has none.

    Raises:
        InputError: when their file is missing, no table of finite numbers, or of another law.

    >>> draws(law()).size
    300
    """
    if law.draws_file is None:
        return None
    name = Path(law.draws_file.path).name or f"{law.file}: draws.table"
    read = _draws_in if law.file is None else _draws_in.__wrapped__  # the user's may change
    found = read(law.draws_file, name)
    if found.distills != (law.distillation is not None):
        raise InputError(f"{name}: its columns are not the coefficients of {law.name}")
    if law.file is not None:  # those that ship are tested
        from distillplan.laws.draws import demand_around  # only for a user's own law

        demand_around(found, law, name)
    return found


@cache
def _draws_in(file: DrawsFile, name: str) -> "Draws":
    from distillplan.laws.draws import read_draws  # only where the odds are asked for

    text = "\n".join(file.table) if file.table else read_text(file.path)
    return read_draws(text, name, file.sigma_run)


@cache
def _shipped_law(name: str) -> PublishedLaw:
    path = coefficients_dir() / "laws" / f"{name}.yaml"
    return _law_from(path, read_shipped(f"laws/{path.name}"))


def _law_from(path: Path, data: Any) -> PublishedLaw:
    try:
        return law_from_entry(path.stem, data, path.parent)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def law_from_entry(name: str, data: Any, folder: Path = Path()) -> PublishedLaw:
    """A law from the mapping of its file.

    Args:
        name: the law's name where the mapping has none.
        data: the mapping.
        folder: where a file of draws is looked for.

    Raises:
        InputError: naming what is missing, unknown or not a number.
    """
    entry = Entry(data, "law")
    blocks = entry.mapping("coefficients")
    given = blocks.mapping("supervised")
    supervised = _coefficients(given, SUPERVISED_LETTERS, optional="gamma")
    values = {letter: one.value for letter, one in supervised.items()}
    alone = SupervisedLaw(**values)
    distilled: dict[str, Coefficient] = {}
    if entry.choice("form", ("supervised", "distillation"), "supervised") == "distillation":
        distilled = _coefficients(blocks.mapping("distillation"), DISTILLATION_LETTERS)
    blocks.finish()
    both = None
    if distilled:
        both = DistillationLaw(
            supervised=alone, **{letter: one.value for letter, one in distilled.items()}
        )
    demand_sound(both or alone, "law.coefficients.")
    found = PublishedLaw(
        name=entry.name("name", name),
        title=entry.text("title"),
        supervised=alone,
        distillation=both,
        status=LawStatus(entry.choice("status", tuple(LawStatus), LawStatus.AVAILABLE)),
        counts=parse_parameter_count(entry.text("counts")),
        loss_unit=entry.text("loss_unit"),
        corpus=entry.text("corpus"),
        tokenizer=entry.text("tokenizer"),
        source=entry.text("source"),
        valid=_ranges(entry.mapping("valid")),
        coefficients=supervised | {primed(letter): one for letter, one in distilled.items()},
        accuracy=entry.texts("accuracy"),
        errata=entry.texts("errata"),
        notes=entry.texts("notes"),
        checks=tuple(map(_check, entry.entries("checks"))),
        supervised_from=_side_source(entry, "supervised_from"),
        distillation_from=_side_source(entry, "distillation_from"),
        warnings=tuple(_law_warning(one) for one in entry.entries("warnings")),
        measured_in=LossUnit(entry.choice("measured_in", tuple(LossUnit), LossUnit.NATS)),
        bytes_per_token=entry.optional("bytes_per_token"),
        same_runs_as=entry.optional_text("same_runs_as"),
        draws_file=_draws_file(entry.mapping("draws"), folder) if "draws" in entry else None,
        runs=_runs(entry.mapping("runs"), distills=bool(distilled)) if "runs" in entry else None,
    )
    entry.finish()
    return found


def _coefficients(
    entry: Entry, letters: tuple[str, ...], optional: str = ""
) -> dict[str, Coefficient]:
    """The coefficients of one side, by letter."""
    found = {}
    for letter in letters:
        if letter == optional and letter not in entry:
            continue
        one = entry.mapping(letter)
        low, high, level = None, None, None
        for key, coverage in _INTERVALS.items():
            if key in one:
                (low, high), level = one.pair(key), coverage
        value = one.number("value")
        if low is not None and high is not None and not low <= value <= high:
            raise InputError(f"{one.where}: {value:g} is outside its interval, {low:g} to {high:g}")
        found[letter] = Coefficient(
            value=value,
            low=low,
            high=high,
            level=level,
            no_interval=one.text("no_interval") if "no_interval" in one else None,
        )
        one.finish()
    entry.finish()
    return found


def _side_source(entry: Entry, key: str) -> SideSource | None:
    """Where a side comes from; None where the file does not say."""
    if key not in entry:
        return None
    one = entry.mapping(key)
    found = SideSource(
        origin=Origin(one.choice("origin", tuple(Origin), Origin.OWN_RUNS)),
        law=one.text("law", ""),
        runs=one.whole("runs", 0),
    )
    one.finish()
    return found


def _law_warning(entry: Entry) -> Notice:
    found = warning(entry.text("code"), entry.text("message"))
    entry.finish()
    return found


def _draws_file(entry: Entry, folder: Path) -> DrawsFile:
    """Draws in the law's own file, or in one beside it, as those that ship have them."""
    table = entry.texts("table")
    found = DrawsFile(
        path="" if table else str(folder / entry.text("file")),
        sigma_run=entry.not_negative("sigma_run"),
        table=table,
    )
    entry.finish()
    return found


def _runs(entry: Entry, *, distills: bool) -> LawRuns:
    """The runs behind a law; what is wrong with them is told when the law is read."""
    from distillplan.laws.law_runs import read_runs_of_law  # only for a law that was fitted

    found = LawRuns(noise=entry.not_negative("noise"), table=entry.texts("table"))
    entry.finish()
    read_runs_of_law(found, f"{entry.where}.table", distills=distills)
    return found


def _ranges(entry: Entry) -> dict[str, tuple[float, float]]:
    """Low and high of each input."""
    found = {key: entry.pair(key) for key in INPUTS if key in entry}
    for key, (low, _) in found.items():
        if low <= 0:
            raise InputError(f"{entry.where}.{key}: {low:g} is not positive")
    entry.finish(*INPUTS)
    return found


def _check(entry: Entry) -> Check:
    given = entry.mapping("given")
    kinds = [one for one in CHECKED if set(one) == set(given.data)]
    if not kinds:
        known = "; ".join(", ".join(one) for one in CHECKED)
        raise InputError(f"{given.where}: {shown(list(given.data))} is not one of {known}")
    quantity = "tokens_per_param" if "compute" in given else "loss"
    found = Check(
        where=entry.text("where"),
        given=given.positives(),
        quantity=quantity,
        published=entry.positive(quantity),
        within=entry.not_negative("within"),
    )
    entry.finish()
    return found
