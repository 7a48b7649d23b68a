"""GPUs and open models for people."""

from collections.abc import Iterator

from distillplan.hardware.inventory import AlikeBlocks, GpuCard, GpuList, ModelCard, ModelList
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.units import format_bytes, format_count, format_flops


def gpus_view(found: GpuList) -> Iterator[Block]:
    """The blocks of a list of GPUs."""
    yield TableBlock(
        "",
        ("GPU", "dense TFLOP/s", "memory", "GB/s", "link", "W", "USD/h", "as of"),
        tuple(
            (
                card.gpu.name,
                _tera(card.dense_flops_per_s),
                format_bytes(card.gpu.memory_bytes),
                _giga(card.gpu.memory_bytes_per_s),
                _giga(card.gpu.intra_node_bytes_per_s),
                "–" if card.gpu.power_watts is None else f"{card.gpu.power_watts:.0f}",
                "–" if card.listed_price is None else f"{card.listed_price.usd_per_hour:.2f}",
                "–" if card.listed_price is None else card.listed_price.date,
            )
            for card in found.gpus
        ),
        text_columns=(0, 7),
    )
    yield Text(
        "Peaks are of 16-bit products without sparsity; links are GB/s inside a node, one "
        "direction. All of one, with its sources: distillplan gpus NAME",
        "quiet",
    )


def gpu_view(card: GpuCard) -> Iterator[Block]:
    """The blocks of one GPU."""
    gpu = card.gpu
    yield Text(f"{gpu.name}: {gpu.vendor} {gpu.arch}", "verdict")
    measured = "measured" if gpu.matmul_flops_per_s is not None else "a share of the peak, assumed"
    between = gpu.inter_node_bytes_per_s
    rows = [
        *(
            (f"dense {name} peak", f"{_tera(peak)} TFLOP/s")
            for name, peak in gpu.peak_flops_per_s.items()
        ),
        ("best 16-bit matrix product", f"{_tera(card.matmul_flops_per_s)} TFLOP/s ({measured})"),
        ("memory", format_bytes(gpu.memory_bytes)),
        ("memory bandwidth", f"{_giga(gpu.memory_bytes_per_s)} GB/s"),
        ("link inside a node", f"{_giga(gpu.intra_node_bytes_per_s)} GB/s, one direction"),
        (
            "link between nodes",
            "not known" if between is None else f"{_giga(between)} GB/s, one direction",
        ),
        ("GPUs of a node", str(gpu.gpus_per_node)),
        ("GPUs on one fast link", str(gpu.link_domain)),
        ("board power", "not known" if gpu.power_watts is None else f"{gpu.power_watts:.0f} W"),
        (
            "published training runs",
            "behind the speed model" if gpu.calibrated else "none behind the speed model",
        ),
    ]
    yield TableBlock("", ("", "value"), tuple(rows), text_columns=(0, 1))
    if gpu.prices:
        marked = next((n for n, one in enumerate(gpu.prices) if one == card.listed_price), None)
        yield TableBlock(
            "Prices in USD per GPU-hour (→ is the default)",
            ("USD", "seller", "date", "source"),
            tuple(
                (
                    f"{'→ ' if index == marked else ''}{one.usd_per_hour:.2f}",
                    *(one.seller, one.date, one.source),
                )
                for index, one in enumerate(gpu.prices)
            ),
            marked=marked,
            text_columns=(1, 2, 3),
        )
    if gpu.aliases:
        yield Text(f"Also called {', '.join(gpu.aliases)}.", "quiet")
    yield Bullets("Sources", gpu.sources, "quiet")
    if gpu.notes:
        yield Text(f"Note: {gpu.notes}.", "quiet")


def models_view(found: ModelList) -> Iterator[Block]:
    """The blocks of a list of models."""
    yield TableBlock(
        "",
        ("model", "total", "active", "trained on", "tokenizer", "license", "distilling"),
        tuple(
            (
                card.name,
                format_count(card.total_params),
                format_count(card.total_active_params),
                format_count(card.trained_tokens),
                card.tokenizer,
                card.license.key,
                card.license.distilling.value,
            )
            for card in found.models
        ),
        text_columns=(0, 4, 5, 6),
    )
    yield Text(
        "Parameters with embeddings. Distilling: may its outputs or logits train other models? One "
        "of them in full, with terms and source: distillplan models NAME",
        "quiet",
    )


def model_view(card: ModelCard) -> Iterator[Block]:
    """The blocks of one model."""
    shape = card.shape
    yield Text(f"{card.name}: {format_count(card.total_params)} parameters", "verdict")
    rows = [
        ("non-embedding parameters", f"{card.params:,.0f}"),
        ("of which one token uses", f"{card.active_params:,.0f}"),
        ("all parameters", f"{card.total_params:,.0f}"),
        (f"forward FLOPs per token at {card.context}", format_flops(card.forward_flops_per_token)),
        ("layers", str(shape.layers)),
        ("width", str(shape.width)),
        ("vocabulary", str(shape.vocab)),
        *((f"{alike.blocks} blocks", _blocks(alike)) for alike in shape.blocks),
        (f"cache and state at {card.context}", f"{shape.cached_values:,} values"),
    ]
    if shape.prediction_params:
        more = f"{shape.prediction_params:,}, counted nowhere else"
        rows.append(("heads for further tokens", more))
    trained = "not stated" if card.trained_tokens is None else format_count(card.trained_tokens)
    rows.append(("trained on tokens", trained))
    yield TableBlock("", ("", "value"), tuple(rows))
    yield Bullets(
        "",
        (
            *(() if card.hub is None else (f"hub: {card.hub}",)),
            f"tokenizer: {card.tokenizer}",
            f"distilling from it: {card.license.distilling.value}; {card.distillation_licence}",
            f"source: {card.source}",
        ),
    )


def _blocks(alike: AlikeBlocks) -> str:
    """What is in some blocks, in words."""
    parts = [" beside ".join(alike.mixers)] if alike.mixers else []
    if alike.heads is not None and alike.window is not None:
        parts = [f"{parts[0]} over {alike.window}"]
    if alike.experts:
        experts = f"{alike.active_experts} of {alike.experts} experts of {alike.expert_ffn_width}"
        parts.append(experts + (f" and {alike.ffn_width} shared" if alike.ffn_width else ""))
    elif alike.ffn_width is not None:
        parts.append(f"feed-forward {alike.ffn_width}")
    return ", ".join(parts)


def _tera(value: float) -> str:
    return f"{value / 1e12:.0f}"


def _giga(value: float) -> str:
    return f"{value / 1e9:.0f}"
