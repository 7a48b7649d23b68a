"""What a shell completes: names of what ships, without the imports that an answer takes.

Names are known here by the option or the command that takes them. A command is loaded only for its
other words.
"""

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand

Names = Callable[[], Iterable[str]]
Load = Callable[[str], Any]
"""Gives a command of a name as it is run."""
_SOURCES = Path(__file__).with_name("commands")
_LOOSE = {"ignore_unknown_options": True, "allow_extra_args": True}


def models() -> list[str]:
    """Names of the open models."""
    from distillplan.files.entries import coefficients_dir

    lines = coefficients_dir().joinpath("models.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["name"] for line in lines if line]


def gpus() -> list[str]:
    """Names of the GPUs."""
    from distillplan.files.entries import read_shipped

    return list(read_shipped("gpus.yaml")["gpus"])


def laws() -> list[str]:
    """Names of the laws."""
    from distillplan.files.entries import coefficients_dir

    return sorted(path.stem for path in coefficients_dir().joinpath("laws").glob("*.yaml"))


def several_laws() -> list[str]:
    """What ``--laws`` takes, one of them."""
    return ["all", *laws()]


def countries() -> list[str]:
    """Countries whose electricity is known: codes, then names that are one word for a shell."""
    from distillplan.files.entries import read_shipped

    known = read_shipped("grid.yaml")["countries"]
    return [*known, *(one["name"] for one in known.values() if one["name"].isalpha())]


def trainers() -> list[str]:
    """Names of the trainers that plans are exported to."""
    from distillplan.files.entries import coefficients_dir

    return sorted(path.stem for path in coefficients_dir().joinpath("exports").glob("*.yaml"))


def schemas() -> Iterable[str]:
    """Documents that have a JSON Schema."""
    from distillplan.schemas.reader import schema_names

    return schema_names()


def examples() -> Iterable[str]:
    """The example files."""
    from distillplan.files.example_files import EXAMPLE_FILES

    return EXAMPLE_FILES


def words() -> list[str]:
    """Words that have an explanation; a shell would part those with spaces."""
    from distillplan.questions.glossary.explanation import explanations

    return [one.word.replace(" ", "-") for one in explanations()]


def goals() -> Iterable[str]:
    """What `target` minimizes."""
    from distillplan.questions.target_goals import Goal

    return list(Goal)


def commands() -> list[str]:
    """The commands."""
    return sorted(path.stem.replace("_", " ") for path in _SOURCES.glob("[a-z]*.py"))


BY_OPTION: Mapping[str, Names] = {
    **dict.fromkeys(("--teacher", "--student", "--students", "-s", "--model", "--parent"), models),
    "--match": models,
    "--gpu": gpus,
    **dict.fromkeys(("--law", "--anchor", "--test", "--supervised-law"), laws),
    "--same-tokenizer-as": laws,
    "--laws": several_laws,
    "--export": trainers,
    "--country": countries,
    "--minimize": goals,
}
"""Names that an option takes."""
BY_COMMAND: Mapping[str, Names] = {
    "models": models,
    "gpus": gpus,
    "laws": laws,
    "schema": schemas,
    "example": examples,
    "explain": words,
    "help": commands,
}
"""Names that a command takes as its first word."""


def completing(name: str, load: Load) -> TyperCommand:
    """A command while its words are completed; its help is that of its source.

    Args:
        name: of the command.
        load: gives it as it is run.
    """
    module = name.replace(" ", "_")
    tree = ast.parse(_SOURCES.joinpath(f"{module}.py").read_text(encoding="utf-8"))
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    return _Completing(load, name, help=ast.get_docstring(functions[module]))


class _Completing(TyperCommand):
    """Loads the command only for words that are no names."""

    def __init__(self, load: Load, name: str, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.load = load

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The context of the command that knows the word at hand."""
        found = _by_names(self, args) or self.load(str(self.name))
        return found.make_context(info_name, args, parent, **extra)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The options of the command."""
        whole = self.load(str(self.name))
        context = whole.make_context(self.name, [], ctx.parent, resilient_parsing=True)
        return whole.shell_complete(context, incomplete)


def _by_names(command: _Completing, args: Sequence[str]) -> Any:
    """The command where the word at hand is a name that ships; None for any other word."""
    option = args[-1] if args else ""
    if option in BY_OPTION:
        word: Any = typer.Option(option, autocompletion=_starting(BY_OPTION[option]))
    elif not args and command.name is not None and command.name in BY_COMMAND:
        word = typer.Argument(autocompletion=_starting(BY_COMMAND[command.name]))
    else:
        return None

    def one_word(word: Annotated[str | None, word] = None) -> None: ...

    alone = typer.Typer(add_completion=False)
    alone.command(command.name, context_settings=_LOOSE)(one_word)
    known = typer.main.get_command(alone)
    known.shell_complete = command.shell_complete  # type: ignore[method-assign]  # of its options
    return known


def _starting(names: Names) -> Callable[[str], list[str]]:
    """Those that begin as the word does; small letters stand for capitals too."""

    def found(incomplete: str) -> list[str]:
        known = [one.lower() for one in names()] if incomplete.islower() else names()
        return [one for one in known if one.startswith(incomplete)]

    return found
