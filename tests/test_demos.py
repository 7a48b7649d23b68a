"""The paper's demonstrations: their parts against independent methods, and what they show."""

import csv
import io
import json
import math
import re

import numpy as np
import pytest
from scipy import optimize

from distillplan.demos import calibration, kernel_regression, mapping
from distillplan.demos.calibration import TargetKind, brier, cut_off, language, log_loss
from distillplan.demos.claims import Shown, claim
from distillplan.demos.mapping_problem import mapping_problem
from distillplan.demos.mapping_records import TeacherAxis
from distillplan.demos.perceptrons import Batch, Perceptrons, Shape, learning_rate
from distillplan.render import demo_views
from distillplan.render.show import rendered
from tests.shell import run
from tests.small_demos import SMALL_CALIBRATION, SMALL_MAPPING, TINY_MAPPING, tiny

SEEDS = range(10)


def within_a_norm(columns, wanted, norm):
    """The combination of columns nearest to a vector among those of at most such a norm.

    The normal equations with a Lagrange multiplier, found by bisection; no use is made of
    orthonormal functions.
    """

    def solved(weight):
        gram = columns.T @ columns
        return columns @ np.linalg.solve(gram * (1 + weight), columns.T @ wanted)

    def excess(weight):
        return np.linalg.norm(solved(weight)) - norm

    if excess(0.0) <= 0:
        return solved(0.0)
    return solved(optimize.brentq(excess, 0.0, 1e6, xtol=1e-14, rtol=1e-14))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("teacher_norm", "student_norm"), [(2.0, 1.5), (1.0, 1.0), (1e3, 9e2)])
def test_the_closed_form_is_the_constrained_least_squares_solution(
    seed, teacher_norm, student_norm
):
    """Equations 14 and 15 solved directly, in columns that are not orthonormal."""
    random = np.random.default_rng(seed)
    dimensions = 12
    coefficients = random.uniform(-1, 1, dimensions)
    basis, _ = np.linalg.qr(random.normal(size=(30, dimensions)))
    target = basis @ coefficients
    teachers = kernel_regression.teacher_errors(coefficients, teacher_norm)
    for student in (3, 7):
        students = kernel_regression.student_errors(
            coefficients, student, teacher_norm=teacher_norm, student_norm=student_norm
        )
        of_student = basis[:, :student] @ random.normal(size=(student, student))
        for teacher in (1, 2, 3, 6, 7, 9, 12):
            of_teacher = basis[:, :teacher] @ random.normal(size=(teacher, teacher))
            learned = within_a_norm(of_teacher, target, teacher_norm)
            assert math.isclose(
                np.linalg.norm(learned - target), teachers[teacher - 1], abs_tol=1e-8
            )
            copied = within_a_norm(of_student, learned, student_norm)
            assert math.isclose(
                np.linalg.norm(copied - target), students[teacher - 1], abs_tol=1e-8
            )


def test_kernel_regression_has_the_axis_of_figure_10():
    """The figure's errors lie between 13 and 19, and its teachers' fall throughout."""
    found = kernel_regression.kernel_demo()
    errors = [error for point in found.points for error in point.student_errors]
    assert 13 < min(errors) < max(errors) < 19
    teachers = [point.teacher_error for point in found.points]
    assert teachers == sorted(teachers, reverse=True)


PRINTED = [
    ("20202100", 1, 1),
    ("11201200", 5, 2),
    ("01222212", 1, 6),
]
"""Context, position and label of the examples in Appendix C.2.1."""


@pytest.mark.parametrize(("context", "position", "label"), PRINTED)
def test_labels_are_those_that_the_paper_prints(context, position, label):
    problem = mapping_problem(len(context))
    wanted = [*map(float, context), *(float(at == position) for at in range(len(context)))]
    (at,) = np.flatnonzero((problem.inputs == wanted).all(axis=1))
    assert problem.labels[at] == label
    assert problem.hard[at] == (context[position] != "0")


def test_all_labels_are_those_of_the_paper_s_code():
    """`label` of Appendix C.2.1, one input after another; it has one answer for each of ours."""
    problem = mapping_problem(5)
    asked = 0
    for row, label in zip(problem.inputs, problem.labels, strict=True):
        context, (position,) = row[:5], np.flatnonzero(row[5:])
        same = np.flatnonzero(context == context[position])
        answers = [position] if context[position] == 0 else same[same != position]
        assert list(answers) == [label]
        asked += 1
    assert asked == len(np.unique(problem.inputs, axis=0)) == 725


def test_gradients_are_finite_differences():
    random = np.random.default_rng(0)
    networks = Perceptrons(Shape(5, 7, 3), 2, random, copies=2, dtype=np.float64)
    networks.flat[:] = random.normal(size=networks.flat.shape)
    batch = Batch(random.normal(size=(6, 5)), random.dirichlet(np.ones(3), size=(4, 6)))
    networks.backward(batch)
    found, step = networks.gradient.copy(), 1e-6
    for at, value in enumerate(networks.flat.copy()):
        sides = []
        for moved in (value + step, value - step):
            networks.flat[at] = moved
            logs = np.log(networks.distributions(batch.inputs))
            sides.append(-np.mean(np.sum(batch.targets * logs, axis=-1), axis=-1).sum())
        networks.flat[at] = value
        assert math.isclose(found[at], (sides[0] - sides[1]) / (2 * step), abs_tol=1e-7)


def test_the_optimizer_is_adam():
    """Algorithm 1 of Kingma & Ba (2015), written out."""
    random = np.random.default_rng(0)
    networks = Perceptrons(Shape(2, 3, 2), 1, random, dtype=np.float64)
    values, first, second = networks.flat.copy(), 0.0, 0.0
    for step in range(1, 6):
        gradient = random.normal(size=values.shape)
        networks.gradient[:] = gradient
        networks.step(0.01)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        values -= 0.01 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(networks.flat, values, rtol=1e-12)


def test_copies_begin_differently_and_networks_alike():
    networks = Perceptrons(Shape(2, 3, 2), 2, np.random.default_rng(0), copies=3)
    first, *others = np.split(networks.weights[0], 2)
    assert all((first == one).all() for one in others)
    assert len(np.unique(first[:, 0, 0])) == 3


@pytest.mark.parametrize("steps", [1, 3, 500])
def test_the_learning_rate_rises_and_then_falls_to_zero(steps):
    rates = [learning_rate(step, steps, 2.0) for step in range(steps)]
    top = rates.index(max(rates))
    assert math.isclose(rates[top], 2.0)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert steps < 500 or (top + 1 == 25 and rates[-1] < 0.001)  # 5% of the steps


def test_the_calibration_error_of_a_case_counted_by_hand():
    """Of 21 bins, 0.50 and 0.51 share the 11th; 0.95 is in the 20th and 1 in the last, alone."""
    confidence, right = np.array([0.50, 0.51, 0.95, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    found = calibration.calibration(confidence, right)
    assert math.isclose(found.error, 0.5 * (0.505 - 0.5) + 0.25 * (0.95 - 0) + 0.25 * (1 - 1))
    assert [one.share for one in found.bins] == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("kept", [1, 2, 5])
def test_cut_off_targets_are_overconfident_by_what_is_cut_off(kept):
    """The first choice is right with chance p and is given p / S, with S the sum of what is kept:
    overconfident everywhere, so the error is the mean of p (1 / S - 1), whatever the bins."""
    likely = language(SMALL_CALIBRATION, np.random.default_rng(0))
    largest = -np.sort(-likely, axis=1)[:, :kept]
    wanted = np.mean(largest[:, 0] * (1 / largest.sum(axis=1) - 1))
    cut = cut_off(likely, kept)
    assert math.isclose(calibration.calibration(cut.max(axis=1), likely.max(axis=1)).error, wanted)


def test_proper_scores_are_best_for_the_truth():
    """Their least values are the entropy, and one minus the mean sum of squares."""
    likely = language(SMALL_CALIBRATION, np.random.default_rng(1))
    assert math.isclose(log_loss(likely, likely), -np.mean(np.sum(likely * np.log(likely), 1)))
    assert math.isclose(brier(likely, likely), 1 - np.mean(np.sum(likely**2, axis=1)))
    for kept in (1, 2, 8):
        mixed = 0.9 * likely + 0.1 * cut_off(likely, kept)
        assert log_loss(mixed, likely) > log_loss(likely, likely)
        assert brier(mixed, likely) > brier(likely, likely)


def test_the_brier_score_is_that_of_single_tokens():
    """Brier (1950): the squared distance from the token that came, by its chance."""
    likely, said = np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.4, 0.1]])
    by_token = [sum((said[0] - np.eye(3)[token]) ** 2) for token in range(3)]
    assert math.isclose(brier(said, likely), likely[0] @ by_token)


@pytest.mark.parametrize("seed", SEEDS)
def test_kernel_regression_shows_it(seed):
    found = kernel_regression.kernel_demo(seed=seed)
    assert found.held, found.claims
    assert all(row.best_from == row.student_dimension for row in found.rows)
    assert sum(row.can_shrink for row in found.rows) >= 5


@pytest.mark.parametrize(
    ("seed", "sizes"),
    [
        *(pytest.param(seed, SMALL_MAPPING, marks=pytest.mark.slow) for seed in (0, 1)),
        *(pytest.param(seed, mapping.QUICK, marks=pytest.mark.exhaustive) for seed in SEEDS),
    ],
)
def test_the_mapping_problem_shows_it(seed, sizes):
    found = mapping.mapping_demo(seed=seed, sizes=sizes)
    assert found.held, found.claims
    for axis in TeacherAxis:
        row = mapping.along(found.points, axis)
        best = mapping.best_of(row, mapping.MIDDLE)
        assert 0 < best < len(row) - 1


def test_the_large_sizes_are_those_of_the_paper():
    """Appendix C.2.2: widths 128, 256, 362; a teacher of 512 trained for 64 to 16384 steps; batches
    of 512; at least 500 steps, or 20 samples a parameter."""
    sizes = mapping.FULL
    assert (*sizes.students, sizes.trained_width) == (128, 256, 362, 512)
    assert (sizes.trained_steps[0], sizes.trained_steps[-1]) == (64, 16384)
    assert (sizes.student_batch, sizes.peak_rate, sizes.trials) == (512, 3e-4, 4)
    by_steps = mapping._teachers(sizes, TeacherAxis.WIDTH)
    for one in by_steps:
        width = one.width
        params = (16 * width + width) + (width * width + width) + (width * 8 + 8)
        assert one.steps == max(500, round(20 * params / 512))
    assert mapping._student_steps(sizes, 256) == by_steps[2].steps == 2820


def test_progress_ends_with_all_steps_done(monkeypatch):
    monkeypatch.setattr(mapping, "LEAST_STEPS", 40)
    sizes = TINY_MAPPING._replace(
        students=(3, 4, 5), student_steps=None, widths=(3, 5), width_steps=None
    )
    told = []
    mapping.mapping_demo(sizes=sizes, advance=told.append)
    assert told == sorted(told)
    assert told[-1] == mapping.work(sizes)


@pytest.mark.parametrize(
    ("seed", "sizes"),
    [
        *((seed, SMALL_CALIBRATION) for seed in (0, 1)),
        *(pytest.param(seed, calibration.QUICK, marks=pytest.mark.exhaustive) for seed in SEEDS),
    ],
)
def test_calibration_shows_it(seed, sizes):
    """The signs of Figures 43 to 50 and of the table of sampled and top-k logits in RS-KD."""
    found = calibration.calibration_demo(seed=seed, sizes=sizes)
    assert found.held, found.claims
    full, sampled = found.row(TargetKind.FULL), found.row(TargetKind.SAMPLED)
    first = found.row(TargetKind.TOP_K)
    assert first.kept == 1
    assert max(full.ece, sampled.ece) < 0.02
    assert first.ece > 0.2
    assert first.ece_against_teacher < 0.5 * full.ece_against_teacher
    assert full.log_loss > found.entropy


def test_a_demonstration_is_the_same_with_the_same_seed():
    with tiny():
        for name in ("kernel", "mapping", "calibration"):
            first, again, other = (
                run("demo", name, "--seed", seed, "-o", "json") for seed in (3, 3, 4)
            )
            assert first == again
            assert json.loads(first.stdout)["claims"] != json.loads(other.stdout)["claims"]


@pytest.mark.parametrize("held", [True, False])
def test_a_sentence_is_said_only_where_the_numbers_say_so(held):
    """Every claim in turn fails, and the sentence goes."""
    found = kernel_regression.kernel_demo()
    sentence = demo_views.SHOWS[kernel_regression.KernelDemo]
    for at, one in enumerate(found.claims):
        claims = [*found.claims]
        claims[at] = one._replace(held=held)
        text = " ".join(rendered(found._replace(claims=tuple(claims)), "markdown").split())
        assert (sentence in text) is held
        assert (demo_views.NOT_SHOWN in text) is not held
        assert demo_views.CLAIMS[one.shown] in text
    assert demo_views.CLAIMS.keys() == {*Shown}


def test_a_claim_holds_where_all_its_margins_do():
    assert claim(Shown.ENDS_HIGHER, [0.2, 0.1]).held
    assert not claim(Shown.ENDS_HIGHER, [0.2, 0.0]).held


@pytest.mark.parametrize("name", ["kernel", "mapping", "calibration"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_its_screen_fits_a_terminal(name, width):
    with tiny():
        done = run("demo", name, COLUMNS=str(width))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24 or width < 80


def test_its_rows_are_the_curves():
    rows = list(csv.DictReader(io.StringIO(run("demo", "kernel", "-o", "csv").stdout)))
    found = kernel_regression.kernel_demo()
    assert len(rows) == len(found.rows) * len(found.points)
    assert float(rows[-1]["student_error"]) == found.points[-1].student_errors[-1]


@pytest.mark.parametrize(
    ("name", "ending", "begins"),
    [
        ("kernel", ".svg", b"<?xml"),
        ("mapping", ".png", b"\x89PNG"),
        ("calibration", ".pdf", b"%PDF"),
    ],
)
def test_a_picture_is_drawn_beside_the_answer(name, ending, begins, tmp_path):
    """The same numbers give the same bytes."""
    pytest.importorskip("matplotlib", reason="the plot extra")
    paths = [tmp_path / f"{at}{ending}" for at in (1, 2)]
    with tiny():
        plain = run("demo", name)
        for path in paths:
            assert run("demo", name, "-o", path) == plain
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith(begins)
    assert first == second


def test_a_picture_says_what_the_numbers_say_and_where_it_is_from(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    path = tmp_path / "kernel.svg"
    done = run("demo", "kernel", "-o", path, "-o", "json")
    texts = "".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8")))
    assert "A teacher can be too large" in texts
    assert "Figure 10" in texts
    for row in json.loads(done.stdout)["rows"]:
        assert f"student of {row['student_dimension']}" in texts


def test_curves_in_the_picture_are_the_numbers():
    pytest.importorskip("matplotlib", reason="the plot extra")
    from distillplan.render.figures.demo_figures import demo_figure

    found = mapping.mapping_demo(sizes=TINY_MAPPING)
    for axes, axis in zip(demo_figure(found).axes, TeacherAxis, strict=True):
        row = mapping.along(found.points, axis)
        drawn = [list(line.get_ydata()) for line in axes.lines]
        assert [one.teacher_loss for one in row] in drawn
        for place in range(3):
            assert [one.students[place].loss for one in row] in drawn


def test_a_picture_without_matplotlib_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = run("demo", "kernel", "-o", tmp_path / "kernel.svg")
    assert done.returncode == 2
    assert done.stderr.endswith("install it with: pip install 'distillplan[plot]'\n")
    assert not done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "kernel.jpg"), "nor a file that ends in .svg, .png, .pdf"),
        (("-o", ".svg"), "nor a file that ends in .svg, .png, .pdf"),
        (("-o", "a.svg", "-o", "b.svg"), "a.svg and b.svg are two; leave one out"),
        (("-o", "csv", "-o", "json"), "csv and json are two; leave one out"),
        (("-o", "nowhere/a.svg"), "nowhere does not exist; create it first"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(words, said, tmp_path):
    done = run("demo", "kernel", *words, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_an_unknown_demonstration_names_the_known_ones():
    done = run("demo", "kernels")
    assert done.returncode == 2
    assert "kernel, mapping, calibration" in done.stderr
