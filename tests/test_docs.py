"""README, examples and documentation: all that is made in them is as it would be made today."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

from distillplan.cli.app import COMMANDS
from distillplan.files.example_files import EXAMPLE_FILES
from distillplan.scenarios.scenario_file import read_scenarios
from tests.documentation import (
    BLOCK,
    MAN_PAGE,
    ROOT,
    SHOWN,
    commands,
    made,
    manual,
    pages,
)
from tests.shell import run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def rounded(text: str) -> str:
    """Numbers of more than ten digits to ten: processors differ in the last of them."""
    return re.sub(r"\d+\.\d{10,}(?:e[+-]\d+)?", lambda found: f"{float(found[0]):.10g}", text)


PAGES = [
    pytest.param(
        page,
        id=str(page.relative_to(ROOT)),
        marks=[pytest.mark.slow] * (page.name != "README.md"),  # hundreds of commands
    )
    for page in pages()
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_is_printed(page):
    # python -m tests.documentation writes it anew
    assert rounded(page.read_text(encoding="utf-8")) == rounded(made(page))


@pytest.mark.parametrize("name", ["compare", "validate", "recipe"])
def test_the_examples_of_a_help_work_with_the_shipped_files(name, tmp_path):
    """Of the commands that read nothing else; demands of the files may fail."""
    folder = shutil.copytree(ROOT / "examples", tmp_path / "examples")
    help_ = " ".join(run(name, "--help", COLUMNS="200").stdout.split("╭")[0].split())
    lines = [shlex.split(one) for one in help_.split("$ distillplan ")[1:] if "<" not in one]
    files = [[one for one in line if re.search(r"\.(yaml|json)$", one)] for line in lines]
    shipped = [line for line, named in zip(lines, files, strict=True)
               if named and all((folder / one).exists() for one in named)]  # fmt: skip
    assert shipped
    for line in shipped:
        assert run(*line, folder=folder).returncode in (0, 3), line


def test_every_command_with_a_form_of_output_writes_rows():
    """As docs/reference/json.md says; a report is a page, and an example is a file."""
    text = (ROOT / "docs/reference/json.md").read_text(encoding="utf-8")
    assert "Every command with `-o` also writes rows, as `-o csv` and `-o jsonl`" in text
    helps = {one: run(*one.split(), "--help", COLUMNS="200").stdout for one in COMMANDS}
    formed = {one for one, help_ in helps.items() if re.search(r"\bmarkdown\b", help_)}
    assert {one for one in formed if not re.search(r"\bcsv\b", helps[one])} == set()
    assert {"fit", "check", "explain", "validate", "estimate", "sweep"} <= formed


def test_the_pages_show_commands():
    shown = [command for page in pages() for command in commands(page)]
    assert len(shown) > len(COMMANDS)
    assert SHOWN.keys() == set(COMMANDS)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_of_a_page_shows_nothing(page):
    """Such as one with a filter for a line that is no longer there."""
    shown = BLOCK.finditer(page.read_text(encoding="utf-8"))
    assert [one["command"] for one in shown if not one["shown"].strip()] == []


def test_the_scenarios_of_the_readme_are_read(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1]
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert [one.name for one in read_scenarios(str(tmp_path / "s.yaml"))] == ["online", "cached"]


@pytest.mark.parametrize("page", ["README.md", "docs/reference/python.md"])
def test_the_python_of_a_page_runs(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "supervised" in found.stdout


def test_the_two_set_up_commands_stand_alone():
    commands = [
        line for line in README.splitlines() if line.startswith("python3 -m venv .venv && ")
    ]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/distillplan budget 1e21 --student 1B")
    assert commands[1].endswith(".venv/bin/python -m pytest")


def test_the_wheel_takes_every_file_of_coefficients_but_the_scripts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    there = {f"coefficients/{path.name}" for path in (ROOT / "coefficients").iterdir()}
    there |= {f"examples/{name}" for name in EXAMPLE_FILES}
    assert shipped.keys() == there - {"coefficients/calibration"}
    assert all(inside == f"distillplan/{outside}" for outside, inside in shipped.items())


def test_the_man_page_is_that_of_the_help_and_is_shown():
    # python -m tests.documentation writes it anew
    assert MAN_PAGE.read_text(encoding="utf-8") == manual()
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff to set it with")
    shown = subprocess.run(
        [groff, "-man", "-Tascii", "-P-c", "-ww", MAN_PAGE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    text = re.sub(r".\x08", "", shown.stdout)
    assert all(name in text for name in (*COMMANDS, "--teacher-bpb", "EXIT STATUS"))


def test_the_wheel_has_the_man_page():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"docs/distillplan.1": "share/man/man1/distillplan.1"}
    assert (ROOT / "docs/distillplan.1").is_file()


def test_the_citation_names_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert [one["identifiers"][0]["value"] for one in citation["references"]] == [
        "arXiv:2502.08606"
    ]
