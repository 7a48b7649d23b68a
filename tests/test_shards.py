"""Parts of a sweep, and processes: together they are the whole, to the last bit."""

import itertools
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
from multiprocessing import active_children, parent_process
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.errors import DistillplanError, InfeasibleError, InputError, Word
from distillplan.files.processes import in_order
from distillplan.questions.sweep import CHUNK, sweep
from distillplan.render import sweep_rows
from distillplan.scenarios import shards
from distillplan.scenarios.axes import MOST_CELLS
from distillplan.scenarios.scenario_file import read_grid
from distillplan.scenarios.shards import Shard, parse_shard, swept
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
AXES = ("--compute", "1e19:1e24:5", "--student", "300M,3B", "--teacher", "7B:2T,13B:1T")
MANY = ("--compute", "1e19:1e24:41", "--student", "100M:10B:17", "--teacher", "7B:2T")
"""More cells than the optimizer takes together."""


def swept_as(*words, of=AXES, **environment):
    found = run("sweep", *of, *words, **environment)
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    return found.stdout


# what is in a shard


@given(st.integers(0, 10**15), st.integers(1, 999_999_999), st.data())
@settings(deadline=None)
def test_shards_are_balanced_and_follow_each_other(cells, count, data):
    number = data.draw(st.integers(1, count))
    own = Shard(number, count).of(cells)
    assert len(own) in {cells // count, -(-cells // count)}
    assert Shard(1, count).of(cells).start == 0
    assert Shard(count, count).of(cells).stop == cells
    if number < count:
        after = Shard(number + 1, count).of(cells)
        assert after.start == own.stop
        assert len(after) <= len(own)
    solved = Shard(number, count).solved(cells)
    assert not own or (solved.start <= own.start and own.stop <= solved.stop <= cells)
    assert len(solved) < len(own) + 2 * CHUNK


@pytest.mark.parametrize(
    "text", ["", "3", "3/", "/3", "-1/4", "+1/4", "1.5/4", "1/4/2", "1/1e3", " 1/4", "1/0", "٣/٤"]
)
def test_what_is_no_shard_is_said(text):
    found = run("sweep", *AXES, "-o", "csv", f"--shard={text}")
    assert (found.returncode, found.stdout) == (2, "")
    assert "not a shard" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["0/16", "17/16", "2/1"])
def test_a_number_that_no_shard_has_is_said(text):
    found = run("sweep", *AXES, "-o", "csv", "--shard", text)
    number, _, count = text.partition("/")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"error: --shard {text}: no shard {number} of {count}; "
        f"they are numbered from 1 to {count}\n"
    )


@pytest.mark.parametrize("form", [(), ("-o", "table"), ("-o", "json"), ("-o", "map")])
def test_a_shard_is_rows(form):
    found = run("sweep", *AXES, "--shard", "1/2", *form)
    assert (found.returncode, found.stdout) == (2, "")
    assert "--shard" in found.stderr
    assert "csv, jsonl or parquet" in found.stderr


def test_cells_are_found_by_their_number():
    """By `itertools.islice` on all of them, over scenarios and axes."""
    grid = read_grid(str(EXAMPLES / "grid.yaml"), (), {"students": "1,2,3"})
    every = list(grid.cells())
    assert len(every) == grid.size
    for first, last in itertools.combinations(range(0, grid.size + 1, 5), 2):
        found = list(grid.cells(range(first, last)))
        assert found == list(itertools.islice(every, first, last))


def test_scenarios_are_part_of_the_number(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "base: {student: 1B}\n"
        "scenarios: {one: {teacher: '7B:1T'}, two: {}, three: {teacher: '3B:1T'}}\n"
        "matrix: {compute: [1e20, 1e21]}\n",
        encoding="utf-8",
    )
    grid = read_grid(str(path))
    at = [where for where, _ in grid.cells()]
    assert [one["scenario"] for one in at] == ["one", "one", "two", "two", "three", "three"]
    for first, last in itertools.combinations(range(7), 2):
        assert [where for where, _ in grid.cells(range(first, last))] == at[first:last]


def test_a_shard_of_very_many_cells_looks_at_its_own_only():
    """The place of a cell is that of numpy's row-major order."""
    axes = {
        "compute": "1e19:1e24:10000",
        "student": "1e8:1e10:10000",
        "inference_tokens": "1T:9T:10",
    }
    shard = Shard(654_321, 1_000_000)
    grid = read_grid("", (), axes, shard=shard)
    shape = [len(axis.points) for axis in grid.axes]
    assert grid.size == np.prod(shape) == 10**9
    own = shard.of(grid.size)
    found = [at for at, _ in grid.cells(own)]
    assert len(found) == 1000
    for number, at in zip(own, found, strict=True):
        places = np.unravel_index(number, shape)
        for axis, place in zip(grid.axes, places, strict=True):
            assert at[axis.key] == axis.points[place].label


def test_too_many_cells_are_sent_to_shards():
    words = ("sweep", "--compute", "1e19:1e24:2000", "--student", "100M:10B:1001", "-o", "csv")
    found = run(*words)
    assert found.returncode == 2
    assert f"2002000 cells are too many; the most is {MOST_CELLS}" in found.stderr
    (proposed,) = re.findall(r"--shard \d+/(\d+)", found.stderr)
    assert len(Shard(1, int(proposed)).of(2_002_000)) <= MOST_CELLS
    assert len(Shard(1, int(proposed) - 1).of(2_002_000)) > MOST_CELLS
    assert "too many" in run(*words, "--shard", "2/2").stderr


# one after the other they are the whole


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 23])
def test_shards_one_after_the_other_are_the_whole(form, count):
    parts = [swept_as("-o", form, "--shard", f"{one}/{count}") for one in range(1, count + 1)]
    assert "".join(parts) == swept_as("-o", form)
    assert sum(part.startswith("compute,student_params") for part in parts) == (form == "csv")
    assert [part for part in parts if not part] == [""] * max(count - 20, 0)


def test_so_they_are_with_odds_and_a_student_to_choose():
    of = ("--compute", "1e20:1e22:4", "--gpu", "h100-sxm", "--axis", "students=1,8", "--odds")
    whole = swept_as("-o", "jsonl", of=of)
    parts = [swept_as("-o", "jsonl", "--shard", f"{one}/3", of=of) for one in (1, 2, 3)]
    assert "".join(parts) == whole
    assert '"odds_distill": 0.' in whole


def test_so_they_are_where_the_optimizer_takes_many_together():
    whole = swept_as("-o", "csv", of=MANY)
    assert whole.count("\n") == 41 * 17 + 1 > CHUNK
    parts = [swept_as("-o", "csv", "--shard", f"{one}/3", of=MANY) for one in (1, 2, 3)]
    assert "".join(parts) == whole


def test_the_optimizer_takes_the_same_cells_together_whoever_asks(monkeypatch):
    """Else the last bits could differ: which cells it was given, by their number."""
    seen = []

    def kept(cells, wanted, *, odds):
        seen.append((len(cells), cells[0][0]["compute"], wanted, odds))
        return iter(())

    monkeypatch.setattr(shards, "sweep_together", kept)
    grid = read_grid("", ["student=1B"], {"compute": f"1e19:1e24:{CHUNK + 40}"})
    second = grid.axes[0].points[CHUNK].label
    list(swept(grid, str, shard=Shard(2, 3)))
    list(swept(grid, str, shard=Shard(3, 3)))
    assert seen == [
        (CHUNK, 1e19, range(180, 360), False),
        (CHUNK, 1e19, range(360, CHUNK), False),
        (40, second, range(40), False),
    ]


# processes


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "table", "markdown"])
def test_processes_change_nothing(form):
    assert swept_as("-o", form, "--jobs", "3", "--odds") == swept_as("-o", form, "--odds")


def test_processes_change_nothing_in_maps_and_shards():
    of = MANY[:4]
    assert swept_as("-o", "map", "--jobs", "2", of=(*of, "--teacher", "7B:2T")) == swept_as(
        "-o", "map", of=(*of, "--teacher", "7B:2T")
    )
    part = ("-o", "csv", "--shard", "2/2")
    assert swept_as(*part, "--jobs", "2", of=MANY) == swept_as(*part, of=MANY)


def test_a_piece_is_split_where_odds_are_worth_a_process():
    own = Shard(1, 1).of(CHUNK)
    assert shards._pieces(own, 1) == [own]
    assert [len(one) for one in shards._pieces(own, 3)] == [167, 167, 166]
    assert shards._pieces(range(2), 3) == [range(1), range(1, 2)]
    assert shards._pieces(range(3, 3), 3) == []


SENTENCE = "no answer: loss came out as nan"


def failing(monkeypatch, at):
    """The row with this budget has no finite number; processes that are forked know it too."""
    usual = sweep_rows.demand_finite

    def demand(row):
        if row["compute"] == at:
            raise InfeasibleError(SENTENCE)
        usual(row)

    monkeypatch.setattr(sweep_rows, "demand_finite", demand)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_error_in_a_process_is_the_same_sentence_after_the_same_rows(monkeypatch, form):
    words = ("sweep", "--compute", "1e19:1e24:6", "--student", "1B", "--odds", "-o", form)
    whole = run(*words).stdout.splitlines()
    failing(monkeypatch, 1e22)
    with monkeypatch.context() as short:
        short.setattr("distillplan.render.streams.CHUNK", 1)  # rows do not wait for others
        alone, several = run(*words), run(*words, "--jobs", "2")
    assert not active_children()
    assert alone == several
    assert (alone.returncode, alone.stderr) == (1, f"error: {SENTENCE}\n")
    assert alone.stdout.splitlines() == whole[: 3 + (form == "csv")]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
def test_a_process_that_is_killed_is_said(monkeypatch):
    def killed(*_, **__):
        if parent_process() is not None:
            os.kill(os.getpid(), 9)
        return iter(())

    monkeypatch.setattr(shards, "sweep_together", killed)
    found = run("sweep", *AXES, "--odds", "--jobs", "2", "-o", "csv")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == (
        "error: --jobs: a process was killed, perhaps for want of memory; use fewer\n"
    )


def test_errors_cross_from_one_process_to_another():
    other = InputError("more")
    error = InputError("budget: give ", Word("compute"), also=("gpu",), others=[other], below=["x"])
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert str(found) == str(error)
    assert found.about == error.about
    assert str(found.told(lambda word: f"--{word.key}")) == "budget: give --compute\n  x"
    assert [str(one) for one in found.others] == ["more"]
    other = pickle.loads(pickle.dumps(InfeasibleError("no")))  # noqa: S301 - our own
    assert isinstance(other, DistillplanError)


def doubled(number):
    return 2 * number


def test_results_come_in_order_and_few_wait():
    found = in_order(doubled, range(100), 2)
    assert list(itertools.islice(found, 3)) == [0, 2, 4]
    found.close()
    assert list(in_order(doubled, range(5), 1)) == list(in_order(doubled, range(5), 9))


def test_a_shard_answers_what_the_sweep_answers():
    """`sweep` of the Python module, cell by cell."""
    grid = read_grid("", ["student=1B"], {"compute": "1e19:1e23:7"})
    every = [cell.supervised.loss for cell in sweep(grid.cells())]
    parts = [
        list(swept(grid, lambda cell: cell.supervised.loss, shard=parse_shard(f"{one}/2")))
        for one in (1, 2)
    ]
    assert [*parts[0], *parts[1]] == every


# the page of examples


PAGE = (EXAMPLES / "a_sweep_on_many_machines.md").read_text(encoding="utf-8")


BASH = shutil.which("bash")


def block(name):
    """The block of the page after the comment of this name."""
    return re.search(rf"<!-- {name} -->\n\n```\w+\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def cluster(tmp_path):
    """A folder with the grid, and an environment whose path has this `distillplan`."""
    shutil.copy(EXAMPLES / "grid.yaml", tmp_path)
    script = tmp_path / "bin" / "distillplan"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m distillplan "$@"\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    return tmp_path, {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}


def of_the_grid(form):
    return run("sweep", "grid.yaml", "--odds", "-o", form, folder=EXAMPLES).stdout


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_the_script_for_slurm_makes_the_whole(cluster):
    folder, environment = cluster
    script = block("slurm").replace("1-16", "1-3")
    for task in ("1", "2", "3"):
        slurm = {"SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_TASK_COUNT": "3"}
        subprocess.run([BASH, "-euc", script], cwd=folder, env={**environment, **slurm}, check=True)
    parts = sorted(folder.glob("cells-*.csv"))
    assert [part.name for part in parts] == [f"cells-0000{one}.csv" for one in (1, 2, 3)]
    assert "".join(part.read_text(encoding="utf-8") for part in parts) == of_the_grid("csv")


@pytest.mark.skipif(shutil.which("parallel") is None, reason="needs GNU parallel")
def test_the_command_for_gnu_parallel_makes_the_whole(cluster):
    folder, environment = cluster
    command = block("parallel").replace("16", "3")
    subprocess.run([BASH, "-euc", command], cwd=folder, env=environment, check=True)
    assert (folder / "cells.csv").read_text(encoding="utf-8") == of_the_grid("csv")


def test_the_program_for_dask_makes_the_whole(cluster):
    pytest.importorskip("dask.bag", reason="heavy; needs dask[bag]")
    folder, environment = cluster
    program = block("dask").replace("16", "3").replace("17", "4")
    (folder / "program.py").write_text(program, encoding="utf-8")
    subprocess.run([sys.executable, "program.py"], cwd=folder, env=environment, check=True)
    assert (folder / "cells.jsonl").read_text(encoding="utf-8") == of_the_grid("jsonl")
