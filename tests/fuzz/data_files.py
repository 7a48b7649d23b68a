"""Files of data that people bring: laws, draws, GPUs, prices, models, runs, losses, plans."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from distillplan.files.entries import coefficients_dir
from distillplan.files.yaml_reader import parse_yaml
from distillplan.fitting.pruned_file import pruned_text
from distillplan.fitting.pruned_fit import fit_pruned
from distillplan.fitting.pruned_runs import read_pruned_runs
from distillplan.laws.draws import DISTILLATION_COLUMNS, SUPERVISED_COLUMNS
from distillplan.laws.formulas import DISTILLATION_LETTERS, SUPERVISED_LETTERS
from distillplan.laws.provenance import ParameterCount
from distillplan.models.model_config import builders
from tests.fuzz.mutations import as_bytes, as_flow, as_json, changed_text, changed_tree
from tests.fuzz.scenario_texts import EXAMPLES
from tests.fuzz.written import NUMBERS, odd, usual

DRAWS = "law.draws.csv"
PRICES = (
    "gpu,usd_per_hour,seller,date,source\n"
    "h100-sxm,2.10,a cloud,2026-02-28,its page\nmy-gpu,1.5,another,2026-01,\na100-80gb,1.2,,,\n"
)
CLOUD_PRICES = (
    (
        "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n"
        "h100-sxm-8,us,24.0,208,1800,8,H100,80.0,False\ncpu,us,0.1,2,8,0,,,False\n"
    ),
    (
        "InstanceType,AcceleratorName,AcceleratorCount,Price,Region,GpuInfo,SpotPrice\n"
        "8x_h100_sxm5,H100,8.0,32.0,us,{'SizeInMiB': 81920},\n1x,h100-sxm,1.0,3.0,us,,1.5\n"
    ),
)
CONFIG = {
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
}
MORE_OF_CONFIGS: Mapping[str, Any] = {
    "attention_bias": False,
    "mlp_bias": True,
    "sliding_window": 4096,
    "sliding_window_pattern": 6,
    "layer_types": ["sliding_attention", "full_attention"],
    "num_local_experts": 8,
    "num_experts": 64,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 1408,
    "first_k_dense_replace": 1,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "topk_method": "noaux_tc",
    "mlp_only_layers": [],
    "decoder_sparse_step": 1,
    "n_embd": 768,
    "n_layer": 12,
    "n_inner": None,
    "n_head": 12,
    "n_positions": 1024,
    "text_config": {},
    "quantization_config": {},
    "architectures": ["LlamaForCausalLM"],
    "torch_dtype": "bfloat16",
}
"""Keys that some architectures read."""
GPU = {
    "vendor": "ours",
    "arch": "Hopper",
    "dense_bf16_tflops": 900,
    "dense_fp8_tflops": 1800,
    "memory_gb": 80,
    "memory_bw_gb_s": 3350,
    "intra_node_gb_s": 450,
    "inter_node_gb_s": 50,
    "gpus_per_node": 8,
    "tdp_w": 700,
    "link_domain_gpus": 72,
    "prices": [{"usd_per_hour": 2.5, "seller": "us", "date": "2026-01-31", "source": "a page"}],
    "sources": ["a datasheet"],
    "notes": "none",
}
GPU_KEYS = (
    "aliases",
    "calibrated",
    "measured_matmul_tflops",
    "dense_fp16_tflops",
    "dense_fp4_tflops",
)


@cache
def _shipped_laws() -> tuple[Any, ...]:
    """The laws that ship as trees, without their checks and long texts."""
    found = []
    for path in sorted((coefficients_dir() / "laws").glob("*.yaml")):
        tree = parse_yaml(path.read_text(encoding="utf-8"), path.name)
        short = {
            key: value for key, value in tree.items() if key not in ("checks", "errata", "notes")
        }
        found.append(json.loads(json.dumps(short, default=str)))
    return tuple(found)


def _distilling() -> list[Any]:
    return [law for law in _shipped_laws() if law.get("form") == "distillation"]


LAW_KEYS = (
    *(
        "status",
        "draws",
        "runs",
        "noise",
        "table",
        "warnings",
        "accuracy",
        "errata",
        "notes",
        "checks",
        "measured_in",
    ),
    *(
        "bytes_per_token",
        "supervised_from",
        "distillation_from",
        "form",
        "name",
        *SUPERVISED_LETTERS,
    ),
    *(*DISTILLATION_LETTERS, "ci90", "ci95", "no_interval", "value", "params", "tokens"),
)


def _sound_law(random: Random) -> dict[str, Any]:
    """A law that ships, under no name of its own and without draws."""
    law = random.choice([*_shipped_laws(), *4 * _distilling()])
    return {key: value for key, value in law.items() if key not in ("name", "draws")}


def law_files(random: Random, name: str = "law.yaml") -> dict[str, bytes]:
    """The file of a law; its draws, where it has some, are in it or beside it."""
    law: Any = _sound_law(random)
    draws = ""
    if random.random() < 0.4:
        draws = draws_text(random, distills=law.get("form") == "distillation")
        inside = random.random() < 0.5
        where = {"table": draws.splitlines()} if inside else {"file": DRAWS}
        law["draws"] = {**where, "sigma_run": random.choice((0.003, 0.003, 0.003, 0, -0.1, 1e300))}
        draws = "" if inside else draws
    if random.random() < 0.2:
        law["runs"] = {"noise": random.choice((0.003, 0, -0.1)), "table": _law_runs(random)}
    if random.random() < 0.75:
        law = changed_tree(random, law, 2, also=LAW_KEYS)
    text = as_flow(law) if random.random() < 0.7 or not isinstance(law, dict) else _block(law)
    if random.random() < 0.15:
        text = changed_text(random, text)
    found = {name: as_bytes(text)}
    if draws and random.random() < 0.95:
        found[DRAWS] = as_bytes(draws)
    return found


def _law_runs(random: Random) -> list[str]:
    """The runs behind a law."""
    rows = [["1e8", f"{random.choice((2e9, 2e11))!r}", "2.5", random.choice(("", "2.1"))]] * 3
    rows = [["params", "tokens", "loss", "teacher_loss"], *map(list, rows)]
    if random.random() < 0.5:
        random.choice(rows)[random.randrange(4)] = random.choice((*NUMBERS, odd(random)))
    return [",".join(row) for row in rows]


def _block(law: Any) -> str:
    return "\n".join(f"{key}: {as_flow(value)}" for key, value in law.items()) + "\n"


def draws_text(random: Random, *, distills: bool) -> str:
    """Joint draws of a law."""
    columns = list(DISTILLATION_COLUMNS if distills else SUPERVISED_COLUMNS)
    usual_values = {
        "E": 1.22,
        "A": 3354.0,
        "B": 18185.0,
        "alpha": 0.41,
        "beta": 0.43,
        "gamma": 0.45,
    }
    middle = {
        **{f"supervised.{letter}": value for letter, value in usual_values.items()},
        "c0": 2.55,
        "c1": 522.6,
        "f1": 0.09,
        "d1": 1.32,
        "A": 2242.0,
        "B": 2.28e6,
        "alpha": 0.32,
        "beta": 0.64,
        "gamma": 0.76,
    }
    rows = [columns] + [
        [f"{middle.get(one, 1.0) * random.gauss(1, 0.01):.7g}" for one in columns]
        for _ in range(random.choice((1, 2, 8, 30)))
    ]
    if random.random() < 0.5:
        line = random.randrange(len(rows))
        rows[line][random.randrange(len(columns))] = random.choice((*NUMBERS, odd(random)))
    text = "\n".join(map(",".join, rows)) + "\n"
    return changed_text(random, text, 2) if random.random() < 0.2 else text


def gpu_text(random: Random) -> str:
    """The file of a GPU."""
    tree: Any = {"gpus": {random.choice(("my-gpu", "h100-sxm", "é", "a b")): GPU}}
    if random.random() < 0.9:
        tree = changed_tree(random, tree, 2, also=(*GPU, *GPU_KEYS))
    text = as_flow(tree)
    return changed_text(random, text) if random.random() < 0.25 else text


def prices_text(random: Random) -> str:
    """A price list."""
    written = random.choice((PRICES, PRICES, *CLOUD_PRICES))
    rows = [line.split(",") for line in written.splitlines()]
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        row = random.choice(rows)
        row[random.randrange(len(row))] = random.choice(
            (usual("usd", random), odd(random), "h100-sxm", "2026-13-45", "0.5", "1e-9", "1,5")
        )
    text = _csv(rows, random)
    return changed_text(random, text) if random.random() < 0.4 else text


def config_text(random: Random) -> str:
    """A model's config.json."""
    tree: Any = {**CONFIG, "model_type": random.choice((*builders(), *builders(), odd(random)))}
    if random.random() < 0.5:
        tree |= {key: value for key, value in MORE_OF_CONFIGS.items() if key != "text_config"}
    if random.random() < 0.1:
        tree = {"model_type": "mllama", "text_config": tree}
    if random.random() < 0.9:
        tree = changed_tree(random, tree, 2, also=tuple(MORE_OF_CONFIGS))
    text = as_json(tree)
    return changed_text(random, text) if random.random() < 0.2 else text


def _csv(rows: Iterable[list[str]], random: Random) -> str:
    separator = random.choice((",", ",", ",", ";", "\t"))
    if random.random() < 0.5:
        return "\n".join(map(separator.join, rows)) + "\n"
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue()


def runs_text(random: Random) -> str:
    """A table of runs: CSV or JSON Lines."""
    taught = random.random() < 0.4
    header = ["params", "tokens", *(["teacher_loss"] if taught else []), "loss"]
    header += random.choice(([], [], ["State"], ["run", "step"], [odd(random)]))
    rows = []
    for _ in range(random.choice((0, 1, 2, 3, 5, 8, 12))):
        params, tokens = 10 ** random.uniform(8, 10), 10 ** random.uniform(9, 11.5)
        loss = 1.2 + (3354 / params**0.408 + 18185 / tokens**0.431) ** 0.45
        row = [random.choice((f"{params:.4g}", f"{params / 1e9:.3g}B", f"{params / 1e6:.0f}M"))]
        row += [random.choice((f"{tokens:.4g}", f"{tokens / 1e9:.3g}B"))]
        row += (
            [f"{random.uniform(1.9, 2.7):.3f}" if random.random() < 0.5 else ""] if taught else []
        )
        row += [f"{loss * random.gauss(1, 0.003):.4f}"]
        rows.append([*row, *(random.choice(("finished", "1", "a")) for _ in header[len(row) :])])
    table = [header, *rows]
    for _ in range(random.choice((0, 0, 0, 1, 1, 3))):
        row = random.choice(table)
        row[random.randrange(len(row))] = random.choice(
            (odd(random), usual("params", random), "nan")
        )
    if random.random() < 0.15:
        names, *cells = table
        text = "".join(
            as_json({name: _typed(cell, random) for name, cell in zip(names, row, strict=False)})
            + "\n"
            for row in cells
        )
    else:
        text = _csv(table, random)
    return changed_text(random, text) if random.random() < 0.2 else text


def cut_runs_text(random: Random) -> str:
    """A table of cut models that were trained on."""
    header = ["parent_params", "kept", "tokens", "parent_loss", "loss"]
    header += random.choice(([], ["taught"], ["taught"], [odd(random)]))
    table = [header]
    said = random.choice(("yes", "no", "1"))
    for _ in range(random.choice((0, 3, 8, 12, 20, 30))):
        parent, kept = random.choice((1e9, 3e9, 8e9)), random.choice((0.4, 0.6, 0.8))
        tokens, own = random.choice((1e9, 4e9, 2e10)), 4 - 0.09 * math.log(parent)
        loss = own + kept**-1.2 * (0.1 + 2e4 * tokens**-0.45) * random.gauss(1, 0.02)
        row = [f"{parent:.4g}", random.choice((f"{kept}", f"{kept:.0%}")), f"{tokens:.4g}"]
        row += [f"{own:.4f}", f"{loss:.4f}", said]
        table.append(row[: len(header)])
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        row = random.choice(table)
        row[random.randrange(len(row))] = random.choice((odd(random), "nan", "1.5", "0"))
    text = _csv(table, random)
    return changed_text(random, text) if random.random() < 0.2 else text


def cut_law_text(random: Random) -> str:
    """The file of a law of cut models, with changes."""
    text = sound_files()["p2.yaml"].decode()
    return changed_text(random, text) if random.random() < 0.8 else text


def _typed(cell: str, random: Random) -> Any:
    try:
        return float(cell) if random.random() < 0.8 else cell
    except ValueError:
        return cell


def history_text(random: Random) -> str:
    """The losses of a run under way."""
    rows = [
        [
            random.choice(("step", "tokens", "_step")),
            random.choice(("val_loss", "loss", "eval/loss")),
        ]
    ]
    scale = 1 if "step" in rows[0][0] else 524_288
    rows += [
        [str(250 * k * scale), f"{2.2 + 3 / k**0.5 + random.gauss(0, 0.01):.4f}"]
        for k in range(1, random.choice((1, 2, 5, 20, 60)))
    ]
    for _ in range(random.choice((0, 0, 1, 2))):
        row = random.choice(rows)
        row[random.randrange(len(row))] = odd(random)
    text = _csv(rows, random) if random.random() < 0.8 else _trainer_state(rows)
    return changed_text(random, text) if random.random() < 0.3 else text


def _trainer_state(rows: list[list[str]]) -> str:
    """The same as Hugging Face's Trainer writes it, with a row of the training loss between."""
    header, *values = rows
    log = [{"step": number, "loss": 3.0} for number in range(len(values))]
    log[1::2] = [dict(zip(header, row, strict=True)) for row in values[1::2]]  # type: ignore[arg-type]  # texts
    return json.dumps({"global_step": len(values), "log_history": log}, indent=2)


@cache
def _plan() -> Any:
    return json.loads((EXAMPLES / "plan.json").read_text(encoding="utf-8"))


def plan_text(random: Random) -> str:
    """The document of a plan."""
    plan = _plan()
    text = as_json(
        changed_tree(random, plan, 2, also=tuple(plan)) if random.random() < 0.9 else plan
    )
    return changed_text(random, text, 2) if random.random() < 0.2 else text


def changed_state(random: Random, sound: bytes) -> bytes:
    """What an interrupted fit left, with changes."""
    text = sound.decode("utf-8")
    try:
        text = as_json(changed_tree(random, json.loads(text)))
    except ValueError:  # not JSON, then
        text = changed_text(random, text)
    return as_bytes(changed_text(random, text) if random.random() < 0.3 else text)


def _as_file(text: Callable[[Random], str]) -> Callable[[Random], bytes]:
    return lambda random: as_bytes(text(random))


def measured_text(random: Random) -> str:
    """Losses of open models as somebody measured them."""
    unit = random.choice(("loss", "bpb", "loss", "ppl", "x"))
    lines = [f"model,{unit}"]
    for _ in range(random.choice((0, 1, 2, 4))):
        name = random.choice(("llama-3.2-3b", "meta-llama/Llama-3.1-8B", "qwen3-8b", odd(random)))
        value = random.choice(("2.0", "1.95", "0.7", "2,1", "", *NUMBERS[:20]))
        lines.append(f"{name},{value}")
    text = "\n".join(lines) + "\n"
    return changed_text(random, text, 2) if random.random() < 0.2 else text


MADE: Mapping[str, Callable[[Random], bytes]] = {
    "prices.csv": _as_file(prices_text),
    "config.json": _as_file(config_text),
    "gpu.yaml": _as_file(gpu_text),
    "runs.csv": _as_file(runs_text),
    "more.csv": _as_file(runs_text),
    "supervised.csv": _as_file(runs_text),
    "few_runs.csv": _as_file(runs_text),
    "cut_runs.csv": _as_file(cut_runs_text),
    "p2.yaml": _as_file(cut_law_text),
    "plan.json": _as_file(plan_text),
    "losses.csv": _as_file(history_text),
    "measured.csv": _as_file(measured_text),
    "wandb.csv": _as_file(history_text),
}
"""Files that a command line may name."""


def _alone(line: bytes) -> bytes:
    """A row of supervised runs in a table of both kinds."""
    params, tokens, loss = line.split(b",")
    return b",".join((params, tokens, b"", loss)) + b"\n"


def _cut_law() -> str:
    """The file that a fit of cut models leaves."""
    runs = read_pruned_runs([str(EXAMPLES / "cut_runs.csv")])
    return pruned_text(fit_pruned(runs, counts=ParameterCount.TOTAL, resamples=8))


@cache
def sound_files() -> Mapping[str, bytes]:
    """The same and more as they should be."""
    found = {path.name: path.read_bytes() for path in EXAMPLES.iterdir() if path.suffix != ".md"}
    table = (EXAMPLES / "few_runs.csv").read_bytes()
    alone = next(law for law in _shipped_laws() if law.get("form") != "distillation")
    laws = [
        {key: value for key, value in law.items() if key not in ("name", "draws")}
        for law in (_distilling()[0], alone)
    ]
    return {
        **found,
        "runs.csv": found["runs.csv"] + b"".join(_alone(line) for line in table.splitlines()[3:]),
        "supervised.csv": table,
        "more.csv": table.replace(b"150M", b"160M"),
        "wandb.csv": found["losses.csv"].replace(b"step,val_loss", b"_step,eval/loss"),
        "mine.yaml": (Path(__file__).parents[1] / "data" / "own_law.yaml").read_bytes(),
        "prices.csv": PRICES.encode(),
        "measured.csv": b"model,loss\nllama-3.2-3b,2.0\nmeta-llama/Llama-3.1-8B,1.95\n",
        "config.json": as_json(CONFIG).encode(),
        "gpu.yaml": as_flow({"gpus": {"my-gpu": GPU}}).encode(),
        "law.yaml": as_flow(laws[0]).encode(),
        "alone.yaml": as_flow(laws[1]).encode(),
        "p2.yaml": _cut_law().encode(),
        "base.yaml": b"base: {compute: 1e21, student: 1B, teacher: 7B:2T}\n",
    }


def fixtures_named(words: Iterable[str], random: Random) -> dict[str, bytes]:
    """The files that some words name; some of them are not as they should be."""
    text = " ".join(words)
    found = {}
    for name, content in sound_files().items():
        if name in text:
            wrong = random.random() < 0.15
            if name == "law.yaml" and wrong:
                found |= law_files(random)
            else:
                found[name] = MADE[name](random) if wrong and name in MADE else content
    return found
