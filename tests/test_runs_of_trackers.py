"""Runs and histories as trackers, trainers and spreadsheets write them: one table, many forms."""

import json

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.fitting.fit_records import FitRequest
from distillplan.fitting.report import fit_report
from distillplan.fitting.runs_file import Reading, read_runs
from distillplan.fitting.tables import parse_table
from distillplan.laws import law_catalog
from distillplan.laws.provenance import ParameterCount
from distillplan.models.named_models import params_named
from distillplan.questions.loss_history import history_of, parse_history_columns
from tests.shell import run

RUNS = [(60e6, 1.2e9, 3.61), (125e6, 2.5e9, 3.27), (350e6, 7e9, 2.94)]
HISTORY = [(1000, 3.1), (2000, 2.8), (3000, 2.7)]
STEP_TOKENS = 2e6


def separated(header, rows, by=","):
    return "\n".join(by.join(map(str, row)) for row in (header.split(","), *rows)) + "\n"


def read(tmp_path, text, **reading):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return read_runs([str(path)], Reading(**reading))


def numbers(runs):
    return [*zip(runs.params.tolist(), runs.tokens.tolist(), runs.loss.tolist(), strict=True)]


OBJECTS = [{"params": n, "tokens": d, "loss": loss} for n, d, loss in RUNS]
NESTED = [
    {"name": f"r{i}", "config": {"model": {"n_params": n}, "data": {"tokens": d}},
     "summary": {"val": {"loss": loss}}}
    for i, (n, d, loss) in enumerate(RUNS)
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        json.dumps({"project": "ladder", "runs": OBJECTS}, indent=1),
        json.dumps({key: [one[key] for one in OBJECTS] for key in OBJECTS[0]}),
        json.dumps(NESTED),
        "\n".join(map(json.dumps, NESTED)),
        separated("params,tokens,loss", RUNS, "  "),
        "# " + separated("params,tokens,loss", [[f"{x:.18e}" for x in row] for row in RUNS], " "),
        separated("params_M,tokens_B,val_loss", [(n / 1e6, d / 1e9, x) for n, d, x in RUNS]),
        separated("params_in_millions,D [10^9],CE", [(n / 1e6, d / 1e9, x) for n, d, x in RUNS]),
        separated("config/model/n_params,config/data/total_tokens,summary/val/loss", RUNS),
    ],
)  # fmt: skip
def test_one_table_in_many_forms(tmp_path, text):
    assert numbers(read(tmp_path, text)) == [pytest.approx(one, rel=1e-12) for one in RUNS]


def test_validation_goes_before_training_and_parameters_without_embeddings_before_all(tmp_path):
    """A plain loss beside one on validation is the training's; the law counts no embeddings."""
    rows = [(n + 5e7, n, d, loss - 0.2, loss) for n, d, loss in RUNS]
    runs = read(tmp_path, separated("params,non_embedding_params,tokens,loss,val_loss", rows))
    assert numbers(runs) == RUNS
    (told,) = runs.notices
    assert told.code == "columns_taken"
    assert "params from non_embedding_params and loss from val_loss" in told.message
    asked = read(tmp_path, separated("params,tokens,loss,val_loss", [
        (n, d, loss, 9.9) for n, d, loss in RUNS]), columns="loss=loss")  # fmt: skip
    assert numbers(asked) == RUNS


COMPUTED = {
    "tokens=steps*batch_size*seq_len": (
        "params,steps,batch_size,seq_len,loss",
        [(n, d / 2**10 / 2000, 2**10, 2000, loss) for n, d, loss in RUNS],
    ),
    "tokens=max_steps*global_batch_tokens": (
        "params,max_steps,global_batch_tokens,loss",
        [(n, d / 1e5, 1e5, loss) for n, d, loss in RUNS],
    ),
    "tokens=D/N*params": ("params,D/N,loss", [(n, d / n, loss) for n, d, loss in RUNS]),
    "tokens=unique_tokens*epochs": (
        "params,unique_tokens,epochs,loss",
        [(n, d / 4, 4, loss) for n, d, loss in RUNS],
    ),
    "tokens=tpp*params": ("params,tpp,loss", [(n, d / n, loss) for n, d, loss in RUNS]),
    "tokens=flops/6/N": ("N,flops,loss", [(n, 6 * n * d, loss) for n, d, loss in RUNS]),
    "params=total_params-embedding_params": (
        "total_params,embedding_params,tokens,loss",
        [(n + 5e7, 5e7, d, loss) for n, d, loss in RUNS],
    ),
}


@pytest.mark.parametrize("columns", COMPUTED)
def test_what_an_error_says_can_be_computed_is(tmp_path, columns):
    """The error names the arithmetic, and it gives the runs."""
    text = separated(*COMPUTED[columns])
    with pytest.raises(InputError, match="missing; did you mean") as caught:
        read(tmp_path, text)
    said = str(caught.value).rpartition("write --columns ")[2].strip("'")
    assert said == columns
    assert numbers(read(tmp_path, text, columns=said)) == [
        pytest.approx(one, rel=1e-12) for one in RUNS
    ]


def test_arithmetic_knows_numbers_commas_gaps_and_names_with_signs(tmp_path):
    text = "N;a/b;c-d;loss\n1.000.000;1.000.000;2,5;3,1\n2.000.000;;2,5;3,0\n4.000.000;x;1;2,9\n"
    with pytest.raises(InputError, match="line 4, a/b\\*c-d\\*2K: 'x' is not a number"):
        read(tmp_path, text, columns="params=N,tokens=a/b*c-d*2K")
    runs = read(tmp_path, text.replace("x", "2"), columns="params=N,tokens=a/b*c-d*2K + 10000")
    assert numbers(runs) == [(1e6, 5e9 + 1e4, 3.1), (4e6, 4e3 + 1e4, 2.9)]
    assert "line 3 (a/b*c-d*2K + 10000 empty)" in runs.notices[0].message
    for wrong in ("a/b*", "a/b**2", "a/b*none", "3*4", "c-d/0"):
        with pytest.raises(InputError):
            read(tmp_path, text.replace("x", "2"), columns=f"params=N,tokens={wrong}")


def test_error_bars_are_no_losses(tmp_path):
    with pytest.raises(InputError, match="write --columns loss=loss_mean"):
        read(tmp_path, separated("params,tokens,loss_std,loss_mean", [(1e9, 2e10, 0.1, 2.5)]))
    with pytest.raises(InputError, match=r"write --columns 'loss=loss \(student\)'"):
        read(tmp_path, separated("params,tokens,loss (teacher),loss (student)", [(1, 2, 3, 4)]))


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("val_ppl", "--loss-unit ppl"),
        ("wikitext/bits_per_byte", "--loss-unit bpb --bytes-per-token 4.3"),
    ],
)
def test_a_loss_of_another_unit_is_offered_with_its_unit(tmp_path, column, options):
    with pytest.raises(InputError) as caught:
        read(tmp_path, separated(f"params,tokens,{column}", RUNS))
    assert f"write --columns loss={column} {options}" in str(caught.value)


def test_models_may_be_named_instead_of_sized(tmp_path):
    """Published: Pythia 70M has 18,915,328 parameters without embeddings, 70,426,624 with them."""
    text = separated("model,tokens,loss", [
        ("EleutherAI/pythia-70m", "300B", 3.6), ("410M", "300B", 2.9)])  # fmt: skip

    def sizes(counts):
        found = read(
            tmp_path, text, columns="params=model", size_of=lambda name: params_named(name, counts)
        )
        return found.params.tolist(), [one.message for one in found.notices]

    assert sizes(ParameterCount.NON_EMBEDDING) == (
        [18_915_328, 410e6],
        ["parameters of the catalog's models: EleutherAI/pythia-70m 18.9M"],
    )
    assert sizes(ParameterCount.TOTAL)[0] == [70_426_624, 410e6]
    found = run("fit", "runs.csv", "--columns", "params=model", folder=tmp_path)
    assert "EleutherAI/pythia-70m 18.9M" in found.stdout


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("tokenizer", ("gpt2", "llama3")),
        ("config.vocab_size", (50257, 128256)),
        ("dataset", ("c4", "pile")),
        ("lr_schedule", ("cosine", "wsd")),
    ],
)
def test_runs_that_cannot_share_a_law_are_told_of(tmp_path, column, values):
    rows = [(*one, values[i % 2]) for i, one in enumerate([*RUNS, (1e9, 2e10, 2.6)])]
    text = separated(f"params,tokens,loss,{column}", rows)
    (told,) = [one for one in read(tmp_path, text).notices if one.code == "unlike_runs"]
    where = told.message.rpartition("--where ")[2].removesuffix(" fits one").strip("'")
    alone = read(tmp_path, text, where=(where,))
    assert (len(alone), alone.notices) == (2, ())


def test_the_level_of_runs_is_that_of_the_runs_without_a_teacher(tmp_path):
    """Runs of the published law, all losses times 1.2: so are the teachers', which are as good."""
    law = law_catalog.law()
    sizes = [(n, n * m) for n in (143e6, 600e6, 2.4e9) for m in (10, 40)]
    rows = [(n, d, "", 1.2 * law.supervised.loss(n, d)) for n, d in sizes]
    assert law.distillation is not None
    rows += [(n, d, 1.2 * t, 1.2 * law.distillation.loss_at_logs(*np.log([n, d, t])))
             for n, d in sizes for t in (2.4, 2.1)]  # fmt: skip
    runs = read(tmp_path, separated("params,tokens,teacher_loss,loss", rows))
    report = fit_report(FitRequest(runs=runs, like=law, resamples=0))
    assert report.level == pytest.approx(1.2, rel=1e-3)


MEGATRON = "\n".join(
    f" [2026-01-01 00:00:0{i}] iteration {step:8d}/   5000 | consumed samples: {step * 256:12d} | "
    f"elapsed time per iteration (ms): 912.1 | learning rate: 3.0E-04 | "
    f"lm loss: {loss + 0.1:.6E} | loss scale: 1.0 | number of nan iterations:   0 |\n"
    f" validation loss at iteration {step} | "
    f"lm loss value: {loss:.6E} | lm loss PPL: {np.exp(loss):.6E} | "
    for i, (step, loss) in enumerate(HISTORY)
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        separated("Step,run - val/loss,run - val/loss__MIN,run - val/loss__MAX",
                  [(step, loss, 1, 9) for step, loss in HISTORY]),
        separated("Wall time,Step,Value", [(1.7e9, *one) for one in HISTORY]),
        json.dumps([[1.7e9, *one] for one in HISTORY]),
        separated("run_id,key,value,step,timestamp", [
            row for step, loss in HISTORY for row in (
                ("a", "train_loss", loss + 0.1, step, 1), ("a", "val_loss", loss, step, 1))]),
        json.dumps([{"step": step, "eval_loss": loss} for step, loss in HISTORY]),
        separated("trainer/global_step,_step,val_loss", [(s, 9, loss) for s, loss in HISTORY]),
        "using world size: 8, data-parallel size: 8\n> setting random seeds to 1 ...\n" + MEGATRON,
        MEGATRON.replace("\n", "\n(min, max) time (ms):\n    forward: (1.2, 1.3)\n  all: (2, 3)\n"),
        "\n".join(f"step {s}: train loss {x + 0.1:.4f}, val loss {x:.4f}" for s, x in HISTORY),
        "\n".join(f"\x1b[31mstep: {s:2}\x1b[32m  loss: {x:7.4f}  tps: 7,123" for s, x in HISTORY),
        separated("step,loss", HISTORY, " "),
    ],
    ids=["wandb", "tensorboard", "tensorboard json", "mlflow", "array", "lightning", "megatron",
         "timers", "nanogpt", "torchtitan", "spaces"],
)  # fmt: skip
def test_one_history_in_many_forms(text):
    history = history_of(parse_table(text, "log"), columns={}, batch_tokens=STEP_TOKENS)
    assert history.tokens.tolist() == [step * STEP_TOKENS for step, _ in HISTORY]
    assert history.loss.tolist() == [loss for _, loss in HISTORY]


def test_a_chart_of_several_runs_says_how_to_choose_one():
    """It took the first, whichever that was."""
    table = parse_table(
        separated("Step,a - val/loss,b - val/loss", [(s, x, x + 1) for s, x in HISTORY]), "w.csv"
    )
    with pytest.raises(InputError, match="both given as loss") as caught:
        history_of(table, columns={}, batch_tokens=STEP_TOKENS)
    said = str(caught.value).rpartition("--columns ")[2].strip("'")
    history = history_of(table, columns=parse_history_columns(said), batch_tokens=STEP_TOKENS)
    assert history.loss.tolist() == [loss for _, loss in HISTORY]


def test_rows_of_several_runs_are_no_history():
    """The second replaced the first, as a restart would; a resumed run may have another name."""
    rows = [(name, step, loss) for name in ("a", "b") for step, loss in HISTORY]
    with pytest.raises(InputError, match=r"of 2 runs \(a and b\) over the same tokens"):
        history_of(parse_table(separated("run,step,val_loss", rows), "w.csv"), columns={},
                   batch_tokens=STEP_TOKENS)  # fmt: skip
    sizes = [(1e8 + 2e8 * (step > 2000), step, loss) for step, loss in HISTORY]
    for name in ("params", "model.n_params", "N"):  # a table for fit, whose tokens go up
        with pytest.raises(InputError, match="its rows are of 2 sizes"):
            history_of(parse_table(separated(f"{name},step,val_loss", sizes), "w.csv"), columns={},
                       batch_tokens=STEP_TOKENS)  # fmt: skip
    resumed = [("b" if step > 2000 else "a", step, loss) for step, loss in HISTORY]
    table = parse_table(separated("run,step,val_loss", resumed), "w.csv")
    assert history_of(table, columns={}, batch_tokens=STEP_TOKENS).loss.size == len(HISTORY)


def test_a_history_may_compute_its_tokens():
    table = parse_table(separated("consumed_samples,val_loss", HISTORY), "w.csv")
    columns = parse_history_columns("tokens=consumed_samples*4096")
    assert history_of(table, columns=columns).tokens.tolist() == [s * 4096 for s, _ in HISTORY]


def test_a_table_with_notes_is_no_log(tmp_path):
    rows = [(*one, "loss spike at step 100") for one in RUNS]
    assert numbers(read(tmp_path, separated("params,tokens,loss,notes", rows))) == RUNS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("runs.parquet", b"PAR1\xff", "a Parquet file; write it as CSV"),
        ("runs.xlsx", b"PK\x03\x04\xff", "a workbook or another archive; save its table as CSV"),
        ("runs.csv.gz", b"\x1f\x8b\x08\xff", "compressed by gzip; unpack it"),
        ("events.out.tfevents.1", b"\x18\xff", "events of TensorBoard; download"),
        ("runs.csv", "params,é".encode("latin-1"), "not UTF-8 text; save it as UTF-8"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_runs([str(path)])


def test_a_law_without_its_ending_is_found_beside(tmp_path):
    (tmp_path / "mine.yaml").write_text("")
    (tmp_path / "runs.csv").write_text("")
    for word, said in (
        ("mine", "did you mean the file mine.yaml?"),
        ("runs.csv", "distillplan fit"),
    ):
        found = run("laws", word, folder=tmp_path)
        assert found.returncode == 2
        assert said in found.stderr
