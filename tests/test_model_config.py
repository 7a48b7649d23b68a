"""A config.json as a shape: the catalog's, and errors that name the key."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from distillplan.errors import InputError
from distillplan.models.known_model import known_model
from distillplan.models.model_catalog import model
from distillplan.models.model_config import read_config

LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("llama-3.1-8b", LLAMA_8B),
        (
            "smollm3-3b",
            {
                "model_type": "smollm3",
                "hidden_size": 2048,
                "num_hidden_layers": 36,
                "intermediate_size": 11008,
                "num_attention_heads": 16,
                "num_key_value_heads": 4,
                "vocab_size": 128256,
            },
        ),
        (
            "qwen2.5-7b",
            {
                "model_type": "qwen2",
                "hidden_size": 3584,
                "num_hidden_layers": 28,
                "intermediate_size": 18944,
                "num_attention_heads": 28,
                "num_key_value_heads": 4,
                "vocab_size": 152064,
                "tie_word_embeddings": False,
                "sliding_window": 131072,
            },
        ),
        (
            "qwen3-0.6b",
            {
                "model_type": "qwen3",
                "hidden_size": 1024,
                "num_hidden_layers": 28,
                "intermediate_size": 3072,
                "num_attention_heads": 16,
                "head_dim": 128,
                "num_key_value_heads": 8,
                "vocab_size": 151936,
                "tie_word_embeddings": True,
            },
        ),
        (
            "qwen3-30b-a3b",
            {
                "model_type": "qwen3_moe",
                "hidden_size": 2048,
                "num_hidden_layers": 48,
                "intermediate_size": 6144,
                "num_attention_heads": 32,
                "head_dim": 128,
                "num_key_value_heads": 4,
                "vocab_size": 151936,
                "num_experts": 128,
                "num_experts_per_tok": 8,
                "moe_intermediate_size": 768,
                "decoder_sparse_step": 1,
                "mlp_only_layers": [],
            },
        ),
        (
            "mixtral-8x7b",
            {
                **LLAMA_8B,
                "model_type": "mixtral",
                "vocab_size": 32000,
                "sliding_window": None,
                "num_local_experts": 8,
                "num_experts_per_tok": 2,
            },
        ),
        (
            "mistral-7b-v0.1",
            {
                **LLAMA_8B,
                "model_type": "mistral",
                "vocab_size": 32000,
                "sliding_window": 4096,
            },
        ),
        (
            "gemma-2-9b",
            {
                "model_type": "gemma2",
                "hidden_size": 3584,
                "num_hidden_layers": 42,
                "intermediate_size": 14336,
                "num_attention_heads": 16,
                "head_dim": 256,
                "num_key_value_heads": 8,
                "vocab_size": 256000,
                "sliding_window": 4096,
            },
        ),
        (
            # the 4B file has only these in its text_config; the class supplies the rest
            "gemma-3-4b",
            {
                "model_type": "gemma3",
                "text_config": {
                    "model_type": "gemma3_text",
                    "hidden_size": 2560,
                    "intermediate_size": 10240,
                    "num_hidden_layers": 34,
                    "sliding_window": 1024,
                },
            },
        ),
        (
            "gemma-3-1b",
            {
                "model_type": "gemma3_text",
                "hidden_size": 1152,
                "num_hidden_layers": 26,
                "intermediate_size": 6912,
                "num_attention_heads": 4,
                "head_dim": 256,
                "num_key_value_heads": 1,
                "vocab_size": 262144,
                "sliding_window": 512,
                "sliding_window_pattern": 6,
            },
        ),
        (
            "olmo-2-32b",
            {
                "model_type": "olmo2",
                "hidden_size": 5120,
                "num_hidden_layers": 64,
                "intermediate_size": 27648,
                "num_attention_heads": 40,
                "num_key_value_heads": 8,
                "vocab_size": 100352,
            },
        ),
        (
            "pythia-160m",
            {
                "model_type": "gpt_neox",
                "hidden_size": 768,
                "num_hidden_layers": 12,
                "intermediate_size": 3072,
                "num_attention_heads": 12,
                "vocab_size": 50304,
            },
        ),
        (
            "gpt2-xl",
            {
                "model_type": "gpt2",
                "n_embd": 1600,
                "n_layer": 48,
                "n_head": 25,
                "vocab_size": 50257,
                "n_positions": 1024,
                "n_inner": None,
            },
        ),
        (
            "deepseek-v3",
            {
                "model_type": "deepseek_v3",
                "hidden_size": 7168,
                "num_hidden_layers": 61,
                "intermediate_size": 18432,
                "moe_intermediate_size": 2048,
                "num_attention_heads": 128,
                "num_key_value_heads": 128,
                "vocab_size": 129280,
                "q_lora_rank": 1536,
                "kv_lora_rank": 512,
                "qk_nope_head_dim": 128,
                "qk_rope_head_dim": 64,
                "v_head_dim": 128,
                "n_routed_experts": 256,
                "n_shared_experts": 1,
                "num_experts_per_tok": 8,
                "first_k_dense_replace": 3,
                "topk_method": "noaux_tc",
            },
        ),
        (
            "gpt-oss-20b",
            {
                "model_type": "gpt_oss",
                "hidden_size": 2880,
                "num_hidden_layers": 24,
                "intermediate_size": 2880,
                "num_attention_heads": 64,
                "num_key_value_heads": 8,
                "head_dim": 64,
                "vocab_size": 201088,
                "num_local_experts": 32,
                "num_experts_per_tok": 4,
                "sliding_window": 128,
                "layer_types": ["sliding_attention", "full_attention"] * 12,
            },
        ),
    ],
)
def test_a_config_file_gives_the_catalog_shape(name: str, config: dict[str, Any]) -> None:
    shape = read_config(config).shape
    catalog = model(name).shape
    assert shape.total_params == catalog.total_params
    assert shape.forward_flops(32768) == catalog.forward_flops(32768)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"num_hidden_layers": "32"}, "num_hidden_layers is '32'"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"vocab_size": True}, "vocab_size is True"),
        ({"model_type": None}, "model_type is missing"),
        ({"model_type": ["llama"]}, "must be a name, such as llama"),
        ({"num_hidden_layers": 10**30}, "num_hidden_layers is 1000.*at most 10000"),
        ({"num_hidden_layers": 1e30}, "num_hidden_layers is 1e.30; it must be a positive whole"),
        ({"hidden_size": 10**400}, "hidden_size is 1000"),
        ({"num_key_value_heads": 5}, "num_key_value_heads is 5; it must divide the 32"),
        ({"num_attention_heads": 30}, "num_key_value_heads is 8; it must divide the 30"),
        (
            {"hidden_size": 4100},
            "hidden_size is 4100; it must be a multiple of the 32 attention heads",
        ),
        ({"layer_types": ["full_attention"] * 31}, "layer_types has 31 entries for 32 layers"),
        ({"layer_types": ["mamba"] * 32}, "layer_types names 'mamba'"),
        ({"layer_types": [None] * 32}, "layer_types is .* must be a list of names"),
        ({"text_config": 3}, "text_config is 3; it must be a mapping"),
        ({"text_config": {"hidden_size": 64}}, "text_config.num_hidden_layers is missing"),
        ({"model_type": "mixtral", "num_local_experts": 8}, "num_experts_per_tok is missing"),
        (
            {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 9},
            "num_experts_per_tok is 9; there are only 8",
        ),
        ({"model_type": "nemotron_h"}, "hybrid_override_pattern is missing"),
        (
            {"model_type": "nemotron_h", "hybrid_override_pattern": "MX"},
            "hybrid_override_pattern names 'X'",
        ),
        ({"model_type": "nemotron-nas", "block_configs": [3]}, "must be a list of mappings"),
        ({"model_type": "lfm2"}, "layer_types is missing"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings is 'no'"),
        ({"model_type": "gemma3_text", "layer_types": 6}, "layer_types is 6"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": "all"}, "mlp_only_layers is 'all'"),
    ],
)
def test_a_bad_config_says_what_is_wrong(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_config(LLAMA_8B | change)


def test_a_config_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="expected a mapping"):
        read_config([])  # type: ignore[arg-type]  # the mistake


COUNTS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "counted_configs.json").read_text(encoding="utf-8")
)
COUNTED: dict[str, Any] = COUNTS["models"]
"""Configurations, and the parameters that transformers 5.24 makes of them."""


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_are_those_of_the_classes_themselves(name: str) -> None:
    """An independent count: the class of the transformers library, made without memory."""
    row = COUNTED[name]
    assert read_config(row["config"]).shape.total_params == row["params"]


def test_every_switch_and_size_counts_as_in_the_classes() -> None:
    """The same with one value changed: biases, norms, tying, heads, experts, ranks, kernels."""
    wrong = []
    for kind, key, value, params in COUNTS["changes"]:
        found = read_config({**COUNTED[kind]["config"], key: value}).shape.total_params
        if found != params:
            wrong.append((kind, key, found - params))
    assert not wrong
    assert len(COUNTS["changes"]) > 300


def test_what_a_file_leaves_out_is_said() -> None:
    """GLM-5's file without the sizes of its indexer: its card says about 744B."""
    config = dict(COUNTED["glm_moe_dsa"]["config"])
    for key in ("index_head_dim", "index_n_heads", "index_topk"):
        config.pop(key, None)
    found = read_config(config)
    assert [notice.code for notice in found.notices] == ["config_defaults"]
    assert "index_n_heads (32)" in found.notices[0].message


@pytest.mark.parametrize(
    "unused",
    [
        '"time_step_limit": [0.0, Infinity]',  # NVIDIA Nemotron-H-56B-Base-8K
        '"time_step_limit": [0.0, 1e308]',  # NVIDIA Nemotron-3-Ultra
        '"rope_theta": 1e999, "eps": NaN, "seed": ' + "9" * 5000,
        '"chat_template": "' + "x" * 20_000 + '"',
        '"quantization_config": {"quant_method": "modelopt", "ignore": ['  # MiniMax-M3-NVFP4: 3 MB
        + ", ".join(f'"model.layers.{one}"' for one in range(100_000))
        + "]}",
    ],
    ids=["infinity", "large", "nan", "long text", "3 MB"],
)
def test_what_nobody_needs_is_no_reason_to_refuse_a_file(unused: str, tmp_path: Path) -> None:
    """What Python's json writes, and what quantizers add; the shape does not follow from it."""
    path = tmp_path / "config.json"
    path.write_text(f"{json.dumps(LLAMA_8B)[:-1]}, {unused}}}", encoding="utf-8")
    assert known_model(str(path)).total_params == 8_030_261_248  # as its safetensors files count


def test_an_unknown_kind_that_looks_like_llama_is_read_with_a_warning() -> None:
    found = read_config(LLAMA_8B | {"model_type": "newcomer"})
    assert found.shape.total_params == model("llama-3.1-8b").shape.total_params
    assert [notice.code for notice in found.notices] == ["unknown_architecture"]
    assert "8.03B parameters" in found.notices[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "newcomer", "ssm_state_size": 16}, "with ssm_state_size.* unlike Llama"),
        ({"model_type": "zamba9", "mamba_d_state": 16}, "with mamba_d_state.* unlike Llama"),
        # Ouro passes its blocks four times; Grok 2 has a dense part beside its experts, Ring 2
        # linear attention, and Yuan 2 its experts in a mapping
        ({"model_type": "ouro", "total_ut_steps": 4}, "with total_ut_steps.* unlike Llama"),
        ({"model_type": "git", "residual_moe": True}, "with residual_moe.* unlike Llama"),
        ({"model_type": "step3_text", "moe_layers_enum": "4,5"}, "with moe_layers_enum.* unlike"),
        ({"model_type": "ring", "layer_group_size": 5}, "with layer_group_size.* unlike Llama"),
        ({"model_type": "yuan", "moe_config": {"moe_top_k": 2}}, "with moe_config.* unlike Llama"),
        ({"model_type": "x", "intermediate_size": None}, "no intermediate_size"),
        # DeciLM-7B: 7.04B by its card, 8.05B as Llama
        ({"model_type": "deci", "num_key_value_heads_per_layer": [4] * 32}, "heads_per_layer"),
        # two matrices or three: GeGLU is gelu, squared ReLU is not gated
        ({"model_type": "x", "hidden_act": "relu2"}, "hidden_act 'relu2'.* two matrices or three"),
        ({"model_type": "x", "hidden_act": "gelu"}, "hidden_act 'gelu'.* two matrices or three"),
        ({"model_type": "x", "activation_function": "relu"}, "activation_function 'relu'"),
        ({"model_type": "new", "architectures": ["NewModel"]}, "its class, 'NewModel', does not"),
    ],
)
def test_an_unknown_kind_is_not_guessed_where_its_file_speaks_against_it(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_config(LLAMA_8B | change)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "newcomer"])
def test_experts_that_nothing_reads_are_no_dense_model(kind: str) -> None:
    """A dense count of a mixture would be a small part of it: 1.7B for 17B."""
    with pytest.raises(InputError, match=f"num_experts is 128, and no experts of {kind}"):
        read_config(LLAMA_8B | {"model_type": kind, "num_experts": 128, "top_k": 8})
    assert not read_config(LLAMA_8B | {"model_type": kind, "num_experts": 1}).shape.experts


USUAL = {
    "architectures": ["NewcomerForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 128000,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "max_position_embeddings": 131072,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": 8.0, "rope_type": "llama3"},
    "rope_theta": 500000.0,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.43.0",
    "use_cache": True,
}
"""What else stands in the file of Llama 3.1 8B."""


def test_what_llama_files_have_speaks_for_a_guess() -> None:
    (told,) = read_config({**LLAMA_8B, **USUAL, "model_type": "newcomer"}).notices
    assert "was read as if it were Llama: compare 8.03B" in told.message


def test_a_guess_says_which_sizes_it_did_not_read() -> None:
    """JetMoE's kv_channels: as Llama it is 17.6% short of what its class counts."""
    config = {**LLAMA_8B, **USUAL, "model_type": "newcomer", "kv_channels": 64}
    (told,) = read_config(config).notices
    assert "was read as if it were Llama, without kv_channels: compare" in told.message


@pytest.mark.parametrize("kind", ["recurrent_gemma", "longcat_flash", "glmx", "vault", "gpt"])
def test_no_other_architecture_is_proposed_for_one_that_is_spelled_alike(kind: str) -> None:
    """Whoever writes another's name into the file gets another model."""
    with pytest.raises(InputError) as caught:
        read_config({**LLAMA_8B, "model_type": kind, "hidden_act": "gelu"})
    assert "did you mean" not in str(caught.value)


def test_a_kind_that_differs_in_capitals_and_separators_is_proposed() -> None:
    with pytest.raises(InputError, match="did you mean 'qwen3_moe'\\? Otherwise give"):
        read_config({**LLAMA_8B, "model_type": "Qwen3-MoE", "hidden_act": "gelu"})


def test_what_tying_would_change_is_said_where_a_guess_does_not_know_it() -> None:
    """128,256 rows of 4,096 channels are 525M of 8.03B parameters."""
    (told,) = read_config({**LLAMA_8B, "model_type": "newcomer"}).notices
    assert "8.03B parameters (7.50B with tied embeddings" in told.message
    said = {**LLAMA_8B, "model_type": "newcomer", "tie_word_embeddings": False}
    assert "tied" not in read_config(said).notices[0].message


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "t5", "is_encoder_decoder": True, "d_model": 768},
        {"model_type": "bert", "hidden_size": 768},
        {"model_type": "siglip_vision_model"},
        {"model_type": "whisper", "is_encoder_decoder": True},
        {"_class_name": "UNet2DConditionModel", "model_type": "unet"},
        {**LLAMA_8B, "model_type": "mpnet", "architectures": ["MPNetForMaskedLM"]},
        {**LLAMA_8B, "model_type": "esm", "architectures": ["EsmForMaskedLM"]},
        {**LLAMA_8B, "model_type": "Dream", "mask_token_id": 151666},
        {**LLAMA_8B, "model_type": "newcomer", "is_causal": False},
        {**LLAMA_8B, "architectures": ["LlamaForSequenceClassification"]},
        {**LLAMA_8B, "model_type": "qwen2", "architectures": ["Qwen2ForProcessRewardModel"]},
        {**LLAMA_8B, "model_type": "gemma3_text", "use_bidirectional_attention": True},
    ],
)
def test_what_is_no_decoder_of_text_is_out_of_scope(config: dict[str, Any]) -> None:
    """Embedding Gemma, reward models, masked diffusion and encoders have no next token."""
    with pytest.raises(InputError, match="out of scope"):
        read_config(config)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"dim": 4096, "n_layers": 32, "n_heads": 32}, "this is a params.json of Meta or Mistral"),
        ({"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024}, "of nanoGPT"),
        ({"metadata": {}, "weight_map": {}}, "this is an index of safetensors files"),
        ({"tokenizer_class": "LlamaTokenizer"}, "this is a tokenizer_config.json"),
        ({"peft_type": "LORA", "r": 8}, "this is a configuration of an adapter"),
        ({"hidden_size": 64}, "model_type is missing; give the config.json"),
    ],
)
def test_another_file_than_a_config_is_told_from_it(config: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        read_config(config)
    assert "give the config.json of its repository" in str(caught.value)


@pytest.mark.parametrize("name", ["model.gguf", "model-q4.GGUF", "model.safetensors", "c.yaml"])
def test_a_file_of_weights_is_no_unknown_name(name: str) -> None:
    with pytest.raises(InputError, match=r"read from the config\.json of its repository"):
        known_model(name)


@pytest.mark.parametrize(
    ("quantization", "format_"),
    [
        (None, "bf16"),
        ({"quant_method": "fp8", "fmt": "e4m3"}, "fp8"),  # DeepSeek-V3
        ({"quant_method": "mxfp4"}, "fp4"),  # gpt-oss
        ({"quant_method": "gptq", "bits": 4}, "int4"),
        ({"quant_method": "awq", "bits": 4}, "int4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "int4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "fp4"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int"}}},
            },
            "int4",  # Kimi K2.5
        ),
        ({"quant_method": "aqlm"}, "other"),
    ],
)
def test_the_precision_of_the_weights_is_read(quantization: Any, format_: str) -> None:
    assert read_config(LLAMA_8B | {"quantization_config": quantization}).weights == format_


@pytest.mark.parametrize(
    ("quantization", "format_"),
    [
        ({"group_size": 64, "bits": 4}, "int4"),
        ({"group_size": 64, "bits": 8, "mode": "affine"}, "int8"),
        ({"group_size": 32, "bits": 4, "mode": "mxfp4"}, "fp4"),
        ({"group_size": 64, "bits": 3}, "other"),
        ({"bits": 4, "lm_head": {"group_size": 64, "bits": 8}}, "int4"),
        ("4 bits", "bf16"),
    ],
)
def test_the_precision_of_mlx_is_read(quantization: Any, format_: str) -> None:
    """MLX keeps it under a key of its own, with settings of single layers in it."""
    assert read_config(LLAMA_8B | {"quantization": quantization}).weights == format_


@pytest.mark.parametrize("key", ["dtype", "torch_dtype", "quantization_config"])
@pytest.mark.parametrize("junk", [["float32"], {}, 4, [[]]], ids=str)
def test_a_format_that_makes_no_sense_is_none(key: str, junk: Any) -> None:
    assert read_config(LLAMA_8B | {key: junk}).weights in ("bf16", "other")


@pytest.mark.parametrize(
    "junk", [None, -1, 1e30, 10**50, "7", [], {}, True, math.nan, math.inf, [[]]]
)
def test_a_hostile_value_is_one_sentence_or_an_answer(junk: Any) -> None:
    """Every key of every kind with junk in it: no traceback, and no count that is not finite."""
    for row in COUNTED.values():
        for key in row["config"]:
            if key == "model_type":
                continue
            try:
                shape = read_config({**row["config"], key: junk}).shape
            except InputError as error:
                assert "\n" not in str(error)  # noqa: PT017  (it may also be read)
            else:
                assert 0 < shape.active_params <= shape.params < 10**18


def test_recurrences_do_not_grow_with_the_context() -> None:
    """Mamba-2 alone: FLOPs per token and the state are the same at any length."""
    shape = read_config(COUNTED["mamba2"]["config"]).shape
    assert shape.forward_flops(1024) == shape.forward_flops(1_000_000)
    assert shape.cached_values(1024) == shape.cached_values(1_000_000)


def test_cache_and_state_follow_from_the_sizes() -> None:
    """Llama 3.1 8B keeps 2 x 8 x 128 values in 32 blocks for each token; DeepSeek-V3 576 in 61."""
    assert model("llama-3.1-8b").shape.cached_values(1000) == 1000 * 32 * 2 * 8 * 128
    assert model("deepseek-v3").shape.cached_values(1000) == 1000 * 61 * 576
    window = read_config(COUNTED["mistral"]["config"] | {"sliding_window": 100}).shape
    assert window.cached_values(1000) == window.cached_values(100)


def test_a_picked_key_costs_no_more_than_a_window() -> None:
    """DeepSeek-V3.2 reads 2,048 keys at most: the mean of min(position, 2048), by brute force."""
    config = COUNTED["deepseek_v32"]["config"]
    sparse = read_config(config).shape
    (mixer, _), *_ = [(block.mixers[0], n) for block, n in sparse.runs]
    large, small = mixer.reaches
    positions = [min(i + 0.5, 2048) for i in range(32768)]
    assert large.mean_keys(32768) == pytest.approx(sum(positions) / 32768, rel=1e-6)
    assert small.mean_keys(32768) == 16384
