"""A config.json as a shape: the catalog's, and errors that name the key."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from distillplan.errors import InputError
from distillplan.models.model_config import shape_from_config
from distillplan.models.shapes import ModelShape

MODELS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "coefficients" / "models.yaml").read_text(encoding="utf-8")
)["models"]

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
    shape = shape_from_config(config)
    catalog = ModelShape(**MODELS[name]["shape"])
    assert shape.total_params == catalog.total_params
    assert shape.forward_flops(32768) == catalog.forward_flops(32768)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"num_hidden_layers": "32"}, "num_hidden_layers is '32'"),
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"vocab_size": True}, "vocab_size is True"),
        ({"model_type": "mamba"}, "unknown model_type 'mamba'"),
        ({"model_type": None}, "no model_type"),
        ({"model_type": ["llama"]}, "unknown model_type"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings is 'no'"),
        ({"model_type": "gemma3_text", "layer_types": 6}, "layer_types is 6"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": [0]}, "mlp_only_layers"),
    ],
)
def test_a_bad_config_says_what_is_wrong(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        shape_from_config(LLAMA_8B | change)


def test_a_config_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="expected a mapping"):
        shape_from_config([])  # type: ignore[arg-type]  # the mistake
