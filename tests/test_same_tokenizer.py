"""Which models have one tokenizer: by name in the catalog, by the rows of a config.json else.

Rows are those of the models' config.json files. Pythia's tokenizer has 50,277 tokens and models of
50,304, 50,432 and 50,688 rows (arXiv:2304.01373); Qwen 2.5 pads 151,665 to 151,936 and 152,064.
"""

import json
from itertools import combinations

import pytest

from distillplan.models.known_model import known_model
from distillplan.models.model_catalog import models
from distillplan.models.open_models import open_models
from distillplan.models.tokenizers import alike_but_padding, other_tokenizer
from tests.shell import run

LLAMA = {
    "model_type": "llama",
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "tie_word_embeddings": True,
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Paths of config.json files by the rows of their vocabularies."""
    folder = tmp_path_factory.mktemp("rows")

    def path(count):
        file = folder / f"of-{count}.json"
        file.write_text(json.dumps({**LLAMA, "vocab_size": count}), encoding="utf-8")
        return str(file)

    return path


def test_one_name_of_a_tokenizer_is_one_tokenizer():
    """Its models' rows differ by padding alone."""
    by_name = {}
    for one in models():
        by_name.setdefault(one.tokenizer, set()).add(one.shape.vocab)
    apart = {
        name: counts
        for name, counts in by_name.items()
        if not all(alike_but_padding(*pair) for pair in combinations(counts, 2))
    }
    assert apart == {}
    assert by_name["gpt-neox"] == {50_304, 50_432, 50_688}
    assert by_name["mimo"] == {151_680, 152_576}


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        # Falcon-H1: "a tokenizer for each size", of 32K, 64K, 128K and 256K (arXiv:2507.22448)
        ("falcon-h1-0.5b", "falcon-h1-7b", True),
        ("falcon-h1-3b", "falcon-h1-34b", True),
        ("falcon-h1-1.5b", "falcon-h1-3b", False),
        ("hunyuan-0.5b", "hunyuan-7b", True),
        ("hunyuan-0.5b", "hunyuan-4b", False),
        # Mistral's third tokenizer has 768 control tokens before the others
        ("mistral-7b-v0.1", "mistral-7b-v0.3", True),
        ("mistral-7b-v0.1", "mixtral-8x22b", False),
        # allenai/dolma2-tokenizer
        ("olmo-2-1b", "olmo-3-32b", False),
        ("olmo-3-7b", "olmo-hybrid-7b", False),
        ("pythia-70m", "pythia-12b", False),
    ],
)
def test_tokenizers_of_known_pairs(one, other, differ):
    assert other_tokenizer(known_model(one), known_model(other)) is differ


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (50_257, 262_144, True),  # GPT-2 and Gemma 4
        (151_936, 128_256, True),  # Qwen 3 and Llama 3
        (32_000, 32_768, True),  # Mistral's first and third
        (129_280, 128_256, True),  # DeepSeek V3 and Llama 3
        (151_936, 152_064, False),  # Qwen 2.5
        (151_680, 152_576, False),  # MiMo
        (50_304, 50_688, False),  # Pythia
        (262_144, 262_400, False),  # Gemma 3
        (128_256, 128_257, False),  # a token of padding that a tuned copy adds
    ],
)
def test_rows_say_it_of_files(one, other, differ, rows):
    """Either way round."""
    for first, second in ((one, other), (other, one)):
        pair = known_model(rows(first)), known_model(rows(second))
        assert other_tokenizer(*pair) is differ


ASKED = {
    "budget": ("budget", "3e21", "--quick"),
    "target": ("target", "--loss", "2.2"),
    "crossover": ("crossover",),
    "predict": ("predict", "--tokens", "100B"),
    "serve": ("serve", "--loss", "2.05"),
    "onpolicy": ("onpolicy",),
    "losses": ("budget", "3e21", "--quick", "--laws", "all"),
}


@pytest.mark.parametrize("command", ASKED)
@pytest.mark.parametrize("student", ["qwen3-4b", 151_936])
@pytest.mark.parametrize("teacher", [128_256, 152_064])
def test_files_are_told_of_as_names_are(command, student, teacher, rows):
    """A file of Llama's rows is no teacher for Qwen's, and one of Qwen's is."""
    word = student if isinstance(student, str) else rows(student)
    taught = rows(teacher) if command == "onpolicy" else f"{rows(teacher)}:15T"
    words = (*ASKED[command], "--student", word, "--teacher", taught)
    found = run(*words)
    assert found.returncode == 0, found.stderr
    told = "have different tokenizers" in " ".join(found.stdout.split())
    assert told is (teacher == 128_256)


def test_an_estimate_tells_padding_from_another_tokenizer(rows):
    words = ("estimate", "--model", rows(151_936), "--tokens", "10B", "--gpu", "h100-sxm", "-o")
    codes = {
        count: {
            one["code"]
            for one in json.loads(run(*words, "json", "--teacher", rows(count)).stdout)["warnings"]
        }
        for count in (151_936, 152_064, 128_256)
    }
    mine = {"tokenizer_differs", "vocabulary_differs"}
    assert [codes[count] & mine for count in codes] == [
        set(),
        {"vocabulary_differs"},
        {"tokenizer_differs"},
    ]


def test_what_is_chosen_for_a_file_reads_like_it(rows):
    """The open teacher, the teachers, and the parent to cut, of a student with Llama's rows."""
    student = known_model(rows(128_256))
    assert {one.tokenizer for one in open_models(student)} == {"llama-3", "eurollm", "afm"}
    found = json.loads(run("teachers", "1e21", "--student", rows(128_256), "-o", "json").stdout)
    left_out = {
        one["model"]["name"] for one in found["teachers"] if one["left_out"] == "other_tokenizer"
    }
    assert {"qwen3-8b", "gemma-3-1b", "deepseek-v3"} <= left_out
    assert not {"llama-3.1-8b", "smollm3-3b"} & left_out
    plan = json.loads(run("budget", "1e22", "--student", rows(128_256), "-o", "json").stdout)
    assert known_model(plan["rival"]["parent"]).tokenizer in {"llama-3", "eurollm", "afm"}


def test_an_export_of_files_with_other_rows_is_refused(rows, tmp_path):
    plan = tmp_path / "plan.json"
    pair = ("--student", rows(151_936), "--teacher", f"{rows(128_256)}:15T")
    plan.write_text(run("budget", "3e21", *pair, "-o", "json").stdout, encoding="utf-8")
    words = ("--option", "distill", "--export", "trl-gkd", "--save", tmp_path / "run")
    found = run("recipe", plan, *words)
    assert found.returncode == 2
    assert "a vocabulary of 151,936" in found.stderr
    assert "logits need one tokenizer" in found.stderr


@pytest.mark.parametrize("picture", ["map", "losses", "teacher", "optimum"])
def test_what_a_picture_is_drawn_of_has_the_warning(picture):
    words = ["plot", picture, "1e21", "--student", "qwen3-0.6b", "--teacher", "llama-3.1-8b"]
    found = json.loads(run(*words, "-o", "json").stdout)
    assert "tokenizers_differ" in {one["code"] for one in found["warnings"]}
