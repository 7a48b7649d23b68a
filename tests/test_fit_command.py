"""`distillplan fit`: laws known beforehand, published runs, mistakes."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distillplan import Scenario, Teacher, plan
from distillplan.errors import InputError
from distillplan.fitting.bootstrap import bootstrap
from distillplan.fitting.fitter import fit as fit_rows
from distillplan.fitting.identifiability import FLOOR
from distillplan.fitting.rows import Rows
from distillplan.fitting.runs_file import read_runs
from distillplan.fitting.state_file import load_state, save_state
from distillplan.laws import law_catalog
from distillplan.laws.transfer import transfer_error
from distillplan.planning.teacher import check_teacher_loss
from tests.fitting_cases import (
    BESIROGLU,
    BESIROGLU_ERRORS,
    CORRECTED,
    STUDENTS,
    SUPERVISED,
    distillation_runs,
    joint_runs,
    large_students,
    log_loss,
    published_runs,
    supervised_runs,
)
from tests.schemas import validate
from tests.shell import run

EXAMPLES = Path(__file__).parents[1] / "examples"
COLUMNS = "student_params=NS_nonembedding,student_tokens=DS_nominal,teacher_loss=LT,loss=LS"


def fit(*words, **settings):
    return run("fit", *words, **settings)


SAME = ("--same-tokenizer-as", "busbridge2025")


def answer(*words, code=0, **settings):
    found = fit(*words, "-o", "json", **settings)
    assert found.returncode == code, found.stderr
    # a slow machine is told how far it is
    told = ("Runs: ", "Fit: ", "Resamples: ")
    assert all(line.startswith(told) for line in found.stderr.splitlines())
    data = json.loads(found.stdout, parse_constant=pytest.fail)
    validate(data, "fit")
    return data


def values(data):
    return {name: one["value"] for name, one in data["law"]["coefficients"].items()}


def error(data, what):
    return next(one for one in data["errors"] if one["what"] == what)


def write(path, rows):
    names = ["params", "tokens", "loss"]
    logs = [rows.log_params, rows.log_tokens, rows.log_loss]
    if rows.log_teacher_loss is not None:
        names = ["student_params", "student_tokens", "loss", "teacher_loss"]
        logs.append(rows.log_teacher_loss)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(np.exp(np.column_stack(logs)).tolist())
    return path


@pytest.fixture
def supervised(tmp_path):
    return write(tmp_path / "runs.csv", supervised_runs(SUPERVISED, 60, noise=0.003))


@pytest.fixture
def figure1():
    return STUDENTS


def test_a_supervised_law_without_noise_comes_back(tmp_path):
    """Recovery: the law is known, to a thousandth in every letter."""
    path = write(tmp_path / "runs.csv", supervised_runs(SUPERVISED, 80))
    found = values(answer(path, "--resamples", 0))
    for name, value in SUPERVISED._asdict().items():
        assert found[name] == pytest.approx(value, rel=1e-3), name


def test_a_distillation_law_without_noise_predicts_without_error(tmp_path):
    shipped = law_catalog.law().distillation
    path = write(tmp_path / "runs.csv", joint_runs(shipped))
    saved = tmp_path / "mine.yaml"
    data = answer(path, "--resamples", 0, "--save", saved)
    assert error(data, "in_sample")["worst"] < 1e-6
    there = law_catalog.law(str(saved)).distillation
    assert there.loss(3e9, 6e10, 2.2) == pytest.approx(shipped.loss(3e9, 6e10, 2.2), rel=1e-5)


def test_the_chinchilla_runs_come_back_within_their_standard_errors(tmp_path):
    """Besiroglu et al. 2024: 240 runs of their law with their noise, given as a CSV."""
    path = write(tmp_path / "runs.csv", supervised_runs(BESIROGLU, 240, noise=0.005, seed=1))
    data = answer(path, "--form", "supervised", "--gamma-one", "--resamples", 256)
    assert data["shape"] == "additive"
    for name, deviation in BESIROGLU_ERRORS.items():
        assert abs(values(data)[name] - getattr(BESIROGLU, name)) < 2 * deviation, name
    assert "gamma" not in values(data)


def test_e_is_never_given_an_interval(supervised):
    data = answer(supervised, "--resamples", 64)
    floor = data["law"]["coefficients"]["E"]
    assert floor["low"] is None
    assert floor["no_interval"] == FLOOR
    assert any(FLOOR in note for note in data["law"]["notes"])


def test_a_saved_law_is_read_and_planned_with(supervised, tmp_path):
    saved = tmp_path / "mine.yaml"
    data = answer(supervised, "--resamples", 200, "--save", saved)
    law = law_catalog.law(str(saved))
    assert law.name == "mine"
    assert law.supervised._asdict() == values(data)  # to the last bit
    assert law_catalog.draws(law).size == data["draws"] == 200
    assert law_catalog.draws(law).sigma_run == data["sigma_run"]
    assert law.valid["params"] == pytest.approx((1e8, 1e10), rel=0.2)
    assert law.source.startswith("runs.csv, 60 runs")
    for name, one in law.coefficients.items():
        there = data["law"]["coefficients"][name]
        assert (one.low, one.high, one.no_interval) == (
            there["low"],
            there["high"],
            there["no_interval"],
        )


def test_the_draws_of_a_law_hold_its_loss_within_the_noise(supervised, tmp_path):
    """60 runs of 0.3% noise know a loss in their middle to about 0.3% / sqrt(60 / 6)."""
    saved = tmp_path / "mine.yaml"
    assert fit(supervised, "--resamples", 256, "-o", saved).returncode == 0
    drawn = law_catalog.draws(law_catalog.law(str(saved))).law
    losses = np.log(drawn.loss_at_logs(np.log(1e9), np.log(3e10)))
    truth = np.log(SUPERVISED.loss(1e9, 3e10))
    assert losses.std() == pytest.approx(0.001, rel=0.7)
    assert abs(losses.mean() - truth) < 3 * losses.std()


def test_dash_o_names_a_file_or_a_form(supervised, tmp_path):
    saved = tmp_path / "mine.yaml"
    found = fit(supervised, "--resamples", 16, "-o", saved)
    assert found.returncode == 0
    assert f"--law{saved}" in "".join(found.stdout.split())
    assert saved.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "runs.csv"]
    both = tmp_path / "both.yaml"
    shown = fit(supervised, "--resamples", 16, "-o", both, "-o", "json")
    assert json.loads(shown.stdout)["saved"] == [str(both)]
    assert both.read_text() == saved.read_text()


def test_standard_input_and_json_lines_give_the_same_fit(supervised):
    rows = list(csv.DictReader(supervised.read_text().splitlines()))
    lines = "\n".join(json.dumps(row) for row in rows)
    first = answer(supervised, "--resamples", 0)
    assert values(answer("-", "--resamples", 0, stdin=supervised.read_text())) == values(first)
    assert values(answer("-", "--resamples", 0, stdin=lines)) == values(first)


def test_how_far_a_fit_reaches_is_the_range_of_its_predictions(supervised, tmp_path):
    """90% of a Gaussian lie within 1.645 standard deviations; a run's noise comes on top."""
    mine = tmp_path / "mine.yaml"
    found = answer(supervised, "--resamples", 64, "--save", mine)
    assert [one["times_compute"] for one in found["reach"]] == [1, 10, 100]
    for one in found["reach"]:
        sizes = ("--student", f"{one['params']:.6e}", "--tokens", f"{one['tokens']:.6e}")
        said = json.loads(run("predict", *sizes, "--law", mine, "-o", "json").stdout)
        low, high = said["supervised_loss_band"]
        spread = (high - low) / 2 / 1.6449 / said["supervised_loss"]
        expected = np.hypot(spread, found["sigma_run"])
        assert one["relative_error"] == pytest.approx(expected, rel=0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("figure1")
def test_large_students_are_predicted_from_small_ones(tmp_path):
    """The paper's headline: fitted above 2.3 nats, at most 1 % off below."""
    small, large = published_runs(), large_students()
    logs = ("log_params", "log_tokens", "log_loss", "log_teacher_loss")
    both = {name: np.concatenate([getattr(small, name), getattr(large, name)]) for name in logs}
    path = write(tmp_path / "all.csv", Rows(**both))
    data = answer(path, "--holdout", "loss < 2.3", "--resamples", 0, *SAME)
    held = error(data, "holdout")
    assert held["predicted"] == int((np.exp(both["log_loss"]) < 2.3).sum()) > 20
    assert held["mean_relative_error"] <= 0.01


def test_the_printed_data_coefficient_is_rejected(figure1):
    words = [figure1, "--columns", COLUMNS, *SAME, "--resamples", 0]
    data = answer(*words, "--test", "busbridge2025_printed", code=3)
    assert data["test"]["rejected"]
    assert data["test"]["suspect"]["coefficient"] == "B"
    assert data["test"]["suspect"]["factor"] == pytest.approx(100, rel=0.25)


def test_own_distilled_runs_make_a_law_to_plan_with(figure1, tmp_path):
    """And do not reject the corrected law, whose runs they are."""
    saved = tmp_path / "mine.yaml"
    words = ["--columns", COLUMNS, *SAME, "--resamples", 64, "--test", "busbridge2025"]
    data = answer(figure1, *words, "--save", saved)
    assert not data["test"]["rejected"]
    assert error(data, "lowest")["mean_relative_error"] < 0.005
    law = law_catalog.law(str(saved))
    runs = published_runs()
    assert np.abs(np.expm1(log_loss(law.distillation, runs) - runs.log_loss)).mean() < 0.0025
    words = ["budget", "1e21", "--student", "1B", "--law", str(saved), "-o", "json"]
    planned = run(*words)
    plan = json.loads(planned.stdout)
    validate(plan, "plan")
    assert plan["confidence"]["draws"] == 64
    assert plan["law"]["name"] == "mine"
    drawn = law_catalog.draws(law).law
    spread = np.log(drawn.loss_at_logs(np.log(5e8), np.log(2e10), np.log(2.2))).std()
    assert 1e-4 < spread < 0.006


@pytest.mark.parametrize("rows", [(3,), (3, 100, 200)])
def test_a_few_runs_near_a_published_law_predict_the_others(figure1, tmp_path, rows):
    lines = figure1.read_text().splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join([lines[0], *(lines[row] for row in rows)]) + "\n")
    saved = tmp_path / "mine.yaml"
    answer(few, "--columns", COLUMNS, *SAME, "--save", saved)
    law, runs = law_catalog.law(str(saved)), published_runs()
    assert np.abs(np.expm1(log_loss(law.distillation, runs) - runs.log_loss)).mean() < 0.01
    drawn = law_catalog.draws(law)
    at = runs.log_params[:, None], runs.log_tokens[:, None], runs.log_teacher_loss[:, None]
    losses = np.log(drawn.law.loss_at_logs(*at))
    noisy = losses + drawn.sigma_run * np.random.default_rng(0).standard_normal(losses.shape)
    low, high = np.quantile(noisy, [0.05, 0.95], axis=1)
    assert ((low <= runs.log_loss) & (runs.log_loss <= high)).mean() > 0.85


def test_a_level_that_is_another_is_found_by_one_run(tmp_path):
    """Losses of a tokenizer with 10% more nats per token: s = 1.1 by construction."""
    path = tmp_path / "one.csv"
    seen = 1.1 * law_catalog.law().supervised.loss(1e9, 2e10)
    path.write_text(f"params,tokens,loss\n1B,20B,{seen!r}\n")
    saved = tmp_path / "mine.yaml"
    data = answer(path, "--anchor", "busbridge2025", "--save", saved)
    assert data["level"] == pytest.approx(1.1, rel=1e-6)
    assert "few_runs" in [one["code"] for one in data["warnings"]]
    law, published = law_catalog.law(str(saved)), law_catalog.law()
    moved = law.distillation.loss(1e9, 2e10, 1.1 * 2.2)
    assert moved == pytest.approx(1.1 * published.distillation.loss(1e9, 2e10, 2.2), rel=2e-3)


PLANNED = (
    *("budget", "1e20", "--student", "1B", "--teacher-loss", "2.1", "--teacher-params", "3B"),
    *("--logits", "cached", "-o", "json"),
)
"""The question whose answer own runs turned round."""


@pytest.mark.parametrize("anchor", [(), ("--anchor", "busbridge2025")])
def test_own_runs_do_not_turn_the_answer_round(tmp_path, anchor):
    """Losses of the default law times 1.05: distilling gains 0.062 nats in that world too."""
    text = (EXAMPLES / "runs.csv").read_text()
    alone = law_catalog.law().supervised
    for params, tokens in ((1e9, 2e10), (3e8, 6e9)):
        path = tmp_path / "runs.csv"
        seen = 1.05 * alone.loss(params, tokens)
        path.write_text(f"{text}{params:g},{tokens:g},,{seen!r}\n")
        saved = tmp_path / "mine.yaml"
        answer(path, *anchor, "--save", saved)
        plan = json.loads(run(*PLANNED, "--law", saved).stdout)
        assert plan["verdict"] == "distill"
        gain = next(one["gain_nats"] for one in plan["options"] if one["accounting"] == "free")
        assert gain == pytest.approx(0.062, abs=0.015)


@pytest.mark.parametrize("anchor", [(), ("--anchor", "busbridge2025")])
def test_distilled_runs_alone_have_no_verdict(tmp_path, anchor):
    found = fit(EXAMPLES / "runs.csv", *anchor, "-o", tmp_path / "mine.yaml")
    assert found.returncode == 2
    assert "no verdict can come of that; add a supervised run" in found.stderr
    assert not list(tmp_path.iterdir())


def test_a_plan_says_where_each_side_comes_from(supervised, tmp_path):
    """And its odds carry the transfer error unless all of it is one's own."""
    saved = tmp_path / "mine.yaml"
    answer(supervised, "--anchor", "busbridge2025", "--save", saved)
    plan = json.loads(run(*PLANNED, "--law", saved).stdout)
    said = {one["code"]: one["message"] for one in plan["warnings"]}
    assert "60 of your runs" in said["law_sides"]
    assert "busbridge2025, moved" in said["law_sides"]
    assert plan["confidence"]["transfer_nats"] == transfer_error().scale
    both = write(tmp_path / "both.csv", joint_runs(CORRECTED, noise=0.003))
    answer(both, "--resamples", 64, "--save", saved)
    plan = json.loads(run(*PLANNED, "--law", saved).stdout)
    assert plan["confidence"]["transfer_nats"] == 0


def test_a_plan_says_what_the_runs_cannot_tell(tmp_path):
    rows = supervised_runs(SUPERVISED, 20, noise=0.003)
    narrow = replace(
        rows,
        log_tokens=rows.log_params + np.log(20),
        log_loss=np.log(SUPERVISED.loss_at_logs(rows.log_params, rows.log_params + np.log(20))),
    )
    saved = tmp_path / "mine.yaml"
    answer(write(tmp_path / "runs.csv", narrow), "--anchor", "busbridge2025", "--save", saved)
    plan = json.loads(run(*PLANNED, "--law", saved).stdout)
    assert "size_and_tokens_together" in [one["code"] for one in plan["warnings"]]


def test_a_diverged_run_is_named_and_can_be_kept(supervised):
    lines = supervised.read_text().splitlines()
    params, tokens, loss = lines[7].split(",")
    lines[7] = f"{params},{tokens},{float(loss) * 1.5}"
    supervised.write_text("\n".join(lines) + "\n")
    data = answer(supervised, "--resamples", 0)
    said = {one["code"]: one["message"] for one in data["warnings"]}
    assert said["outliers_left_out"].startswith("line 8 (loss +")
    assert data["runs"] == 59
    kept = answer(supervised, "--resamples", 0, "--keep", 8)
    assert kept["runs"] == 60


def test_losses_in_bits_per_byte_come_back_in_bits_per_byte(tmp_path):
    """nanochat: four optima; 730M on 8.758B tokens measured 0.74833 bits per byte."""
    path, saved = tmp_path / "bpb.csv", tmp_path / "mine.yaml"
    path.write_text(
        "params,tokens,loss\n110678115,1241505403,0.8972\n167797457,1785336422,0.8616\n"
        "250650865,2642234152,0.8293\n381758347,3806871243,0.7999\n"
    )
    refused = fit(path, "-o", saved)
    assert refused.returncode == 2
    assert "--loss-unit" in refused.stderr
    answer(path, "--loss-unit", "bpb", "--bytes-per-token", "4.8", "--save", saved)
    words = ["predict", "--law", saved, "--student", "730M", "--tokens", "8.758B"]
    shown = json.loads(run(*words, "-o", "json").stdout)
    assert shown["as_measured"]["unit"] == "bits/byte"
    assert shown["as_measured"]["supervised_loss"] == pytest.approx(0.74833, rel=0.01)
    low, high = shown["as_measured"]["supervised_loss_band"]
    assert low < 0.74833 < high
    assert "bits/byte" in run(*words).stdout


def test_an_interrupted_fit_goes_on_as_if_it_had_not_been(supervised, tmp_path):
    state = tmp_path / "state.json"
    whole = answer(supervised, "--resamples", 300, "--state", state)
    runs = read_runs([str(supervised)])
    key = json.loads(state.read_text())["key"]
    half = bootstrap(fit_rows(Rows.of(runs), law_catalog.law().supervised), resamples=128)
    save_state(state, key, half)
    assert load_state(state, key).done == 128
    assert answer(supervised, "--resamples", 300, "--state", state) == whole


def test_a_state_of_other_runs_is_refused(supervised, tmp_path):
    state = tmp_path / "state.json"
    answer(supervised, "--resamples", 16, "--state", state)
    for words in (["--seed", 1], ["--gamma-one"]):
        found = fit(supervised, "--resamples", 16, "--state", state, *words)
        assert found.returncode == 2
        assert "has the resamples of another fit" in found.stderr
    state.write_text("{}")
    assert "was not written by distillplan fit" in fit(supervised, "--state", state).stderr


def test_the_same_seed_gives_the_same_file(supervised, tmp_path):
    for name in ("a.yaml", "b.yaml"):
        fit(supervised, "--resamples", 32, "-o", tmp_path / name)
    assert (tmp_path / "a.yaml").read_text() == (tmp_path / "b.yaml").read_text()


@pytest.mark.parametrize("output", ["table", "markdown"])
def test_what_people_see_fits_and_has_no_colour_or_bar(supervised, output):
    found = fit(supervised, "--resamples", 32, "--details", "-o", output, COLUMNS="80")
    assert found.returncode == 0
    assert "\x1b" not in found.stdout
    assert "What the runs fix" in found.stdout
    if output == "table":
        assert max(map(len, found.stdout.splitlines())) <= 80


BAD = "params,tokens,loss\n1B,20B,2.4\n1Q,20B,-2\n,x,2.2\n"


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (BAD, [], "2 faults, nothing was used: line 3, params"),
        ("params,tokens,teacher_loss,loss\n1B,20B,2.2,2.4\n", [], "add a supervised run"),
        (
            "params,tokens,teacher_loss,loss\n1B,20B,2.2,2.4\n",
            ["--anchor", "busbridge2025"],
            "no ve",
        ),
        (None, ["--supervised-law", "busbridge2025"], "has supervised runs of its own"),
        (None, ["--keep", "999"], "line 999 of runs.csv is no run of this fit"),
        ("a,b\n1,2\n", [], "columns params, tokens and loss are missing"),
        (None, ["--holdout", "loss < 1"], "holds for none of the 60 runs"),
        (None, ["--holdout", "loss ~ 1"], "is not COLUMN < VALUE"),
        (None, ["--holdout", "size < 1"], "'size' is not a column of the runs"),
        (None, ["--columns", "N=params"], "is not NAME=COLUMN"),
        (None, ["--form", "distillation"], "teacher_loss is missing"),
        (None, ["--anchor", "busbridge"], "did you mean 'busbridge2025'"),
        (None, ["--gamma-one", "--anchor", "busbridge2025"], "without an anchor"),
        (None, ["-o", "mine.txt"], "'mine.txt' is not one of table, json, jsonl, csv, markdown"),
        (None, ["--save", "mine.txt"], "must end in .yaml"),
        (None, ["--save", "none/mine.yaml"], "does not exist"),
        (None, ["--save", "a.yaml", "-o", "b.yaml"], "leave one out"),
        (None, ["--resamples", "-1"], "resamples"),
    ],
    ids=str,
)
def test_mistakes_get_one_sentence_and_write_nothing(
    supervised, tmp_path, monkeypatch, text, words, says
):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        supervised.write_text(text)
    if "--save" not in words and "-o" not in words:
        words = [*words, "--save", "mine.yaml"]
    found = fit(supervised, "--resamples", 16, *words)
    assert found.returncode == 2
    assert found.stdout == ""
    assert says in found.stderr
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_the_runs_are_never_overwritten(tmp_path):
    path = write(tmp_path / "runs.yaml", supervised_runs(SUPERVISED, 20))
    before = path.read_bytes()
    found = fit(path, "--resamples", 0, "-o", path)
    assert found.returncode == 2
    assert "would overwrite" in found.stderr
    assert path.read_bytes() == before


def test_parameters_are_counted_as_in_the_law_that_the_fit_leans_on(supervised):
    few = "\n".join(supervised.read_text().splitlines()[:4])
    near = answer("-", "--anchor", "besiroglu2024", stdin=few)
    assert near["law"]["counts"] == law_catalog.law("besiroglu2024").counts
    plain = answer(supervised, "--resamples", 0)
    assert plain["law"]["counts"].startswith("non-embedding")
    total = answer(supervised, "--resamples", 0, "--counts", "total")
    assert total["law"]["counts"] == "total parameters"


def test_distilled_runs_cannot_test_a_supervised_law(tmp_path):
    path = write(tmp_path / "runs.csv", distillation_runs(CORRECTED))
    found = fit(path, "--test", "besiroglu2024")
    assert found.returncode == 2
    assert "says nothing about distillation" in found.stderr


def test_a_supervised_law_that_is_not_ones_own_is_said_to_be_one(tmp_path):
    path = write(tmp_path / "runs.csv", distillation_runs(CORRECTED, noise=0.002))
    saved = tmp_path / "mine.yaml"
    data = answer(path, *SAME, "--resamples", 32, "--save", saved)
    assert "supervised_not_yours" in [one["code"] for one in data["warnings"]]
    law = law_catalog.law(str(saved))
    assert law.supervised_from.origin == "published"
    assert not law.is_own
    own = write(tmp_path / "alone.csv", supervised_runs(SUPERVISED, 60, noise=0.002))
    answer(own, "--resamples", 32, "--save", tmp_path / "alone.yaml")
    alone = str(tmp_path / "alone.yaml")
    data = answer(path, "--supervised-law", alone, "--resamples", 32, "--save", saved)
    assert "supervised_not_yours" not in [one["code"] for one in data["warnings"]]
    law = law_catalog.law(str(saved))
    assert law.is_own
    assert law.supervised_from.runs == 60
    known = law_catalog.law(alone).supervised
    assert law.supervised.loss(1e9, 5e10) == pytest.approx(known.loss(1e9, 5e10), rel=2e-3)


def test_rows_of_the_file_are_counted_beside_those_of_the_fit(tmp_path):
    rows = (EXAMPLES / "supervised_runs.csv").read_text(encoding="utf-8")
    runs = tmp_path / "runs.csv"
    runs.write_text(rows + "1B,20B,\n", encoding="utf-8")  # one without a loss
    data = answer(str(runs), "--resamples", "0")
    count = sum(1 for line in rows.splitlines() if line[:1].isdigit())
    assert (data["rows"], data["runs"]) == (count + 1, count)
    assert f"{count} supervised runs of {count + 1} rows" in " ".join(
        fit(str(runs), "--resamples", "0").stdout.split()
    )


def test_distilled_runs_take_nothing_from_the_losses_without_a_teacher(tmp_path):
    """The band of a supervised loss hardly changes with one small distilled run as without.

    And how far a fit reaches is told of its largest run without a teacher.
    """
    rows = ["60M,1.2B,,3.31", "60M,4.8B,,3.12", "250M,5B,,2.85", "250M,20B,,2.69"]
    rows += ["1B,20B,,2.50", "1B,80B,,2.38"]
    widths = []
    for more in ([], ["250M,5B,2.4,2.78"]):
        path = tmp_path / "runs.csv"
        path.write_text("\n".join(["params,tokens,teacher_loss,loss", *rows, *more]))
        law = str(tmp_path / f"law{len(more)}.yaml")
        fitted = run("fit", str(path), "--save", law, "-o", "json")
        reach = json.loads(fitted.stdout)["reach"][0]
        assert (reach["params"], reach["tokens"]) == pytest.approx((1e9, 8e10))
        found = run("predict", "--student", "1B", "--tokens", "80B", "--law", law, "-o", "json")
        low, high = json.loads(found.stdout)["supervised_loss_band"]
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_a_test_changes_nothing_in_what_is_said_of_the_fit(supervised):
    """The same precision, intervals and draws with --test as without."""
    plain, tested = (
        answer(supervised, *words) for words in ((), ("--test", "busbridge2025_printed"))
    )
    assert tested.pop("test") is not None
    assert plain.pop("test") is None
    tested.pop("tested"), plain.pop("tested")
    assert tested == plain
    assert any(one["low"] is not None for one in plain["law"]["coefficients"].values())


def test_without_resamples_nothing_is_called_unsettled(supervised):
    """A range that was not asked for is not one that the runs leave open."""
    shown = fit(supervised, "--resamples", 0).stdout
    assert "without resamples there are no ranges" in shown
    assert "do not settle" not in shown
    assert "predicts one like these" in " ".join(shown.split())


def test_a_law_takes_every_teacher_that_it_was_fitted_on():
    """The floor of Equation 1 may be an extrapolation above the losses of the runs' own teachers;
    Equation 8 is not built on it. The case: its true floor is 1.895 and a teacher's loss 2.0."""
    law = law_catalog.law()
    floor, lowest = 2.12, 2.0
    own = law._replace(
        name="mine",
        file="mine.yaml",
        supervised=law.supervised._replace(E=floor),
        distillation=law.distillation._replace(supervised=law.supervised._replace(E=floor)),
        valid={**law.valid, "teacher_loss": (lowest, 2.4)},
    )
    for loss in (2.0, 2.05, 2.3):
        check_teacher_loss(own, loss, 32768)
        asked = Scenario(
            compute=1e21, law=own, student_params=1e9, teacher=Teacher(loss=loss, params=7e9)
        )
        assert plan(asked, quick=True).deciding.teacher_loss == loss
    for loss, said in ((1.9, "below 2, that of the best teacher behind mine"), (1.0, "below 2")):
        with pytest.raises(InputError, match=said):
            check_teacher_loss(own, loss, 32768)
    with pytest.raises(InputError, match=r"at or below 1\.21951, the least any model can reach"):
        check_teacher_loss(law, 1.2, 32768)


def test_a_p_value_is_not_called_the_probability_of_the_law(tmp_path):
    """It is that of so large a misfit, had the runs come from the law: here they have."""
    path = write(
        tmp_path / "runs.csv", supervised_runs(law_catalog.law().supervised, 40, noise=0.003)
    )
    found = fit(path, "--test", "busbridge2025", "--resamples", 0)
    shown = " ".join(found.stdout.split())
    assert "not rejected" in shown, found.stderr
    assert "had they come from it" in shown
    assert "misfit by as much with a probability of" in shown
