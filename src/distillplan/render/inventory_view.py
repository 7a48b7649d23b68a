"""GPUs and open models for people."""

from collections.abc import Iterator

from distillplan.hardware.gpu_catalog import GpuCard, GpuList
from distillplan.models.model_inventory import AlikeBlocks, ModelCard, ModelList
from distillplan.models.model_licenses import Distilling
from distillplan.render.blocks import (
    Block,
    Bullets,
    CommandLine,
    Headline,
    Section,
    Sections,
    TableBlock,
    Text,
)
from distillplan.render.notice_blocks import (
    ON_TOP,
    first_in_words,
    notice_blocks,
    under_headline,
)
from distillplan.units.quantities import format_bytes, format_count, format_flops


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
        spare=(7, 5, 4, 3),
    )
    yield Text(
        "Peaks are of 16-bit products without sparsity; links are GB/s inside a node, one "
        "direction. All of one, with its sources: distillplan gpus NAME",
        "quiet",
    )


def gpu_view(card: GpuCard, *, details: bool = False, asked: str = "") -> Iterator[Block]:
    """The blocks of one GPU.

    Args:
        card: the GPU.
        details: show every price and source as well.
        asked: the GPU as a shell takes it, for the command to go on with.
    """
    gpu = card.gpu
    yield Headline(f"{gpu.name}: {gpu.vendor} {gpu.arch}", _price(card))
    yield TableBlock("", ("", ""), tuple(_gpu_rows(card)), text_columns=(0, 1))
    if details:
        yield from _gpu_details(card)
        return
    estimate = f"distillplan estimate --model 7B --tokens 140B --gpu {asked or gpu.name}"
    yield Text("A run on it:")
    yield CommandLine(estimate)
    yield Text("More: --details (all prices, sources)  -o markdown", "quiet")


def _price(card: GpuCard) -> str:
    """The price that a bill uses."""
    price = card.listed_price
    if price is None:
        return "no price known"
    return f"${price.usd_per_hour:.2f} per GPU-hour"


def _gpu_rows(card: GpuCard) -> Iterator[tuple[str, str]]:
    """The numbers that people look up."""
    gpu, price = card.gpu, card.listed_price
    measured = "measured" if gpu.matmul_flops_per_s is not None else "a share of the peak, assumed"
    between = gpu.inter_node_bytes_per_s
    for name, peak in gpu.peak_flops_per_s.items():
        yield f"dense {name} peak", f"{_tera(peak)} TFLOP/s"
    yield "best 16-bit product", f"{_tera(card.matmul_flops_per_s)} TFLOP/s, {measured}"
    yield "memory", f"{format_bytes(gpu.memory_bytes)} at {_giga(gpu.memory_bytes_per_s)} GB/s"
    why = "sellers print GB and build GiB" if gpu.usable_bytes is None else "as drivers report it"
    yield "memory for a run", f"{format_bytes(card.usable_memory_bytes)}: {why}"
    yield (
        "link inside a node",
        f"{_giga(gpu.intra_node_bytes_per_s)} GB/s, one direction; {gpu.link_domain} GPUs on it",
    )
    known = "not known" if between is None else f"{_giga(between)} GB/s, one direction"
    yield "link between nodes", f"{known}; {gpu.gpus_per_node} GPUs a node"
    yield "board power", "not known" if gpu.power_watts is None else f"{gpu.power_watts:.0f} W"
    if price is not None:
        yield "price from", f"{price.seller}, {price.date if price.day else 'no date stated'}"
    if len(gpu.prices) > 1:
        low, high = (pick(one.usd_per_hour for one in gpu.prices) for pick in (min, max))
        yield "all prices listed", f"${low:.2f} to ${high:.2f}"
    yield "published runs", "behind the speed model" if gpu.calibrated else "none on it"


def _gpu_details(card: GpuCard) -> Iterator[Block]:
    """Every price, the other names, the sources."""
    gpu = card.gpu
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
        tight=True,
        spare=(2, 3, 4, 5),
    )
    yield Text(
        "Parameters with embeddings. Distilling: may its outputs or logits train other models? One "
        "of them in full, with terms and source: distillplan models NAME",
        "quiet",
    )


def model_view(card: ModelCard, *, details: bool = False) -> Iterator[Block]:
    """The blocks of one model.

    Args:
        card: the model.
        details: show exact counts, every kind of block and the source as well.
    """
    yield Headline(f"{card.name}: {format_count(card.total_params)} parameters")
    yield from under_headline(first_in_words(card.warnings))
    if details:
        yield TableBlock("", ("", ""), tuple(_exact_rows(card)))
    else:
        yield TableBlock("", ("", ""), tuple(_model_rows(card)), text_columns=(0, 1))
    terms = f"{card.license.distilling.value}; {card.distillation_licence}"
    yield Sections(
        (
            Section("Distilling", (terms,)),
            Section("Tokenizer", (card.tokenizer,)),
            Section("Hub", () if card.hub is None else (card.hub,)),
            Section("Source", (card.source,) if details else ()),
        )
    )
    if card.hub is not None and card.license.distilling is not Distilling.FORBIDDEN:
        told, loss = "", ""
        if card.trained_tokens is None:
            told, loss = ", with its loss on your text", " --teacher-loss LOSS"
        yield Text(f"With it as the teacher{told}:")
        yield CommandLine(f"distillplan budget 1e21 --student 1B --teacher {card.name}{loss}")
    yield from notice_blocks(one for one in card.warnings if details or one.code not in ON_TOP)
    if not details:
        yield Text("More: --details (exact counts, blocks, source)  -o markdown", "quiet")


def _model_rows(card: ModelCard) -> Iterator[tuple[str, str]]:
    """The numbers that people look up."""
    shape = card.shape
    used = ""
    if card.active_params != card.params:
        used = f", {format_count(card.active_params)} of them used by one token"
    yield "non-embedding", f"{format_count(card.params)}{used}"
    flops = format_flops(card.forward_flops_per_token)
    yield "forward pass", f"{flops} FLOPs per token at a context of {card.context}"
    yield "shape", f"{shape.layers} layers of width {shape.width}"
    yield "vocabulary", f"{shape.vocab}{', tied' if shape.tied else ''}"
    yield "cache and state", f"{format_count(shape.cached_values)} values at {card.context}"
    yield "trained on", _trained(card)


def _exact_rows(card: ModelCard) -> Iterator[tuple[str, str]]:
    """Every number."""
    shape = card.shape
    yield "non-embedding parameters", f"{card.params:,.0f}"
    yield "of which one token uses", f"{card.active_params:,.0f}"
    yield "all parameters", f"{card.total_params:,.0f}"
    yield (
        f"forward FLOPs per token at {card.context}",
        format_flops(card.forward_flops_per_token),
    )
    yield "layers", str(shape.layers)
    yield "width", str(shape.width)
    yield "vocabulary", str(shape.vocab)
    for alike in shape.blocks:
        yield f"{alike.blocks} blocks", _blocks(alike)
    yield f"cache and state at {card.context}", f"{shape.cached_values:,} values"
    if shape.prediction_params:
        yield "heads for further tokens", f"{shape.prediction_params:,}, counted nowhere else"
    yield "trained on", _trained(card)


def _trained(card: ModelCard) -> str:
    if card.trained_tokens is None:
        return "tokens not in the catalog"
    return f"{format_count(card.trained_tokens)} tokens"


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
