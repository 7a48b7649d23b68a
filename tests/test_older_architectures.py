"""Architectures from before Llama: totals that were published, and what their attention keeps.

The classes' own counts of every switch are in data/counted_configs.json.
"""

from typing import Any

import pytest

from distillplan.errors import InputError
from distillplan.models.model_catalog import model
from distillplan.models.model_config import read_config
from distillplan.models.model_inventory import model_card
from tests.shell import answer, codes

BLOOM = {
    "model_type": "bloom",
    "n_embed": 14336,
    "n_layer": 70,
    "num_attention_heads": 112,
    "vocab_size": 250880,
}
MAMBA = {"model_type": "mamba", "state_size": 16, "conv_kernel": 4, "vocab_size": 50280}
STARCODER = {
    "model_type": "gpt_bigcode",
    "n_embd": 6144,
    "n_head": 48,
    "n_inner": 24576,
    "n_layer": 40,
    "n_positions": 8192,
    "vocab_size": 49152,
}
QWEN = {
    "model_type": "qwen",
    "hidden_size": 4096,
    "intermediate_size": 22016,  # twice what either half of the gated part has
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
}
CHATGLM3 = {
    "model_type": "chatglm",
    "hidden_size": 4096,
    "ffn_hidden_size": 13696,
    "num_attention_heads": 32,
    "num_layers": 28,
    "multi_query_attention": True,
    "multi_query_group_num": 2,
    "kv_channels": 128,
    "padded_vocab_size": 65024,
    "add_qkv_bias": True,
    "add_bias_linear": False,
}
MINICPM = {
    "model_type": "minicpm",
    "hidden_size": 2304,
    "num_hidden_layers": 40,
    "intermediate_size": 5760,
    "num_attention_heads": 36,
    "vocab_size": 122753,
}
MINICPM3 = {
    "model_type": "minicpm3",
    "hidden_size": 2560,
    "intermediate_size": 6400,
    "num_attention_heads": 40,
    "num_hidden_layers": 62,
    "vocab_size": 73448,
    "q_lora_rank": 768,
    "kv_lora_rank": 256,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
}
DBRX = {
    "model_type": "dbrx",
    "d_model": 6144,
    "n_heads": 48,
    "n_layers": 40,
    "vocab_size": 100352,
    "attn_config": {"kv_n_heads": 8, "clip_qkv": 8},
    "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
}
FALCON = {
    "model_type": "falcon",
    "hidden_size": 4544,
    "num_attention_heads": 71,
    "num_hidden_layers": 32,
    "multi_query": True,
    "parallel_attn": True,
    "vocab_size": 65024,
}
FALCON_40B = FALCON | {
    "hidden_size": 8192,
    "num_attention_heads": 128,
    "num_hidden_layers": 60,
    "num_kv_heads": 8,
    "new_decoder_architecture": True,
}
GPT_NEO = {
    "model_type": "gpt_neo",
    "hidden_size": 2048,
    "intermediate_size": None,
    "num_layers": 24,
    "num_heads": 16,
    "max_position_embeddings": 2048,
    "window_size": 256,
    "attention_layers": ["global", "local"] * 12,
    "vocab_size": 50257,
}
OPT = {
    "model_type": "opt",
    "hidden_size": 4096,
    "ffn_dim": 16384,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "enable_bias": True,
    "vocab_size": 50272,
}
PUBLISHED = {
    "the model card of bigscience/bloom": (BLOOM, 176_247_271_424),
    "state-spaces/mamba-130m, as loaded": (
        MAMBA | {"hidden_size": 768, "num_hidden_layers": 24},
        129_135_360,
    ),
    "state-spaces/mamba-1.4b, as loaded": (
        MAMBA | {"hidden_size": 2048, "num_hidden_layers": 48},
        1_372_178_432,
    ),
    "state-spaces/mamba-2.8b, as loaded": (
        MAMBA | {"hidden_size": 2560, "num_hidden_layers": 64},
        2_768_345_600,
    ),
    "bigcode/starcoder, as loaded": (STARCODER, 15_517_456_384),
    "Qwen/Qwen-7B, as loaded": (QWEN, 7_721_324_544),
    "THUDM/chatglm3-6b, as loaded": (CHATGLM3, 6_243_584_000),
    "openbmb/MiniCPM-2B, as loaded": (MINICPM, 2_724_880_896),
    "transformers 5.24, class of openbmb/MiniCPM3-4B": (MINICPM3, 4_073_875_968),
    "transformers 5.24, class of EleutherAI/gpt-neo-1.3B": (GPT_NEO, 1_315_575_808),
    "transformers 5.24, class of tiiuae/falcon-7b": (FALCON, 6_921_720_704),
    "transformers 5.24, class of tiiuae/falcon-40b": (FALCON_40B, 41_303_293_952),
    "transformers 5.24, class of facebook/opt-6.7b": (OPT, 6_658_473_984),
    "transformers 5.24, class of databricks/dbrx-base": (DBRX, 131_596_523_520),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_totals_are_those_that_were_published(source: str) -> None:
    config, total = PUBLISHED[source]
    assert read_config(config).shape.total_params == total


def test_embeddings_of_bloom_are_as_its_card_counts_them() -> None:
    """ "3,596,615,680 embedding parameters"."""
    assert read_config(BLOOM).shape.embedding_params == 3_596_615_680


def test_of_dbrx_a_token_uses_36_billion() -> None:
    """Databricks 2024: 132B parameters, of which 36B are active on any input."""
    shape = read_config(DBRX).shape
    assert round(shape.total_params / 1e9) == 132
    assert round(shape.total_active_params / 1e9) == 36


def test_one_key_head_is_shared_by_all() -> None:
    """Multi-query attention keeps one key and one value of a head per block."""
    assert read_config(FALCON).shape.cached_values(1) == 32 * 2 * 64
    assert read_config(STARCODER).shape.cached_values(1) == 40 * 2 * 128
    assert read_config(FALCON_40B).shape.cached_values(1) == 60 * 2 * 8 * 64


def test_half_of_gpt_neo_attends_to_a_window() -> None:
    kept = read_config(GPT_NEO).shape.cached_values(2048)
    assert kept == 12 * 2 * 2048 * (2048 + 256)


def test_a_card_is_of_a_length_that_the_model_can_read() -> None:
    """GPT-2 has 1,024 learned positions, OPT 2,048 of 2,050 rows; Pythia's are computed."""
    assert model_card("gpt2").context == 1024
    assert model_card("pythia-160m").context == 4096
    shape = model("gpt2").shape
    assert model_card("gpt2").forward_flops_per_token == shape.forward_flops(1024)
    assert model_card("gpt2").shape.cached_values == 1024 * 12 * 2 * 768
    assert read_config(OPT).shape.learned_positions == 2048


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("budget", "1e20", "--student", "gpt2", "--quick"), "--context"),
        (("budget", "1e20", "--student", "50M", "--teacher", "gpt2:100B", "--quick"), "--context"),
        (("estimate", "--model", "gpt2", "--tokens", "1B", "--gpu", "h100-sxm"), "--seq-len"),
    ],
)
def test_no_costs_of_sequences_that_no_model_reads_without_a_word(
    words: tuple[str, ...], option: str
) -> None:
    told = {one["code"]: one["message"] for one in answer(*words)["warnings"]}
    assert told["beyond_positions"].endswith(f"{option} 1024")
    assert "beyond_positions" not in codes(answer(*words, option, "1024"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (OPT | {"word_embed_proj_dim": 512}, "word_embed_proj_dim is 512; embeddings narrower"),
        (OPT | {"do_layer_norm_before": False}, "do_layer_norm_before is False; only True"),
        (OPT | {"ffn_dim": "a"}, "ffn_dim is 'a'; it must be a positive whole number"),
        (BLOOM | {"n_embed": None}, "n_embed is missing"),
        (GPT_NEO | {"attention_layers": ["near"] * 24}, "attention_layers names 'near'"),
        (QWEN | {"intermediate_size": 22017}, "intermediate_size is 22017; it must be even"),
        (DBRX | {"ffn_config": None}, "ffn_config is missing"),
        (
            {"model_type": "mpt", "d_model": 64, "n_heads": 4, "n_layers": 2, "vocab_size": 10}
            | {"attn_config": {"alibi": False}},
            "attn_config.alibi is False; only True is known here",
        ),
    ],
)
def test_what_is_unlike_the_released_models_is_refused(
    config: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        read_config(config)
