"""Shapes against the parameter counts that their publishers print, and against closed forms."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.models.known_model import model_of_catalog, sized
from distillplan.models.model_catalog import (
    CatalogModel,
    advice,
    exact_model,
    find_model,
    model,
    models,
    near_names,
)
from distillplan.models.model_inventory import (
    ModelCard,
    ModelFilter,
    ModelList,
    model_card,
    models_of,
)
from distillplan.models.model_licenses import Distilling, licenses
from distillplan.models.open_models import FILE, model_of_table, open_models, table_of_catalog
from distillplan.models.shapes import Block, ModelShape
from distillplan.models.uniform import uniform_shape
from distillplan.planning.teacher import Teacher
from distillplan.render.blocks import CommandLine
from distillplan.render.inventory_view import model_view

COEFFICIENTS = Path(__file__).parents[1] / "coefficients"
MODELS: dict[str, dict[str, Any]] = {
    row["name"]: row
    for row in map(
        json.loads, (COEFFICIENTS / "models.jsonl").read_text(encoding="utf-8").splitlines()
    )
}
PAPER = [name for name in MODELS if name.startswith("busbridge")]
OPEN = [name for name in MODELS if name not in PAPER]
UNITS = {"M": 1e6, "B": 1e9, "T": 1e12}


@pytest.mark.parametrize("name", [name for name in OPEN if "total_params" in MODELS[name]])
def test_shape_reproduces_the_count_of_the_files(name: str) -> None:
    """Every digit of the hub's safetensors metadata, with what the files have beside the text."""
    entry, shape = MODELS[name], model(name).shape
    beside = entry.get("other_params", 0)
    if entry.get("stored_predictors"):
        beside += shape.prediction_params
    beside += entry.get("table_copies", 0) * shape.vocab * shape.width
    assert shape.total_params + beside == entry["total_params"]
    if "params" in entry:
        assert shape.params == entry["params"]


@pytest.mark.parametrize("name", [name for name in OPEN if "stated_params" in MODELS[name]])
def test_shape_is_of_the_stated_size(name: str) -> None:
    """Within one unit of the last printed digit, for publishers round and cut off alike."""
    stated = MODELS[name]["stated_params"]
    number, unit = float(stated[:-1]), UNITS[stated[-1]]
    digits = len(stated[:-1].partition(".")[2])
    assert abs(model(name).shape.total_params / unit - number) <= 10**-digits


@pytest.mark.parametrize("name", PAPER)
def test_shape_reproduces_table_13(name: str) -> None:
    shape, printed = model(name).shape, MODELS[name]["printed"]
    # 0.06 %: half a unit of the last of the four digits that Table 13 prints, and the rounding of
    # the two columns that its totals were added from
    assert shape.total_params == pytest.approx(printed["total_params"], rel=6e-4)
    assert shape.params == pytest.approx(printed["params"], rel=6e-4)
    # arithmetic of Tables 11 and 12; heads, which set the softmax term, are not in the table
    assert shape.forward_flops(4096) == pytest.approx(printed["forward_flops_at_4096"], rel=2.5e-3)


def test_every_model_has_a_count_a_source_and_a_license() -> None:
    for one in models():
        entry = MODELS[one.name]
        assert len({"total_params", "stated_params", "printed"} & set(entry)) == 1
        assert one.source
        assert one.license.terms
        assert one.tokenizer
    assert {one.license for one in models()} == set(licenses().values())
    assert len(OPEN) >= 120
    assert len({MODELS[name]["hub"].lower() for name in OPEN}) == len(OPEN)


def test_terms_that_were_not_read_are_said_to_be_unknown() -> None:
    for one in licenses().values():
        assert (one.read is None) == (one.distilling is Distilling.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "distilling", "commercial"),
    # facts/practice of the project: Llama 2 and 3 forbid it, 3.1 and later ask for the name
    [
        ("llama-3-8b", "forbidden", True),
        ("llama-3.1-8b", "conditional", True),
        ("llama-4-scout", "conditional", True),
        ("gemma-3-4b", "conditional", True),
        ("gemma-4-31b", "allowed", True),
        ("qwen3-8b", "allowed", True),
        ("qwen2.5-3b", "conditional", False),
        ("deepseek-r1", "allowed", True),
        ("deepseek-v3", "conditional", True),
        ("exaone-4.0-32b", "conditional", False),
        ("command-a", "conditional", False),
        # OpenMDW-1.1: no "restrictions or obligations with respect to any use [...] of any outputs"
        ("trinity-mini", "allowed", True),
        # released under MIT, as V3 was not
        ("deepseek-ai/DeepSeek-V3-0324", "allowed", True),
    ],
)
def test_terms_for_distilling(name: str, distilling: str, commercial: bool) -> None:  # noqa: FBT001  (a column)
    terms = model(name).license
    assert (terms.distilling.value, terms.commercial) == (distilling, commercial)


def test_another_release_has_terms_of_its_own() -> None:
    """As of GLM-4-9B, whose release of June 2024 has no MIT license."""
    assert find_model("THUDM/glm-4-9b") is None
    assert model("deepseek-ai/DeepSeek-V3-0399").license.distilling is Distilling.UNKNOWN
    for name in ("Qwen3-4B-Instruct-2507", "DeepSeek-R1-0528", "Kimi-K2-Instruct-0905"):
        assert model(name).license.distilling is Distilling.ALLOWED


@pytest.mark.parametrize(
    "name",
    ["qwen3-8b", "Qwen3-8B", "Qwen/Qwen3-8B", "qwen/QWEN3-8b", "someone/Qwen3-8B"],
)
def test_a_model_is_found_by_name_and_by_repository(name: str) -> None:
    assert model(name).name == "qwen3-8b"


def test_a_repository_of_another_name_is_found_too() -> None:
    """The catalog's short names are not always those of the hub."""
    assert model("moonshotai/Kimi-K2-Base").name == "kimi-k2"
    assert model("NVIDIA-Nemotron-3-Nano-30B-A3B-Base-BF16").name == "nemotron-3-nano-30b-a3b"
    assert find_model("nothing-like-it") is None


def test_a_mistyped_name_is_answered_with_near_ones() -> None:
    assert near_names("lama-3.1-8b")[0] == "llama-3.1-8b"
    assert near_names("deepseek-ai/DeepSeek-V3.3")[0].startswith("deepseek-v3")
    assert advice("xyz") == "run distillplan models for the list"
    with pytest.raises(InputError, match="did you mean 'qwen3-8b'"):
        model("qwen3-8")


def test_the_table_of_open_models_is_that_of_the_catalog() -> None:
    """Stale after a change of the catalog: write what `table_of_catalog` gives into the file."""
    assert (COEFFICIENTS / FILE).read_text(encoding="utf-8") == table_of_catalog()


def test_a_model_of_the_table_costs_and_reads_what_its_shape_says():
    """The FLOPs of each shape, counted from its layers in the paper's context."""
    for name in (one.name for one in open_models()):
        quick, exact = model_of_table(name), model_of_catalog(exact_model(name))
        assert quick.forward_flops(4096) == exact.shape.forward_flops(4096)
        for field in ("params", "all_params", "trained_tokens", "vocab", "tokenizer"):
            assert getattr(quick, field) == getattr(exact, field)


def test_open_models_are_the_dense_ones_with_known_tokens_that_may_teach() -> None:
    found = {one.name: one for one in open_models()}
    assert set(found) == {
        one.name
        for one in models()
        if one.trained_tokens is not None
        and not one.shape.experts
        and one.license.distilling is not Distilling.FORBIDDEN
        and one.hub is not None
        and not one.tuned
    }
    for name, one in found.items():
        assert one.tokens == float(MODELS[name]["trained_tokens"])
        if "params" in MODELS[name]:
            assert one.params == MODELS[name]["params"]


def test_filters_of_the_list() -> None:
    """Against the file itself and the terms of each model."""
    found = models_of(None, ModelFilter(tokenizer="llama-3", license="commercial", max_params=9e9))
    assert isinstance(found, ModelList)
    assert {card.name for card in found.models} == {
        *("llama-3-8b", "llama-3.1-8b", "llama-3.2-1b", "llama-3.2-3b", "smollm3-3b")
    }
    assert all(card.total_params <= 9e9 for card in found.models)
    words = models_of("nemotron super", ModelFilter())
    assert isinstance(words, ModelList)
    assert {card.name for card in words.models} == {
        *("nemotron-3-super-120b-a12b", "llama-3.3-nemotron-super-49b")
    }
    teachers = models_of(None, ModelFilter(license="distilling"))
    assert isinstance(teachers, ModelList)
    kinds = {card.license.distilling for card in teachers.models}
    assert kinds == {Distilling.ALLOWED, Distilling.CONDITIONAL}
    assert isinstance(models_of("Qwen/Qwen3-8B", ModelFilter()), ModelCard)


@pytest.mark.parametrize(
    ("asked", "one_of_them"),
    [
        ("qwen3", "qwen2.5-7b"),
        ("llama3", "llama-3.1-8b"),
        ("llama-3.2", "smollm3-3b"),
        ("smollm3", "llama-3.1-8b"),
        ("Qwen/Qwen3-8B", "qwen2.5-7b"),
        ("gpt2", "gpt2-small"),
    ],
)
def test_a_tokenizer_is_found_by_the_name_of_a_model_that_has_it(asked, one_of_them):
    """Qwen2.5 and Qwen3 share one tokenizer, and so do Llama 3 and SmolLM3 (their reports)."""
    found = models_of(None, ModelFilter(tokenizer=asked))
    assert one_of_them in {one.name for one in found.models}
    assert len({one.tokenizer for one in found.models}) == 1


def test_a_name_of_models_with_several_tokenizers_says_which():
    for asked in ("gemma", "deepseek"):
        with pytest.raises(InputError, match=rf"did you mean '{asked}-\w+' or '{asked}-"):
            models_of(None, ModelFilter(tokenizer=asked))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (ModelFilter(tokenizer="lama-3"), "--tokenizer: unknown name 'lama-3'; did you mean"),
        (ModelFilter(license="gpl"), "--license: no license is called 'gpl'"),
        (ModelFilter(min_params=1e15), "none of the catalog passes all filters"),
    ],
)
def test_a_filter_that_nothing_passes_says_why(wanted: ModelFilter, message: str) -> None:
    with pytest.raises(InputError, match=message):
        models_of(None, wanted)


def test_gemma_3_text_and_its_vision_tower_make_the_published_total() -> None:
    """SigLIP so400m at 896 px in 14 px patches, and the projector, added up by hand."""
    width, ffn, blocks = 1152, 4304, 27
    attention = 4 * (width * width + width)
    feed_forward = 2 * width * ffn + ffn + width
    tower = blocks * (attention + feed_forward + 4 * width) + 2 * width
    tower += 14 * 14 * 3 * width + width + (896 // 14) ** 2 * width
    for name in ("gemma-3-4b", "gemma-3-12b", "gemma-3-27b"):
        projector = width * model(name).shape.width + width
        assert MODELS[name]["other_params"] == tower + projector


@pytest.mark.parametrize(
    ("name", "active"),
    # model cards and reports: "30.5B parameters in total, 3.3B activated"; "22B"; "12.9B"; "39B";
    # "37B"; Kimi K2 "32 billion activated"; Llama 4 "17B"; Nemotron 3 Nano "3.6B", Ultra "55B";
    # MiMo-V2-Flash "15B"; DeepSeek-V4-Pro "49B"; Gemma 4 "3.8B"
    [
        ("qwen3-30b-a3b", 3.3e9),
        ("qwen3-235b-a22b", 22e9),
        ("mixtral-8x7b", 12.9e9),
        ("mixtral-8x22b", 39e9),
        ("deepseek-v3", 37e9),
        ("kimi-k2", 32e9),
        ("llama-4-scout", 17e9),
        ("llama-4-maverick", 17e9),
        ("nemotron-3-nano-30b-a3b", 3.6e9),
        ("nemotron-3-ultra-550b-a55b", 55e9),
        ("mimo-v2-flash", 15e9),
        ("deepseek-v4-pro", 49e9),
        ("gemma-4-26b-a4b", 3.8e9),
    ],
)
def test_active_parameters_of_a_mixture_are_the_model_cards(name: str, active: float) -> None:
    assert model(name).shape.total_active_params == pytest.approx(active, rel=0.035)


@pytest.mark.parametrize(
    ("name", "active"),
    # model cards: GLM-5 "40B", GLM-4.5 "32B", MiniMax-M2 "10B", Qwen3-Next "3B", DeepSeek-V4-Flash
    # "13B", in whole billions, rounded or cut off
    [
        ("glm-5", 40e9),
        ("glm-4.5", 32e9),
        ("minimax-m2", 10e9),
        ("qwen3-next-80b-a3b", 3e9),
        ("deepseek-v4-flash", 13e9),
    ],
)
def test_active_parameters_without_the_embedding(name: str, active: float) -> None:
    shape = model(name).shape
    counted = shape.total_active_params - shape.embedding_params
    assert abs(counted - active) < 1e9


@pytest.mark.parametrize(("name", "active"), [("gpt-oss-120b", 5.1e9), ("gpt-oss-20b", 3.6e9)])
def test_gpt_oss_active_parameters_leave_the_embedding_out(name: str, active: float) -> None:
    """Its model card: 5.1B and 3.6B active, the look-up not counted."""
    shape = model(name).shape
    counted = shape.total_active_params - shape.embedding_params
    assert counted == pytest.approx(active, rel=0.02)


def test_a_mixture_with_every_expert_active_is_as_dear_as_it_is_big() -> None:
    shape = model("mixtral-8x7b").shape
    everyone = uniform_shape(**{**MODELS["mixtral-8x7b"]["shape"], "active_experts": 8})
    assert everyone.active_params == everyone.params == shape.params
    assert everyone.forward_flops(4096) > shape.forward_flops(4096)


@pytest.mark.parametrize("name", ["llama-3.1-8b", "qwen3-30b-a3b", "gpt2-xl", "falcon-h1-7b"])
def test_forward_flops_are_two_per_active_weight_and_attention(name: str) -> None:
    """A short context leaves 2 x the weights that multiply, which are all but norms and biases."""
    shape = model(name).shape
    recurrent = sum(mixer.recurrent_flops * n for block, n in shape.runs for mixer in block.mixers)
    expected = 2 * (shape.active_params + shape.vocab * shape.width) + recurrent
    assert shape.forward_flops(1) == pytest.approx(expected, rel=2e-3)


def test_a_window_caps_attention_at_long_context() -> None:
    shape = model("gemma-3-27b").shape
    everywhere = uniform_shape(**{**MODELS["gemma-3-27b"]["shape"], "window": None})
    # min(position, window) averaged by brute force
    attended = sum(min(i + 0.5, 1024) for i in range(32768)) / 32768
    difference = everywhere.forward_flops(32768) - shape.forward_flops(32768)
    per_attended = 4 * shape.query_width + 5 * shape.heads
    window_layers = MODELS["gemma-3-27b"]["shape"]["window_layers"]
    assert difference == pytest.approx(window_layers * per_attended * (16384 - attended), rel=1e-6)
    assert everywhere.forward_flops(1024) == shape.forward_flops(1024)


def test_chunks_cap_attention_as_added_up() -> None:
    """Llama 4: a token sees the part of its chunk before it, in three of four blocks."""
    shape = model("llama-4-scout").shape
    chunked = [block.mixers[0] for block in shape.blocks if block.mixers[0].reaches[0].chunk]
    assert len(chunked) == 36
    attended = sum(i % 8192 + 0.5 for i in range(20000)) / 20000
    assert chunked[0].reaches[0].mean_keys(20000) == pytest.approx(attended, rel=1e-6)


@given(
    layers=st.integers(1, 200),
    heads=st.integers(1, 64),
    per_head=st.integers(1, 256),
    ffn_width=st.integers(1, 65536),
    vocab=st.integers(1, 300_000),
)
def test_counts_are_ordered_for_any_shape(
    layers: int, heads: int, per_head: int, ffn_width: int, vocab: int
) -> None:
    sizes: dict[str, Any] = {
        "layers": layers,
        "width": heads * per_head,
        "ffn_width": ffn_width,
        "heads": heads,
        "vocab": vocab,
    }
    shape, untied = uniform_shape(**sizes), uniform_shape(**sizes, tied=False)
    assert shape.active_params == shape.params < shape.total_params < untied.total_params
    assert shape.forward_flops(2048) > shape.forward_flops(1024) > 2 * vocab * shape.width
    assert sum(block.unrouted_params for block in shape.blocks) + shape.width == shape.params


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"active_experts": 9}, "9 of 8 experts"),
        ({"expert_ffn_width": 0}, "expert_ffn_width is 0"),
        ({"ffn_matrices": 4}, "ffn_matrices is 4"),
        ({"window_layers": 33}, "window_layers is 33"),
    ],
)
def test_an_impossible_shape_is_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        uniform_shape(**{**MODELS["mixtral-8x7b"]["shape"], **change})


def test_a_model_without_blocks_is_refused() -> None:
    with pytest.raises(InputError, match="layers is 0"):
        ModelShape(width=64, vocab=100, blocks=())
    assert ModelShape(width=64, vocab=100, blocks=(Block(),)).params == 0


def test_names_are_as_people_type_them() -> None:
    """Lower case, and what a shell takes without quotes."""
    for name in [one.name for one in models()]:
        assert re.fullmatch(r"[a-z][a-z0-9.\-]*", name)


@pytest.mark.parametrize(
    ("name", "tokens"),
    # as their publishers print them in model cards and reports
    [
        ("mimo-7b", 25e12),
        ("seed-oss-36b", 12e12),
        ("gemma-3n-e2b", 11e12),
        ("nemotron-h-8b", 15e12),
        ("nemotron-h-56b", 20e12),
        ("nemotron-nano-12b-v2", 20e12),
        ("trinity-mini", 10e12),
        ("trinity-large", 17e12),
        ("dots-llm1", 11.2e12),
        ("kimi-linear-48b-a3b", 5.7e12),
        ("granite-3.3-8b", 12e12),
        ("granite-4.0-micro", (10 + 2 + 2 + 0.5) * 1e12),
        ("granite-4.0-h-micro", (10 + 5 + 2 + 0.5) * 1e12),
        ("starcoder2-3b", 3.3e12),
        ("starcoder2-15b", 4.3e12),
        ("phi-3.5-mini", 3.4e12),
        ("phi-3.5-moe", 4.9e12),
        ("internlm3-8b", 4e12),
        ("lfm2-24b-a2b", 17e12),
        ("deepseek-v4-flash", 32e12),
        ("deepseek-v4-pro", 33e12),
        ("deepseek-v3.1", 14.8e12 + 630e9 + 209e9),
        ("phi-3-mini", 4.9e12),
        ("phi-3-medium", 4.8e12),
        ("phi-2", 1.4e12),
        ("olmoe-1b-7b", 5e12),
        ("falcon3-7b", 14e12),
        ("deepseek-v2-lite", 5.7e12),
        ("gemma-2b", 3e12),
        ("gemma-7b", 6e12),
    ],
)
def test_published_training_tokens_are_in_the_catalog(name: str, tokens: float) -> None:
    assert model(name).trained_tokens == tokens
    assert "; tokens: " in model(name).source


@pytest.mark.parametrize("one", models(), ids=lambda one: one.name)
def test_the_command_that_a_model_is_shown_with_is_understood(one: CatalogModel) -> None:
    """It says where a loss must be filled in, and with one it is a question that has an answer."""
    shown = model_view(model_card(one.name))
    words = [block.text for block in shown if isinstance(block, CommandLine)]
    if one.hub is None or one.license.distilling is Distilling.FORBIDDEN:
        assert not words
        return
    name = words[0].split(" --teacher ")[1].removesuffix(" --teacher-loss LOSS")
    given = {"loss": 1.9} if words[0].endswith(" --teacher-loss LOSS") else {}
    found = sized(name)
    teacher = Teacher(params=found.params, tokens=found.tokens, model=found.model, **given)
    assert teacher.params == found.params
