"""Families of random students: what must hold of any answer about them."""

import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tests.fuzz import trials
from tests.fuzz.case import Case
from tests.fuzz.oracles import strictly

SIZES = (
    "30M",
    "300M",
    "1B",
    "3B",
    "8B",
    "70B",
    "1T",
    "qwen3-0.6b",
    "llama-3.2-3b",
    "4x1B",
    "16x3B",
)
TEACHERS = ("train", "7B:2T", "70B:15T", "llama-3.1-8b", "100M:1B")


def family(random: Random) -> Case:
    """A family that is sound for the most part, small enough to be answered soon."""
    sizes = random.sample(SIZES, random.choice((1, 1, 2, 2, 3, 4)))
    words = ["family", "--students", ",".join(sizes), "--quick", "-o", "json"]
    if random.random() < 0.8:
        words.insert(1, f"{10 ** random.uniform(15, 28):.3g}")
        if random.random() < 0.3:
            words += ["--weights", ",".join(f"{random.uniform(0.1, 9):.3g}" for _ in sizes)]
    else:
        words += ["--loss", ",".join(f"{random.uniform(1.5, 4):.3g}" for _ in sizes)]
    if random.random() < 0.5:
        words += ["--teacher", random.choice(TEACHERS)]
    if random.random() < 0.4:
        words += ["--logits", random.choice(("online", "stored", "stored", "cached"))]
    if random.random() < 0.3:
        words += ["--cascade"]
    if random.random() < 0.2:
        words += ["--max-unique-tokens", random.choice(("10B", "1T"))]
    if random.random() < 0.15:
        words += ["--gpu", random.choice(("h100-sxm", "a100-80gb"))]
    return Case(words=tuple(words))


def try_family(case: Case, index: int) -> trials.Trial:
    """The oracles of commands, and those of families."""
    found = trials.command(case, index)
    if found.code != 0:
        return found
    document = strictly(trials.run(case).out)
    faults = trials.faults_of("family", [*_sums(document), *_agrees(document)])
    return found._replace(faults=(*found.faults, *faults))


def _sums(document: Mapping[str, Any]) -> Iterator[str]:
    """The mean is that of the members, and no more is spent than there is."""
    budget = document["scenario"]["compute"]
    for way in document["ways"]:
        name, runs = f"{way['method']} {way['accounting']}", way["members"]
        if way["loss"] is not None:
            weights = [one["students"] * one["weight"] for one in runs]
            mean = sum(w * one["loss"] for w, one in zip(weights, runs, strict=True)) / sum(weights)
            if not math.isclose(mean, way["loss"], rel_tol=1e-9):
                yield f"{name}: a mean of {mean} told as {way['loss']}"
        spent = way["total_flops"]
        if budget is not None and spent is not None and spent > budget * (1 + 1e-9):
            yield f"{name}: {spent:g} of {budget:g} FLOPs spent"


def _agrees(document: Mapping[str, Any]) -> Iterator[str]:
    """The recommended way is that of the verdict."""
    chosen = [one for one in document["ways"] if one["recommended"]]
    verdict = document["verdict"]
    if (verdict is None) != (not chosen) or len(chosen) > 1:
        yield f"the verdict {verdict} recommends {len(chosen)} ways"
    for one in chosen:
        if (one["method"] == "supervised") != (verdict != "distill"):
            yield f"the verdict {verdict} recommends {one['method']}"
