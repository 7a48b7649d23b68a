"""From a table of published benchmarks, as crawled, to the rows that the model can read.

Pages differ in what they print. Here each row gets the model's shape (from the row, or from the
published configuration of the model it names) and tokens/s (as printed, or from the page's own
FLOP formula where it prints TFLOP/s; from step time and batch where it prints those).
"""

from collections.abc import Mapping

COLUMNS = (
    *("row_id", "source", "model", "gpu", "gpus", "precision", "layers", "width", "heads"),
    *("inner_width", "block_params", "vocab", "stored_params", "seq_len", "micro_batch"),
    *("global_tokens", "checkpointing", "sharding", "tp", "pp", "cp", "ep", "interleave"),
    *("attention", "stack", "attended", "active_experts", "expert_width", "reachable_share"),
    "inter_node_gb_s",
    *("tokens_per_s_per_gpu", "rate_from", "page"),
)

GPUS = {
    "A100-40GB-SXM": "a100-40gb",
    "A100-40GB-SXM (DGX-A100)": "a100-40gb",
    "A100-80GB-SXM": "a100-80gb",
    "A100-80GB": "a100-80gb",
    "H100-80GB-SXM": "h100-sxm",
    "B200": "b200-sxm",
    "GB200": "gb200",
    "B300": "b300-sxm",
    "GB300": "gb300",
    "V100-32GB-SXM3 (DGX-2)": "v100-32gb",
}

# Published configurations: layers, width, heads, kv heads, ffn width, ffn matrices, vocabulary,
# tied embeddings. Llama: meta-llama model cards; GPT-3: arXiv 2005.14165; Nemotron: reports.
LLAMA3_VOCAB, LLAMA2_VOCAB, MEGATRON_VOCAB = 128256, 32000, 51200
DENSE_SHAPES: dict[str, tuple[int, int, int, int, int, int, int, bool]] = {
    "LLAMA3-8B": (32, 4096, 32, 8, 14336, 3, LLAMA3_VOCAB, False),
    "LLAMA3-70B": (80, 8192, 64, 8, 28672, 3, LLAMA3_VOCAB, False),
    "LLAMA3.1-405B": (126, 16384, 128, 8, 53248, 3, LLAMA3_VOCAB, False),
    "llama3-70b truncated to 12 layers": (12, 8192, 64, 8, 28672, 3, LLAMA3_VOCAB, False),
    "llama3-405b truncated to 4 layers": (4, 16384, 128, 8, 53248, 3, LLAMA3_VOCAB, False),
    "LLAMA2-7B": (32, 4096, 32, 32, 11008, 3, LLAMA2_VOCAB, False),
    "LLAMA2-70B": (80, 8192, 64, 8, 28672, 3, LLAMA2_VOCAB, False),
    "LLaMA-65B": (80, 8192, 64, 64, 22016, 3, LLAMA2_VOCAB, False),
    "Sheared 1.3B": (24, 2048, 16, 16, 5504, 3, LLAMA2_VOCAB, False),
    "Sheared 3B": (32, 2560, 20, 20, 6912, 3, LLAMA2_VOCAB, False),
    "GPT3-5B": (24, 4096, 32, 32, 16384, 2, MEGATRON_VOCAB, True),
    "GPT3-175B": (96, 12288, 96, 96, 49152, 2, MEGATRON_VOCAB, True),
    "Nemotron-8B": (32, 4096, 32, 32, 16384, 2, 256000, False),
    "Nemotron-340B": (96, 18432, 96, 8, 73728, 2, 256000, False),
    "BLOOM-176B": (70, 14336, 112, 112, 57344, 2, 250880, True),
    "BloombergGPT-50B": (70, 7680, 40, 40, 30720, 2, 131072, True),
    "MT-NLG-530B": (105, 20480, 128, 128, 81920, 2, MEGATRON_VOCAB, True),
    "GPT-22B": (48, 6144, 64, 64, 24576, 2, MEGATRON_VOCAB, True),
    "GPT-175B": (96, 12288, 96, 96, 49152, 2, MEGATRON_VOCAB, True),
    "GPT-530B": (105, 20480, 128, 128, 81920, 2, MEGATRON_VOCAB, True),
    "GPT-1T": (128, 25600, 160, 160, 102400, 2, MEGATRON_VOCAB, True),
}

NODE_LIMITED = {"DeepSeekV3": {"reachable_share": 4 / 8}}
"""Share of the groups of experts that a token may reach: n_expert_groups 8, n_limited_groups 4 in
github.com/deepseek-ai/DeepSeek-V3@9b4e9788:inference/configs/config_671B.json."""

# Layers, width, heads, channels per head, active block parameters, all parameters, vocabulary,
# routed experts of a token, hidden channels of one.
MIXTURE_SHAPES = {
    "DeepSeekV3": (61, 7168, 128, 160, 35.2e9, 671e9, 129280, 8, 2048),  # 192 query, 128 value
    "Qwen3_30B_a3B": (48, 2048, 32, 128, 2.7e9, 30.5e9, 151936, 8, 768),
    "Qwen3_235B_a22B": (94, 4096, 64, 128, 20.8e9, 235e9, 151936, 8, 1536),
    "Mixtral-8x7B": (32, 4096, 32, 128, 12.6e9, 46.7e9, 32000, 2, 14336),
    "GPT OSS 120B": (36, 2880, 64, 64, 4.5e9, 116.8e9, 201088, 4, 2880),
}

# Before FlashAttention: the score matrix went through memory.
UNFUSED_FAMILIES = {"megatron-lm-2020", "megatron-lm-2021", "megatron-lm-2022", "bigscience"} | {
    "mt-nlg",
    "bloomberggpt",
}

# 2023 pages: Triton FlashAttention (llm-foundry), xformers (LLaMA), flash-attn 1 (LLM-Shearing).
FLASH1_FAMILIES = {"llm-foundry", "llama1", "sheared-llama"}

# What the page ran: vendor-tuned with overlapped communication, fused by a compiler or by hand, or
# kernel by kernel. Megatron-LM overlaps tensor-parallel communication since Megatron Core (2023).
STACKS = {
    **dict.fromkeys(("megatron-bridge", "nemo-24.07", "nemo-user-guide"), "tuned"),
    **dict.fromkeys(("megatron-lm-2020", "megatron-lm-2021", "megatron-lm-2022"), "compiled"),
    **dict.fromkeys(
        ("llm-foundry", "maxtext", "llama1", "bigscience", "mt-nlg", "simumax-b200"), "compiled"
    ),
    **dict.fromkeys(("sheared-llama", "bloomberggpt"), "eager"),
}

# Transformer Engine runs cuDNN's attention, as fast as FlashAttention-3 on Hopper and later.
CUDNN_FAMILIES = {"megatron-bridge", "nemo-24.07", "nemo-user-guide", "simumax-b200"}

# Pipelines without interleaving: DeepSpeed's, and the plain schedules of SimuMax's page.
PLAIN_PIPELINES = {"bigscience", "mt-nlg", "simumax-b200"}

# GB/s per GPU of the clusters whose pages name a slower network than the reference platform:
# Omni-Path 4 x 100 Gb/s per 8-GPU node; AWS p4d 400 Gb/s per 8-GPU node.
NETWORKS = {"bigscience": 6.25, "bloomberggpt": 6.25}

# Tensor x pipeline of arXiv 2205.05198 Table 3, with micro-batch, global batch, interleaving.
MEGATRON_2022 = {
    "GPT-22B": (8, 1, 4, 4, 1),
    "GPT-175B": (8, 8, 1, 64, 3),
    "GPT-530B": (8, 35, 1, 280, 3),
    "GPT-1T": (8, 64, 1, 512, 1),
}


def usable_rows(raw: list[Mapping[str, str]]) -> list[dict[str, str]]:
    """The pretraining rows on data-center GPUs of which shape and tokens/s are known."""
    rows = [_usable(row) for row in raw if row["gpu"] in GPUS]
    return [row for row in rows if row is not None]


def _usable(raw: Mapping[str, str]) -> dict[str, str] | None:
    if not raw["task"].startswith(("pretrain", "pre-train")):
        return None
    precision = _precision(raw["precision"])
    shape = _shape(raw)
    if precision is None or shape is None:
        return None
    row = dict.fromkeys(COLUMNS, "")
    row |= shape | _layout(raw)
    row |= {
        "row_id": raw["row_id"],
        "source": raw["source_family"],
        "page": raw["source"].split(" via ")[0].split(",")[0],
        "model": raw["model"],
        "gpu": GPUS[raw["gpu"]],
        "gpus": raw["n_gpus"],
        "precision": precision,
        "attention": _attention(raw["source_family"]),
        "stack": STACKS[raw["source_family"]],
        "inter_node_gb_s": str(NETWORKS.get(raw["source_family"], "")),
    }
    rate, origin = _rate(raw, row)
    if rate is None or not row["gpus"] or not row["seq_len"]:
        return None
    return row | {"tokens_per_s_per_gpu": f"{rate:.6g}", "rate_from": origin}


def _attention(family: str) -> str:
    """Generation of the attention kernel, by the stack and year of the page."""
    if family in UNFUSED_FAMILIES:
        return "unfused"
    if family in CUDNN_FAMILIES:
        return "flash3"
    return "flash1" if family in FLASH1_FAMILIES else "flash2"


def _precision(text: str) -> str | None:
    text = text.lower()
    if "fp4" in text:
        return None
    if "fp8" in text:
        return "fp8"
    return "fp16" if "fp16" in text else "bf16" if "bf16" in text else None


def _shape(raw: Mapping[str, str]) -> dict[str, str] | None:
    """Layers, widths and parameters of the named model."""
    name = raw["model"].replace("_", "-") if "LLAMA3" in raw["model"] else raw["model"]
    name = name.replace("Llama-2-7B", "LLAMA2-7B").replace("LLAMA3-405B", "LLAMA3.1-405B")
    name = name.split(" (continued")[0]
    if name in MIXTURE_SHAPES:
        layers, width, heads, channels, active, stored, vocab, used, inner = MIXTURE_SHAPES[name]
        return _cells(
            layers=layers,
            width=width,
            heads=heads,
            inner_width=heads * channels,
            block_params=active,
            vocab=vocab,
            stored_params=stored,
            active_experts=used,
            expert_width=inner,
            **NODE_LIMITED.get(name, {}),
        )
    if name in DENSE_SHAPES:
        layers, width, heads, kv, ffn, matrices, vocab, tied = DENSE_SHAPES[name]
        attention = 2 * width * width * (1 + kv / heads)
        blocks = layers * (attention + matrices * width * ffn)
        every = blocks + vocab * width * (1 if tied else 2)
        return _dense_cells(layers, width, heads, blocks, vocab, every)
    family = raw["source_family"]
    if family == "llm-foundry" or family.startswith("megatron-lm-202"):
        if not raw["n_layers"] or not raw["hidden"]:
            return None
        depth, hidden = float(raw["n_layers"]), float(raw["hidden"])
        vocab = 50368 if family == "llm-foundry" else MEGATRON_VOCAB
        blocks = 12 * depth * hidden**2
        own_heads = float(raw["n_heads"] or hidden / 128)
        every = blocks + vocab * hidden
        return _dense_cells(depth, hidden, own_heads, blocks, vocab, every)
    return None


def _dense_cells(
    layers: float, width: float, heads: float, blocks: float, vocab: float, stored: float
) -> dict[str, str]:
    return _cells(
        layers=layers,
        width=width,
        heads=heads,
        inner_width=width,
        block_params=blocks,
        vocab=vocab,
        stored_params=stored,
    )


def _cells(**numbers: float) -> dict[str, str]:
    return {name: f"{number:.10g}" for name, number in numbers.items()}


def _layout(raw: Mapping[str, str]) -> dict[str, str]:
    """Sequence, batch, recomputation and parallel groups, empty where the page is silent."""
    family = raw["source_family"]
    seq = raw["seq_len"] or {"megatron-lm-2020": "1024", "maxtext": "4096"}.get(family, "")
    checkpointing = {"none": "none", "full": "full", "selective": "attention"}.get(
        raw["activation_checkpointing"], ""
    )
    if family == "megatron-lm-2020":
        checkpointing = "full"  # "hardware (assumed: with recompute)"
    if family == "simumax-b200":
        checkpointing = "none"  # the strategies of that page recompute nothing
    tp, pp = raw["tp"], raw["pp"]
    micro, batch, interleave = raw["micro_batch"], raw["global_batch_seqs"], raw["vp"]
    if family == "megatron-lm-2021":
        size = int(raw["notes"].split("(TP*PP) ")[1].split(";")[0])
        tp, pp, micro = str(min(size, 8)), str(max(size // 8, 1)), ""
    if family == "megatron-lm-2022":
        tp, pp, micro, batch, interleave = map(str, MEGATRON_2022[raw["model"]])
    if family in PLAIN_PIPELINES:
        interleave = interleave or "1"
    tokens = float(batch) * float(seq) if batch and seq else ""
    return {
        "seq_len": seq,
        "checkpointing": checkpointing,
        "micro_batch": micro,
        "global_tokens": str(tokens),
        "sharding": _sharding(raw["sharding"], float(tp or 1) * float(pp or 1)),
        "tp": tp,
        "pp": pp,
        "cp": raw["cp"],
        "ep": raw["ep"],
        "interleave": interleave,
    }


def _sharding(page: str, model_parallel: float) -> str:
    """The strategy in our words, empty where the page is silent."""
    if "dist-opt" in page or "ZeRO-1" in page:
        return "zero1"
    if "SHARD_GRAD_OP" in page:
        return "zero2"
    if "FULL_SHARD" in page or page in {"FSDP", "ZeRO-3"}:
        return "zero3"
    # model-parallel runs replicate or shard optimizer states only
    return "zero1" if model_parallel > 1 else ""


def _rate(raw: Mapping[str, str], row: Mapping[str, str]) -> tuple[float | None, str]:
    """Tokens/s/GPU, and what it was taken from."""
    if raw["tokens_per_s_per_gpu"]:
        return float(raw["tokens_per_s_per_gpu"]), "printed"
    if raw["step_time_s"] and row["global_tokens"]:
        rate = float(row["global_tokens"]) / float(raw["step_time_s"]) / float(row["gpus"])
        return rate, "step time"
    flops_per_token = _page_flops_per_token(raw["source_family"], row)
    if flops_per_token is None:
        return None, ""
    if raw["tflops_per_gpu"]:
        return float(raw["tflops_per_gpu"]) * 1e12 / flops_per_token, "printed TFLOP/s"
    if raw["mfu_pct"]:
        return float(raw["mfu_pct"]) / 100 * 312e12 / flops_per_token, "printed MFU"
    return None, ""


def _page_flops_per_token(family: str, row: Mapping[str, str]) -> float | None:
    """FLOPs per token as the page itself counts them, whole score matrix, training."""
    layers, width, vocab = float(row["layers"]), float(row["width"]), float(row["vocab"])
    seq = float(row["seq_len"] or 0)
    if family == "megatron-lm-2021":
        # 96 B s l h^2 (1 + s/6h + V/16lh), with the recomputed forward: arXiv 2104.04473
        return 96 * layers * width**2 * (1 + seq / (6 * width) + vocab / (16 * layers * width))
    if family == "megatron-lm-2022":
        # 72 B s l h^2 (1 + s/6h + V/12lh): arXiv 2205.05198
        return 72 * layers * width**2 * (1 + seq / (6 * width) + vocab / (12 * layers * width))
    if family == "maxtext":
        return 6 * float(row["stored_params"]) + 12 * layers * width * seq
    return None
