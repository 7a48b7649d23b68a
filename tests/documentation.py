"""What is made in README, examples/ and docs/: outputs, pictures, tables of options and keys.

`python -m tests.documentation` writes it anew; `test_docs.py` compares. A page marks what it wants
made: a ``console`` block holds a command after ``$`` and then its output, and a comment
``<!-- made: NAME -->`` stands before the table of that name, ``<!-- /made -->`` after it.
"""

import atexit
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any
from unittest import mock

import typer.main

import distillplan
from distillplan.cli.app import COMMANDS, app
from distillplan.cli.help import complete
from distillplan.questions.glossary.explanation import Explanation, WordKind, explanations
from distillplan.render.practice_view import said_in_words
from distillplan.scenarios.schema import keys_as_markdown
from distillplan.schemas.reader import schema_names, schema_text
from tests.gallery import page as gallery_page
from tests.man_page import default_shown, man_page
from tests.pictures import picture
from tests.reports import practice_report, reported
from tests.shell import run, without_progress

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
MAN_PAGE = ROOT / "docs" / "distillplan.1"
COMMAND_PAGES = ROOT / "docs" / "reference" / "commands"
PICTURES = ROOT / "docs" / "pictures"
SHELL_SIGNS = set("|<>;&$")
"""What only a shell understands."""
BLOCK = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<shown>(?:.*\n)*?)```")
MADE = re.compile(r"<!-- made: (?P<name>\S+) -->\n(?P<text>(?:.*\n)*?)<!-- /made -->")

SHOWN = {
    "budget": "distillplan budget 1e21 --student 1B --teacher 7B:2T --logits cached",
    "teachers": "distillplan teachers 1e22 --student 1.5B --tokenizer llama-3",
    "family": "distillplan family 1e22 --students 300M,1B,3B",
    "compare": "distillplan compare compare.yaml",
    "report": "distillplan report compare.yaml -o report.html",
    "sweep": "distillplan sweep --compute 1e20:1e22:3 --student 1B,3B --teacher 7B:1T",
    "target": "distillplan target --loss 2.2 --student 1B",
    "crossover": "distillplan crossover --student 1B,3B",
    "predict": "distillplan predict --student 1B --tokens 100B --teacher-loss 2.0",
    "estimate": "distillplan estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64",
    "serve": "distillplan serve --match 2B:40B --student 1B --teacher 3B:100B --logits cached "
    "--per-day 1B",
    "onpolicy": "distillplan onpolicy --student 7B --gpu h100-sxm --gpus 64 --answer-tokens 1000",
    "pilot": "distillplan pilot 1e21 --student 1B --teacher 7B:2T --logits cached --share 20%",
    "track": "distillplan track plan.json losses.csv --batch-tokens 524288 --schedule cosine",
    "recipe": "distillplan recipe plan.json",
    "fit": "distillplan fit few_runs.csv --anchor busbridge2025",
    "validate": "distillplan validate compare.yaml",
    "laws": "distillplan laws",
    "gpus": "distillplan gpus h100-sxm",
    "models": "distillplan models llama-3.1-8b",
    "check": 'distillplan check "Table 3"',
    "plot map": "distillplan plot map 1e22 --student 3B --teacher llama-3.1-8b -o map.svg",
    "plot losses": "distillplan plot losses 1e21 --student 1B --teacher 7B:2T -o losses.svg",
    "plot teacher": "distillplan plot teacher --student 1B --tokens 100B -o teacher.svg",
    "plot compare": "distillplan plot compare compare.yaml -o compare.svg",
    "plot estimate": "distillplan plot estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64 "
    "-o estimate.svg",
    "plot fit": "distillplan fit runs.csv supervised_runs.csv -o mine.yaml --resamples 0 > fit.txt "
    "&& "
    "distillplan plot fit mine.yaml -o fit.svg",
    "plot optimum": "distillplan plot optimum --student 1B -o optimum.svg",
    "plot paper": "distillplan plot paper --figure 7 -o figure7.svg",
    "plot transfer": "distillplan plot transfer -o transfer.svg",
    "schema": "distillplan schema",
    "demo": "distillplan demo kernel",
    "explain": "distillplan explain teacher_too_strong",
    "example": "distillplan example",
    "help": "distillplan help schema",
}
"""What the page of a command runs in examples/; a command without a line here fails the tests."""

PICTURED = {"budget.svg": "distillplan budget 1e22 --student 3B --teacher llama-3.1-8b"}
"""The command whose screen a picture shows, by the name of its file."""
COLUMNS = 80


def pages() -> list[Path]:
    """Every page that may hold something made, README first, and every picture."""
    return [
        ROOT / "README.md",
        *sorted(EXAMPLES.glob("*.md")),
        *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent != COMMAND_PAGES),
        *(COMMAND_PAGES / f"{page_of(name)}.md" for name in COMMANDS),
        *(PICTURES / name for name in PICTURED),
    ]


def page_of(command: str) -> str:
    """The name of a command's page."""
    return command.replace(" ", "-")


def made(page: Path) -> str:
    """The text of a page with all that is made in it made anew."""
    if page.parent == PICTURES:
        return screen(PICTURED[page.name])
    if page.parent == COMMAND_PAGES:
        text = command_page(page.stem.replace("-", " "))
    else:
        text = page.read_text(encoding="utf-8")
    text = MADE.sub(
        lambda found: f"<!-- made: {found['name']} -->\n{TABLES[found['name']]()}\n<!-- /made -->",
        text,
    )
    return BLOCK.sub(
        lambda found: f"```console\n$ {found['command']}\n{output(found['command'])}\n```", text
    )


def commands(page: Path) -> Iterator[str]:
    """The commands whose output a page shows."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found["command"]


@cache
def workbench() -> Path:
    """A copy of the examples folder, in which commands may write."""
    folder = Path(tempfile.mkdtemp(prefix="examples"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return shutil.copytree(EXAMPLES, folder / "examples")


def output(command: str) -> str:
    """What a shell in the examples folder shows at `COLUMNS` columns."""
    alone, pipe, filters = command.partition(" | ")
    if SHELL_SIGNS & set(alone):
        assert "distillplan" in command
        words = command.replace("distillplan", f"{shlex.quote(sys.executable)} -m distillplan")
        return _trimmed(_in_shell(words))
    assert alone.startswith("distillplan ")
    with reported(), mock.patch("distillplan.render.progress.LINE_SECONDS", 3600):  # when slow
        plain = run(*shlex.split(alone)[1:], folder=workbench(), COLUMNS=str(COLUMNS))
    shown = _in_shell(filters, plain.stdout) if pipe else plain.stdout
    return _trimmed(shown + plain.stderr)


def _in_shell(words: str, given: str = "") -> str:
    found = subprocess.run(
        ["/bin/sh", "-c", words],
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=workbench(),
        env={**os.environ, "COLUMNS": str(COLUMNS), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    return found.stdout + without_progress(found.stderr)


def screen(command: str) -> str:
    """The picture of what a terminal in the examples folder shows."""
    terminal = {"NO_COLOR": "", "FORCE_COLOR": "1", "TERM": "xterm", "COLORTERM": ""}
    with mock.patch("distillplan.render.progress.LINE_SECONDS", 3600):  # on a slow machine
        words = shlex.split(command)[1:]
        found = run(*words, folder=workbench(), COLUMNS=str(COLUMNS), **terminal)
    return picture(command, found.stdout, COLUMNS)


def _trimmed(text: str) -> str:
    """A text without the blanks at the ends of its lines, and of its own ends."""
    lines = text.splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def command_page(name: str) -> str:
    """The page of one command: what it answers, an example with its output, its options."""
    command = _command(name)
    about, *more = re.split(r"\n\nExamples?:\n", command.help)
    others = [line.removeprefix("$ ") for one in more for line in one.splitlines()]
    lines = [f"# {name}", "", about.strip(), ""]
    lines += ["```console", f"$ {SHOWN[name]}", "```", ""]
    if others:
        lines += ["## Examples", "", "```sh", *others, "```", ""]
    panels: dict[str, list[Any]] = {}
    for param in command.params:
        if not getattr(param, "hidden", False):
            panels.setdefault(_panel(param), []).append(param)
    for panel, params in panels.items():
        lines += [f"## {panel}", "", "| write | meaning |", "|:--|:--|"]
        lines += [_option_row(command, param) for param in params]
        lines.append("")
    return "\n".join(lines)


def _command(name: str) -> Any:
    """A command as its help shows it."""
    command: Any = typer.main.get_command(app)
    found = command.get_command(None, name)
    complete(found)
    return found


def _panel(param: Any) -> str:
    plain = "Arguments" if param.param_type_name == "argument" else "Options"
    return getattr(param, "rich_help_panel", None) or plain


def _option_row(command: Any, param: Any) -> str:
    metavar = param.make_metavar(typer.Context(command))
    if param.param_type_name == "argument":
        words = [metavar]
    else:
        words = [*param.opts, *param.secondary_opts]
        if not param.is_flag:
            words[-1] += f" {metavar}"
    shown = default_shown(param)
    return f"| {', '.join(f'`{_cell(one)}`' for one in words)} | {_cell(param.help)}{shown} |"


def _cell(text: str | None) -> str:
    """A text as a cell of a Markdown table takes it."""
    return " ".join((text or "").split()).replace("|", "\\|")


def command_table() -> str:
    """All commands with what each answers."""
    lines = ["| command | answers |", "|:--|:--|"]
    for name in COMMANDS:
        about = " ".join(_command(name).help.split("\n\n")[0].split())
        lines.append(f"| [{name}](commands/{page_of(name)}.md) | {_cell(about)} |")
    return "\n".join(lines)


def command_list() -> str:
    """The pages of the commands, for the menu."""
    return "\n".join(
        ["```{toctree}", ":hidden:", *(f"commands/{page_of(name)}" for name in COMMANDS), "```"]
    )


def schemas() -> str:
    """The documents that have a JSON Schema."""
    rows = (
        f"| `{name}` | {_cell(json.loads(schema_text(name))['title'])} |" for name in schema_names()
    )
    return "\n".join(["| schema | what it describes |", "|:--|:--|", *rows])


def python_names() -> str:
    """The public names, as the reference shows them."""
    lines = ["```{eval-rst}"]
    for name in distillplan.__all__:
        found = getattr(distillplan, name)
        lines.append(f".. {_directive(found)}:: distillplan.{name}")
        lines += ["   :no-index:", *(["   :members:"] if isinstance(found, type) else []), ""]
    return "\n".join([*lines, "```"])


def _directive(found: Any) -> str:
    return "autoclass" if isinstance(found, type) else "autofunction"


def explained(*kinds: WordKind) -> str:
    """What words of some kinds mean, as definition lists under headings."""
    found = [one for one in explanations() if one.kind in kinds]
    lines = []
    for group, words in groupby(found, key=attrgetter("group")):
        lines += [f"## {group}", "", *(line for one in words for line in _definition(one))]
    return "\n".join(lines).rstrip()


def _definition(one: Explanation) -> list[str]:
    """A word, and a paragraph of what there is to say of it."""
    code = one.kind is not WordKind.TERM
    name = f"`{one.word}`" if code else one.word.capitalize() if one.word.islower() else one.word
    parts = [one.means, one.why, one.advice]
    if one.command:
        parts.append(f"`{one.command}`.")
    source = re.sub(r"docs/(\S+?[.]md)", _page_link, one.source)
    parts.append(f"({source})")
    return [name, f": {' '.join(filter(None, parts))}", ""]


def _page_link(found: re.Match[str]) -> str:
    """A page of docs/ as the pages in the folders beside it link it."""
    return f"[{Path(found[1]).stem.replace('-', ' ')}](../{found[1]})"


def practice() -> str:
    """Published cases: what was done and seen, what was said of it before, and what is now."""
    lines = [
        "| case | what was done | what was seen | said before | says now |",
        "|:--|:--|:--|:--|:--|",
    ]
    for row in practice_report().rows:
        before = said_in_words(row.before, row.outcome_before)
        now = said_in_words(row.now, row.outcome)
        lines.append(f"| {row.name} | {row.did} | {row.told} | {before} | {now} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {
    "codes": partial(explained, WordKind.WARNING, WordKind.ANSWER),
    "terms": partial(explained, WordKind.TERM),
    "commands": command_table,
    "command-list": command_list,
    "scenario-keys": keys_as_markdown,
    "schemas": schemas,
    "python": python_names,
    "gallery": gallery_page,
    "practice": practice,
}
"""What a page may ask for by name."""


def manual() -> str:
    """The man page."""
    return man_page(distillplan.__version__, _command)


def main() -> None:
    """Write every page that has changed, and name it."""
    for folder in (COMMAND_PAGES, PICTURES):
        folder.mkdir(exist_ok=True)
    texts = {page: partial(made, page) for page in pages()} | {MAN_PAGE: manual}
    for page, make in texts.items():
        text = make()
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
