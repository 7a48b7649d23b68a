"""Which weights a name means: a repository's own, and those before tuning where there are any.

What repositories hold is as their model cards say: Qwen/Qwen3-8B is post-trained and
Qwen/Qwen3-8B-Base is not; of DeepSeek-R1, Llama 3.3 and phi-4 only tuned weights are published.
"""

import json
import re

import pytest

from distillplan.errors import InputError
from distillplan.models.known_model import known_model, sized
from distillplan.models.model_catalog import find_model, models
from distillplan.models.spellings import base_marks, is_tuned
from tests.shell import run

BASE = (
    *("qwen3-8b", "qwen3 8b", "Qwen/Qwen3-8B-Base", "meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-7B"),
    *("google/gemma-3-27b-pt", "gemma-3-27b", "llama3.1:8b-text-q4_K_M", "starcoder2:3b"),
    *("tiiuae/Falcon-H1-7B-Base", "deepseek-v3", "deepseek-ai/DeepSeek-V3-Base", "hy3"),
    *(
        "unsloth/Llama-3.1-8B",
        "allenai/OLMo-2-1124-7B",
        "google/gemma-4-31B",
        "EleutherAI/pythia-1b",
    ),
)
TUNED = (
    *("Qwen/Qwen3-8B", "qwen3:8b", "unsloth/Qwen3-8B-GGUF", "Qwen/Qwen3-32B", "qwen3-32b"),
    *("deepseek-r1", "deepseek-ai/DeepSeek-R1", "deepseek-r1:7b", "deepseek-ai/DeepSeek-V3"),
    *("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b", "llama3.1:8b", "phi-4", "phi4:14b"),
    *("google/gemma-3-27b-it", "google/gemma-4-31B-it", "Qwen/Qwen3.5-2B", "tencent/Hy3"),
    *("HuggingFaceTB/SmolLM3-3B", "ibm-granite/granite-4.0-micro", "zai-org/GLM-4.5-Air"),
    *("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", "XiaomiMiMo/MiMo-7B-RL", "gpt-oss-20b"),
    *("baidu/ERNIE-4.5-0.3B-PT", "Qwen3-Next-80B-A3B-Instruct", "Qwen3-4B-Instruct-2507"),
    "https://huggingface.co/Qwen/Qwen3-8B",
)


@pytest.mark.parametrize("name", BASE)
def test_weights_that_were_not_tuned_are_taken_as_they_are(name):
    assert known_model(name).notices == ()
    assert not known_model(name).is_tuned


@pytest.mark.parametrize("name", TUNED)
def test_tuned_weights_are_told_of_where_they_teach(name):
    assert [one.code for one in sized(name).model.notices] == ["tuned_model"]
    assert sized(name, "student", tokens=False).model.notices == ()  # which has its shape alone


def test_every_repository_of_a_base_says_so_or_has_no_tuned_one_of_that_name():
    """By publishers' names: an -Instruct or -it is tuned, and what has a base has its name."""
    for one in models():
        if one.hub is None:
            continue
        assert one.tuned or not is_tuned(one.hub), one.hub
        if base_marks(one.hub) - {"text"}:
            assert not one.tuned
            assert known_model(one.hub).notices == ()
            bare = re.sub(r"(?i)[-.](?:base|pt|pretrain)\b", "", one.hub)
            again = find_model(bare)
            assert again is None or known_model(bare).is_tuned


def test_a_plan_says_which_weights_its_teacher_has():
    asked = ("budget", "1e22", "--student", "1B", "--quick", "-o", "json", "--teacher")
    for name, tuned in (("qwen3-8b", False), ("Qwen/Qwen3-8B", True)):
        found = json.loads(run(*asked, name).stdout)
        messages = {one["code"]: one["message"] for one in found["warnings"]}
        assert "weights of Qwen/Qwen3-8B-Base" in messages["models_named"]
        assert ("tuned_model" in messages) is tuned
        assert found["models"]["teacher"]["hub"] == "Qwen/Qwen3-8B-Base"


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "--student", "1B", "--tokens", "100B"),
        ("crossover", "--student", "1B"),
        ("target", "--student", "1B", "--loss", "2.3"),
    ],
    ids=lambda words: words[0],
)
def test_documents_of_other_questions_say_it_too(words):
    found = json.loads(run(*words, "--teacher", "deepseek-r1:7b", "-o", "json").stdout)
    assert "tuned_model" in [one["code"] for one in found["warnings"]]


def test_tuned_teachers_are_marked_in_a_ranking():
    found = run("teachers", "1e22", "--student", "1B", "--tokenizer", "phi-4")
    assert re.search(r"phi-4 .*\d\+ ", found.stdout)
    assert "+ more, as it was tuned" in " ".join(found.stdout.split())


def test_a_model_is_shown_with_its_weights():
    shown = json.loads(run("models", "Qwen/Qwen3-8B", "-o", "json").stdout)
    assert (shown["hub"], shown["tuned"]) == ("Qwen/Qwen3-8B-Base", False)
    assert [one["code"] for one in shown["warnings"]] == ["tuned_model"]
    assert json.loads(run("models", "phi-4", "-o", "json").stdout)["tuned"] is True


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gemma-31b", "gemma-4-31b"),
        ("olmo-27b", "olmo-2-7b"),
        ("olmo-37b", "olmo-3-7b"),
        ("falcon-37b", "falcon3-7b"),
        ("llama 38b", "llama-3-8b"),
    ],
)
def test_two_numbers_are_not_one(name, meant):
    """3-1b is not 31b: no such model is taken in silence for another."""
    with pytest.raises(InputError, match=f"did you mean .*'{meant}'"):
        known_model(name)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("RedHatAI/Llama-3.1-8B-Instruct-FP8-dynamic", "llama-3.1-8b"),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", "llama-3.1-8b"),
        ("unsloth/Qwen3-8B-unsloth-bnb-4bit", "qwen3-8b"),
        ("qwen3-8b-q4_k_m.gguf", "qwen3-8b"),
        ("Qwen3-8B.Q4_K_M.gguf", "qwen3-8b"),
        ("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", "deepseek-r1"),
        ("allenai/Olmo-3-32B-Think", "olmo-3-32b"),
        ("DeepSeek-V3.1-Terminus", "deepseek-v3.1"),
        ("Qwen3-8B-Q8_0-GGUF", "qwen3-8b"),
        ("Qwen3-8B-UD-Q4_K_XL", "qwen3-8b"),
        ("google/gemma-3-27b-it-qat-q4_0-gguf", "gemma-3-27b"),
        ("mlx-community/Qwen3-8B-4bit-DWQ", "qwen3-8b"),
        ("Qwen/Qwen3-32B-FP8-Static-PerTensor", "qwen3-32b"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4", "nemotron-3-nano-30b-a3b"),
        ("hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M", "qwen3-8b"),
        ("mistralai/Mistral-Small-24B-Instruct-2501", "mistral-small-3-24b"),
        ("mistral-nemo", "mistral-nemo-12b"),
        ("https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json", "qwen3-8b"),
        ("https://huggingface.co/Qwen/Qwen3-8B/tree/main", "qwen3-8b"),
        ("huggingface.co/Qwen/Qwen3-8B-Base?library=vllm", "qwen3-8b"),
    ],
)
def test_copies_and_pages_are_of_their_model(name, model):
    """As repositories, files and pages are called that hold the weights in other formats."""
    assert known_model(name, weights=False).name == model
    assert run("models", name, "-o", "json").returncode == 0
    found = sized(f"{name}:2T")
    assert (found.model.hub, found.tokens) == (known_model(model).hub, 2e12)


def test_a_tuned_copy_is_not_called_as_the_model_that_it_was_made_of(tmp_path):
    """Rows of one table have names of their own, and a document's question is the one asked."""
    teachers = {
        "base": "llama-3.1-8b",
        "copy": "Llama-3.1-8B-Instruct",
        "page": "https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
    }
    file = tmp_path / "s.json"
    said = {name: {"teacher": one} for name, one in teachers.items()}
    said = {"base": {"compute": 1e21, "student": "1B"}, "scenarios": said}
    file.write_text(json.dumps(said), encoding="utf-8")
    whole = json.loads(run("compare", file, "--quick", "-o", "json").stdout)
    plans = {one["name"]: one for one in whole["plans"]}
    called = {name: one["scenario"]["teacher"]["model"] for name, one in plans.items()}
    assert called == {
        "base": "llama-3.1-8b",
        "copy": "Llama-3.1-8B-Instruct",
        "page": "deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
    }
    table = run("compare", file, "--quick").stdout
    assert all(table.count(one) >= 1 for one in called.values())
    for name, one in called.items():
        assert known_model(one).is_tuned is (name != "base")
        assert known_model(one).params == known_model("llama-3.1-8b").params


def test_a_page_of_an_unknown_model_says_what_to_do():
    page = "https://huggingface.co/nobody/knows-it/blob/main/config.json"
    for words in (
        ("models", page),
        ("budget", "1e21", "--student", "1B", "--teacher", f"{page}:2T"),
    ):
        found = run(*words)
        assert found.returncode == 2
        assert "download its config.json and give the path of that" in found.stderr


def test_nobody_is_left_to_teach_for_a_reason():
    """Granite 3.3 and EuroLLM have tokens in the catalog; those of Hunyuan are not published."""
    found = run("teachers", "1e22", "--student", "hunyuan-0.5b")
    assert found.returncode == 1
    assert "training tokens of hunyuan-4b, hunyuan-1.8b are not in the catalog" in found.stderr
    assert "--losses FILE" in found.stderr
    assert run("teachers", "1e22", "--student", "granite-3.3-2b").returncode == 0
    alone = run("teachers", "1e22", "--student", "falcon-h1-0.5b")
    assert "no open model is left; ask for another tokenizer" in alone.stderr
    forbidden = run("teachers", "1e22", "--student", "1B", "--license", "llama-2")
    assert "license of llama-2-70b, llama-2-13b, llama-2-7b forbids" in forbidden.stderr


def test_a_tuned_teacher_stands_on_the_first_screen_until_its_loss_is_measured():
    """However little room there is: 256 GPUs, a teacher outside the law's runs, two corpora."""
    asked = ("budget", "64 h100-sxm for 2 weeks", "-s", "1B", "--teacher", "Qwen2.5-7B-Instruct")
    assert "is tuned, which raises its loss" in run(*asked).stdout
    told = run(*asked, "--teacher-loss", "1.95").stdout
    assert "tuned" not in told
    codes = [one["code"] for one in json.loads(run(*asked, "-o", "json").stdout)["warnings"]]
    assert "tuned_model" in codes
