"""`fit --form p2`: the form of starts from a cut model (arXiv:2411.10272) on one's own runs.

No published coefficients were found, so every number here is from runs that were drawn from the
form: the fit is its inverse.
"""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares

from distillplan.errors import InputError
from distillplan.fitting.forms import BOUNDS
from distillplan.fitting.pruned_fit import fit_pruned
from distillplan.fitting.pruned_form import PrunedForm
from distillplan.fitting.pruned_runs import read_pruned_runs
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.pruning_law import LETTERS, PruningLaw, outside, read_pruning_law, start_loss
from distillplan.planning.planner import plan
from tests.plans import scenario_from_options
from tests.shell import run

TRUE = PruningLaw(gamma=1.3, delta=0.12, N_C=800.0, alpha=0.35, D_C=9e4, beta=0.42, E=0.9)
PARENTS = {1e9: 2.5, 3e9: 2.3, 8e9: 2.1, 3e10: 1.95}
HEAD = "parent_params,kept,tokens,parent_loss,loss"
KEPT, TOKENS = (0.4, 0.55, 0.7, 0.85), (5e8, 2e9, 8e9, 3e10, 1e11)
TOTAL = ParameterCount.TOTAL


def table(parents=PARENTS, noise=0.0, seed=0, law=TRUE, shared=0.0, header="", more=""):
    """Runs that were drawn from the form, as a CSV."""
    random = np.random.default_rng(seed)
    lines = [header or "parent_params,kept,tokens,parent_loss,loss"]
    for parent, own in parents.items():
        for kept in KEPT:
            together = shared * random.standard_normal()
            for tokens in TOKENS:
                loss = own + law.excess(kept, parent, tokens)
                loss *= np.exp(noise * random.standard_normal() + together)
                lines.append(f"{parent!r},{kept},{tokens!r},{own},{float(loss)!r}{more}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="cut.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def fitted(path, **how):
    return fit_pruned(read_pruned_runs([path]), counts=TOTAL, **{"resamples": 0, **how})


# the inverse, and another method


def test_runs_without_noise_give_the_law_back(file):
    found = fitted(file(table()))
    assert found.fitted.law == pytest.approx(tuple(TRUE), rel=1e-6)
    assert found.mean_relative_error < 1e-9
    assert not found.dropped
    assert found.converged


@pytest.mark.parametrize("parents", [{8e9: 2.1}, {1e9: 2.5, 8e9: 2.1}], ids=["one", "two"])
def test_what_so_few_sizes_of_parents_cannot_show_is_left_out(file, parents):
    """One size shows gamma and beta, and the rest of that parent in one term; two show delta."""
    law = TRUE if len(parents) == 1 else TRUE._replace(N_C=0.0, alpha=0.0)
    found = fitted(file(table(parents, law=law)))
    one = len(parents) == 1
    assert found.dropped == (("N_C", "alpha", "delta") if one else ("N_C", "alpha"))
    got = found.fitted.law
    assert (got.gamma, got.beta) == pytest.approx((TRUE.gamma, TRUE.beta), rel=1e-6)
    assert got.delta == pytest.approx(0.0 if one else TRUE.delta, abs=1e-6)
    parent = 8e9
    scale = parent**-TRUE.delta if one else 1.0
    constant = TRUE.N_C * parent**-TRUE.alpha + TRUE.E if one else TRUE.E
    assert (got.D_C, got.E) == pytest.approx((TRUE.D_C * scale, constant * scale), rel=1e-5)
    assert {one.name for one in found.letters if one.value is None} == set(found.dropped)


def test_scipy_finds_the_same_minimum(file):
    """Least squares in log loss by scipy, in the letters themselves."""
    path = file(table({3e9: 2.3, 8e9: 2.1}, noise=0.002, law=TRUE._replace(N_C=0.0)))
    runs = read_pruned_runs([path])

    def residual(letters):
        gamma, delta, log_d, beta, log_e = letters
        inner = np.exp(log_d - beta * runs.log_tokens) + np.exp(log_e)
        excess = np.exp(-gamma * runs.log_kept - delta * runs.log_parent) * inner
        return np.log(runs.parent_loss + excess) - runs.log_loss

    found = fit_pruned(runs, counts=TOTAL, resamples=0)
    scale = 1.345 * found.noise  # Huber's
    other = least_squares(
        residual, [1.0, 0.1, np.log(5e4), 0.4, -0.1], loss="huber", f_scale=scale,
        x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15,
    )  # fmt: skip
    gamma, delta, log_d, beta, log_e = other.x
    got = found.fitted.law
    assert (got.gamma, got.delta, got.beta) == pytest.approx((gamma, delta, beta), rel=1e-4)
    assert np.log((got.D_C, got.E)) == pytest.approx((log_d, log_e), abs=1e-3)


@pytest.mark.parametrize("parents", [1, 2, 4])
def test_slopes_are_those_of_differences(file, parents):
    runs = read_pruned_runs([file(table(dict(list(PARENTS.items())[:parents])))])
    form = PrunedForm.around(runs)
    theta = form.starts(runs)[:3] + 0.01
    value, slopes = form.predict(theta, runs)
    for place in range(theta.shape[1]):
        step = np.zeros(theta.shape[1])
        step[place] = 1e-6
        high, low = form.predict(theta + step, runs)[0], form.predict(theta - step, runs)[0]
        assert slopes[..., place] == pytest.approx((high - low) / 2e-6, abs=1e-7)
    law = form.law(theta[0])
    for row in range(0, len(runs), 7):
        place = (np.exp(one[row]) for one in (runs.log_kept, runs.log_parent, runs.log_tokens))
        loss = runs.parent_loss[row] + law.excess(*place)
        assert np.exp(value[0, row]) == pytest.approx(loss, rel=1e-12)


# ranges


@pytest.mark.slow
def test_ranges_hold_the_truth_about_as_often_as_they_say(file):
    """Losses between the runs and at twice the longest, in 20 worlds: 90% is 18, give or take 1.3.

    Of a binomial with 20 trials and 0.9 fewer than 14 happen twice in a thousand.
    """
    places = ((0.5, 8e9, 2e10, 2.1), (0.5, 8e9, 2e11, 2.1), (0.5, 3e9, 2e10, 2.3))
    hits = np.zeros(len(places))
    for seed in range(20):
        law = TRUE._replace(N_C=0.0)
        text = table({3e9: 2.3, 8e9: 2.1}, noise=0.003, seed=seed, law=law)
        found = fitted(file(text), resamples=100, seed=seed).fitted
        for number, (kept, parent, tokens, own) in enumerate(places):
            at = start_loss(found, kept=kept, parent_params=parent, parent_loss=own, tokens=tokens)
            truth = own + law.excess(kept, parent, tokens)
            hits[number] += at.low <= truth <= at.high
    assert (hits >= 14).all(), hits


def test_points_of_one_recovery_that_err_together_widen_the_range(file):
    alone = fitted(file(table(noise=0.003)), resamples=100)
    together = fitted(file(table(noise=0.001, shared=0.004)), resamples=100)
    assert not alone.clustered
    assert together.clustered

    def width(found):
        (gamma, *_) = found.letters
        return gamma.high - gamma.low

    assert width(together) > 1.5 * width(alone)


def test_the_same_seed_gives_the_same_draws(file):
    path = file(table(noise=0.003))
    first, second = (fitted(path, resamples=20, seed=3).fitted.draws for _ in range(2))
    assert first == second != fitted(path, resamples=20, seed=4).fitted.draws


# what is refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kept,tokens,loss\n0.5,1e9,2\n", "columns parent_params, parent_loss missing, the file"),
        ("parent_params,kept,tokens,parent_loss,loss\n", "cut.csv: no runs"),
        (
            "parent_params,kept,tokens,parent_loss,loss\n" + "8e9,0.5,1e9,2.1,2.5\n" * 9,
            "one kept share in the runs (0.5); the form needs 2 at least",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n"
            + "8e9,0.5,1e9,2.1,2.5\n8e9,0.7,2e9,2.1,2.4\n" * 5,
            "2 token counts in the runs; the form needs 3 at least",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n8e9,1.5,1e9,2.1,2.5\n8e9,0,1e9,2.1,2.5\n",
            "2 faults, nothing was used: line 2, kept: '1.5' is no share above 0 and at most 1",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n8e9,0.5,x,2.1,2.5\n",
            "line 2, tokens: 'x' is not a number",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n8e9,0.5,1e9,2.1,\n",
            "no row has every number: line 2 (loss empty)",
        ),
        (
            f"{HEAD},taught\n8e9,0.5,1e9,2.1,2.5,yes\n8e9,0.5,1e9,2.1,2.5,no\n",
            "some runs were taught and some were not",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n"
            + "".join(f"8e9,{k},{d},2.5,2.1\n" for k in (0.5, 0.7) for d in (1e9, 2e9, 3e9, 4e9)),
            "8 of 8 losses are not above their parent's",
        ),
        (
            "parent_params,kept,tokens,parent_loss,loss\n"
            + "".join(
                f"8e9,{k},{d},2.1,2.5\n" for k in (0.5, 0.7) for d in (1e9, 2e9, 3e9)[k > 0.6 :]
            ),
            "runs for 4 coefficients; give 6 at least",
        ),
    ],
    ids=range(10),
)
def test_runs_that_say_too_little_are_refused_in_a_sentence(file, text, told):
    path = file(text)
    found = run("fit", path, "--form", "p2")
    assert found.returncode == 2
    assert found.stdout == ""
    assert any(one in found.stderr for one in told.split("|")), found.stderr
    assert "Traceback" not in found.stderr


def test_a_run_that_is_far_off_is_a_slip(file):
    """Its loss is 4 times as high as that of its twin in the table."""
    text = table()
    *row, loss = text.splitlines()[-1].split(",")
    found = run("fit", file(text + ",".join([*row, repr(4 * float(loss))]) + "\n"), "--form", "p2")
    assert (found.returncode, found.stdout) == (2, "")
    assert "off by a factor of more than 2.72; look for a slip in its row" in found.stderr


@pytest.mark.parametrize(
    "option", [["--anchor", "busbridge2025"], ["--keep", "3"], ["--histories", "keep"]], ids=str
)
def test_options_of_other_forms_are_refused(file, option):
    found = run("fit", file(table()), "--form", "p2", *option)
    assert found.returncode == 2
    assert f"{option[0]}: --form p2 fits cut models" in found.stderr


def test_columns_have_other_names_and_rows_are_chosen(file):
    """As in other fits; a share may be in percent."""
    text = table(header="N0,rho,D,L0,val", more="").replace(",0.4,", ",40%,")
    names = "parent_params=N0,kept=rho,tokens=D,parent_loss=L0,loss=val,taught=no"
    runs = read_pruned_runs([file(text)], names)
    assert fit_pruned(runs, counts=TOTAL, resamples=0).fitted.law == pytest.approx(
        tuple(TRUE), rel=1e-6
    )
    assert runs.taught is False
    some = read_pruned_runs([file(text)], names, ["N0 > 2e9", "rho != 0.55"])
    assert (some.parents, len(some)) == (3, 45)
    with pytest.raises(InputError, match="no column 'rh'; did you mean 'rho'"):
        read_pruned_runs([file(text)], names.replace("rho", "rh"))


# what the law is for


@pytest.fixture(scope="module")
def law_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("p2")
    text = table(noise=0.002, header="parent_params,kept,tokens,parent_loss,loss,taught", more=",1")
    (folder / "cut.csv").write_text(text)
    found = run("fit", "cut.csv", "--form", "p2", "-o", "p2.yaml", folder=folder)
    assert found.returncode == 0, found.stderr
    assert "p2.yaml" in found.stdout
    return str(folder / "p2.yaml")


def test_the_file_has_what_was_fitted(law_file):
    read = read_pruning_law(law_file)
    assert (read.law.gamma, read.law.beta) == pytest.approx((TRUE.gamma, TRUE.beta), rel=0.02)
    assert (read.taught, read.runs, len(read.draws)) == (True, 80, 512)
    assert read.valid.kept == pytest.approx((0.4, 0.85))
    lows, highs = (np.quantile(read.draws, end, axis=0) for end in (0.005, 0.995))
    assert ((lows <= TRUE) & (TRUE <= highs)).all(), dict(zip(LETTERS, lows, strict=True))


def test_a_plan_gives_the_loss_that_the_law_gives_and_its_range(law_file):
    """By hand: the loss of the parent, and the form at the plan's own share and tokens."""
    words = {"student": "4B", "start": "pruned", "parent": "qwen3-8b", "parent_loss": 1.95}
    found = plan(scenario_from_options(compute=1e22, **words, start_law=law_file))
    text, taught = found.start.ways
    kept = found.start.student_total_params / found.start.parent_total_params
    law = read_pruning_law(law_file)
    by_hand = 1.95 + law.law.excess(kept, found.start.parent_total_params, taught.student_tokens)
    assert taught.loss == pytest.approx(by_hand, rel=1e-12)
    low, high = taught.loss_band
    truth = 1.95 + TRUE.excess(kept, found.start.parent_total_params, taught.student_tokens)
    assert low < taught.loss < high
    assert abs(truth - taught.loss) < 3 * (high - low)
    assert text.loss is None  # the runs were taught
    assert found.verdict is found.odds is found.recommended is None
    assert "start_law_not_weighed" in found.warning_codes
    assert found.start.measured == taught
    without = plan(scenario_from_options(compute=1e22, **words))
    assert [one.loss for one in without.start.ways] == [None, None]
    assert [one.loss for one in without.options] == [one.loss for one in found.options]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"student": "1B"}, "its runs kept 40% to 85%"),
        ({"student": "40B", "parent": "qwen2.5-72b"}, "its parents have 1e+09 to 3e+10 param"),
        ({"compute": 1e25}, "its runs took 5e+08 to 1e+11 tokens"),
        ({"teacher": "qwen2.5-7b"}, "its runs were taught by their parents, and this is not"),
    ],
    ids=str,
)
def test_where_the_runs_do_not_reach_there_is_no_loss(law_file, words, why):
    asked = {"compute": 1e22, "student": "4B", "parent": "qwen3-8b", **words}
    found = plan(
        scenario_from_options(**asked, start="pruned", parent_loss=1.95, start_law=law_file),
        quick=True,
    )
    assert [one.loss for one in found.start.ways] == [None, None]
    assert found.start.law_outside.startswith(why)
    assert "start_not_measured" in found.warning_codes


def test_inside_nothing_is_outside(law_file):
    law = read_pruning_law(law_file)
    assert outside(law, 0.5, 8e9, 1e10) == outside(law, 0.4, 1e9, 4e11) == ""


def test_an_end_of_the_range_is_inside_whatever_the_rounding(law_file):
    """Longest runs of 1e11 tokens reach 4e11, on every machine's last bits of a logarithm."""
    law = read_pruning_law(law_file)
    low, high = law.valid.tokens
    for turned in (1 - 1e-12, 1.0, 1 + 1e-12):
        ends = law._replace(valid=law.valid._replace(tokens=(low * turned, high * turned)))
        assert outside(ends, 0.5, 8e9, 4e11) == outside(ends, 0.5, 8e9, 1.25e8) == ""
        assert outside(ends, 0.5, 8e9, 4.1e11)
        assert outside(ends, 0.5, 8e9, 1.2e8)


BY_OWN_LAW = ("--student", "4B", "--start", "pruned", "--parent", "qwen3-8b", "--parent-loss", "2")


def changed(law_file, tmp_path, line):
    """The law with another line for a letter."""
    path, letter = tmp_path / "changed.yaml", line.partition(":")[0]
    text = re.sub(rf"  {letter}: .*", f"  {line}", Path(law_file).read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return path


def test_a_law_that_was_made_to_explode_is_refused(law_file, tmp_path):
    broken = changed(law_file, tmp_path, "gamma: 1e300")
    found = run("budget", "1e22", *BY_OWN_LAW, "--start-law", broken, "--quick", "-o", "json")
    assert (found.returncode, found.stdout) == (2, "")
    assert "coefficients: no finite loss everywhere in the range of its runs" in found.stderr


def test_a_loss_that_guessing_would_beat_is_not_shown(law_file, tmp_path):
    """Guessing among qwen3's 151,936 tokens costs ln(151,936) = 11.9 nats."""
    poor = changed(law_file, tmp_path, "E: 1e3")
    found = run("budget", "1e22", *BY_OWN_LAW, "--start-law", poor, "--quick", "-o", "json")
    start = json.loads(found.stdout)["start"]
    assert start["law_outside"] == "it gives a loss that guessing would beat"
    assert {one["loss"] for one in start["ways"]} == {None}


def test_as_the_law_of_a_plan_it_is_refused_with_its_own_option(law_file):
    found = run("budget", "1e22", "--student", "4B", "--law", law_file)
    assert (found.returncode, found.stdout) == (2, "")
    found = run("predict", "--student", "4B", "--tokens", "10B", "--law", law_file)
    assert (found.returncode, found.stdout) == (2, "")
    _, _, command = found.stderr.strip().partition("distillplan ")
    given = {"COMPUTE": "1e22", "SIZE": "4B", "MODEL": "qwen3-8b", "LOSS": "2.1"}
    right = run(*(given.get(word, word) for word in shlex.split(command)))
    assert right.returncode == 0, right.stderr


def test_without_resamples_there_is_no_range_and_no_use(file, tmp_path):
    path, saved = file(table(noise=0.002)), tmp_path / "p2.yaml"
    words = ("--form", "p2", "--columns", "taught=yes", "--resamples", "0")
    found = json.loads(run("fit", path, *words, "-o", saved, "-o", "json").stdout)
    assert {one["low"] for one in found["predictions"]} == {None}
    words = ("--student", "4B", "--start", "pruned", "--parent-loss", "1.95", "--quick")
    refused = run("budget", "1e22", *words, "--start-law", saved)
    assert refused.returncode == 2
    assert "fitted without resamples" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--start", "pruned"], "--start-law: it gives the loss above that of the parent on the"),
        ([], "--start-law: a start from scratch has no parent; add --start pruned"),
    ],
    ids=["loss", "start"],
)
def test_the_law_needs_a_cut_and_the_loss_of_the_parent(law_file, words, told):
    found = run("budget", "1e22", "--student", "4B", *words, "--start-law", law_file, "--quick")
    assert found.returncode == 2
    assert told in found.stderr


def test_a_law_of_other_starts_is_no_law_of_cut_models(law_file, tmp_path):
    words = ("budget", "1e22", "--student", "4B", "--start", "pruned", "--parent-loss", "1.95")
    other = tmp_path / "other.yaml"
    other.write_text("title: x\n")
    found = run(*words, "--start-law", other)
    assert found.returncode == 2
    assert "not a law of starts from a cut model" in found.stderr
    assert run("budget", "1e22", "--student", "4B", "--law", law_file).returncode == 2


def test_runs_that_do_not_say_whether_they_were_taught_serve_no_plan(file, tmp_path):
    saved = tmp_path / "p2.yaml"
    shown = run("fit", file(table(noise=0.002)), "--form", "p2", "-o", saved, "--resamples", "20")
    assert "the runs do not say whether the parent taught" in shown.stdout
    words = ("--student", "4B", "--start", "pruned", "--parent-loss", "1.95", "--quick")
    found = run("budget", "1e22", *words, "--start-law", saved)
    assert found.returncode == 2
    assert "--columns taught=yes" in found.stderr


def test_the_screen_and_the_document_say_the_same(law_file, tmp_path):
    path = tmp_path / "cut.csv"
    path.write_text(table(noise=0.002))
    found = json.loads(run("fit", path, "--form", "p2", "-o", "json").stdout)
    screen = run("fit", path, "--form", "p2", "--details").stdout
    for one in found["letters"]:
        assert f"{one['value']:.4g}" in screen
    assert found["runs"] == 80
    assert len(found["predictions"]) == 2 * len(PARENTS) * len(KEPT)
    assert "its published coefficients were not found" in screen
    words = ("--student", "4B", "--start", "pruned", "--parent", "qwen3-8b", "--parent-loss", "2")
    shown = run("budget", "1e22", *words, "--start-law", law_file).stdout
    assert shown.startswith("Cut qwen3-8b to 4.00B, taught: ")
    assert "how its loss compares with those from scratch" in shown


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("draws:", "drawn:", "draws: the first line is not gamma,delta"),
        ("  gamma:", "  gama:", "missing key 'gamma'"),
        ("  kept: [0.4", "  kept: [0.9", "0.9 is above"),
        ('  - "1.', '  - "x1.', "draws: not 7 finite numbers in each line"),
        ("taught: true", "taught: maybe", "'maybe' is not true or false"),
    ],
    ids=range(5),
)
def test_a_broken_file_is_an_error_in_a_sentence(law_file, tmp_path, old, new, told):
    text = Path(law_file).read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(told)):
        read_pruning_law(str(broken))


def test_a_term_that_the_runs_do_not_show_has_no_range(file):
    """Without a constant, and with three parents between which alpha says little.

    Any E from 0 to a tenth of the excess fits as well with another alpha, by scipy: neither may
    have the range of where the descent stopped.
    """
    law = TRUE._replace(E=0.0, alpha=0.05, N_C=1.5)
    runs = read_pruned_runs(
        [file(table(law=law, noise=1e-3, parents=dict([*PARENTS.items()][:3])))]
    )
    found = fit_pruned(runs, counts=TOTAL, resamples=64)
    letters = {one.name: one for one in found.letters}
    costs = [least_cost(runs, floor) for floor in (0.0, 0.2, 0.4)]
    assert max(costs) < min(costs) * 1.05
    for name in ("E", "N_C", "alpha"):
        one = letters[name]
        assert not one.settled
        assert one.low is None or one.high > 10 * one.low, name
    assert letters["beta"].settled


def least_cost(runs, floor):
    """The least sum of squares with this E."""
    n, d = runs.log_parent, runs.log_tokens

    def residual(letters):
        gamma, delta, u, a, v, b = letters
        size, length = np.exp(u - a * (n - n.mean())), np.exp(v - b * (d - d.mean()))
        inner = size + length + floor
        excess = np.exp(-gamma * runs.log_kept - delta * n) * inner
        return np.log(runs.parent_loss + excess) - runs.log_loss

    start = [1.3, 0.12, 0.0, 0.1, 0.0, 0.4]
    ends = ([-5, -5, -40, 0, -20, 0], [5, 5, 20, 2, 20, 3])
    return 2 * least_squares(residual, start, bounds=ends, x_scale="jac", max_nfev=4000).cost


def test_a_bound_of_the_search_is_no_end_of_a_range(file):
    """An alpha that is steeper than any that is searched."""
    law = TRUE._replace(alpha=3.0, N_C=TRUE.N_C * 1e9**2.65)
    found = fitted(file(table(law=law, noise=3e-3)), resamples=64)
    alpha = next(one for one in found.letters if one.name == "alpha")
    bound = float(np.exp(BOUNDS["log_a"][1]))
    assert alpha.value > 0.9 * bound
    assert (alpha.low, alpha.high, alpha.settled) == (None, None, False)


def test_losses_that_rise_with_the_share_kept_are_warned_of(file):
    """A column with the share that was cut away instead."""
    lines = table(noise=1e-3).splitlines()
    swapped = [lines[0]]
    for line in lines[1:]:
        parent, kept, *rest = line.split(",")
        swapped.append(",".join([parent, f"{1 - float(kept):.2f}", *rest]))
    for resamples in (0, 32):
        found = fitted(file("\n".join(swapped)), resamples=resamples)
        assert [one.code for one in found.warnings] == ["loss_rises_with_kept"]
        assert not fitted(file(table(noise=1e-3)), resamples=resamples).warnings


def test_rows_without_a_number_are_left_out_and_named(file):
    lines = table().splitlines()
    lines[3] = lines[3].rpartition(",")[0] + ",nan"
    lines[5] = lines[5].rpartition(",")[0] + ","
    runs = read_pruned_runs([file("\n".join(lines))])
    assert len(runs) == len(lines) - 3
    (notice,) = runs.notices
    assert notice.code == "rows_left_out"
    assert notice.message.endswith("line 4 (loss nan), line 6 (loss empty)")
    empty = [lines[0], *(line.rpartition(",")[0] + "," for line in lines[1:])]
    with pytest.raises(InputError, match="no row has every number: line 2"):
        read_pruned_runs([file("\n".join(empty))])
