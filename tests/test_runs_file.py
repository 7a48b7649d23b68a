"""Files of runs as people have them: separators, units, which rows, several files."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from distillplan.errors import InputError
from distillplan.fitting.runs_file import Reading, read_runs
from distillplan.laws.loss_units import LossUnit
from distillplan.laws.provenance import ParameterCount
from tests.fitting_cases import STUDENTS
from tests.test_runs_histories import LADDER

CSV = "params,tokens,loss\n1B,20B,2.4\n2e9,4e10,2.2\n"
MIXED = "params,tokens,teacher_loss,loss\n1B,20B,2.1,2.3\n1B,20B,,2.4\n1B,40B,NaN,2.35\n"


def written(tmp_path, text, name="runs.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def read(tmp_path, text, **reading):
    return read_runs([written(tmp_path, text)], Reading(**reading))


def codes(runs):
    return [one.code for one in runs.notices]


def test_a_table_of_markdown_is_read_with_its_lines(tmp_path):
    """As README files and papers' pages have them."""
    text = "\n| params | tokens | loss |\n|:---|---:|:-:|\n| 1B | 20B | 2.4 |\n|2e9|4e10|2.2|\n"
    runs = read(tmp_path, text)
    assert runs.params.tolist() == [1e9, 2e9]
    assert runs.loss.tolist() == [2.4, 2.2]
    assert runs.lines == ("line 4", "line 5")
    with pytest.raises(InputError, match="line 5, loss: 'low'"):
        read(tmp_path, text.replace("2.2", "low"))


def test_one_fault_of_many_rows_is_no_wall_of_text(tmp_path):
    text = "params,tokens,loss\n" + "1B,20B,2.4 points\n" * 40
    with pytest.raises(InputError, match=r"40 faults.*line 4, .*; and 37 more$") as told:
        read(tmp_path, text)
    assert len(str(told.value)) < 400


def test_csv_with_suffixes_comments_and_blank_lines(tmp_path):
    text = "\ufeff# made up\n\nparams, tokens, loss\n1B, 20B, 2.4\n\n# more\n2e9,4e10,2.2\n,,\n"
    runs = read(tmp_path, text)
    assert runs.kind == "supervised"
    assert runs.params.tolist() == [1e9, 2e9]
    assert runs.lines == ("line 4", "line 7")
    assert (runs.source, runs.unit, runs.notices) == ("runs.csv", LossUnit.NATS, ())


@pytest.mark.parametrize(
    "text",
    [
        CSV.replace(",", "\t"),
        CSV.replace(",", ";"),
        CSV.replace(",", ";").replace(".", ","),
        "sep=;\n" + CSV.replace(",", ";"),
        CSV.replace("\n", "\r\n"),
        CSV.replace("params", '"params"').replace("1B", '"1,000,000,000"'),
        "params;tokens;loss\n1.000.000.000;20.000.000.000;2,4\n2e9;4e10;2,2\n",
        "params;tokens;loss, nats\n1B;20B;2.4\n2B;40B;2.2\n".replace("loss, nats", "loss"),
        CSV.replace("loss", "loss,")
        .replace("\n1B", ",\n1B", 1)
        .replace("2.4", "2.4,,")
        .replace("2.2", "2.2,,"),
        '{"params":"1B","tokens":2e10,"loss":2.4}\n{"params":2e9,"tokens":"40B","loss":2.2}',
        CSV.replace("params", "student_params").replace("tokens", "student_tokens"),
    ],
)
def test_the_same_runs_are_read_however_they_are_written(tmp_path, text):
    runs = read(tmp_path, text)
    assert runs.params.tolist() == [1e9, 2e9]
    assert runs.tokens.tolist() == [2e10, 4e10]
    assert runs.loss.tolist() == [2.4, 2.2]


def test_an_empty_teacher_is_a_run_without_one(tmp_path):
    runs = read(tmp_path, MIXED)
    assert runs.distilled.tolist() == [True, False, False]
    assert runs.teacher_loss[0] == 2.1
    alone = read(tmp_path, MIXED, form="supervised")
    assert len(alone) == 2
    assert codes(alone) == ["distilled_left_out"]
    assert read(tmp_path, CSV, columns="teacher_loss=2.1").teacher_loss.tolist() == [2.1, 2.1]
    assert read(tmp_path, MIXED, columns="params=190354176").params.tolist() == [190354176.0] * 3


def test_columns_of_a_teacher_are_mapped_by_their_name_only(tmp_path):
    text = "N,D,T,L\n1B,20B,2.1,2.4\n"
    columns = "student_params=N,student_tokens=D,loss=L"
    assert read(tmp_path, text, columns=columns).kind == "supervised"
    assert read(tmp_path, text, columns=f"{columns},teacher_loss=T").kind == "distillation"


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CSV.encode())))
    runs = read_runs(["-"])
    assert (len(runs), runs.source) == (2, "standard input")


def test_several_files_may_name_their_columns_otherwise(tmp_path):
    first = written(tmp_path, "N,D,L\n1B,20B,2.4\n", "a.csv")
    second = written(tmp_path, "params,tokens,teacher_loss,val\n1B,20B,2.1,2.3\n", "b.csv")
    columns = "params=N,tokens=D,loss=L,loss=val"
    runs = read_runs([first, second], Reading(columns=columns, replicates="all"))
    assert runs.loss.tolist() == [2.4, 2.3]
    assert runs.distilled.tolist() == [False, True]
    assert runs.lines == ("a.csv, line 2", "b.csv, line 2")
    assert runs.source == "a.csv and b.csv"
    with pytest.raises(InputError, match="named twice"):
        read_runs([first, first], Reading(columns=columns))
    with pytest.raises(InputError, match="no file has a column 'M'"):
        read_runs([first, second], Reading(columns="params=M"))
    with pytest.raises(InputError, match=r"b\.csv: column loss is missing; did you mean val"):
        read_runs([second, written(tmp_path, CSV, "c.csv")])


def test_files_of_one_name_are_told_apart(tmp_path):
    (tmp_path / "x").mkdir()
    paths = [written(tmp_path, CSV), written(tmp_path / "x", CSV.replace("1B", "3B"))]
    assert read_runs(paths).lines[2] == f"{paths[1]}, line 2"


def numbers_of(runs):
    return [runs.params.tolist(), runs.tokens.tolist(), runs.loss.tolist()]


def test_how_a_number_is_written_changes_no_run(tmp_path):
    first = numbers_of(read(tmp_path, CSV))
    assert first == numbers_of(read(tmp_path, CSV.replace("1B", "1e9").replace(",", ";")))
    assert first != numbers_of(read(tmp_path, CSV, where=("params = 1B",)))
    assert first != numbers_of(read(tmp_path, CSV + "3B,60B,2.1\n"))


def test_conditions_choose_rows_by_any_column(tmp_path):
    text = "State,params,tokens,loss\nfinished,1B,20B,2.4\ncrashed,1B,x,\nfinished,3B,60B,2.2\n"
    assert len(read(tmp_path, text, where=("State = finished",))) == 2
    assert read(tmp_path, text, where=("State = finished and params > 2B",)).lines == ("line 4",)
    assert len(read(tmp_path, text, where=("State = finished", "loss < 2.3"))) == 1
    mapped = text.replace("loss", "val/loss")
    assert len(read(tmp_path, mapped, columns="loss=val/loss", where=("loss < 2.3",))) == 1
    for where, says in [
        ("state = finished", "there is no column 'state'; did you mean 'State'"),
        ("State = done", "none of the 3 rows; State has finished, crashed"),
        ("State < finished", "needs numbers"),
        ("State = crashed and params > 2B", "holds for none of the 3 rows"),
    ]:
        with pytest.raises(InputError, match=says):
            read(tmp_path, text, where=(where,))


def test_rows_without_a_number_are_left_out_in_one_notice(tmp_path):
    text = CSV + "3B,60B,NaN\n,80B,2.1\n5B,0,\n6B,1T,inf\n"
    runs = read(tmp_path, text)
    assert runs.params.tolist() == [1e9, 2e9]
    (notice,) = runs.notices
    assert notice.code == "rows_left_out"
    assert "4 rows" in notice.message
    for part in ("line 4 (loss NaN)", "line 5 (params empty)", "line 6", "line 7 (loss inf)"):
        assert part in notice.message
    with pytest.raises(InputError, match="no row has every number"):
        read(tmp_path, "params,tokens,loss\n1B,20B,nan\n")


def test_the_last_row_of_each_run_is_used(tmp_path):
    text = (
        "run,params,tokens,loss\na,1B,20B,2.4\na,1B,10B,2.6\nb,1B,5B,2.8\nb,1B,5B,2.7\n"
        "b,1B,6B,\n,1B,9B,2.3\n"
    )
    runs = read(tmp_path, text, last_of="run")
    assert runs.lines == ("line 2", "line 5")
    assert codes(runs) == ["rows_left_out", "last_of_each"]
    with pytest.raises(InputError, match="no column 'rum'; did you mean 'run'"):
        read(tmp_path, text, last_of="rum")


def test_losses_are_converted_from_their_unit(tmp_path):
    """nanochat's four isoFLOP optima (github.com/karpathy/nanochat), 0.8972 bits/byte the first;
    by hand: 0.8972 x 4.8 x ln 2 = 2.98508."""
    text = (
        'FLOPs,Eff Params,Tokens,Val BPB\n1e18,"110,678,115","1,241,505,403",0.8972\n'
        '1e19,"381,758,347","3,806,871,243",0.7999\n'
    )
    columns = "params=Eff Params,tokens=Tokens,loss=Val BPB"
    with pytest.raises(InputError, match=r"'Val BPB' looks like bits/byte.*--loss-unit bpb"):
        read(tmp_path, text, columns=columns)
    with pytest.raises(InputError, match="needs --bytes-per-token"):
        read(tmp_path, text, columns=columns, unit=LossUnit.BITS_PER_BYTE)
    runs = read(tmp_path, text, columns=columns, unit=LossUnit.BITS_PER_BYTE, bytes_per_token=4.8)
    assert runs.loss[0] == pytest.approx(2.98508, abs=1e-5)
    assert (runs.unit, runs.bytes_per_token) == (LossUnit.BITS_PER_BYTE, 4.8)
    runs = read(tmp_path, MIXED, unit=LossUnit.PERPLEXITY)
    assert runs.teacher_loss[0] == pytest.approx(np.log(2.1))
    runs = read(tmp_path, text, columns=columns, unit=LossUnit.NATS)
    assert runs.loss.tolist() == [0.8972, 0.7999]


@pytest.mark.parametrize(
    ("column", "losses", "says"),
    [
        ("loss", "0.9,0.8", "the median loss is below 1.2 .0.85 of 0.8 to 0.9., which looks like"),
        (
            "loss",
            "8,250",
            "median loss is above 7 .129 of 8 to 250., which looks like perplexities",
        ),
        ("val_ppl", "3,2.5", "looks like perplexities, not nats/token; write --loss-unit ppl"),
        ("Perplexity", "3,2.5", "--loss-unit ppl"),
        ("bits per byte", "2,2.5", "--loss-unit bpb --bytes-per-token 4.3"),
        ("loss_bits", "3.2,3.5", "looks like bits/token.*--loss-unit bits"),
        ("ln_ppl", "2.2,2.5", "logarithm of a perplexity.*--loss-unit nats"),
    ],
)
def test_losses_that_are_not_nats_are_refused_until_their_unit_is_said(
    tmp_path, column, losses, says
):
    first, second = losses.split(",")
    text = f"params,tokens,{column}\n1B,20B,{first}\n2B,40B,{second}\n"
    columns = "" if column == "loss" else f"loss={column}"
    with pytest.raises(InputError, match=says):
        read(tmp_path, text, columns=columns)
    runs = read(tmp_path, text.replace("250", "25"), columns=columns, unit=LossUnit.NATS)
    assert runs.loss[0] == float(first)


@pytest.mark.parametrize("unit", [LossUnit.BITS_PER_BYTE, LossUnit.PERPLEXITY])
def test_teachers_in_nats_beside_other_losses_are_refused(tmp_path, unit):
    """The 284 students of Figure 1 of arXiv:2502.08606, in a unit by hand, their teachers and not.

    With both in it the losses are those of the file again.
    """
    columns = "params=NS_nonembedding,tokens=DS_nominal,teacher_loss=LT,loss=LS"
    nats = read_runs([str(STUDENTS)], Reading(columns=columns))
    turn = np.exp if unit is LossUnit.PERPLEXITY else (lambda one: one / np.log(2) / 4.3)

    def read_with(teachers):
        rows = zip(nats.params, nats.tokens, turn(nats.loss), teachers, strict=True)
        text = "\n".join(",".join(repr(float(one)) for one in row) for row in rows)
        text = f"params,tokens,loss,teacher_loss\n{text}\n1e9,2e10,{float(turn(2.5))},\n"
        return read(tmp_path, text, unit=unit, bytes_per_token=4.3)

    assert read_with(turn(nats.teacher_loss)).loss[:-1] == pytest.approx(nats.loss)
    with pytest.raises(InputError, match=f"{unit}, and the median teacher_loss .* nats/token"):
        read_with(nats.teacher_loss)


def test_the_logarithm_of_perplexities_is_nats(tmp_path):
    """Four runs of 125M to 1B on 1T tokens, natural logarithm of the perplexity."""
    text = "params,tokens,loss\n125M,1T,2.4816\n345M,1T,2.1950\n603M,1T,2.0769\n1.0B,1T,1.9699\n"
    assert read(tmp_path, text).loss.tolist() == [2.4816, 2.1950, 2.0769, 1.9699]


def test_the_lowest_of_a_sweep_is_used(tmp_path):
    """Three of the learning rates of a published sweep at 1.07B on 56.9B tokens, and at 215M."""
    text = (
        "N,D,loss\n1073741824,56900000000,2.1206\n1073741824,56900000000,2.1358\n"
        "1073741824,56900000000,2.2561\n214663680,4000000000,2.6214\n"
        "214663680,4000000000,2.7194\n214663680,4000000000,6.8954\n"
    )
    runs = read(tmp_path, text, columns="params=N,tokens=D")
    assert runs.loss.tolist() == [2.1206, 2.6214]
    assert codes(runs) == ["lowest_of_each"]
    assert "2 pairs of size and tokens have 6 runs" in runs.notices[0].message
    assert len(read(tmp_path, text, columns="params=N,tokens=D", replicates="all")) == 6
    seeds = "params,tokens,loss\n1B,20B,2.41\n1B,20B,2.40\n1B,20B,2.405\n"
    assert len(read(tmp_path, seeds)) == 3
    assert read(tmp_path, seeds, replicates="lowest").loss.tolist() == [2.40]


def test_students_of_several_teachers_are_no_replicates():
    """Figure 1 of arXiv:2502.08606: up to ten teachers for each student and length."""
    columns = "params=NS_nonembedding,tokens=DS_nominal,teacher_loss=LT,loss=LS"
    runs = read_runs([str(STUDENTS)], Reading(columns=columns))
    assert len(runs) == 284
    assert runs.notices == ()


def test_finished_runs_are_read_whole(tmp_path):
    runs = read(tmp_path, LADDER)
    assert len(runs) == 16
    assert runs.notices == ()


def test_json_and_csv_are_the_same_runs(tmp_path):
    rows = [{"params": "1B", "tokens": 2e10, "loss": 2.4}, {"params": 2e9, "tokens": "40B"}]
    rows[1]["loss"] = 2.2
    text = "\n".join(map(json.dumps, rows))
    assert numbers_of(read(tmp_path, text)) == numbers_of(read(tmp_path, CSV))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_unicode_text_of_spreadsheets_is_read(tmp_path, encoding):
    """UTF-16 with its mark and tabs between columns, against the same in UTF-8."""
    text = CSV.replace(",", "\t")
    path = tmp_path / "runs.txt"
    path.write_bytes((text if encoding == "utf-16" else f"\ufeff{text}").encode(encoding))
    assert numbers_of(read_runs([str(path)])) == numbers_of(read(tmp_path, CSV))


def test_a_header_behind_a_hash_is_the_header(tmp_path):
    """numpy.savetxt writes it so."""
    path = tmp_path / "runs.csv"
    rows = np.array([[1e9, 2e10, 2.4], [2e9, 4e10, 2.2]])
    for count in (1, 2):
        np.savetxt(path, rows[:count], delimiter=",", header="params,tokens,loss")
        runs = read_runs([str(path)])
        found = np.column_stack([runs.params, runs.tokens, runs.loss])
        assert found.tolist() == rows[:count].tolist()
        assert runs.lines[0] == "line 2"


@pytest.mark.parametrize(
    ("column", "counts"),
    [
        ("params", None),
        ("total_params", ParameterCount.TOTAL),
        ("params (total)", ParameterCount.TOTAL),
        ("config.non_embedding_params", ParameterCount.NON_EMBEDDING),
    ],
)
def test_the_name_of_a_column_says_what_parameters_count(tmp_path, column, counts):
    text = CSV.replace("params", column)
    assert read(tmp_path, text, columns=f"params={column}").counts is counts


@pytest.mark.parametrize("columns", [["non_embedding_params", "total_params"], ["total_params"]])
def test_a_column_that_counts_otherwise_than_asked_is_refused(tmp_path, columns):
    """And the column that the error names is read, where there is one."""
    asked = ParameterCount.TOTAL if columns[1:] else ParameterCount.NON_EMBEDDING
    header = ",".join([*columns, "tokens,loss"])
    text = f"{header}\n{'1B,' * len(columns[1:])}2B,20B,2.4\n"
    with pytest.raises(InputError, match=f"{columns[0]!r} has other parameters") as caught:
        read(tmp_path, text, columns=f"params={columns[0]}", counts=asked)
    assert "leave --counts out" in str(caught.value)
    for other in columns[1:]:
        assert f"write --columns 'params={other}'" in str(caught.value)
        runs = read(tmp_path, text, columns=f"params={other}", counts=asked)
        assert (runs.params.tolist(), runs.counts) == ([2e9], asked)


def test_files_that_count_differently_are_refused(tmp_path):
    first = written(tmp_path, CSV.replace("params", "total_params"), "a.csv")
    second = written(tmp_path, CSV.replace("params", "nonemb_params"), "b.csv")
    columns = "params=total_params,params=nonemb_params"
    with pytest.raises(InputError, match="total_params and nonemb_params count different"):
        read_runs([first, second], Reading(columns=columns))


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_runs([str(path)])
    with pytest.raises(InputError, match="cannot be read"):
        read_runs([str(tmp_path / "none.csv")])


def test_a_run_that_is_there_twice_is_one_run(tmp_path):
    first = written(tmp_path, "params,tokens,loss\n1B,20B,2.41234\n1B,20B,2.41235\n", "a.csv")
    second = written(tmp_path, "params,tokens,loss\n1e9,2e10,2.41234\n1B,20B,2.4\n", "b.csv")
    runs = read_runs([first, second])
    assert runs.lines == ("a.csv, line 2", "a.csv, line 3", "b.csv, line 3")
    assert codes(runs) == ["repeated_rows"]
    seeds = "params,tokens,loss\n1B,20B,2.41\n1B,20B,2.41\n"  # by chance
    assert len(read(tmp_path, seeds)) == 2


def test_runs_that_did_not_end_are_pointed_out(tmp_path):
    text = "State,params,tokens,loss\nfinished,1B,20B,2.4\ncrashed,1B,10B,2.6\n"
    (notice,) = read(tmp_path, text).notices
    assert notice.code == "unfinished_runs"
    assert "1 row has State crashed" in notice.message
    where = notice.message.rpartition("--where ")[2].strip("'")
    assert read(tmp_path, text, where=(where,)).notices == ()


def test_a_column_that_one_of_several_files_lacks_is_empty_there(tmp_path):
    (tmp_path / "a.csv").write_text(
        "params,tokens,teacher_loss,loss\n1B,20B,2.1,2.4\n2B,20B,2.6,2.5\n"
    )
    (tmp_path / "b.csv").write_text("params,tokens,loss\n3B,20B,2.3\n")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    below = read_runs(files, Reading(where=("teacher_loss < 2.2",)))
    assert below.params.tolist() == [1e9]
    with pytest.raises(InputError, match="there is no column 'loses'; did you mean 'loss'"):
        read_runs(files, Reading(where=("loses < 2.2",)))
