"""What people type who have not read the help: other tools' words, names and files as they are."""

import json
import math
import threading
from itertools import cycle

import pytest

from distillplan.cli.other_words import COMMANDS, OPTIONS
from distillplan.errors import InputError
from distillplan.fitting.runs_file import read_runs
from distillplan.hardware.gpu_catalog import variants
from distillplan.models.known_model import known_model, sized
from distillplan.models.model_catalog import find_model, models, tagged
from distillplan.models.spellings import letters, of_base
from distillplan.render import progress as bars
from distillplan.scenarios.scenario_file import read_scenarios, read_several
from distillplan.units.quantities import hourly_usd, parse_count
from tests.shell import run, told_in_one_sentence

PLANNED = ("budget", "1e21", "--student", "1B", "--quick", "-o", "json")


@pytest.mark.parametrize(
    "typed",
    [
        ("budget", "--student", "1B", "--budget", "1e21", "--quick", "--json"),
        ("budget", "--student-size=1B", "--flops=1e21", "--quick", "--format", "json"),
        ("budget", "--compute", "1e21", "--model", "1B", "--quick", "-o", "json"),
    ],
)
def test_words_of_other_tools_ask_the_same_question(typed):
    assert run(*typed).stdout == run(*PLANNED).stdout


LAYOUTS = {  # as Megatron-LM, torchrun, transformers and DeepSpeed call them
    ("--tensor-model-parallel-size", "2", "--pipeline-parallel", "2"): ("--tp", "2", "--pp", "2"),
    ("--micro-batch-size", "4", "--fsdp", "--bf16"): ("--micro-batch", "4", "--sharding", "zero3"),
    ("--zero-stage", "1", "--gradient-checkpointing"): "--sharding zero1 --checkpointing full",
    ("--world-size", "16", "--max-seq-length", "2048"): ("--gpus", "16", "--seq-len", "2048"),
    ("--context", "2048"): ("--seq-len", "2048"),
}


@pytest.mark.parametrize("typed", LAYOUTS, ids=str)
def test_layouts_are_asked_in_words_of_other_tools(typed):
    asked = ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", "-o", "json")
    ours = LAYOUTS[typed]
    ours = ours.split() if isinstance(ours, str) else ours
    found = run(*asked, *typed)
    assert found.returncode == 0
    assert found.stdout == run(*asked, *ours).stdout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--nodes", "8"), "e.g. --gpus 64 for 8 of 8"),
        (("--global-batch-size", "1024"), "--batch-tokens"),
        (("--dp", "8"), "follows from --gpus"),
        (("--deadline", "3 days"), "distillplan budget takes the time that you have"),
        (("--spot",), "--prices"),
    ],
)
def test_what_follows_from_other_options_is_said_to(typed, said):
    found = run("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", *typed)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr


def test_days_on_a_number_of_gpus_are_a_deadline():
    """4 GPUs for 3 days are 288 GPU-hours."""
    words = ("--gpu", "4090", "--num-gpus", "4", "--student", "1B", "--quick", "--json")
    for time in (("--days", "3"), ("--hours", "72")):
        assert json.loads(run("budget", *words, *time).stdout)["scenario"]["gpu_hours"] == 288


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        (("--hours", "168"), 168),
        (("--hours", "7 days"), 168),
        (("--days", "7d"), 168),
        (("--gpu-hours", "1k"), 1000),
        (("--gpu-hours", "1k gpu-hours"), 1000),
        (("--gpu-hours", "1k h100-sxm-hours"), 1000),
    ],
)
def test_a_unit_that_is_written_is_not_written_twice(typed, hours):
    found = run(
        "budget", *typed, "--gpu", "h100-sxm", "--gpus", "1", "-s", "1B", "--quick", "--json"
    )
    assert json.loads(found.stdout)["scenario"]["gpu_hours"] == hours


def test_an_error_says_as_what_another_tools_option_was_read():
    for typed, option in (("--num-gpus", "--gpus"), ("--ngpus", "--gpus"), ("--gpus", None)):
        found = run("budget", "1e21", "--student", "1B", typed, "8")
        note = f" ({typed} is read as {option})" if option else ""
        assert found.stderr == f"error: --gpus needs a GPU; add --gpu h100-sxm{note}\n"
        assert found.returncode == 2


REPEATED = {
    ("--student", "3B"): "--student is given twice, as '1B' and as '3B'",
    ("-s3B",): "--student is given twice, as '1B' and as '3B'",
    ("--model=3B",): "as '1B' and as '3B'; leave one out (--model is read as --student)",
    ("--deadline", "7 days", "--hours", "24"): "given twice, as '7 days' and as '24 hours'",
    ("--teacher", "7B:2T", "--teacher", "3B:1T"): "given twice, as '7B:2T' and as '3B:1T'",
}


@pytest.mark.parametrize("words", REPEATED, ids=str)
def test_an_option_that_is_given_twice_is_refused(words):
    found = run("budget", "1e21", "--student", "1B", "--gpu", "h100-sxm", "--quick", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert REPEATED[words] in found.stderr


def test_options_that_may_be_repeated_are_kept():
    asserts = ("--assert", "verdict = supervised", "--assert", "loss < 3", "--quick", "--quick")
    sets = ("--set", "tie=0.01", "--set", "students=1")
    assert run("budget", "1e21", "--student", "1B", *asserts, *sets).returncode == 0
    found = run("estimate", "--model", "1B", "--tokens", "1B", "--tied", "--untied")
    assert "--tied and --untied contradict each other" in found.stderr


@pytest.mark.parametrize(
    "budget", ["64 h100-sxm for 7 days", "5k gpu-hours", "1000 h100-sxm-hours", "10 PF-days"]
)
def test_a_budget_needs_no_quotes(budget):
    rest = ("--student", "1B", "--gpu", "h100-sxm", "--quick", "-o", "json")
    quoted = run("budget", budget, *rest)
    assert quoted.returncode == 0
    assert run("budget", *budget.split(), *rest).stdout == quoted.stdout
    assert run("budget", *rest, *budget.split()).stdout == quoted.stdout


def test_a_deadline_says_how_long_gpus_are_used():
    rest = ("--student", "1B", "--quick", "-o", "json", "--deadline", "7 days")
    quoted = run("budget", "64 h100-sxm", *rest)
    assert quoted.returncode == 0
    assert run("budget", "64", "h100-sxm", *rest).stdout == quoted.stdout


@pytest.mark.parametrize("budget", ["64 h100-sxm", "two weeks", "64 h100-sxm for 7 parsecs"])
def test_a_budget_without_quotes_is_told_what_it_lacks(budget):
    """As with quotes."""
    quoted = run("budget", budget, "--student", "1B")
    assert quoted.returncode == 2
    assert run("budget", *budget.split(), "--student", "1B").stderr == quoted.stderr
    assert "extra argument" not in quoted.stderr


@pytest.mark.parametrize("words", [("1e21", "1B"), ("1e21", "2e21"), ("1e21", "x"), ("1B", "3B")])
def test_words_too_many_that_are_no_budget_are_refused(words):
    found = run("budget", *words, "--student", "1B", "--quick")
    assert "got unexpected extra argument(s)" in found.stderr
    assert found.returncode == 2


def test_a_command_keeps_its_own_options():
    """`pilot` has no --compute, `sweep` has; `estimate` asks for a --model and no --student."""
    for words in (("--budget", "1e21"), ("--compute", "1e21")):
        found = run("sweep", "--student", "1B", *words, "-o", "json")
        assert json.loads(found.stdout)["rows"][0]["compute"] == 1e21
    asked = ("--tokens", "1B", "--gpu", "4090", "-o", "json")
    of_student = run("estimate", "--student", "1B", *asked)
    assert of_student.stdout == run("estimate", "--model", "1B", *asked).stdout


def test_an_option_that_means_nothing_here_is_refused_with_what_to_do():
    for typed, says in (
        (("--teacher-tokens", "2T"), "--teacher 7B:2T"),
        (("--config", "a.yaml"), "distillplan compare FILE"),
        (("--budget",), "its value is missing"),
        (("--nonsense",), "no such option: --nonsense"),
    ):
        found = run("budget", "--student", "1B", *typed)
        assert found.returncode == 2
        assert says in found.stderr


def test_other_words_lead_to_what_there_is():
    from distillplan.cli.app import COMMANDS as OURS

    assert {one for names in COMMANDS.values() for one in names} <= set(OURS)
    assert not COMMANDS.keys() & set(OURS)
    assert all(one.value.count("{}") <= 1 for one in OPTIONS.values())


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["memory", "7B"], "did you mean 'estimate'?"),
        (["teachers"], "e.g. distillplan teachers 1e22 --student 1.5B"),
        (["target", "2.2", "--student", "1B"], "e.g. distillplan target --loss 2.2"),
        (["budget", "k", "-s", "1B"], "'$20k' with single quotes"),  # of "$5k" in a shell
        (["budget", "plan.yaml"], "distillplan compare plan.yaml"),
        (["budget", "1e21", "--students", "3B"], "--student 3B"),
        (["sweep", "--compute", "1e20:1e22", "-s", "1B"], "write e.g. 1e20:1e22:5"),
        (["sweep", "--compute", "1e21", "-s", "1B..7B"], "write e.g. 1B:7B:5"),
        (["budget", "1e21", "-s", "1B", "--teacher", "gpt-4o"], "its weights are closed"),
        (["budget", "1e21", "-s", "1B", "--teacher", "gpt-oss-20b"], "gpt-oss-20b:TOKENS"),
        (
            ["estimate", "--model", "1B", "--tokens", "1B", "--gpu", "4x RTX 4090"],
            "write --gpu rtx-4090 --gpus 4",
        ),
    ],
    ids=str,
)
def test_an_error_says_what_would_be_right(typed, says):
    found = run(*typed)
    assert found.returncode == 2
    assert found.stdout == ""
    assert says in found.stderr


def test_what_an_error_says_works_when_it_is_typed():
    """The suggestions of the test above."""
    for words in (
        ("budget", "1e21", "--student", "3B", "--quick"),
        ("budget", "1e21", "-s", "1B", "--teacher", "gpt-oss-20b:10T", "--quick"),
        ("sweep", "--compute", "1e20:1e22:5", "-s", "1B"),
        ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "rtx-4090", "--gpus", "4"),
    ):
        assert run(*words).returncode == 0


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("gemma 3 27b", "gemma-3-27b"),
        ("google/gemma-3-27b-it", "gemma-3-27b"),
        ("DeepSeek R1", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"),
        ("qwen3:8b", "qwen3-8b"),
        ("Llama 4 Maverick", "llama-4-maverick"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"),
        ("meta-llama/Meta-Llama-3.1-70B", "llama-3.1-70b"),
        ("OLMo 2 32B", "olmo-2-32b"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b-v0.3"),
        ("unsloth/Qwen3-8B-bnb-4bit", "qwen3-8b"),
        ("Qwen3-4B-Instruct-2507", "qwen3-4b"),
        ("Qwen/QwQ-32B", "qwen2.5-32b"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "llama-3.1-8b"),
        ("DeepSeek R1 Distill Qwen 14B AWQ", "qwen2.5-14b"),
        ("deepseek-r1:70b", "llama-3.3-70b"),
        ("Qwen2.5-Math-7B-Instruct", "qwen2.5-7b"),
    ],
)
def test_models_are_found_as_people_write_them(typed, name):
    """Names of repositories on the hub, of Ollama, and as they are spoken."""
    assert known_model(typed, weights=False).name == name
    assert sized(typed).model.hub == known_model(name).hub


def test_every_name_of_the_catalog_stays_its_own():
    """No spelling of one model is that of another, with or without what marks a tuned copy."""
    names = [one.name for one in models()]
    assert len({letters(name) for name in names}) == len(names)
    for name in names:
        assert find_model(name).name == name
        assert find_model(name.replace("-", " ").upper()).name == name
        assert find_model(f"{of_base(name, dates=True)}-instruct") is not None


@pytest.mark.parametrize(
    "words",
    [
        ("estimate", "--tokens", "5B", "--gpu", "h100-sxm", "--model"),
        ("budget", "1e23", "--quick", "--student"),
        ("budget", "1e23", "--student", "1B", "--quick", "--teacher"),
        ("onpolicy", "--student", "1B", "--teacher"),
        ("models",),
    ],
)
def test_names_with_a_colon_are_names_in_every_command(words):
    """The shape of qwen3-8b is that of `qwen3:8b`, which servers have as it was tuned."""
    found, usual = (
        json.loads(run(*words, name, "-o", "json").stdout) for name in ("qwen3:8b", "qwen3-8b")
    )
    for one in (found, usual):
        one.pop("warnings", None)
        taught = (one.get("models") or {}).get("teacher") or {}
        taught.pop("notices", None)
        asked = (one.get("scenario") or {}).get("teacher") or {}
        assert taught.pop("name", None) == asked.pop("model", None)  # each has its own
    if words[0] == "onpolicy":  # which has no score for the tuned one, and says of which
        assert "qwen3:8b" in found.pop("headline")
        assert "qwen3-8b" in usual.pop("headline")
        for one in (found, usual):
            one["teachers"][0].pop("teacher")
    assert found == usual


def test_tokens_behind_a_name_are_no_part_of_it():
    """Without their noun where they are a hundredth of its own, or 10 per parameter, and no tag."""
    words = cycle(("14B", "70B", "500B", "2T", "15T"))
    for name, word in zip([one.name for one in models()], words, strict=False):
        count, whole = parse_count(word, "tokens"), find_model(name)
        if count > whole.shape.total_params:
            found = sized(f"{name}:{word} tokens")
            assert (found.model.name, found.tokens) == (name, count)
        least = (whole.trained_tokens or 1000 * whole.shape.active_params) / 100
        if count >= least and not tagged(f"{name}:{word}"):
            found = sized(f"{name}:{word}")
            assert (found.model.name, found.tokens) == (name, count)


def test_a_tuned_teacher_is_told_of():
    for typed in ("Qwen2.5-7B-Instruct", "QwQ-32B", "deepseek-r1-distill-qwen-1.5b"):
        assert [one.code for one in sized(typed).model.notices] == ["tuned_model"]
    assert sized("Qwen2.5-7B").model.notices == ()


def test_tokens_after_the_colon_are_still_tokens():
    assert sized("qwen3-8b:2T").tokens == 2e12
    assert sized("llama3.1 8b:2T").tokens == 2e12
    with pytest.raises(InputError, match="no model is named"):
        sized("qwen9:8b")


def test_a_file_of_one_scenario_needs_no_base(tmp_path):
    plain, whole = tmp_path / "plan_a.yaml", tmp_path / "plan_b.yaml"
    plain.write_text("student: 1B\nbudget: 1e21   # FLOPs\nassert: {loss: '<= 9'}\n")
    whole.write_text("base: {student: 1B, compute: 1e21, assert: {loss: '<= 9'}}\n")
    (one,), (other,) = read_scenarios(str(plain)), read_scenarios(str(whole))
    assert one == other
    both = read_several([str(plain), str(whole)])
    assert [named.name for named in both] == ["plan_a", "plan_b"]
    assert [named.scenario for named in both] == [one.scenario, one.scenario]
    plain.write_text("studnet: 1B\nbudget: 1e21\n")
    with pytest.raises(InputError, match="unknown key 'studnet'; did you mean 'student'"):
        read_scenarios(str(plain))


def test_files_of_several_scenarios_keep_their_names(tmp_path):
    (tmp_path / "a").mkdir()
    first, second = tmp_path / "s.yaml", tmp_path / "a" / "s.yaml"
    for file in (first, second):
        file.write_text("base: {compute: 1e21}\nscenarios: {x: {student: 1B}, y: {student: 2B}}\n")
    names = [one.name for one in read_several([str(first), str(second)])]
    assert names == [f"{file}: {name}" for file in (first, second) for name in "xy"]


def test_a_tab_is_named(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("base:\n\tcompute: 1e21\n")
    with pytest.raises(InputError, match="line 2: a tab"):
        read_scenarios(str(file))


RUNS = [(3e7, 1e9, 4.0), (6e7, 2e9, 3.6), (1.2e8, 4e9, 3.3)]


def table(tmp_path, header):
    file = tmp_path / "runs.csv"
    file.write_text("\n".join([header, *(f"x,{n:.0f},{d:.0f},{loss}" for n, d, loss in RUNS)]))
    return str(file)


@pytest.mark.parametrize(
    "header",
    [
        "run,N,D,L",
        "Name,config.n_params,train/num_input_tokens_seen,eval/loss",
        "model_name_or_path,num_parameters,num_input_tokens_seen,eval_loss",
        "run_name,model_size,train_tokens,final_val_loss",
        "Name,summary.params,summary/tokens,val_loss",
        "run_id,params.n_params,params.tokens,metrics.val_loss",
        "Model,Parameter count,#Tokens,Validation Cross-Entropy",
        "Model,params (non-embedding),tokens_seen,val_nll",
    ],
)
def test_columns_of_trackers_are_taken_and_told(tmp_path, header):
    """Names that Weights & Biases, the trainer of transformers and papers give them."""
    found = read_runs([table(tmp_path, header)])
    assert [*zip(found.params, found.tokens, found.loss, strict=True)] == RUNS
    (told,) = [one for one in found.notices if one.code == "columns_taken"]
    assert all(column in told.message for column in header.split(",")[1:])


@pytest.mark.parametrize(
    "header",
    ["run,N,D,train_loss", "run,N (core),D,L", "run,N,D,val_bpb", "run,N,D,ppl", "N,params_m,D,L"],
)
def test_columns_that_may_mean_something_else_are_asked_for(tmp_path, header):
    """Losses on training data, other units, and two columns that could be meant."""
    with pytest.raises(InputError, match="missing"):
        read_runs([table(tmp_path, header.replace("N,params_m", "wd,weights_m"))])


def test_another_case_is_no_other_name(tmp_path):
    assert not read_runs([table(tmp_path, "Run,Params,Tokens,Loss")]).notices


def test_a_teachers_loss_of_another_name_is_no_run_without_a_teacher(tmp_path):
    """It would be fitted as one that learned from data alone."""
    file = tmp_path / "runs.csv"
    file.write_text("params,tokens,loss,teacher_val_loss\n1e8,1e9,3.9,3.1\n2e8,2e9,3.5,\n")
    found = read_runs([str(file)])
    assert found.teacher_loss[0] == 3.1
    assert math.isnan(found.teacher_loss[1])


def test_a_price_may_say_of_what_it_is():
    for text in ("0.35", "$0.35", "$0.35/h", "0.35 USD per GPU-hour", "$0.35/hr"):
        assert hourly_usd(text, "price") == "0.35"
    with pytest.raises(InputError, match="not in US dollars"):
        hourly_usd("€2/h", "price")


def test_progress_off_a_terminal_is_not_repeated(monkeypatch):
    said, wrote = [], threading.Event()

    def write(line):
        said.append(line)
        wrote.set()

    monkeypatch.setattr(bars, "LINE_SECONDS", 0.01)
    monkeypatch.setattr(bars, "write_error", write)
    with bars.progress("Family"):
        assert wrote.wait(10)
        threading.Event().wait(0.2)  # twenty times as long
    assert said == ["Family: at work"]


def test_a_teacher_that_is_there_stands_beside_the_verdict():
    """A row with a lower loss than the choice is explained where the choice is."""
    plan = json.loads(run("budget", "1e21", "--student", "3B", "-o", "json").stdout)
    chosen = next(one for one in plan["options"] if one["recommended"])
    there = next(one for one in plan["options"] if one["teacher_name"])
    assert there["loss"] < chosen["loss"]
    first, *rest = run("budget", "1e21", "--student", "3B").stdout.splitlines()
    assert first.startswith("Pretrain.")
    second = " ".join(rest[:2])
    assert second.startswith("Compared with training a teacher first. With an open model:")
    assert there["teacher_name"] in second
    named = run("budget", "1e21", "--student", "3B", "--teacher", there["teacher_name"]).stdout
    assert named.startswith("Distill.")


def test_columns_come_back_where_a_wide_one_makes_room(tmp_path):
    """The budgets are too wide for 80 columns; what they cost is not."""
    files = []
    for name, budget in (("our-own-h100-cluster", "8 h100-sxm for 2 weeks"), ("b", "$20k")):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(f"student: 3B\nbudget: {budget}\ngpu: h100-sxm\nteacher: 8B:15T\n")
    shown = run("compare", *files, COLUMNS="80").stdout
    head = next(line for line in shown.splitlines() if "verdict" in line)
    assert "cost" in head.split()
    assert "budget" not in head.split()
    assert max(map(len, shown.splitlines())) <= 80


def test_a_prediction_says_that_the_tokens_are_the_same():
    """`budget` weighs the same pair on the same compute, and comes to another verdict."""
    pair = ("--student", "1B", "--tokens", "100B", "--teacher", "7B:2T")
    shown = " ".join(run("predict", *pair, COLUMNS="80").stdout.splitlines())
    assert "pretrained on the same tokens" in shown
    assert "before the teacher's cost." in shown
    assert run("budget", *pair).stdout.startswith("Pretrain.")


def test_a_budget_of_money_is_on_the_screen():
    shown = run("budget", "$5k", "--gpu", "4090", "--student", "1B", "--quick").stdout
    assert "about $5.00k" in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("target", "--loss", "9 ppl"), "in nats per token: 2.197"),  # ln 9
        (("target", "--loss", "3.2 bits"), "in nats per token: 2.218"),  # 3.2 ln 2
        (("target", "--loss", "0.75 bpb"), "0.5199 times the bytes per token"),  # 0.75 ln 2
        (("target", "--loss", "2.2", "--loss-unit", "ppl"), "losses are in nats per token here"),
        (("target", "--perplexity", "9"), "the natural logarithm of a perplexity"),
        (("budget", "1e21", "--teacher-ppl", "9"), "--loss-unit perplexity"),
        (("budget", "1e21", "--temperature", "2"), "distillplan recipe says where to start"),
        (("sweep", "1e21"), "1e21 is a budget; write --compute '1e21'"),
        (("sweep", "$5k"), "write --compute '$5k'"),
        (("budget", "2x p5.48xlarge for 10 days"), "write '16 h100-sxm for 10 days'"),
    ],
)
def test_what_was_meant_is_said(typed, said):
    told_in_one_sentence(run(*typed, "--student", "1B"), 2, said)


@pytest.mark.parametrize("params", ["3B", "7B"])
def test_a_named_teacher_has_its_own_parameters(params):
    """Qwen2.5 7B has 6.5B of them without embeddings."""
    words = ("budget", "1e21", "--student", "1B", "--teacher", "qwen2.5-7b", "--quick")
    said = "--teacher and --teacher-params both give teacher.params; leave one out"
    told_in_one_sentence(run(*words, "--teacher-params", params), 2, said)
    teacher = {"model": "qwen2.5-7b", "params": "3B", "loss": 1.9}
    base = {"compute": 1e21, "student": "1B", "teacher": teacher}
    with pytest.raises(InputError, match=r"both give teacher\.params"):
        read_scenarios({"base": base})


def test_gpus_of_one_family_are_listed():
    listed = json.loads(run("gpus", "h100", "-o", "json").stdout)["gpus"]
    assert {one["gpu"]["name"] for one in listed} == {*variants("h100")}
    assert run("gpus", "h100").returncode == 0
    told_in_one_sentence(run("gpus", "h100", "--details"), 2, "name it")


def test_a_range_of_dollars_is_in_cents():
    """The middle of $1k and $10k by factors is 1000 sqrt(10) = 3162.28."""
    words = ("--compute", "$1k:$10k:3", "--student", "400M", "--gpu", "rtx-4090")
    rows = run("sweep", *words, "-o", "csv").stdout.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["$1000", "$3162.28", "$10000"]
