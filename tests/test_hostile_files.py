"""Files that mean harm: an answer in bounded time and memory, exit 2, no traceback."""

import json
import subprocess
import sys
from time import sleep

import pytest

from distillplan.files.entries import coefficients_dir
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.pruning_law import SCHEMA as PRUNING_SCHEMA
from distillplan.render.blocks import TableBlock
from distillplan.render.progress import progress
from distillplan.render.show import as_text
from distillplan.render.streams import write_error
from distillplan.schemas.reader import schema_id
from tests.shell import Finished, run, without_progress

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
HOSTILE = {
    "alias_bomb": BOMB,
    "alias_bomb_in_a_scenario": BOMB + "base: {teacher: *i, compute: *j}\n",
    "merge_bomb": "a: &a {x: 1}\n" + "".join(f"k{i}: {{<<: [*a, *a]}}\n" for i in range(20000)),
    "deep_flow": "[" * 900_000,
    "deep_mapping": "{a: " * 200_000,
    "deep_block": "- " * 400_000,
    "deep_question": "? " * 400_000,
    "deep_indent": "".join("  " * i + "a:\n" for i in range(700)),
    "many_keys": "base:\n" + "".join(f"  k{i}: 1\n" for i in range(24_000)),
    "many_scenarios": "scenarios:\n" + "".join(f"  s{i}: {{studnt: 1}}\n" for i in range(16_000)),
    "many_anchors": "".join(f"- &x{i} 1\n" for i in range(80_000)),
    "many_commas": "base: {" + "," * 300_000 + "}",
    "long_scalar": "base: {compute: " + "9" * 900_000 + "}",
    "long_key": "base: {? " + "k" * 900_000 + " : 1}",
    "long_name": "base: {compute: 1e21}\nmatrix: {student: " + "1," * 100_000 + "}",
    "self_alias": "base: &b {teacher: *b}",
    "unknown_alias": "base: *b",
    "duplicate_keys": "base: {compute: 1e21, compute: 1e22}",
    "tabs": "base:\n\tcompute: 1e21",
    "nan": "base: {compute: .nan}",
    "infinity": "base: {compute: .inf}",
    "negative": "base: {compute: -1e21}",
    "boolean": "base: {compute: on}",
    "python_object": "base: !!python/object/apply:os.system ['echo harm']",
    "python_name": "base: {law: !!python/name:os.system }",
    "custom_tag": "base: !foo {compute: 1e21}",
    "binary_tag": "base: {compute: !!binary aGVsbG8=}",
    "documents": "base: {compute: 1e21}\n---\nbase: {compute: 1e22}",
    "huge_range": "base: {compute: 1e21}\nmatrix: {student: 1B:2B:1e9}",
    "huge_product": "base: {compute: 1e21}\nmatrix: {student: 1B:2B:1e4, compute: 1e20:1e21:1e4}",
    "huge_number": "base: {compute: 1e99999}",
    "huge_integer": "base: {compute: 0x" + "f" * 5000 + "}",
    "directive": "%YAML 9.9\n---\nbase: {compute: 1e21}",
    "control": "base: {compute: 1e21}\x00",
    "binary": bytes(range(256)) * 1000,
    "latin": "base: {law: é}".encode("latin-1"),
    "hundred_megabytes": None,
}
LIMITED = """
import os, resource, signal, sys
import distillplan.cli.commands.validate, distillplan.scenarios.scenario_file
from distillplan.cli.main import main
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        os.dup2(os.open(f"{name}.out", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(f"{name}.err", os.O_WRONLY | os.O_CREAT), 2)
        resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
        signal.alarm(60)  # a hang fails; how long it takes is the benchmarks' business
        sys.argv = ["distillplan", "validate", f"{name}.harm.yaml"]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""A process of its own for each file, all started by one that has loaded the command."""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What `validate` says of each hostile file."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in HOSTILE.items():
        path = folder / f"{name}.harm.yaml"
        if content is None:
            with path.open("wb") as file:
                file.write(b"base: {compute: 1e21}\n")
                file.truncate(100_000_000)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, *HOSTILE],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    codes = map(int, found.stdout.split())
    return {
        name: Finished(code, *((folder / f"{name}.{end}").read_text() for end in ("out", "err")))
        for name, code in zip(HOSTILE, codes, strict=True)
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name, refusals):
    found = refusals[name]
    assert found.returncode == 2, found.stderr[-500:]
    assert found.stdout == ""
    assert without_progress(found.stderr).startswith("error: ")
    assert "harm.yaml" in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr) < 20_000


def test_a_name_of_spaces_is_seen():
    found = run("validate", " ")
    assert found.returncode == 2
    assert found.stderr == "error: ' ': cannot be read: No such file or directory\n"


# --- every other reader of a user's file

LAW = (coefficients_dir() / "laws" / "busbridge2025.yaml").read_text(encoding="utf-8")
LAW = LAW.replace("name: busbridge2025", "name: mine").replace(
    "../draws/busbridge2025.csv", "d.csv"
)
DRAWS = (coefficients_dir() / "draws" / "busbridge2025.csv").read_text(encoding="utf-8")
CHECKS = LAW.partition("\nchecks:")[0]


def _with_runs(*lines):
    """The law with a table of the runs behind it."""
    table = "".join(f'\n  - "{one}"' for one in ("params,tokens,loss,teacher_loss", *lines))
    return f"{CHECKS}\nruns:\n  noise: 0.003\n  table:{table}\n"


GPU = (
    "gpus: {mine: {dense_bf16_tflops: 989, memory_gb: 80, memory_bw_gb_s: 3350, "
    "intra_node_gb_s: 450, inter_node_gb_s: 50, gpus_per_node: 8, tdp_w: 700}}\n"
)
CONFIG = (
    '{"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16, "vocab_size": 128256, '
    '"intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8}'
)
PRICES = "gpu,usd_per_hour\nh100-sxm,2\n"
PLAN = (
    f'{{"schema": "{schema_id("plan")}", "scenario": {{"law": "busbridge2025"}}, "options": '
    '[{"loss": 2.1}]}'
)
STATE = '{"key": "%s", "bootstrap": {"seed": 0, "wanted": 64, "theta": [[0]]}}'
RUNS = "params,tokens,loss\n" + "".join(
    f"{n},{d},{1.22 + (3355 / n**0.408 + 18186 / d**0.431) ** 0.452:.5f}\n"  # Equation 1
    for n in (1e8, 3e8, 1e9)
    for d in (4e9, 16e9, 64e9)
)
RESAMPLED = ("--state", "s.json", "--resamples", "64")
HISTORY = "tokens,loss\n2e9,2.6\n"
P2 = f"""schema: {PRUNING_SCHEMA}
runs: 40
noise: 0.01
taught: false
counts: {ParameterCount.TOTAL.value}
coefficients: {{gamma: 0.5, delta: 0.1, N_C: 9, alpha: 0.2, D_C: 90, beta: 0.25, E: 0.1}}
valid: {{kept: [0.3, 0.9], parent_params: [1e9, 2e10], tokens: [1e9, 1e12]}}
draws: ["gamma,delta,N_C,alpha,D_C,beta,E", "0.5,0.1,9,0.2,90,0.25,0.1"]
"""
CUT = ("--student", "4B", "--start", "pruned", "--parent", "qwen3-8b", "--parent-loss", "2")
RUN_ON = ("--tokens", "1B", "--gpu", "h100-sxm", "--gpus", "8")
READERS = {
    "law": ("mine.yaml", LAW, ("budget", "1e21", "--student", "1B", "--law", "mine.yaml")),
    "start_law": ("p2.yaml", P2, ("budget", "1e22", *CUT, "--start-law", "p2.yaml")),
    "draws": ("d.csv", DRAWS, ("budget", "1e21", "--student", "1B", "--law", "mine.yaml")),
    "gpu": ("gpu.yaml", GPU, ("gpus", "gpu.yaml")),
    "config": ("config.json", CONFIG, ("estimate", "--model", "config.json", *RUN_ON)),
    "prices": ("p.csv", PRICES, ("estimate", "--model", "7B", *RUN_ON, "--prices", "p.csv")),
    "plan": ("plan.json", PLAN, ("track", "plan.json", "losses.csv")),
    "recipe": ("plan.json", PLAN, ("recipe", "plan.json")),
    "state": ("s.json", STATE, ("fit", "runs.csv", *RESAMPLED)),
    "runs": ("runs.csv", RUNS, ("fit", "runs.csv", "--resamples", "0")),
    "history": ("losses.csv", HISTORY, ("track", "good.json", "losses.csv")),
}
"""What reads a kind of file: its name, one that is meant well, and the command."""
DEEP_ALIASES = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 200))
ALPHA = "alpha: {value: 0.40849, ci90: [0.405, 0.411]}"
FLOOR = "E: {value: 1.21951, ci90: [1.190, 1.247]}"
FIRST = "1.21505"  # of the draws
REFUSED = [
    ("law", "", "expected a mapping"),
    ("law", "[" * 400_000, "line 1: "),
    ("law", BOMB, "more than 50,000 values"),
    ("law", DEEP_ALIASES, "law: missing key 'coefficients'"),
    ("law", (FLOOR, f"E: {{value: {'9' * 400}}}"), "is larger than 1e+300"),
    ("law", (FLOOR, "E: {value: .nan}"), "E.value: nan is not finite"),
    ("law", (FLOOR, "E: {value: .inf}"), "E.value: inf is not finite"),
    ("law", (FLOOR, "E: {value: 010}"), "E.value: '010' is not a number"),
    ("law", (FLOOR, "E: {value: 1:20}"), "E.value: '1:20' is not a number"),
    ("law", (FLOOR, "E: {value: -1}"), "E: -1 is not zero or more"),
    ("law", (FLOOR, "E: !!python/name:os.system x"), "unsupported tag"),
    ("law", (ALPHA, "alpha: {value: 0}"), "alpha: 0 is not positive"),
    ("law", (ALPHA, "alpha: {value: 0.5, ci90: [0.4, 0.41]}"), "0.5 is outside its interval"),
    ("law", (ALPHA, "alpha: {value: 0.4, ci90: [0.41, 0.3]}"), "0.41 is above 0.3"),
    ("law", (ALPHA, "alpha: {value: 0.4, ci90: 0.4}"), "0.4 is not a pair"),
    ("law", ("value: 0.45151, ci90: [0.442, 0.461]", "value: 1e9"), "no finite loss everywhere"),
    ("law", ("value: 2.54949, ci90: [2.425, 2.615]", "value: -1e9"), "no finite loss everywhere"),
    ("law", ("value: 0.090398, ci90: [0.088, 0.093]", "value: 0"), "f1: 0 is not positive"),
    ("law", ("[1.434e8, 1.261e10]", "[-1, 1e9]"), "valid.params: -1 is not positive"),
    ("law", ("[1.434e8, 1.261e10]", "[1e9, 1e8]"), "1e+09 is above 1e+08"),
    ("law", ("  params: [", "  size: ["), "unknown key 'size'"),
    ("law", ("sigma_run: 0.0030", "sigma_run: -1"), "sigma_run: -1 is negative"),
    ("law", ("sigma_run: 0.0030", "sigma_run: .nan"), "sigma_run: nan is not finite"),
    ("law", ("file: d.csv", "file: gone.csv"), "gone.csv: cannot be read"),
    ("law", ("file: d.csv", "file: /dev/zero"), "larger than 4 MB"),
    ("law", ("name: mine", "name: busbridge2025"), "a published law is called"),
    ("law", ("name: mine", "name: Busbridge2025"), "a published law is called"),
    ("law", ("name: mine", f"name: {'x' * 200}"), "not a name of up to 100"),
    ("law", ("name: mine", 'name: "\\e[2J"'), r"'\x1b[2J' is not a name"),
    ("law", ("name: mine", "bytes_per_token: -4"), "bytes_per_token: -4 is not positive"),
    ("law", ("name: mine", "warnings: hello"), "warnings: 'hello' is not a list"),
    ("law", ("name: mine", "warnings: [3]"), "warnings[1]: expected a mapping"),
    ("law", ("name: mine", "1: 2"), "unknown key '1'"),
    ("law", ("name: mine", "? [a]\n: 2"), "line 1: a key must be plain text"),
    ("law", ("name: mine", "supervised_from: {runs: 1.5}"), "runs: 1.5 is not a whole number"),
    ("law", ("name: mine", "supervised_from: {runs: -2}"), "runs: -2 is negative"),
    ("law", ("title: ", "title: {a: b} # "), "title: {'a': 'b'} is not a text"),
    ("law", ("title: ", 'title: "a\\0b" # '), "line 2: a NUL character"),
    ("law", f"{CHECKS}\nchecks: 7\n", "checks: 7 is not a list"),
    ("law", f"{CHECKS}\nchecks: [{{given: {{params: 1}}}}]\n", "given: ['params'] is not one of"),
    ("law", ("file: d.csv", "table: 7"), "draws.table: 7 is not a list"),
    ("law", ("file: d.csv", "table: [a, b]"), "the columns must be"),
    ("law", ("file: d.csv", "file: d.csv, table: [a]"), "unknown key 'file'"),
    ("law", f"{LAW}---\na: 1\n", "a second YAML document"),
    ("law", f"{CHECKS}\nruns: 7\n", "runs: expected a mapping"),
    ("law", f"{CHECKS}\nruns: {{table: [a]}}\n", "law.runs: missing key 'noise'"),
    ("law", f"{CHECKS}\nruns: {{noise: -1}}\n", "runs.noise: -1 is negative"),
    ("law", f"{CHECKS}\nruns: {{noise: 0, a: 1}}\n", "law.runs: unknown key 'a'"),
    ("law", f"{CHECKS}\nruns: {{noise: 0}}\n", "runs.table: '' is not the line params,tokens"),
    ("law", _with_runs(), "runs.table: 0 runs; there must be 1 to 20,000"),
    ("law", _with_runs(*["1e8,2e9,3,"] * 20_001), "runs.table: 20,001 runs"),
    ("law", _with_runs("1e8,2e9,3"), "runs.table, line 2: '1e8,2e9,3' is not three positive"),
    ("law", _with_runs("1e8,2e9,3,", "1e8,-2e9,3,"), "runs.table, line 3: '1e8,-2e9,3,' is not"),
    ("law", _with_runs("1e8,2e9,nan,"), "runs.table, line 2: '1e8,2e9,nan,' is not"),
    ("law", _with_runs("1e8,2e9,1e999,"), "runs.table, line 2: '1e8,2e9,1e999,' is not"),
    ("law", _with_runs("0x10,2e9,3,1_0"), "runs.table, line 2: '0x10,2e9,3,1_0' is not"),
    ("law", _with_runs("1e8,2e9,3,0"), "runs.table, line 2: '1e8,2e9,3,0' is not"),
    ("start_law", "", "not a law of starts from a cut model"),
    ("start_law", "[" * 400_000, "line 1: "),
    ("start_law", BOMB, "more than 50,000 values"),
    ("start_law", "{{a: b}: c}\n", "line 1: a key must be plain text"),
    ("start_law", f"{P2}? [a]\n: 2\n", "line 9: a key must be plain text"),
    ("start_law", f"{P2}runs: 3\n", "line 9: duplicate key 'runs'"),
    ("start_law", ("gamma: 0.5", "gamma: .nan"), "coefficients.gamma: nan is not finite"),
    ("start_law", ("gamma: 0.5", f"gamma: {'9' * 400}"), "is larger than 1e+300"),
    ("start_law", ("gamma: 0.5", "gamma: 1e9"), "coefficients: no finite loss everywhere"),
    ("start_law", ("N_C: 9", "N_C: -1e99"), "coefficients.N_C: -1e+99 is negative"),
    ("start_law", ("kept: [0.3, 0.9]", "kept: [0.9, 0.3]"), "0.9 is above 0.3"),
    ("start_law", ("kept: [0.3, 0.9]", "kept: [-1, 0.3]"), "-1 to 0.3 is not above 0 to 1"),
    ("start_law", ("noise: 0.01", "noise: -1"), "noise: -1 is negative"),
    ("start_law", ("runs: 40", "runs: 1.5"), "runs: 1.5 is not a whole number"),
    ("start_law", ('"0.5,0.1', '"nan,0.1'), "draws: not 7 finite numbers"),
    ("start_law", ("90,0.25,0.1", "90,-0.25,0.1"), "draw 1: beta: -0.25 is negative"),
    ("start_law", ('"0.5,', '"1e9,'), "draw 1: no finite loss everywhere"),
    ("start_law", ('"0.5,0.1', '"0.5'), "draws: not 7 finite numbers"),
    ("draws", "", "the columns must be"),
    ("draws", DRAWS.partition("\n")[0], "0 draws"),
    ("draws", DRAWS + DRAWS.partition("\n")[2] * 14, "4,500 draws; there must be 1 to 4,096"),
    ("draws", (FIRST, "0x10"), "line 2: not 15 numbers"),
    ("draws", (FIRST, "1_0"), "line 2: not 15 numbers"),
    ("draws", (FIRST, "nan"), "line 2: not 15 numbers"),
    ("draws", (FIRST, "1.2 1"), "line 2: not 15 numbers"),
    ("draws", (FIRST, "1" * 4_000_000), "larger than 4 MB"),
    ("draws", (FIRST, "1" * 3_000_000 + "x"), "line 2: not 15 numbers"),
    ("draws", (f"{FIRST},", ""), "line 2: not 15 numbers"),
    ("draws", (FIRST, "1e999"), "supervised.E, draw 1: inf is not finite"),
    ("draws", (FIRST, "-1"), "supervised.E, draw 1: -1 is not zero or more"),
    ("draws", ("0.4474497", "1e308"), "draw 1: 1e+308 is not of a size that any fit gives"),
    ("law", (ALPHA, "alpha: {value: 1e-200}"), "alpha: 1e-200 is not of a size that any fit"),
    ("draws", ("0.4474497", "1e9"), "draw 1, no finite loss everywhere"),
    ("gpu", BOMB, "more than 50,000 values"),
    ("gpu", ("989", "989e12"), "9.89e+14 FLOP/s are 989 TFLOP/s, so write 989"),
    ("gpu", ("989", "0.989"), "0.989 PFLOP/s are 989 TFLOP/s, so write 989"),
    ("gpu", ("989", "-989"), "dense_bf16_tflops: -989 is not positive"),
    ("gpu", ("989", ".inf"), "dense_bf16_tflops: inf is not finite"),
    ("gpu", ("memory_gb: 80", "memory_gb: 80e9"), "8e+10 bytes are 80 GB, so write 80"),
    ("gpu", ("3350", "3.35"), "3.35 TB/s are 3350 GB/s, so write 3350"),
    ("gpu", ("tdp_w: 700", "tdp_w: 0.7"), "0.7 kW are 700 W, so write 700"),
    ("gpu", ("per_node: 8", "per_node: 8.5"), "gpus_per_node: 8.5 is not a whole number"),
    ("gpu", ("per_node: 8", "per_node: 0"), "gpus_per_node: 0 GPUs is not between 1 and"),
    ("gpu", ("tdp_w: 700", "measured_matmul_tflops: 2000"), "more than the dense peak of 989"),
    ("gpu", ("mine:", '"a\\eb":'), r"'a\x1bb' is not a name"),
    ("gpu", ("tdp_w: 700", "prices: {a: 1}"), "prices: {'a': 1} is not a list"),
    (
        "gpu",
        ("tdp_w: 700", "prices: [{usd_per_hour: 2, seller: a, date: soon}]"),
        "prices[1].date: 'soon' is not a date",
    ),
    ("gpu", ("tdp_w: 700", "aliases: 7"), "aliases: 7 is not a list"),
    ("config", "[" * 100_000, "nested more than 20 levels deep"),
    ("config", '{"text_config": ' * 30 + "1" + "}" * 30, "nested more than 20 levels deep"),
    ("config", ("2048", "9" * 5000), "hidden_size is inf; it must be a positive whole number"),
    ("config", ("2048", "1" + "0" * 200), "hidden_size is 1000"),
    ("config", ("2048", "1e999"), "hidden_size is inf; it must be a positive whole number"),
    ("config", ("2048", "NaN"), "hidden_size is nan; it must be a positive whole number"),
    ("config", ("2048", "-Infinity"), "hidden_size is -inf; it must be a positive whole"),
    ("config", ("2048", '2048, "vocab_size": 3'), "duplicate key 'vocab_size'"),
    ("config", ("llama", "\\u0000"), "'model_type': a NUL character"),
    ("config", ("llama", "\\ud800"), "half of a surrogate pair"),
    ("config", ("llama", "x" * 20_000), "it must be a name, such as llama"),
    ("config", "[" + "0," * 1_000_000 + "0]", "more than 1,000,000 values"),
    ("config", " " * 6_000_001, "larger than 6 MB"),
    ("config", CONFIG[:-1], "line 1: not readable as JSON"),
    ("config", b"\xff\xfe", "not UTF-8 text"),
    ("prices", ("h100-sxm,2", "h100-sxm,2,3"), "line 2: more fields than the header has"),
    ("prices", ("h100-sxm", '"h100-sxm'), "line 2: not readable as CSV"),
    ("prices", ("sxm,2", "sxm,nan"), "line 2: usd_per_hour: 'nan' is not finite"),
    ("prices", ("sxm,2", "sxm,1e99"), "line 2: usd_per_hour: 1e+99 USD per GPU-hour is not"),
    ("prices", ("sxm,2", "sxm,2\0"), "line 2: a NUL character"),
    ("prices", ("h100-sxm", "x" * 20_000), "line 2: a field longer than 10,000"),
    ("prices", ("hour\nh100-sxm,2", "hour,date\nh100-sxm,2,soon"), "line 2: date: 'soon'"),
    ("prices", PRICES + "l4,1\n" * 200_000, "line 200002: more than 200,000 rows"),
    ("prices", ",".join(map(str, range(300_000))), "more than 1,000 columns"),
    ("plan", ("2.1", "NaN"), "NaN is not JSON"),
    ("plan", ('[{"loss": 2.1}]', "7"), "options: 7 is not a list"),
    ("plan", ('[{"loss": 2.1}]', "[7]"), "options[1]: expected a mapping"),
    ("plan", ('"scenario": {"law": "busbridge2025"}', '"scenario": 1'), "scenario: expected a map"),
    ("plan", "[" * 100_000, "nested more than 20 levels deep"),
    ("state", "{", "line 1: not readable as JSON"),
    ("state", "[1]", "was not written by distillplan fit"),
    ("state", '{"key": 1}', "was not written by distillplan fit"),
    ("state", ("[[0]]", "NaN"), "NaN is not JSON"),
    ("state", ("[[0]]", "[[1], [1, 2]]"), "saved resamples"),
    ("state", ("[[0]]", "[1, 2, 3]"), "saved resamples"),
    ("state", ("[[0]]", "[[0, 0]]"), "do not continue a fit"),
    ("state", ("[[0]]", "[[99, 99, 99, 99, 99, 99]]"), "lies where no fit goes"),
    ("state", ('"seed": 0', '"seed": -1'), "saved resamples"),
    ("runs", '{"a": 1, "a": 2}', "line 1: duplicate key 'a'"),
    (
        "runs",
        "".join(f'{{"a{i}": 1}}\n' for i in range(60_000)),
        "more than 1,000,000 cells",
    ),
    ("runs", "a,b\n" + "1,2\n" * 200_001, "more than 200,000 rows"),
    ("history", HISTORY + "1,2\n" * 200_001, "more than 200,000 rows"),
]


@pytest.fixture(scope="module")
def good_plan():
    """A plan's document."""
    return run("budget", "1e21", "--student", "1B", "-o", "json").stdout


def folder_of(tmp_path, good_plan):
    """A folder with a file of each kind that is meant well, but for the resamples of a fit."""
    for name, text, _ in READERS.values():
        if name != "s.json":
            (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "good.json").write_text(good_plan, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def state(tmp_path_factory, good_plan):
    """Resamples that are meant well but for their values: their key is that of the runs."""
    folder = folder_of(tmp_path_factory.mktemp("state"), good_plan)
    assert run(*READERS["state"][2], folder=folder).returncode == 0
    key = json.loads((folder / "s.json").read_text(encoding="utf-8"))["key"]
    return STATE.replace("%s", key)


@pytest.mark.parametrize(("reader", "content", "says"), REFUSED)
def test_a_hostile_file_is_refused_in_one_sentence(
    reader, content, says, tmp_path, good_plan, request
):
    folder = folder_of(tmp_path, good_plan)
    name, good, command = READERS[reader]
    if reader == "state":
        good = request.getfixturevalue("state")
    if isinstance(content, tuple):
        old, new = content
        assert old in good
        content = good.replace(old, new, 1)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    found = run(*command, folder=folder)
    assert found.returncode == 2, found.stderr
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert len(line) < 1000


@pytest.mark.parametrize(
    "reader", ["law", "start_law", "draws", "gpu", "config", "prices", "runs", "history"]
)
def test_a_file_that_is_meant_well_is_read(reader, tmp_path, good_plan):
    found = run(*READERS[reader][2], folder=folder_of(tmp_path, good_plan))
    assert found.returncode == 0, found.stderr


CUT_RUNS = """parent_params,kept,tokens,parent_loss,loss,taught
8e9,60%,1e9,1.9478,5.3384,no
3e9,0.4,4e9,2.0360,5.3730,no
3e9,0.8,2e10,2.0360,2.7695,no
1e9,0.6,1e9,2.1349,5.6932,no
3e9,0.8,4e9,2.0360,3.4235,no
1e9,60%,1e9,2.1349,5.7359,no
3e9,0.4,2e10,2.0360,3.7204,no
1e9,0.8,4e9,2.1349,3.5301,no
1e9,60%,1e9,2.1349,5.5317,no
8e9,0.4,2e10,1.9478,3.7130,no
1e9,80%,1e9,2.1349,4.5949,no
1e9,40%,2e10,2.1349,1.5,no
"""
"""With a loss below its parent's in the last row, to which an exponent grows without end."""

# --- names of foreign files on a terminal

EVIL = "[red]\\e[31m\\u202e|*x*\\u2028`[a](b)"
UNSEEN = "\x1b\x9b\u202e\u2028\r\x07"


@pytest.mark.parametrize("output", ["table", "markdown", "json", "csv"])
def test_what_cannot_be_seen_never_reaches_the_terminal(output, tmp_path):
    (tmp_path / "d.csv").write_text(DRAWS, encoding="utf-8")
    text = LAW.replace("source: ", f'source: "{EVIL}" # ').replace("title: ", f'title: "{EVIL}" # ')
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    words = ("budget", "1e21", "--student", "1B", "--law", "mine.yaml", "--details")
    if output == "csv":
        words = ("crossover", "--student", "1B", "--law", "mine.yaml")
    found = run(*words, "-o", output, folder=tmp_path)
    assert found.returncode == 0, found.stderr
    assert not set(UNSEEN) & set(found.stdout + found.stderr)


def test_foreign_names_are_printed_literally(tmp_path):
    (tmp_path / "d.csv").write_text(DRAWS, encoding="utf-8")
    text = LAW.replace("title: ", f'title: "{EVIL}" # ')
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    table = run("laws", "mine.yaml", folder=tmp_path).stdout
    assert r"[red]\x1b[31m\u202e|*x*" in table
    assert json.loads(run("laws", "mine.yaml", "-o", "json", folder=tmp_path).stdout)["title"] == (
        "[red]\x1b[31m\u202e|*x* `[a](b)"
    )
    markdown = run("laws", "mine.yaml", "-o", "markdown", folder=tmp_path).stdout
    assert r"\[red]\\x1b\[31m\\u202e\|\*x\* \`\[a](b)" in markdown


def test_a_name_does_not_break_a_markdown_table():
    block = TableBlock("a\nb", ("x|y",), (("1\n| 2",), ("3",)))
    assert as_text([block], "markdown").splitlines() == [
        "**a b**",
        "",
        r"| x\|y |",
        "| :-- |",
        r"| 1 \| 2 |",
        "| 3 |",
    ]


def test_the_same_escapes_in_errors(capsys):
    write_error("error: \x1b[2Jred\u202e\n  line 2")
    assert capsys.readouterr().err == "error: \\x1b[2Jred\\u202e\n  line 2\n"


# --- memory

MEGABYTES = 500
"""Of resident memory, that no command may pass."""
MEASURED = """
import resource, sys
from distillplan.cli.app import run
sys.argv = ["distillplan", *sys.argv[1:]]
code = run()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"mine.yaml": LAW, "d.csv": DRAWS + DRAWS.partition("\n")[2] * 12},
            ("budget", "1e21", "--law", "mine.yaml", "--max-unique-tokens", "10B"),
        ),
        ({"gpu.yaml": BOMB}, ("gpus", "gpu.yaml")),
        ({"runs.csv": "a,b\n" + "1,2\n" * 900_000}, ("fit", "runs.csv")),
        (
            {"runs.csv": ",".join(map(str, range(900))) + "\n" + ("1," * 899 + "1\n") * 2000},
            ("fit", "runs.csv"),
        ),
        (
            {"runs.csv": "".join(f'{{"a{i}": 1}}\n' for i in range(250_000))},
            ("fit", "runs.csv"),
        ),
        ({"config.json": "[" + "[]," * 1_990_000 + "1]"}, ("estimate", "--model", "config.json")),
        ({}, ("sweep", "--compute", "1e19:1e24:100", "--student", "100M:10B:60")),
        ({}, ("crossover", "--student", "1B", "--gain", ",".join(["0.01"] * 10_000))),
    ],
    ids=["draws", "aliases", "rows", "columns", "keys", "lists", "sweep", "gains"],
)
def test_no_command_takes_much_memory(files, words, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    *_, peak = found.stderr.splitlines()
    assert found.returncode in (0, 2), found.stderr
    assert "Traceback" not in found.stderr
    assert int(peak) < MEGABYTES


def test_long_work_says_so_off_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("distillplan.render.progress.LINE_SECONDS", 0.01)
    with progress("Rows", 8) as advance:
        advance(3)
        sleep(0.2)  # one step may take long, and is no silence
    with progress("Runs"):
        sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert "Rows: 3 of 8" in said
    assert "Runs: at work" in said


def test_work_that_is_soon_done_is_silent(capsys):
    with progress("Rows", 8) as advance:
        advance(8)
    assert capsys.readouterr().err == ""


GPT2 = """{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024,
"vocab_size": 50257}"""

# --- found among the first half million inputs of `python -m tests.fuzz`


@pytest.mark.parametrize(
    ("words", "files", "message"),
    [
        (
            ("fit", "cut_runs.csv", "--form", "p2", "--resamples", "4"),
            {"cut_runs.csv": CUT_RUNS},
            "some refits give no finite loss",
        ),
        (
            ("fit", "runs.csv"),
            {
                "runs.csv": "params,tokens,teacher_loss,loss\n"
                + "4.7e9,7.4e9,,1e308\n" * 3
                + "2.3e8,16.7B,,7\n"
            },
            "which looks like perplexities",
        ),
        (
            ("fit", "runs.csv"),
            {"runs.csv": "params;tokens;loss\n" + "1e9;'1.707e+11';2,5\n" * 40},
            "40 faults, nothing was used",
        ),
        (
            ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "gpu.yaml"),
            {"gpu.yaml": GPU.replace("}}", ", sources: [-.inf]}}")},
            "sources: -inf is not a text",
        ),
        (
            ("sweep", "s.yaml"),
            {"s.yaml": "base: {student: 1B}\nmatrix: {gpu_days: [1e308]}"},
            "is too many days",
        ),
        (
            ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", "--ep", "9" * 400),
            {},
            "is not a number",
        ),
        # the six below are from the first whole million
        (
            ("validate", "s.yaml"),
            {"s.yaml": "base:\n  student: 1B\n  students: !!int ':'\n"},
            "':' cannot be read",
        ),
        (
            ("estimate", "--model", "config.json", "--tokens", "1B", "--gpu", "h100-sxm"),
            {"config.json": GPT2.replace('"n_layer": 12', '"n_layer": 126973')},
            "n_layer is 126973; it must be at most 10000",
        ),
        (
            ("budget", "1e22", "--inference-tokens", "1e308"),
            {},
            "--inference-tokens: 1.00e308 tokens is more than 1e18",
        ),
        (
            ("budget", "1e21", "--student", "1B", "--logits", "cached", "--tie", "1e308"),
            {},
            "--tie: 1e+308 is more than 100 nats",
        ),
        (
            ("target", "--loss", "2.18e24", "--student", "1B"),
            {},
            "no better than guessing among 32,768 tokens (10.397 nats)",  # ln(32768)
        ),
        (("fit", "a\0b", "--save", "runs.yaml"), {}, "not a file name"),
        (("example", "compare.yaml", "--save", "k" * 300), {}, "cannot be written"),
        # the two below are from the second
        (
            ("validate", "s.yaml"),
            {
                "s.yaml": "base: {gpu: h100-sxm, gpus: 64, deadline: 7 days, student: qwen3-0.6b}\n"
                "scenarios: {b: {pp: 64}}\n"
            },
            "pp: 64 stages are more than the model's 28 layers",  # its config.json
        ),
        (
            ("fit", "runs.csv", "--where", "loss = finished"),
            {"runs.csv": "params,tokens,loss\n1e9,1e10, \n"},
            "; loss has nothing",
        ),
    ],
    ids=(
        *("exponent", "sum", "faults", "source", "days", "ep"),
        *("int", "layers", "served", "tie", "guessing", "null", "long", "stages", "blank"),
    ),
)
def test_what_was_found_stays_mended(tmp_path, words, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    finished = run(*words, folder=tmp_path)
    assert finished.returncode == 2
    assert message in finished.stderr
    assert len(finished.stderr) < 3000


def test_a_pilot_of_models_that_are_almost_all_vocabulary_is_answered():
    assert (
        run("pilot", "1e21", "--vocab", "3B", "--teacher", "7B:2T", "--share", "10%").returncode
        == 0
    )
