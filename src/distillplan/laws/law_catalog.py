"""The laws that ship, and law files of the user's own."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from distillplan.errors import InputError
from distillplan.files.entries import Entry, coefficients_dir
from distillplan.files.text_reader import read_text
from distillplan.files.yaml_reader import YAML_ENDINGS, read_yaml
from distillplan.laws.formulas import DistillationLaw, SupervisedLaw
from distillplan.laws.provenance import Check, Coefficient, DrawsFile, LawStatus, PublishedLaw
from distillplan.suggest import nearest

if TYPE_CHECKING:
    from distillplan.laws.draws import Draws

DEFAULT_LAW = "busbridge2025"

SUPERVISED_LETTERS = ("E", "A", "B", "alpha", "beta", "gamma")
DISTILLATION_LETTERS = ("c0", "c1", "f1", "d1", "A", "B", "alpha", "beta", "gamma")


@cache
def law_names() -> tuple[str, ...]:
    """Names of the laws that ship, the default first."""
    names = sorted(path.stem for path in (coefficients_dir() / "laws").glob("*.yaml"))
    return (DEFAULT_LAW, *(name for name in names if name != DEFAULT_LAW))


def law(name: str = DEFAULT_LAW) -> PublishedLaw:
    """A law by its name, or from a file of the same form (anything that ends in .yaml).

    Raises:
        InputError: for an unknown name (with the nearest ones) or an unusable file.

    >>> law().supervised.alpha
    0.408
    """
    if name.endswith(YAML_ENDINGS):
        from distillplan.files.tree import read_foreign_yaml  # only for a user's own law

        return _law_from(Path(name), read_foreign_yaml(name))._replace(file=name)
    if name not in law_names():
        raise InputError(f"law: {name!r} is unknown; {nearest(name, law_names())}")
    return _shipped_law(name)


class LawList(NamedTuple):
    """Laws, as an answer."""

    laws: tuple[PublishedLaw, ...]


def all_laws() -> tuple[PublishedLaw, ...]:
    """All laws that ship, the default first."""
    return tuple(_shipped_law(name) for name in law_names())


def laws_named(names: str) -> tuple[PublishedLaw, ...]:
    """Several laws: ``all`` that are still held to be right, or names and files between commas.

    >>> [one.name for one in laws_named("busbridge2025,kaplan2020")]
    ['busbridge2025', 'kaplan2020']
    """
    if names.strip() == "all":
        gone = (LawStatus.ERRATUM, LawStatus.HISTORICAL)
        return tuple(one for one in all_laws() if one.status not in gone)
    wanted = list(dict.fromkeys(filter(None, (one.strip() for one in names.split(",")))))
    if not wanted:
        raise InputError("laws: none is named; write 'all' or names such as busbridge2025")
    return tuple(law(one) for one in wanted)


def draws(law: PublishedLaw) -> "Draws | None":
    """The joint draws of a law's coefficients; None where it has none.

    Raises:
        InputError: when their file is missing or is not a table of positive numbers.

    >>> draws(law()).size
    300
    """
    if law.draws_file is None:
        return None
    from distillplan.laws.draws import read_draws  # only for those who ask how sure an answer is

    path = Path(law.draws_file.path)
    found = read_draws(read_text(path), path.name, law.draws_file.sigma_run)
    if found.distills != (law.distillation is not None):
        raise InputError(f"{path.name}: its columns are not those of {law.name}")
    return found


@cache
def _shipped_law(name: str) -> PublishedLaw:
    return _read_law(coefficients_dir() / "laws" / f"{name}.yaml")


def _read_law(path: Path) -> PublishedLaw:
    """One law file that ships, checked."""
    return _law_from(path, read_yaml(path))


def _law_from(path: Path, data: Any) -> PublishedLaw:
    try:
        return law_from_entry(path.stem, data, path.parent)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def law_from_entry(name: str, data: Any, folder: Path = Path()) -> PublishedLaw:
    """A law from the mapping of its file; a file of draws is looked for in the folder.

    Raises:
        InputError: naming what is missing, unknown or not a number.
    """
    entry = Entry(data, "law")
    blocks = entry.mapping("coefficients")
    supervised = _coefficients(blocks.mapping("supervised"), SUPERVISED_LETTERS, optional="gamma")
    values = {letter: one.value for letter, one in supervised.items()}
    alone = SupervisedLaw(**values)
    distilled: dict[str, Coefficient] = {}
    if entry.choice("form", ("supervised", "distillation"), "supervised") == "distillation":
        distilled = _coefficients(blocks.mapping("distillation"), DISTILLATION_LETTERS)
    blocks.finish()
    found = PublishedLaw(
        name=entry.text("name", name),
        title=entry.text("title"),
        supervised=alone,
        distillation=DistillationLaw(
            supervised=alone, **{letter: one.value for letter, one in distilled.items()}
        )
        if distilled
        else None,
        status=LawStatus(entry.choice("status", tuple(LawStatus), LawStatus.AVAILABLE)),
        counts=entry.text("counts"),
        loss_unit=entry.text("loss_unit"),
        corpus=entry.text("corpus"),
        tokenizer=entry.text("tokenizer"),
        source=entry.text("source"),
        valid=_ranges(entry.mapping("valid")),
        coefficients=supervised | {f"{letter}'": one for letter, one in distilled.items()},
        accuracy=entry.texts("accuracy"),
        errata=entry.texts("errata"),
        notes=entry.texts("notes"),
        checks=tuple(_check(one) for one in entry.data.get("checks", ())),
        draws_file=_draws_file(entry.mapping("draws"), folder) if "draws" in entry else None,
    )
    entry.finish("checks")
    return found


def _coefficients(
    entry: "Entry", letters: tuple[str, ...], optional: str = ""
) -> dict[str, Coefficient]:
    """The coefficients of one side, by letter."""
    found = {}
    for letter in letters:
        if letter == optional and letter not in entry:
            continue
        one = entry.mapping(letter)
        low, high, level = None, None, None
        for key in ("ci90", "ci95"):
            if key in one:
                (low, high), level = one.pair(key), int(key[2:]) / 100
        reason = one.text("no_interval") if "no_interval" in one else None
        found[letter] = Coefficient(one.number("value"), low, high, level, reason)
        one.finish()
    entry.finish()
    return found


def _draws_file(entry: "Entry", folder: Path) -> DrawsFile:
    found = DrawsFile(str(folder / entry.text("file")), entry.number("sigma_run"))
    entry.finish()
    return found


def _ranges(entry: "Entry") -> dict[str, tuple[float, float]]:
    """Low and high of each input."""
    return {key: entry.pair(key) for key in entry.data}


def _check(data: Any) -> Check:
    entry = Entry(data, "checks")
    given = entry.mapping("given")
    quantity = "tokens_per_param" if "compute" in given else "loss"
    found = Check(
        where=entry.text("where"),
        given={key: given.number(key) for key in given.data},
        quantity=quantity,
        published=entry.number(quantity),
        within=entry.number("within"),
    )
    entry.finish()
    return found
