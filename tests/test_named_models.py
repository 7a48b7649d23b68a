"""A model may be named wherever one is asked for: by the catalog, the hub, a file, or its size."""

import json
import math
import re

import pytest

from distillplan import Scenario, Teacher, law, plan
from distillplan.errors import InputError
from distillplan.models.known_model import known_model, sized
from distillplan.models.model_catalog import find_model, model, models
from distillplan.units.quantities import format_count
from tests.shell import run

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
"""Llama 3.1 8B as its config.json has it (8,030,261,248 parameters, says its model card)."""
TOKENS = 15e12
"""Of its pretraining: "over 15T", says its model card."""
SCENARIO = "base: {{compute: 1e21, student: 1B, teacher: {teacher}}}\nscenarios: {{a: {{}}}}\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "llama-8b"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("target", "--student", "1B"),
        ("serve", "--student", "1B", "--teacher", "1.5B:1T", "--logits", "cached"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("name", ["llama-3.2-3b", "meta-llama/Llama-3.2-3B", "config.json"])
def test_the_model_to_match_may_be_named(command, name, tmp_path):
    """Its loss is the law's at 2,818,747,392 parameters: by its model card 3,212,749,824, less
    the 128,256 rows of 3,072 that its embeddings and its head share.

    At 40B tokens, as nothing of its size brings a smaller one to its own 9T.
    """
    known = {**LLAMA, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28}
    known |= {"num_attention_heads": 24, "tie_word_embeddings": True}
    (tmp_path / "config.json").write_text(json.dumps(known), encoding="utf-8")
    own = 3_212_749_824 - 128_256 * 3_072
    done = run(*command, "--match", f"{name}:40B", "-o", "json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["match"]["student_params"] == own
    assert found["loss"] == pytest.approx(float(law().supervised.loss(own, 40e9)), abs=1e-12)
    assert "models_named" in [one["code"] for one in found["warnings"]]
    if name != "config.json":
        assert found["match"]["student_model"] == "llama-3.2-3b"


def test_the_model_to_serve_costs_what_its_shape_does():
    """Hoffmann et al. 2022, Appendix F, of Llama 3.2 3B: projections, logits, attention."""
    done = run(
        *("serve", "--match", "llama-3.2-3b:40B", "--teacher", "1.5B:1T"),
        *("--student", "llama-3.2-1b", "--logits", "cached", "-o", "json"),
    )
    larger, *_ = json.loads(done.stdout)["models"]
    layers, width, context = 28, 3072, 4096
    attention = 2 * layers * context * width
    logits = 2 * 128_256 * width
    matrices = 2 * layers * (2 * width * width + 2 * width * 1024 + 3 * width * 8192)
    assert larger["flops_per_token"] == pytest.approx(matrices + attention + logits, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("qwen3-30b-a3b", "is a mixture of experts"),
        ("llama-3.2-33b", "did you mean 'llama-3.2-3b'"),
        ("config.json", "are not in the catalog; add them after a colon, e.g. config.json:2T"),
        ("3B", "has no tokens; write it as 3B:60B"),
    ],
)
def test_a_model_that_cannot_be_matched_gets_one_sentence(name, says, folder):
    done = run("target", "--student", "1B", "--match", name, folder=folder / "llama-8b")
    assert done.returncode == 2
    assert says in done.stderr, done.stderr


@pytest.mark.parametrize(
    "words",
    [("serve", "--student", "1B", "--match"), ("budget", "1e21", "--quick", "--teacher")],
    ids=lambda words: words[0],
)
def test_a_model_without_tokens_is_proposed_as_it_was_written(words, folder):
    """What is proposed for a config.json is read, with tokens in place of the placeholder."""
    path = "llama-8b/config.json"
    done = run(*words, path, folder=folder)
    assert done.returncode == 2
    (proposed,) = re.findall(rf"{path}:(?:2T|TOKENS)", done.stderr)
    again = run(*words, proposed.replace("TOKENS", "2T"), folder=folder)
    assert "tokens" not in again.stderr
    assert again.returncode in {0, 1}


def teacher_of(document):
    return document["scenario"]["teacher"]


COMMANDS = {
    "budget": lambda name: ("budget", "1e21", "--student", "1B", "--quick", "--teacher", name),
    "target": lambda name: ("target", "--loss", "2.5", "--student", "1B", "--teacher", name),
    "crossover": lambda name: ("crossover", "--student", "1B", "--teacher", name),
}
WAYS = [
    "llama-3.1-8b",
    "meta-llama/Llama-3.1-8B",
    "META-LLAMA/llama-3.1-8b",
    "llama-8b/config.json",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", ["budget", "target", "crossover"])
def test_one_name_means_one_model(command, way, folder):
    name = way if "json" not in way else f"{way}:15T"
    done = run(*COMMANDS[command](name), "-o", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    scenario = json.loads(done.stdout)["scenario"]
    assert scenario["teacher"]["tokens"] == TOKENS
    # all parameters less two tables of 128256 x 4096, for its embeddings are not tied
    assert scenario["teacher"]["params"] == 8_030_261_248 - 2 * 128256 * 4096
    assert scenario["architecture"]["vocab"] == 128256


@pytest.mark.parametrize("way", WAYS)
def test_a_file_of_scenarios_takes_names_too(way, folder):
    name = way if "json" not in way else f"{way}:15T"
    (folder / "s.yaml").write_text(SCENARIO.format(teacher=f"'{name}'"), encoding="utf-8")
    done = run("compare", "s.yaml", "--quick", "-o", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["plans"]
    assert teacher_of(found)["tokens"] == TOKENS
    assert run("validate", "s.yaml", folder=folder).returncode == 0
    swept = run("sweep", "s.yaml", "--axis", f"teacher=7B:2T,{name}", "-o", "json", folder=folder)
    assert [row["teacher"] for row in json.loads(swept.stdout)["rows"]] == ["7B:2T", name]


@pytest.mark.parametrize("way", WAYS)
def test_predict_and_estimate_take_names(way, folder):
    name = way if "json" not in way else f"{way}:15T"
    words = ("predict", "--student", "1B", "--tokens", "20B", "--teacher", name, "-o", "json")
    found = json.loads(run(*words, folder=folder).stdout)
    own = law().supervised.loss(8_030_261_248 - 2 * 128256 * 4096, TOKENS)
    assert math.isclose(found["teacher_loss"], own)
    words = ("estimate", "--model", way, "--tokens", "1B", "--gpu", "h100-sxm", "-o", "json")
    found = json.loads(run(*words, folder=folder).stdout)
    assert found["model"]["total_params"] == 8_030_261_248


def test_a_student_may_be_named():
    """Qwen3-0.6B: 0.44B non-embedding parameters, says its model card."""
    done = run("budget", "1e21", "--student", "Qwen/Qwen3-0.6B", "--quick", "-o", "json")
    found = json.loads(done.stdout)
    assert round(found["scenario"]["student_params"], -7) == 0.44e9
    assert found["scenario"]["student_model"] == "qwen3-0.6b"
    assert found["models"]["student"]["tokenizer"]
    alone = found["options"][0]
    exact = 3 * model("qwen3-0.6b").shape.forward_flops(4096) * alone["student_tokens"]
    assert math.isclose(alone["total_flops"], exact)


def test_the_exact_shape_sets_the_teachers_cost():
    """The budget is 3 F(N_S) D + F(N_T) D (Equation 9), with F of the teacher's own shape."""
    asked = Scenario(law=law(), compute=1e21, student_params=1e9, teacher="llama-3.1-8b")
    taught = plan(asked, quick=True).deciding
    forward = model("llama-3.1-8b").shape.forward_flops(4096)
    assert math.isclose(taught.flops.teacher_logits, forward * taught.student_tokens)
    assert math.isclose(taught.flops.total, 1e21, rel_tol=1e-9)


def test_on_a_machine_the_exact_shape_sets_hours_and_memory():
    words = ("budget", "8 h100-sxm for 2 days", "--student", "1B", "--quick", "-o", "json")
    named, sized_alike = (
        json.loads(run(*words, "--teacher", name, "--vocab", "128256").stdout)["options"]
        for name in ("llama-3.1-8b", "6.98B:15T")
    )
    for one, other in zip(named, sized_alike, strict=False):
        if one["loss"] is not None and one["accounting"] == "exists":
            assert one["student_tokens"] != other["student_tokens"]
            assert math.isclose(one["student_tokens"], other["student_tokens"], rel_tol=0.2)


def test_the_question_in_a_document_is_the_question(tmp_path):
    words = ("budget", "1e21", "--student", "qwen3-0.6b", "--teacher", "llama-3.1-8b", "--quick")
    first = json.loads(run(*words, "-o", "json").stdout)
    kept = {key: value for key, value in first["scenario"].items() if value is not None}
    (tmp_path / "again.json").write_text(
        json.dumps({"base": kept, "scenarios": {"a": {}}}), encoding="utf-8"
    )
    done = run("compare", str(tmp_path / "again.json"), "--quick", "-o", "json")
    assert done.returncode == 0, done.stderr
    (again,) = json.loads(done.stdout)["plans"]
    assert again["options"] == first["options"]
    assert again["scenario"] == first["scenario"]


def test_a_mixture_is_as_dear_as_its_active_parameters_and_no_law_places_it():
    found = sized("80B-A3B:15T")
    assert (found.params, found.tokens, found.model.is_mixture) == (3e9, 15e12, True)
    assert math.isclose(found.model.law_params, math.sqrt(3e9 * 80e9))
    answer = plan(
        Scenario(law=law(), compute=1e21, student_params=1e9, teacher="80B-A3B:15T"), quick=True
    )
    assert "teacher_is_a_mixture" in answer.warning_codes
    alone = law().supervised
    assert alone.loss(80e9, 15e12) < answer.scenario.teacher_loss < alone.loss(3e9, 15e12)


def test_a_measured_mixture_may_be_better_than_its_active_parameters():
    """The law's limit for 3B, on unlimited tokens, is above the loss of what it stands for."""
    teacher = sized("80B-A3B:15T")
    loss = law().supervised.loss(3e9, math.inf) - 0.01
    given = Teacher(params=3e9, tokens=15e12, loss=loss, model=teacher.model)
    answer = plan(Scenario(law=law(), compute=1e21, student_params=1e9, teacher=given), quick=True)
    assert "teacher_loss_below_its_size" not in answer.warning_codes
    dense = Teacher(params=3e9, tokens=15e12, loss=loss)
    answer = plan(Scenario(law=law(), compute=1e21, student_params=1e9, teacher=dense), quick=True)
    assert "teacher_loss_below_its_size" in answer.warning_codes


def test_a_mixture_by_two_sizes_has_no_shape_to_estimate():
    words = ("estimate", "--model", "80B-A3B", "--tokens", "1T", "--gpu", "h100-sxm")
    done = run(*words)
    assert done.returncode == 2
    assert "--model: '80B-A3B' says two sizes and no shape" in done.stderr


def test_a_file_in_this_folder_is_named_after_it(folder):
    words = ("budget", "1e21", "-s", "1B", "--quick", "--teacher", "config.json:15T", "-o", "json")
    found = json.loads(run(*words, folder=folder / "llama-8b").stdout)
    assert found["models"]["teacher"]["name"] == "llama-8b"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_with_a_file_is_that_model_whatever_its_name(slash, folder):
    """Half of the layers of the file: the published size without 16 blocks of 218,112,000."""
    ours = folder / "ours" / "Llama-3.1-8B"
    ours.mkdir(parents=True)
    half = json.dumps(LLAMA | {"num_hidden_layers": LLAMA["num_hidden_layers"] // 2})
    (ours / "config.json").write_text(half, encoding="utf-8")
    words = ("models", f"ours/Llama-3.1-8B{slash}", "-o", "json")
    assert json.loads(run(*words, folder=folder).stdout)["total_params"] == 8_030_261_248 - 16 * (
        218_112_000
    )
    published = json.loads(run("models", "Llama-3.1-8B", "-o", "json", folder=ours.parent).stdout)
    assert published["total_params"] == 8_030_261_248


def test_a_named_teacher_stands_in_its_row():
    shown = run("budget", "1e21", "--student", "1B", "--teacher", "llama-3.1-8b", "--quick").stdout
    assert any("distill" in line and "llama-3.1-8b" in line for line in shown.splitlines())


def test_different_tokenizers_are_said_in_every_plan():
    words = ("budget", "1e21", "--student", "qwen3-0.6b", "--quick", "-o", "json")
    codes = {
        name: [one["code"] for one in json.loads(run(*words, "--teacher", name).stdout)["warnings"]]
        for name in ("llama-3.1-8b", "qwen3-4b")
    }
    assert "tokenizers_differ" in codes["llama-3.1-8b"]
    assert "tokenizers_differ" not in codes["qwen3-4b"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--teacher", "llama-3.1-9b"), "no model is named 'llama-3.1-9b'; did you mean"),
        (
            ("--student", "qwen3-30b-a3b"),
            "mixture of experts, and the laws describe dense",
        ),
        (("--student", "llama-3.1-8b:2T"), "COMPUTE and --student both give budget"),
        (("--teacher", "3B-A80B"), "write all of them first, e.g. 80B-A3B"),
        (("--teacher", "no/such/config.json"), "no/such/config.json: cannot be read"),
    ],
)
def test_a_name_that_cannot_be_used_is_one_sentence(words, message):
    done = run("budget", "1e21", *(() if "--student" in words else ("-s", "1B")), *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_size_in_place_of_a_named_model_is_not_that_model():
    """As `dataclasses.replace` makes it."""
    teacher = Teacher(params=1e9, tokens=1e12, model=known_model("llama-3.1-8b"))
    assert teacher.model is None
    student = Scenario(
        law=law(), compute=1e21, student_params=1e9, student_model=known_model("qwen3-0.6b")
    )
    assert student.student_model is None
    with pytest.raises(InputError, match="alone do not say how good it is"):
        Scenario(law=law(), compute=1e21, teacher="7B")


TAGS = {
    # as the Ollama library lists them; sizes are those that their publishers print
    "phi4:14b": "phi-4",
    "phi4:latest": "phi-4",
    "phi4:14b-q4_K_M": "phi-4",
    "phi4-mini:3.8b": "phi-4-mini",
    "phi3:14b": "phi-3-medium",
    "deepseek-r1:671b": "deepseek-r1",
    "deepseek-r1:7b": "qwen2.5-7b",
    "deepseek-v2:16b": "deepseek-v2-lite",
    "deepseek-v2:236b": "deepseek-v2",
    "deepseek-v3:671b": "deepseek-v3",
    "mistral-nemo:12b": "mistral-nemo-12b",
    "kimi-k2:1t": "kimi-k2",
    "kimi-k2:32b": "kimi-k2",
    "glm-4.5:355b": "glm-4.5",
    "qwen3:30b": "qwen3-30b-a3b",
    "qwen3:8b": "qwen3-8b",
    "llama3.1:8b-instruct-q8_0": "llama-3.1-8b",
}


@pytest.mark.parametrize("tag", TAGS)
def test_a_size_behind_a_colon_is_the_tag_of_a_model(tag):
    assert model(tag).name == TAGS[tag]
    found, own = sized(tag, "teacher"), model(TAGS[tag])
    assert (found.model.hub, found.tokens) == (own.hub, own.trained_tokens)
    assert sized(tag, "student", tokens=False).model.name == TAGS[tag]


@pytest.mark.parametrize("one", models(), ids=lambda one: one.name)
def test_the_own_size_of_any_model_is_its_tag_and_its_own_tokens_are_not(one):
    """An inverse: written to three digits; tokens are those of the catalog, or of 50 TPP."""
    tagged = find_model(f"{one.name}:{format_count(one.shape.total_params)}")
    assert tagged is not None
    assert tagged.name == one.name
    tokens = one.trained_tokens or 50 * one.shape.active_params
    found = sized(f"{one.name}:{tokens / 1e9:.4f}B", "teacher")
    assert (found.model.name, found.tokens) == (one.name, pytest.approx(tokens, rel=1e-3))


def test_a_tag_says_the_same_as_the_name():
    asked = ("budget", "1e21", "--student", "3B", "--logits", "cached", "-o", "json", "--teacher")
    tag, name = (json.loads(run(*asked, one).stdout) for one in ("phi4:14b", "phi4"))
    codes = [[one["code"] for one in found.pop("warnings")] for found in (tag, name)]
    assert codes[0] == codes[1]
    for found in (tag, name):
        del found["models"]["teacher"]["notices"]  # which have the word as it was written
    assert tag == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # the tag was of the one model at first and is of the other since May 2025
        ("deepseek-r1:8b", "deepseek-r1-distill-llama-8b or deepseek-r1-0528-qwen3-8b"),
        ("llama-3.1-8b:70b", "write 'llama-3.1-8b:70b tokens'"),
        ("phi-4:2b", "near its 9.8T training tokens"),
        ("gpt2-xl:2b", "nor a likely number of training tokens"),
    ],
)
def test_what_is_neither_the_size_nor_likely_tokens_says_how_to_write_either(text, words):
    with pytest.raises(InputError, match=re.escape(words)):
        sized(text, "teacher")
    if "r1" not in text:  # whose parameters are too many for that
        tokens = float(text.partition(":")[2][:-1]) * 1e9
        assert sized(f"{text} tokens", "teacher").tokens == tokens


def test_the_models_command_shows_a_config_json(folder):
    """Its exact size is what the model card says, 8,030,261,248."""
    found = json.loads(run("models", "llama-8b/config.json", "-o", "json", folder=folder).stdout)
    assert found["total_params"] == 8_030_261_248
    assert (found["name"], found["hub"], found["license"]["distilling"]) == (
        "llama-8b",
        None,
        "unknown",
    )
    assert run("models", "llama-8b/config.json", folder=folder).returncode == 0
    missing = run("models", "./nowhere.json", folder=folder)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)


ESTIMATE = ("estimate", "--gpu", "h100-sxm", "--tokens")


@pytest.mark.parametrize(
    ("words", "mended"),
    [
        (("--teacher", "7B:2T"), ("--teacher", "7B")),
        (("--teacher", "7B:2T"), ("--teacher", "7B", "--teacher-tokens", "2T")),
        (("--teacher", "llama-3.1-8b:15T"), ("--teacher", "llama-3.1-8b")),
    ],
)
def test_an_estimate_says_where_the_tokens_of_a_teacher_go(words, mended):
    found = run(*ESTIMATE, "10B", "--model", "1B", *words)
    assert found.returncode == 2
    for option, value in zip(mended[::2], mended[1::2], strict=True):
        assert f"{option} {value}" in found.stderr
    assert run(*ESTIMATE, "10B", "--model", "1B", *mended).returncode == 0


def test_an_estimate_says_where_the_tokens_of_a_model_go():
    found = run(*ESTIMATE, "10B", "--model", "1B:20B")
    assert "write --model 1B, and --tokens 20B" in found.stderr


@pytest.mark.parametrize(
    ("name", "params"),
    # of Llama 3.1 8B all but two tables of 128256 x 4096
    [("1B", 1e9), ("llama-3.1-8b", 8_030_261_248 - 2 * 128256 * 4096)],
)
def test_tokens_per_parameter_are_those_of_the_model(name, params):
    ratio, count = (
        json.loads(run(*ESTIMATE, tokens, "--model", name, "-o", "json").stdout)
        for tokens in ("20 TPP", f"{20 * params:.0f}")
    )
    assert ratio == count
