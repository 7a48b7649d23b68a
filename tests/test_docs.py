"""README and examples: every command in them runs and prints what they show."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from distillplan.cli.app import COMMANDS
from distillplan.scenarios.scenario_file import read_scenarios
from tests.shell import run

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SHELL_SIGNS = set("|<>;&$")
"""What only a shell understands."""
PAGES = [ROOT / "README.md", *sorted(EXAMPLES.glob("*.md"))]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
REWRITE = os.environ.get("DISTILLPLAN_REWRITE_DOCS")


def output(command: str) -> str:
    """What a shell in the examples folder shows at 80 columns."""
    assert command.startswith("distillplan ") or SHELL_SIGNS & set(command)
    if not SHELL_SIGNS & set(command):
        plain = run(*shlex.split(command)[1:], folder=EXAMPLES, COLUMNS="80")
        return _trimmed(plain.stdout + plain.stderr)
    words = command.replace("distillplan", f"{shlex.quote(sys.executable)} -m distillplan")
    found = subprocess.run(
        ["/bin/sh", "-c", words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=EXAMPLES,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    return _trimmed(found.stdout + found.stderr)


def _trimmed(text: str) -> str:
    """A text without the blanks at the ends of its lines, and of its own ends."""
    lines = text.splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def rounded(text: str) -> str:
    """Numbers of more than ten digits to ten: processors differ in the last of them."""
    return re.sub(r"\d+\.\d{10,}(?:e[+-]\d+)?", lambda found: f"{float(found[0]):.10g}", text)


def blocks(page: Path):
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        command, _, shown = block.partition("\n")
        yield command.removeprefix("$ "), shown.rstrip("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page):
    if REWRITE:
        text = page.read_text(encoding="utf-8")
        for command, shown in blocks(page):
            old = (
                f"```console\n$ {command}\n{shown}\n```"
                if shown
                else f"```console\n$ {command}\n```"
            )
            assert old in text
            text = text.replace(old, f"```console\n$ {command}\n{output(command)}\n```")
        page.write_text(text, encoding="utf-8")
    shown = list(blocks(page))
    assert shown
    for command, expected in shown:
        assert rounded(output(command)) == rounded(expected), command


def test_the_scenarios_of_the_readme_are_read(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert [one.name for one in read_scenarios(str(tmp_path / "s.yaml"))] == ["online", "cached"]


def test_the_python_of_the_readme_runs():
    code = re.search(r"```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line]) <= 5
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "supervised" in found.stdout


def test_the_commands_of_the_table_run():
    commands = re.findall(r"\| `(distillplan [^`]+)` \|", PAGES[0].read_text(encoding="utf-8"))
    assert len(commands) >= 9
    for command in commands:
        assert not output(command).startswith("error: "), command


def test_every_command_is_documented():
    shown = {command.split()[1] for page in PAGES for command, _ in blocks(page)}
    table = re.findall(r"\| `distillplan (\w+)", PAGES[0].read_text(encoding="utf-8"))
    assert set(COMMANDS) > {"budget", "schema"}
    assert shown | set(table) >= set(COMMANDS)


def test_the_two_set_up_commands_stand_alone():
    text = PAGES[0].read_text(encoding="utf-8")
    commands = [line for line in text.splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/distillplan budget 1e21 --student 1B")
    assert commands[1].endswith(".venv/bin/python -m pytest")
