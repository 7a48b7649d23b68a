"""The picture of a fit: its runs stand in the file of its law, and the law beside them."""

import json
import math
from functools import cache
from pathlib import Path

import pytest

from distillplan.files.yaml_reader import parse_yaml
from distillplan.laws import law_catalog
from distillplan.questions.fitted_runs import fitted_runs
from distillplan.render.figures.picture_files import figure_of
from tests.documentation import EXAMPLES
from tests.figures import in_each_others_way, saved_as_each, texts_of
from tests.shell import run

FILES = (EXAMPLES / "runs.csv", EXAMPLES / "supervised_runs.csv")


@cache
def fitted_text(*words):
    """The file of a law of the example's runs."""
    folder = words[-1]
    found = run("fit", *FILES, "--resamples", "16", *words[:-1], "-o", "mine.yaml", folder=folder)
    assert found.returncode == 0, found.stderr
    return (folder / "mine.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A law that was fitted to the example's runs."""
    folder = tmp_path_factory.mktemp("fit")
    fitted_text(folder)
    return folder / "mine.yaml"


NAMES = ("params", "tokens", "loss", "teacher_loss")


def rows_of(path):
    """The runs in an example's file, as numbers."""
    lines = [one for one in path.read_text(encoding="utf-8").splitlines() if one[:1] != "#"]
    names = [one.removeprefix("student_") for one in lines[0].split(",")]
    for line in lines[1:]:
        cells = dict(zip(names, line.split(","), strict=True))
        yield tuple(number(cells.get(name, "")) for name in NAMES)


def number(cell):
    scale = {"M": 1e6, "B": 1e9, "T": 1e12}.get(cell[-1:])
    return float(cell or "nan") if scale is None else float(cell[:-1]) * scale


@pytest.mark.slow
def test_it_is_saved_in_every_format(mine, tmp_path):
    found = saved_as_each("plot", "fit", mine, folder=tmp_path)
    assert found.stdout == f"Wrote {tmp_path / 'picture.svg'}.\n"


def test_the_runs_of_the_file_are_those_that_were_given(mine):
    """To the last digit, as the example's files have them."""
    given = sorted(tuple(map(str, row)) for path in FILES for row in rows_of(path))
    found = fitted_runs(law_catalog.law(str(mine)))
    kept = sorted(
        tuple(map(str, (one.params, one.tokens, one.loss, one.teacher_loss or math.nan)))
        for one in found.points
    )
    assert kept == given
    assert len(found.points) == 54


def test_fitted_losses_are_the_equations(mine):
    """Equations 1 and 8 of arXiv:2502.08606 at the coefficients in the file, written out here."""
    sides = parse_yaml(mine.read_text(encoding="utf-8"), "mine.yaml")["coefficients"]
    alone, taught = (
        {letter: one["value"] for letter, one in sides[side].items()}
        for side in ("supervised", "distillation")
    )

    def supervised(n, d):
        inner = alone["A"] / n ** alone["alpha"] + alone["B"] / d ** alone["beta"]
        return alone["E"] + inner ** alone["gamma"]

    def distilled(n, d, teacher):
        ratio = teacher / (supervised(n, d) * taught["d1"])
        held_back = (1 + ratio ** (1 / taught["f1"])) ** (-taught["c1"] * taught["f1"])
        sizes = taught["A"] / n ** taught["alpha"] + taught["B"] / d ** taught["beta"]
        return teacher + teacher ** -taught["c0"] * held_back * sizes ** taught["gamma"]

    for one in fitted_runs(law_catalog.law(str(mine))).points:
        sizes = (one.params, one.tokens)
        said = (
            supervised(*sizes) if one.teacher_loss is None else distilled(*sizes, one.teacher_loss)
        )
        assert one.fitted_loss == pytest.approx(said, rel=1e-9)
        assert one.residual == pytest.approx(one.loss / said - 1, abs=1e-9)
        assert one.training_flops == pytest.approx(6 * one.params * one.tokens)


def test_the_noise_is_the_spread_of_the_residuals(mine):
    """The example's runs were made with 0.3% of noise; a fit of few letters leaves most of it."""
    found = fitted_runs(law_catalog.law(str(mine)))
    squares = [math.log1p(one.residual) ** 2 for one in found.points]
    spread = math.sqrt(sum(squares) / len(squares))
    assert 0.8 * spread < found.noise < 1.4 * spread
    assert found.noise == pytest.approx(0.003, rel=0.25)


def test_an_outlier_is_not_among_the_runs_of_the_fit(tmp_path):
    text = FILES[1].read_text(encoding="utf-8").rstrip() + "\n600M,24B,4.9\n"
    (tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    words = ("fit", "runs.csv", "--resamples", "0", "-o", "mine.yaml", "-o", "json")
    report = json.loads(run(*words, folder=tmp_path).stdout)
    assert "outliers_left_out" in [one["code"] for one in report["warnings"]]
    found = fitted_runs(law_catalog.law(str(tmp_path / "mine.yaml")))
    assert len(found.points) == report["runs"]
    assert 4.9 not in [one.loss for one in found.points]


def test_losses_are_kept_in_nats(tmp_path):
    """A perplexity of e is one nat."""
    rows = [f"{n},{d},{math.exp(loss)!r}," for n, d, loss, _ in rows_of(FILES[1])]
    (tmp_path / "runs.csv").write_text("params,tokens,loss,teacher_loss\n" + "\n".join(rows))
    words = ("fit", "runs.csv", "--loss-unit", "perplexity", "--resamples", "0", "-o", "m.yaml")
    assert run(*words, folder=tmp_path).returncode == 0
    found = fitted_runs(law_catalog.law(str(tmp_path / "m.yaml")))
    given = [loss for _, _, loss, _ in rows_of(FILES[1])]
    assert [one.loss for one in found.points] == pytest.approx(given)


def test_marks_are_the_runs(mine):
    found = fitted_runs(law_catalog.law(str(mine)))
    figure = figure_of(found)
    losses, residuals = figure.axes
    for mark, taught in (("o", False), ("s", True)):
        ones = [one for one in found.points if (one.teacher_loss is not None) is taught]
        (drawn,) = (line for line in losses.get_lines() if line.get_marker() == mark)
        assert drawn.get_xdata().tolist() == [one.loss for one in ones]
        assert drawn.get_ydata().tolist() == [one.fitted_loss for one in ones]
        (drawn,) = (line for line in residuals.get_lines() if line.get_marker() == mark)
        assert drawn.get_xdata().tolist() == [one.training_flops for one in ones]
        assert drawn.get_ydata().tolist() == pytest.approx([100 * one.residual for one in ones])
    assert in_each_others_way(figure) == []
    assert "without a teacher (6)" in texts_of(figure)


def test_data_is_what_is_drawn(mine, tmp_path):
    path = tmp_path / "runs.json"
    assert run("plot", "fit", mine, "--data", path).returncode == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = run("plot", "fit", mine, "-o", "jsonl").stdout.splitlines()
    assert [json.loads(one) for one in lines] == document["points"]
    assert len(lines) == 54


def test_a_file_without_runs_says_to_fit_again(mine, tmp_path):
    text = mine.read_text(encoding="utf-8")
    (tmp_path / "old.yaml").write_text(text.partition("\nruns:")[0] + "\n", encoding="utf-8")
    found = run("plot", "fit", "old.yaml", "-o", "f.svg", folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: old.yaml: it does not hold the runs that it was fitted on, as files of earlier "
        "versions do not; fit it again: distillplan fit RUNS -o old.yaml\n"
    )
    assert not (tmp_path / "f.svg").exists()
    budget = run("budget", "1e20", "--law", "old.yaml", "-o", "json", folder=tmp_path)
    assert budget.returncode == 0


def test_a_published_law_has_no_runs():
    found = run("plot", "fit", "busbridge2025", "-o", "json")
    assert found.returncode == 2
    assert "busbridge2025 has no runs beside it" in found.stderr


def test_a_teacher_of_which_the_law_says_nothing_is_refused(tmp_path):
    law = (Path(law_catalog.coefficients_dir()) / "laws" / "besiroglu2024.yaml").read_text()
    table = '\n  - "params,tokens,loss,teacher_loss"\n  - "1e8,2e9,3,2.1"\n'
    text = (
        law.replace("name: besiroglu2024", "name: mine") + f"\nruns:\n  noise: 0\n  table:{table}"
    )
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    found = run("laws", "mine.yaml", folder=tmp_path)
    assert found.returncode == 2
    assert "a run has a teacher, but the law has no distillation side" in found.stderr
