"""The example files that ship: scenarios and data to try the commands with."""

import os
import shlex
from pathlib import Path

from distillplan.errors import InputError
from distillplan.files.entries import shipped_folder
from distillplan.files.saving import NamedFile, demand_savable, save
from distillplan.suggest import nearest

_TRACK = "distillplan track plan.json losses.csv --batch-tokens 524288"
EXAMPLE_FILES = {
    "compare.yaml": "distillplan compare compare.yaml",
    "lifetime.yaml": "distillplan compare lifetime.yaml",
    "machines.yaml": "distillplan compare machines.yaml",
    "grid.yaml": "distillplan sweep grid.yaml",
    "few_runs.csv": "distillplan fit few_runs.csv --anchor busbridge2025",
    "supervised_runs.csv": "distillplan fit supervised_runs.csv",
    "runs.csv": "distillplan fit runs.csv supervised_runs.csv",
    "cut_runs.csv": "distillplan fit cut_runs.csv --form p2",
    "plan.json": _TRACK,
    "losses.csv": _TRACK,
}
"""Each with a command line to try it with, in the folder where it is."""


def example_text(name: str) -> str:
    """The contents of one of the files.

    Raises:
        InputError: for an unknown name, with the nearest ones.
    """
    if name not in EXAMPLE_FILES:
        raise InputError(f"example: {name!r} is unknown; {nearest(name, EXAMPLE_FILES)}")
    return (shipped_folder("examples") / name).read_text(encoding="utf-8")


def command_for(name: str, path: Path) -> str:
    """The command line to try one of the files with where it is now, the others beside it.

    >>> command_for("grid.yaml", Path("my grid.yaml"))
    "distillplan sweep 'my grid.yaml'"
    """
    places = {other: path.with_name(other) for other in EXAMPLE_FILES} | {name: path}
    return shlex.join(str(places.get(word, word)) for word in EXAMPLE_FILES[name].split())


def save_example(name: str, place: NamedFile) -> Path:
    """Write one of the files to a path, or under its own name into a folder.

    Returns:
        Where it is now.

    Raises:
        InputError: for an unknown name, where something is already there, or where no file can be.
    """
    text = example_text(name)
    path = Path(place.path)
    if os.path.isdir(path):  # noqa: PTH112  (a Path raises where no file can have the name)
        path /= name
        place = place._replace(path=str(path))
    demand_savable(place)
    if path.exists():
        raise InputError(f"{place.what}: {path} exists; remove it, or name another file")
    save(path, text)
    return path
