"""Sweeps in parts, by several processes and as Parquet: the same sweep each time."""

import importlib.util
import io
from collections.abc import Iterator
from random import Random

from tests.fuzz import trials
from tests.fuzz.case import Case, Result
from tests.fuzz.oracles import form_of

COMPUTE = ("1e19:1e24:5", "1e21", "1e15,1e20,1e26", "1e20:1e22:3", "64 h100-sxm for 7 days")
STUDENTS = ("1B", "300M,3B", "1B,llama-3.2-1b", "100M:10B:4", "7", "free")
TEACHERS = ("7B:2T", "7B:2T,13B:1T", "train,7B:2T", "llama-3.1-8b", "null,3B:1T")
MORE = ("students=1,8", "logits=online,cached", "inference_tokens=0,1e12", "gpu=h100-sxm,null")
MANY = ("--compute", "1e19:1e24:41", "--student", "100M:10B:17", "--teacher", "7B:2T")
"""More cells than the optimizer takes together."""


def sweep_in_parts(random: Random) -> Case:
    """A small sweep as rows, and in how many parts it is made once more."""
    words = ["--compute", random.choice(COMPUTE), "--student", random.choice(STUDENTS)]
    if random.random() < 0.7:
        words += ["--teacher", random.choice(TEACHERS)]
    if random.random() < 0.3:
        words += ["--axis", random.choice(MORE)]
    if random.random() < 0.1:
        words += ["--odds"]
    if random.random() < 0.02:
        words = list(MANY)
    form = random.choice(("csv", "jsonl", "jsonl", "parquet"))
    parts = random.choice((1, 2, 3, 5, 23))
    return Case(words=("sweep", *words, "-o", form, "--shard", f"1/{parts}"))


def try_parts(case: Case, index: int) -> trials.Trial:
    """The oracles of commands, and: its parts, and two processes, give what one gives."""
    found = trials.command(case, index)
    whole = trials.run(case._replace(words=case.words[:-2]))
    if found.code != 0:
        said = () if whole.code == found.code else (f"a part exits with {found.code}",)
        return found._replace(faults=(*found.faults, *trials.faults_of("parts", said)))
    faults = trials.faults_of("parts", _same(case, whole))
    return found._replace(faults=(*found.faults, *faults))


def _same(case: Case, whole: Result) -> Iterator[str]:
    *words, _, part = case.words
    many = int(part.partition("/")[2])
    parts = [
        trials.run(case._replace(words=(*words, "--shard", f"{one}/{many}"))).raw
        for one in range(1, many + 1)
    ]
    beside = trials.run(case._replace(words=(*words, "--jobs", "2")))
    if (beside.code, beside.raw) != (whole.code, whole.raw):
        yield "two processes give other rows"
    if form_of(case) != "parquet":
        if b"".join(parts) != whole.raw:
            yield f"{many} parts give other rows"
        return
    lines = trials.run(case._replace(words=(*words, "-o", "jsonl"))).out.splitlines()
    if whole.raw[:4] != b"PAR1" or whole.raw[-4:] != b"PAR1":
        yield f"no Parquet: {whole.raw[:9]!r}"
    elif importlib.util.find_spec("pyarrow") is not None:
        from pyarrow import parquet

        rows = parquet.read_table(io.BytesIO(whole.raw)).num_rows
        own = [parquet.read_table(io.BytesIO(one)).num_rows for one in parts]
        if not rows == len(lines) == sum(own):
            yield f"{rows} rows of Parquet, {sum(own)} in its parts, {len(lines)} lines"
