"""Nothing is lost: a saved file is whole at every moment, and nobody's own file is overwritten."""

import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.files import saving
from distillplan.files.bounds import MOST_BYTES
from distillplan.files.saving import STALE_SECONDS, TEMPORARY, save
from distillplan.fitting import bootstrap as resampling
from distillplan.fitting.bootstrap import bootstrap
from distillplan.fitting.fit_records import FitRequest
from distillplan.fitting.fitter import fit as fit_rows
from distillplan.fitting.law_files import MARK
from distillplan.fitting.runs_file import Reading, read_runs
from distillplan.fitting.state_file import state_key
from distillplan.laws import law_catalog
from distillplan.laws.draws import DISTILLATION_COLUMNS, MOST_DRAWS
from tests.fitting_cases import SUPERVISED, supervised_runs
from tests.shell import run

RUNS = "params,tokens,loss,other\n" + "\n".join(
    f"{n:g},{d:g},{SUPERVISED.loss(n, d)!r},{SUPERVISED.loss(n, 2 * d)!r}"
    for n in (1e8, 3e8, 1e9, 3e9)
    for d in (1e10, 1e11)
)
QUICK = ("--resamples", "8")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs.csv").write_text(RUNS)
    return tmp_path


def fit(*words):
    return run("fit", "runs.csv", *QUICK, *words)


def contents(folder):
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


# --- one step


@pytest.mark.parametrize("moments", [45, pytest.param(300, marks=pytest.mark.exhaustive)])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_killed_save_leaves_the_old_law_or_the_new_one(here, moments):
    """By kill -9, Ctrl-C and kill, at random moments."""
    for seed in (1, 2):
        assert fit("-o", f"{seed}.yaml", "--seed", seed).returncode == 0
    folder = here / "saves"
    folder.mkdir()
    words = ["-m", "tests.killed_saves", folder, "1.yaml", "2.yaml", str(moments)]
    root = Path(__file__).parents[1]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *words],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=300,  # where a signal was lost, the process saves for ever
    )
    assert done.stderr == b""
    found = json.loads(done.stdout)
    assert len(found) == moments
    assert all(one["whole"] for one in found)
    ends = {"SIGKILL": -9, "SIGINT": 130, "SIGTERM": -15}
    assert all(one["code"] == ends[one["by"]] for one in found)
    assert not any(one["left"] for one in found if one["by"] != "SIGKILL")
    assert any(one["left"] for one in found if one["by"] == "SIGKILL")  # some were in the middle
    assert (folder / "mine.yaml").read_text() == Path("1.yaml").read_text()
    law = law_catalog.law(str(folder / "mine.yaml"))
    assert law_catalog.draws(law).size == 8


def test_a_full_disk_leaves_what_was_there(here, monkeypatch):
    save(Path("a.txt"), "old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(saving.os, "fsync", full)
    with pytest.raises(InputError, match=r"a\.txt: cannot be written: No space left"):
        save(Path("a.txt"), "new")
    assert contents(here).keys() == {"a.txt", "runs.csv"}
    assert Path("a.txt").read_text() == "old"


def test_what_a_killed_process_left_is_removed_in_time(here):
    young, old = Path(f"{TEMPORARY}1"), Path(f"{TEMPORARY}2")
    for one in (young, old):
        one.touch()
    long_ago = time.time() - 2 * STALE_SECONDS
    os.utime(old, (long_ago, long_ago))
    save(Path("a.txt"), "text")
    assert contents(here).keys() == {"a.txt", "runs.csv", young.name}


def test_a_link_stays_a_link_and_permissions_stay(here):
    (here / "there").mkdir()
    target, link = here / "there" / "target.yaml", here / "mine.yaml"
    link.symlink_to(target)
    for mode in (None, 0o640):
        if mode is not None:
            target.chmod(mode)
        assert fit("-o", "mine.yaml").returncode == 0
        assert link.is_symlink()
        assert target.read_text().startswith(MARK)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


# --- nobody's own file


def _link(name, target):
    Path(name).symlink_to(target)


def _loop():
    _link("a.yaml", "b.yaml")
    _link("b.yaml", "a.yaml")


def _own_law(name):
    assert fit("-o", name).returncode == 0


PLACES = {
    "a hand-written file": (
        lambda: Path("mine.yaml").write_text("base: {compute: 1e21}\n"),
        ("-o", "mine.yaml"),
        "was not written by distillplan fit",
    ),
    "runs under another name": (
        lambda: _link("mine.yaml", "runs.csv"),
        ("-o", "./mine.yaml"),
        "would overwrite the runs in runs.csv",
    ),
    "runs as state": (lambda: None, ("--state", "./runs.csv"), "the runs in runs.csv"),
    "runs as state, linked": (
        lambda: os.link("runs.csv", "state.json"),
        ("--state", "state.json"),
        "would overwrite the runs in runs.csv",
    ),
    "the anchor": (
        lambda: _own_law("a.yaml"),
        ("--anchor", "a.yaml", "-o", "a.yaml"),
        "would overwrite the law in a.yaml",
    ),
    "the anchor, linked": (
        lambda: (_own_law("a.yaml"), os.link("a.yaml", "b.yaml")),
        ("--anchor", "a.yaml", "--save", "b.yaml"),
        "would overwrite the law in a.yaml",
    ),
    "the law under test": (
        lambda: _own_law("a.yaml"),
        ("--test", "a.yaml", "--save", "a.yaml"),
        "would overwrite the law in a.yaml",
    ),
    "law and state in one file": (
        lambda: None,
        ("--state", "x.yaml", "-o", "./x.yaml"),
        "--state: x.yaml would overwrite --save",
    ),
    "a folder": (lambda: Path("a.yaml").mkdir(), ("-o", "a.yaml"), "is a folder"),
    "a folder as state": (lambda: Path("s").mkdir(), ("--state", "s"), "is a folder"),
    "a pipe": (lambda: os.mkfifo("a.yaml"), ("-o", "a.yaml"), "is a device or a pipe"),
    "a device": (lambda: _link("a.yaml", "/dev/full"), ("-o", "a.yaml"), "is a device or a pipe"),
    "a device as state": (lambda: None, ("--state", os.devnull), "is a device or a pipe"),
    "a loop of links": (_loop, ("-o", "a.yaml"), "is a link to itself"),
    "a name that is too long": (lambda: None, ("--state", "a" * 300), "File name too long"),
    "a missing folder of a state": (lambda: None, ("--state", "no/s.json"), "does not exist"),
    "two files": (lambda: None, ("-o", "a.yaml", "-o", "b.yaml"), "leave one out"),
    "two forms": (lambda: None, ("-o", "json", "-o", "table"), "leave one out"),
    "a form to save to": (lambda: None, ("--save", "json"), "must end in .yaml"),
    "another file as state": (
        lambda: Path("s.json").write_text("{}"),
        ("--state", "s.json"),
        "was not written by distillplan fit",
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_no_file_of_anybody_is_overwritten(here, case):
    prepare, words, says = PLACES[case]
    prepare()
    before = contents(here)
    found = fit(*words)
    assert found.returncode == 2
    assert says in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert found.stdout == ""
    assert contents(here) == before


def test_draws_of_a_law_are_not_overwritten_by_a_state(here):
    _own_law("a.yaml")
    _with_draws_beside(here / "a.yaml")
    found = fit("--anchor", "a.yaml", "--state", "./a.draws.csv")
    assert "would overwrite the draws of a" in found.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be written by root")
def test_what_is_read_only_stays(here):
    _own_law("a.yaml")
    Path("a.yaml").chmod(0o444)
    assert "a.yaml is read-only" in fit("-o", "a.yaml").stderr
    here.chmod(0o555)
    assert "is read-only" in fit("-o", "b.yaml").stderr


@pytest.mark.parametrize("begins", ["", "earlier"])
def test_an_earlier_fit_and_an_empty_file_are_replaced(here, begins):
    if begins:
        _own_law("mine.yaml")
    else:
        Path("mine.yaml").touch()  # as mktemp does
    assert fit("-o", "mine.yaml", "--seed", "1").returncode == 0
    assert contents(here).keys() == {"mine.yaml", "runs.csv"}


@pytest.mark.usefixtures("here")
def test_the_answer_is_not_printed_into_the_file_of_the_law():
    """``fit runs.csv -o mine.yaml > mine.yaml``: the answer would be replaced by the law."""
    with Path("mine.yaml").open("w") as out:
        words = ["fit", "runs.csv", *QUICK, "-o", "mine.yaml"]
        done = subprocess.run(
            [sys.executable, "-m", "distillplan", *words],
            check=False,
            stdout=out,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 2
    assert b"would overwrite what is written to standard output" in done.stderr


# --- what is written can be read


@pytest.mark.parametrize("name", ["é\x7f.csv", "a\u2028b\x85.csv", "\udcff\udc80.csv", "😀'\".csv"])
@pytest.mark.usefixtures("here")
def test_a_law_of_runs_of_any_name_is_read(name):
    Path("runs.csv").rename(name)
    found = run("fit", name, *QUICK, "-o", "mine.yaml")
    assert found.returncode == 0, found.stderr
    assert law_catalog.draws(law_catalog.law("mine.yaml")).size == 8


def _with_draws_beside(path):
    """The file of a law as earlier versions wrote it."""
    lines = path.read_text().splitlines()
    start = lines.index("  table:")
    end = lines.index("runs:")
    table = [line.removeprefix("  - ") for line in lines[start + 1 : end]]
    beside = path.with_suffix(".draws.csv")
    beside.write_text("\n".join(table) + "\n")
    sigma = lines[start - 1].strip()
    draws = f"draws: {{file: {beside.name}, {sigma}}}"
    path.write_text("\n".join([*lines[: start - 2], draws]) + "\n")


def test_a_law_with_its_draws_in_another_file_is_read_as_before(here):
    _own_law("a.yaml")
    law = law_catalog.law("a.yaml")
    expected = law_catalog.draws(law)
    _with_draws_beside(here / "a.yaml")
    found = law_catalog.draws(law_catalog.law("a.yaml"))
    assert found.sigma_run == expected.sigma_run
    assert (found.supervised.A == expected.supervised.A).all()


def test_the_most_resamples_fit_into_the_file_of_a_law():
    """A number of seven digits takes at most 13 characters and its comma: -1.234567e-10."""
    line = len("  - \n") + len(DISTILLATION_COLUMNS) * len("-1.234567e-10,")
    assert MOST_DRAWS * line < MOST_BYTES / 2


# --- a state belongs to its content


def request(**change):
    reading = Reading(columns=change.pop("columns", ""), unit=change.pop("unit", None))
    runs = read_runs([change.pop("path", "runs.csv")], reading)
    like = law_catalog.law()
    every = {"runs": runs, "like": like, "like_draws": law_catalog.draws(like), **change}
    return FitRequest(**every)


def _moved(law):
    alone = law.supervised._replace(E=law.supervised.E * (1 + 1e-15))
    return law._replace(supervised=alone, distillation=law.distillation._replace(supervised=alone))


@pytest.mark.usefixtures("here")
def test_a_state_is_that_of_its_content_and_of_no_name():
    like = law_catalog.law()
    same, key = state_key(request()), state_key
    Path("other.csv").write_text("\n" + RUNS)
    for other in (
        request(path="other.csv"),
        request(like=like._replace(name="mine", title="Mine", file="mine.yaml")),
        request(resamples=64, jobs=2),
    ):
        assert key(other) == same
    kept = np.zeros(5000, dtype=bool)
    further = kept.copy()
    kept[:1500], further[:1500] = True, True
    further[[700, 2000]] = False, True  # where numpy's own text of an array has dots
    keys = [
        same,
        key(request(columns="loss=other")),
        key(request(columns="params=tokens,tokens=params")),
        key(request(like=_moved(like))),
        key(request(like_draws=law_catalog.draws(like).every(2))),
        key(request(like_draws=None)),
        key(request(anchored=True)),
        key(request(supervised=like)),
        key(request(supervised=_moved(like))),
        key(request(supervised=like, supervised_draws=law_catalog.draws(like))),
        key(request(gamma_one=True)),
        key(request(kept=kept)),
        key(request(kept=further)),
        key(request(seed=1)),
    ]
    assert len(set(keys)) == len(keys)


def test_a_state_of_another_law_of_the_same_name_is_refused(here):
    """`fit --anchor mine.yaml --state s.json`, and then mine.yaml is fitted anew."""
    _own_law("mine.yaml")
    words = ("--anchor", "mine.yaml", "--state", "s.json")
    assert fit(*words).returncode == 0
    assert fit(*words).returncode == 0
    Path("runs2.csv").write_text(RUNS.replace("\n1e+09,", "\n1.1e+09,"))
    assert run("fit", "runs2.csv", *QUICK, "-o", "mine.yaml").returncode == 0
    before = contents(here)
    found = fit(*words)
    assert found.returncode == 2
    assert "has the resamples of another fit" in found.stderr
    assert contents(here) == before


def test_the_resamples_of_this_method_are_unchanged():
    """If they change on purpose, raise `METHOD`: states of the old ones must not be used."""
    rows = supervised_runs(SUPERVISED, 40, noise=0.003)
    fitted = fit_rows(rows, law_catalog.law().supervised)
    theta = bootstrap(fitted, resamples=2).theta
    assert resampling.METHOD == 2
    assert theta.sum(axis=1) == pytest.approx([-4.507269674, -4.446998714], rel=1e-6)
