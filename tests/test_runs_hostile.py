"""Sloppy and hostile tables: each read right, or one sentence, exit 2 and nothing written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.fitting.runs_file import read_runs
from tests.shell import run

GOOD = "params,tokens,loss\n1B,20B,2.4\n2B,40B,2.2\n"
MISSING = "columns params, tokens and loss are missing"

REFUSED = {
    "empty": ("", [], "no runs"),
    "blank": ("\n \n\t\n", [], "no runs"),
    "header only": ("params,tokens,loss\n", [], "no runs"),
    "comments only": ("# params,tokens,loss\n# 1B,20B,2.4\n", [], "no runs"),
    "no header": ("1B,20B,2.4\n2B,40B,2.2\n", [], "the first line has numbers only"),
    "spaces": ("params tokens loss\n1B 20 B 2.4\n", [], "the header has one column"),
    "pipes": ("params | tokens | loss\n1B | 20 B | 2.4\n", [], "by commas, semicolons"),
    "colons": ("params:tokens:loss\n1B:20B:2.4\n", [], "the header has one column"),
    "YAML": ("params: [1B]\ntokens: [20B]\nloss: [2.4]\n", [], "columns params, tokens and loss"),
    "HTML": ("<html><body>Sign in</body></html>\n", [], "no runs"),
    "HTML page": ("<!DOCTYPE html>\n<html>\n<p>Sign in\n", [], MISSING),
    "JSON array": ("[[1e9, 2e10, 2.4, 1]]", [], "entry 1: not a JSON object; write one object per"),
    "JSON of unlike columns": (
        '{"params": [1e9], "tokens": [2e10, 4e10], "loss": [2.4]}',
        [],
        "'[1000000000.0]'",
    ),
    "indented JSON": (
        '{\n "params": 1e9,\n "tokens": 2e10\n}\n',
        [],
        "write JSON Lines, one object",
    ),
    "deep JSON": ('{"a":' * 100_000, [], "line 1: nested more than 20 levels"),
    "JSON cut off": ('{"params": 1e9, "tok', [], "line 1: not readable as JSON"),
    "JSON with a true": ('{"params": true, "tokens": 1e9, "loss": 2}\n', [], "'True' is not"),
    "JSON with a huge integer": (
        '{"params": 1e9, "tokens": ' + "9" * 400 + ', "loss": 2.4}\n',
        [],
        "line 1: '999",
    ),
    "open quote": ('params,tokens,loss\n"1B,20B,2.4\n2B,40B,2.2\n', [], "not readable as CSV"),
    "long field": (GOOD + "1B,20B," + "9" * 200_000 + "\n", [], "field larger"),
    "old line ends": (GOOD.replace("\n", "\r"), [], "not readable as CSV"),
    "NUL": (GOOD.replace("2.4", "2.\x004"), [], "line 2"),
    "half of UTF-16": (GOOD.encode("utf-16")[:-1], [], "not UTF-8"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xfe", [], "not UTF-8"),
    "too large": (GOOD + "1B,20B,2.4\n" * 400_000, [], "larger than 4 MB"),
    "short row": (GOOD + "1B,20B\n", [], "line 4: fewer fields than the header has"),
    "long row": (GOOD + "1B,20B,2,4\n", [], "line 4: more fields than the header has"),
    "decimal commas between commas": ("params,tokens,loss\n1B,20B,2,4\n", [], "more fields"),
    "column twice": ("params,tokens,loss,loss\n1B,20B,2.4,2.5\n", [], "duplicate column 'loss'"),
    "units below the header": ("params,tokens,loss\n-,B,nats\n1B,20B,2.4\n2B,x,2\n", [], "line 4"),
    "words": (GOOD + "3B,many,low\n", [], "2 faults, nothing was used: line 4, tokens"),
    "percent": (GOOD + "3B,60B,2.1%\n", [], "line 4, loss: '2.1%' has the unknown suffix"),
    "a formula": (GOOD + "3B,60B,=A1*2\n", [], "line 4, loss: '=A1*2'"),
    "other digits": (GOOD + "3B,60B,\u0662.\u0661\n", [], "line 4, loss"),
    "minus": (GOOD + "-3B,60B,2.1\n", [], "'-3B' is not positive"),
    "zero": (GOOD + "3B,0,2.1\n", [], "'0' is not positive"),
    "sizes in billions": ("params,tokens,loss\n1,20,2.4\n", [], "2 faults"),
    "unknown suffix": (GOOD + "3Q,60B,2.1\n", [], "unknown suffix 'Q'"),
    "hundred nats": (GOOD + "3B,60B,100\n", [], "line 4, loss: 100 is 100 nats/token"),
    "no nats": (GOOD + "3B,60B,1e-300\n", [], "line 4, loss: 1e-300 is 1e-300 nats/token, not bet"),
    "a teacher without nats": (
        "params,tokens,loss,teacher_loss\n1B,20B,2.4,2\n2B,20B,2.3,2\n2B,40B,2.2,1e-300\n",
        [],
        "line 4, teacher_loss: 1e-300 is 1e-300 nats/token, not between 0.01 and 30",
    ),
    "a perplexity of one": (GOOD + "3B,60B,1\n", ["--loss-unit", "ppl"], "above 1; typical"),
    "teachers in bits per byte": (
        "params,tokens,loss,teacher_loss\n1B,20B,2.4,\n2B,20B,2.3,0.8\n2B,40B,2.2,0.82\n",
        [],
        "median teacher_loss is below 1.2 (0.81 of 0.8 to 0.82), which looks like bits/byte",
    ),
    "perplexities of teachers": (
        "params,tokens,loss,teacher_loss\n1B,20B,2.4,\n2B,20B,2.3,10\n2B,40B,2.2,18\n",
        [],
        "which looks like perplexities, not nats/token; give it in nats/token, as the losses are",
    ),
    "bits per byte by the teacher's column": (
        "params,tokens,loss,teacher_bpb\n1B,20B,2.4,\n2B,20B,2.3,2\n",
        ["--columns", "teacher_loss=teacher_bpb"],
        "'teacher_bpb' looks like bits/byte, not nats/token; give it in nats/token",
    ),
    "zero for no teacher": (
        "params,tokens,loss,teacher_loss\n1B,20B,2.4,0\n2B,20B,2.3,2\n2B,40B,2.2,0.0\n",
        [],
        "line 2, teacher_loss: 0; leave it empty for a run without a teacher; line 4",
    ),
    "cut models": (
        "parent_params,kept,tokens,parent_loss,loss\n8B,0.5,1B,2,2.4\n",
        [],
        "these are runs of cut models; add --form p2",
    ),
    "one row of numbers": ("1e9,2e10,2.4\n", [], "the first line has numbers only; put a header"),
    "every loss missing": ("params,tokens,loss\n1B,20B,NaN\n2B,40B,\n", [], "no row has every"),
    "bits per byte": ("params,tokens,loss\n1B,20B,0.8\n2B,40B,0.7\n", [], "--loss-unit bpb"),
    "perplexity": ("params,tokens,loss\n1B,20B,12\n2B,40B,11\n", [], "--loss-unit ppl"),
    "a unit without its bytes": (GOOD, ["--loss-unit", "bpb"], "needs --bytes-per-token"),
    "impossible bytes": (GOOD, ["--loss-unit", "bpb", "--bytes-per-token", "400"], "400 bytes"),
    "perplexity below one": (GOOD + "3B,60B,0.5\n", ["--loss-unit", "ppl"], "line 4, loss"),
    "an unknown unit": (GOOD, ["--loss-unit", "dits"], "'dits' is unknown"),
    "a train loss": (GOOD.replace("loss", "train_loss"), [], "did you mean train_loss"),
    "two names for one": (
        "params,student_params,tokens,loss\n1B,1B,20B,2.4\n",
        [],
        "params and student_params are both given",
    ),
    "one loss for all": (GOOD, ["--columns", "loss=2.31"], "each run has a loss of its own"),
    "a size of nothing": (GOOD, ["--columns", "params=0"], "columns: params: '0' is not positive"),
    "no such column": (GOOD, ["--columns", "loss=lost"], "did you mean loss"),
    "ambiguous separators": (
        "params;tokens;loss\n1,500B;20B;2,4\n",
        [],
        "thousands or decimals? write it without a separator",
    ),
    "where nothing": (GOOD, ["--where", "params > 1T"], "holds for none of the 2 rows"),
    "where nonsense": (GOOD, ["--where", "params ~ 1T"], "where: 'params ~ 1T' is not COLUMN"),
    "last of nothing": (GOOD, ["--last-of", "run"], "has no column 'run'"),
    "supervised of taught": (
        GOOD.replace("loss", "loss,teacher_loss").replace("2.4", "2.4,2").replace("2.2", "2.2,2"),
        ["--form", "supervised"],
        "every row has a teacher_loss",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_is_refused_in_one_sentence(name, tmp_path, monkeypatch):
    text, words, says = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "runs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = run("fit", "runs.csv", *words, "-o", "mine.yaml")
    assert found.returncode == 2, found.stderr
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert len(line) < 3000
    assert [one.name for one in tmp_path.iterdir()] == ["runs.csv"]


def test_what_is_no_file_name_is_refused_in_one_line():
    found = run("fit", "a\x00b.csv", "c.csv")
    assert found.returncode == 2
    assert found.stderr == "error: 'a\\x00b.csv': not a file name\n"


SLOPPY = {
    "tabs": GOOD.replace(",", "\t"),
    "semicolons": GOOD.replace(",", ";"),
    "decimal commas": GOOD.replace(",", ";").replace(".", ","),
    "quoted decimal commas": 'params,tokens,loss\n1B,20B,"2,4"\n2B,40B,"2,2"\n',
    "a separator on the first line": "sep=;\n" + GOOD.replace(",", ";"),
    "a comma in a header of semicolons": "params;tokens;loss;a, b\n1B;20B;2.4;1\n2B;40B;2.2;1\n",
    "byte order mark": "\ufeff" + GOOD,
    "line ends of Windows": GOOD.replace("\n", "\r\n"),
    "no last line end": GOOD.rstrip(),
    "spaces around": GOOD.replace(",", " , "),
    "everything quoted": "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in GOOD.split()
    ),
    "thousands": 'params,tokens,loss\n"1,000,000,000","20,000,000,000",2.4\n2e9,4e10,2.2\n',
    "points for thousands": "params;tokens;loss\n1.000.000.000;20.000.000.000;2,4\n2B;40B;2,2\n",
    "an index": "".join(f"{k},{one}\n" for k, one in zip(("", 0, 1), GOOD.split(), strict=True)),
    "empty columns": "".join(f"{one},,\n" for one in GOOD.split()),
    "empty rows": GOOD.replace("\n", "\n,,\n"),
    "comments": "# exported\n" + GOOD.replace("\n1B", "\n# sweep 3\n\n1B"),
    "a header of two lines": GOOD.replace("loss", 'loss,"learning\nrate"')
    .replace("2.4", "2.4,1")
    .replace("2.2", "2.2,2"),
    "more columns": "".join(
        f"x,{one},y\n" if k else f"a,{one},b\n" for k, one in enumerate(GOOD.split())
    ),
    "a crashed run": GOOD + "3B,60B,NaN\n",
    "a run without tokens": GOOD + "3B,,\n",
    "pandas": GOOD + "3B,60B,None\n",
    "JSON Lines": '{"params": 1e9, "tokens": "20B", "loss": 2.4}\n\n'
    '{"loss": 2.2, "tokens": 4e10, "params": "2B", "x": null}\n',
    "JSON with NaN": '{"params": "1B", "tokens": "20B", "loss": 2.4}\n'
    '{"params": "2B", "tokens": "40B", "loss": 2.2}\n{"params": "2B", "tokens": 1, "loss": NaN}\n',
    "an empty teacher": GOOD.replace("\n", ",\n").replace("loss,", "loss,teacher_loss"),
}


@pytest.mark.parametrize("name", SLOPPY)
def test_a_table_is_read_right(name, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(SLOPPY[name].encode())
    runs = read_runs([str(path)])
    assert runs.params.tolist() == [1e9, 2e9]
    assert runs.tokens.tolist() == [2e10, 4e10]
    assert runs.loss.tolist() == [2.4, 2.2]
    assert not runs.distilled.any()


CELL = st.text(max_size=8) | st.sampled_from(
    ["1B", "2.4", "", "nan", "1,5", "run", "\u00bd", '"', "\x1b[1m", '"a\nb"']
)
LINES = st.lists(st.lists(CELL, max_size=5), max_size=5)


@given(LINES, st.sampled_from([",", ";", "\t"]), st.booleans())
def test_any_table_is_read_or_refused_in_one_line(tmp_path_factory, lines, separator, header):
    first = [["params", "tokens", "loss"]] if header else []
    text = "\n".join(map(separator.join, [*first, *lines]))
    path = tmp_path_factory.mktemp("any") / "runs.csv"
    path.write_bytes(text.encode())
    refused = ""
    try:
        runs = read_runs([str(path)])
    except InputError as error:
        refused = str(error)
    assert refused or len(runs) > 0
    assert not {"\n", "\r", "\x1b"} & set(refused)


def test_a_history_leaves_one_run_and_says_so(tmp_path):
    rows = "".join(f"1B,{k}0B,{3 - k / 50}\n" for k in range(1, 13))
    (tmp_path / "runs.csv").write_text("params,tokens,loss\n" + rows)
    found = run("fit", tmp_path / "runs.csv", "--resamples", "0")
    assert found.returncode == 0
    shown = " ".join(found.stdout.split())
    assert "1 run for 6 coefficients" in shown
    assert "11 rows are left out as intermediate points" in shown
    assert "--histories keep" in shown
