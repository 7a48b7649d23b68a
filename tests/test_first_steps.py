"""What somebody new types: the name alone, `help`, `example`."""

import re
import shlex

import pytest

from distillplan.cli.app import COMMANDS
from distillplan.cli.first_screen import FIRST_SCREEN
from distillplan.files.entries import shipped_folder
from distillplan.files.example_files import EXAMPLE_FILES
from tests.shell import run, told_in_one_sentence

NEXT = [
    line.split("   ")[0].split()[1:]
    for line in FIRST_SCREEN.replace("WORD", "tie").replace("COMMAND", "budget").splitlines()
    if line.startswith("  distillplan ") and not line.endswith("B") and "--gpu" not in line
]
ASKED = re.findall(r"^  distillplan (.*--student .*)$", FIRST_SCREEN, re.MULTILINE)


def test_alone_it_says_how_to_ask():
    found = run()
    assert (found.returncode, found.stdout, found.stderr) == (0, FIRST_SCREEN, "")
    lines = FIRST_SCREEN.splitlines()
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 60
    assert len(ASKED) == 3
    assert len(NEXT) == 5


@pytest.mark.parametrize("line", ASKED)
@pytest.mark.parametrize("teacher", [[], ["--teacher", "llama-3.1-8b"]], ids=["", "teacher"])
def test_what_it_says_to_ask_is_answered(line, teacher):
    found = run(*shlex.split(line), *teacher)
    assert found.returncode == 0, found.stderr
    assert found.stdout


@pytest.mark.parametrize("words", NEXT, ids=" ".join)
def test_where_it_says_to_look_there_is_something(words):
    found = run(*words)
    assert found.returncode == 0, found.stderr
    assert found.stdout


@pytest.mark.parametrize(
    "words", [[], ["plot"], *(name.split() for name in COMMANDS)], ids=" ".join
)
def test_help_is_the_same_as_the_option(words):
    ours, option = run("help", *words), run(*words, "--help")
    assert ours == option
    assert ours.returncode == 0


def test_help_of_what_is_no_command_names_the_nearest():
    found = run("help", "budgt")
    assert found.returncode == 2
    assert "did you mean 'budget'?" in found.stderr


def test_every_file_of_the_examples_ships():
    there = {path.name for path in shipped_folder("examples").iterdir() if path.suffix != ".md"}
    assert set(EXAMPLE_FILES) == there


def test_the_list_names_every_file_and_a_command():
    for width in (60, 80, 120):
        lines = run("example", COLUMNS=str(width)).stdout.splitlines()
        assert max(map(len, lines)) <= width
    assert len(lines) <= 22
    for name, command in EXAMPLE_FILES.items():
        assert any(line.startswith(name) and line.endswith(command) for line in lines)


@pytest.mark.parametrize("name", EXAMPLE_FILES)
def test_an_example_is_the_file_and_its_command_runs(name, tmp_path):
    for one in EXAMPLE_FILES:  # as the shell's > writes it
        (tmp_path / one).write_text(run("example", one).stdout, encoding="utf-8")
    shipped = shipped_folder("examples") / name
    assert (tmp_path / name).read_bytes() == shipped.read_bytes()
    words = shlex.split(EXAMPLE_FILES[name])[1:]
    assert name in words
    quick = {"fit": ["--resamples", "0"], "compare": ["--quick"]}.get(words[0], [])
    found = run(*words, *quick, folder=tmp_path)
    assert found.returncode in (0, 3), found.stderr  # 3: an assertion that the file makes


def test_an_example_is_saved_and_nothing_is_overwritten(tmp_path):
    text = run("example", "grid.yaml").stdout
    saved = run("example", "grid.yaml", "--save", ".", folder=tmp_path)
    assert saved.stdout == f"Wrote grid.yaml. Next: {EXAMPLE_FILES['grid.yaml']}\n"
    saved = run("example", "grid.yaml", "--save", "my.yaml", folder=tmp_path)
    assert saved.stdout == "Wrote my.yaml. Next: distillplan sweep my.yaml\n"
    beside = run("example", "losses.csv", "--save", tmp_path / "l.csv").stdout
    assert f"distillplan track {tmp_path}/plan.json {tmp_path}/l.csv --batch" in beside
    refused = run("example", "grid.yaml", "--save", "my.yaml/", folder=tmp_path)
    told_in_one_sentence(refused, 2, "is a file, not a folder")
    for name in ("grid.yaml", "my.yaml"):
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    (tmp_path / "grid.yaml").write_text("mine", encoding="utf-8")
    for place in (".", "grid.yaml"):
        refused = run("example", "grid.yaml", "--save", place, folder=tmp_path)
        assert refused.returncode == 2
        assert "exists" in refused.stderr
    assert (tmp_path / "grid.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["compar.yaml"], "did you mean 'compare.yaml'"),
        (["--save", "here.yaml"], "--save: which file?"),
        (["grid.yaml", "--save", "nowhere/x.yaml"], "does not exist; create it first"),
        (["grid.yaml", "--save", "nowhere/"], "nowhere does not exist; create it first"),
        (["../examples/grid.yaml"], "is unknown"),
    ],
)
def test_an_example_that_cannot_be_is_refused(words, says, tmp_path):
    found = run("example", *words, folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert says in found.stderr
    assert not list(tmp_path.iterdir())
