"""The application: its commands, and the one place where errors become messages."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

import distillplan
from distillplan.cli.exit_codes import INTERRUPTED
from distillplan.cli.repeated import refuse_repeated
from distillplan.errors import DistillplanError, InputError, one_line
from distillplan.render.streams import write, write_error
from distillplan.units.choices import choose

COMMANDS = (
    *("budget", "teachers", "family", "compare", "report", "sweep", "target", "crossover"),
    *("predict", "estimate", "serve", "onpolicy", "pilot", "fit", "track", "recipe", "validate"),
    *("laws", "gpus", "models", "check", "plot map", "plot losses", "plot teacher", "plot optimum"),
    *("plot compare", "plot estimate", "plot fit", "plot paper", "plot transfer"),
    *("schema", "demo", "explain", "example", "help"),
)
"""In the order of the help; each is a function of that name in a module of that name, with _ for
the space in those of two words."""
PAIRED = {"plot": "Draw a picture: where distilling wins, losses, teachers, machines."}
"""First words of commands of two, with what they are about."""


_UsageError: Any = typer.BadParameter.__base__
"""What Typer raises for a wrong command line; it has no public name of its own."""


class Command(TyperCommand):
    """A command whose help says more than its start needs to know."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options."""
        known = {name: one for one in self.params for name in (*one.opts, *one.secondary_opts)}
        if any(one.startswith("-") and one.partition("=")[0] not in known for one in args):
            from distillplan.cli.other_words import in_our_words  # only for somebody new here

            args = in_our_words(args, self.params)
        refuse_repeated(args, known)
        try:
            return super().parse_args(ctx, [*args])
        except _UsageError:
            from distillplan.cli.other_words import with_whole_budget  # only for a mistake

            whole = with_whole_budget(args, self.params)
            if whole is None:
                raise
            return super().parse_args(ctx, whole)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from distillplan.cli.help import complete  # for help only

        complete(self)
        super().format_help(ctx, formatter)


class Commands(TyperGroup):
    """Loads the command that is asked for.

    A start builds one command instead of all of them, which would take as long as a plan.
    """

    first = ""
    """First word of its commands, where they have two."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (Typer's signature)
        """Next words of the commands."""
        words = [name.removeprefix(f"{self.first} ").split()[0] for name in self._whole()]
        return list(dict.fromkeys(words))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One command, or the group of those with this first word; None where there is none."""
        if cmd_name in PAIRED:
            return _group(cmd_name)
        name = f"{self.first} {cmd_name}".lstrip()
        if name not in COMMANDS:
            return None
        if ctx is not None and ctx.resilient_parsing:
            from distillplan.cli.completion import completing  # only while words are completed

            return completing(name, _load)
        return _load(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is asked for.

        Raises:
            InputError: for an unknown name, with the nearest ones.
        """
        known = self.list_commands(ctx)
        mistyped = args[0] not in known and not args[0].startswith("-")
        if mistyped and not ctx.resilient_parsing:
            from distillplan.cli import other_words  # only for somebody who mistyped
            from distillplan.suggest import did_you_mean, nearest

            whole = f"{self.first} {args[0]}".lstrip()
            meant = () if self.first else other_words.COMMANDS.get(args[0].lower(), ())
            advice = did_you_mean(meant) if meant else nearest(args[0], known)
            raise InputError(f"no such command {whole!r}; {advice}")
        return super().resolve_command(ctx, args)

    def _whole(self) -> list[str]:
        """The names of its commands."""
        return [name for name in COMMANDS if name.startswith(f"{self.first} ".lstrip())]


def _group(first: str) -> Any:
    """The commands with a first word."""
    alone = typer.Typer(
        cls=type(Commands.__name__, (Commands,), {"first": first}),
        help=PAIRED[first],
        add_completion=False,
        context_settings=SETTINGS,
        no_args_is_help=True,
    )
    found = typer.main.get_group(alone)
    found.name = first
    return found


def _load(name: str) -> Any:
    """A command as Typer builds it."""
    module = name.replace(" ", "_")
    function = getattr(import_module(f"distillplan.cli.commands.{module}"), module)
    alone = typer.Typer(add_completion=False, context_settings=SETTINGS)
    alone.command(name, cls=Command)(function)
    command: Any = typer.main.get_command(alone)
    for one in command.params:
        if getattr(one.type, "choices", None):
            one.type.convert = _chosen
    return command


def _chosen(value: Any, param: Any, _: Any) -> str:
    """A word of few, as keys of scenarios take them."""
    name = param.opts[0] if param.opts[0].startswith("-") else param.human_readable_name
    stem, dot, ending = str(value).rpartition(".")
    if name == "--output" and stem and dot:
        import shlex  # only for this error

        form = choose(ending, f"{name}: {value!r} is no form of an answer", param.type.choices)
        raise InputError(
            f"{name}: answers go to standard output; write -o {form} > {shlex.quote(str(value))}"
        )
    return choose(value, name, param.type.choices)


HELP = ("-h", "--help")
SETTINGS = {"help_option_names": [*HELP]}

app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
    help=(
        "Decide whether to distill or to train from data alone, with which student, teacher and "
        "tokens.\n\n"
        "Plans from published scaling laws (Busbridge et al. 2025, arXiv:2502.08606)."
    ),
    epilog="Start with: distillplan budget 1e21 --student 1B, or distillplan alone.",
)


def _version(asked: bool) -> None:
    if asked:
        write(f"distillplan {distillplan.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  (its callback has answered)
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        from distillplan.cli.first_screen import FIRST_SCREEN  # not beside a command

        write(FIRST_SCREEN)


def run() -> int:
    """Run the command line; every error of the user's is one line on stderr.

    A bug is neither of the errors below, and goes on to the caller.

    Returns:
        The exit code.
    """
    try:
        code = app(prog_name="distillplan", standalone_mode=False)  # however Python was called
        sys.stdout.flush()  # while it can still be told that it cannot be written, as help may be
    except DistillplanError as error:
        from distillplan.cli.other_words import as_read  # only for an error

        write_error(f"error: {as_read(str(error), sys.argv[1:])}")
        code = error.exit_code
    except _UsageError as error:
        where = f" ({_example(error)}see {error.ctx.command_path} --help)" if error.ctx else ""
        if error.format_message():  # without a command Typer has shown the help already
            write_error(f"error: {_sentence(error.format_message())}{where}")
        code = error.exit_code
    except typer.Abort:
        code = INTERRUPTED
    return code if isinstance(code, int) else 0


def _example(error: Any) -> str:
    """The first example of a command of which a part is missing or too much; else nothing."""
    from inspect import getdoc  # only for an error

    said = error.format_message().lower()
    if not said.startswith(("missing", "got unexpected")):
        return ""
    lines = (getdoc(getattr(error.ctx.command, "callback", None)) or "").splitlines()
    found = next((one.strip() for one in lines if one.strip().startswith("distillplan ")), "")
    return f"e.g. {found}; " if found else ""


def _sentence(text: str) -> str:
    """A message of Typer's in our form: one line, lower case, no full stop."""
    line = one_line(" ".join(text.split()).rstrip("."))
    return line[:1].lower() + line[1:]
