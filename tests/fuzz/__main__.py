"""`python -m tests.fuzz`: try many inputs, or one again."""

import argparse
import math
import sys
import time
from collections.abc import Iterable, Mapping

from tests.fuzz.campaign import Tally, run, try_one
from tests.fuzz.case import Case, case_of
from tests.fuzz.running import prepared
from tests.fuzz.running import run as run_case
from tests.fuzz.targets import TARGETS

SHOWN = 2_000
"""Characters of a file that are shown."""
EVERY = 60.0
"""Seconds between two lines of how far it is."""


def main() -> int:
    """Run the command line; the exit code is 1 where something was found."""
    asked = _parser().parse_args()
    if asked.only is not None:
        return _again(asked.only, asked.seed, asked.index)
    names = asked.targets.split(",") if asked.targets else list(TARGETS)
    found = {name: Tally() for name in names}
    start = said = time.monotonic()
    for name, one in run(
        asked.inputs, seed=asked.seed, jobs=asked.jobs, names=names, seconds=60 * asked.minutes
    ):
        for key, finding in one.findings.items():
            if key not in found[name].findings:
                _say(
                    f"found: {name} {finding.index}: {key[0]}: {finding.fault.text[:300]}",
                    sys.stderr,
                )
        found[name].join(one)
        if time.monotonic() - said > EVERY:
            said = time.monotonic()
            done = sum(one.inputs for one in found.values())
            _say(f"{done:,} inputs in {(said - start) / 60:.1f} min", sys.stderr)
    _say(table(found, time.monotonic() - start))
    for line in lines_of_findings(found, asked.seed):
        _say(line)
    return int(any(one.findings for one in found.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no more after them")
    parser.add_argument("--targets", help=f"some of: {','.join(TARGETS)}")
    parser.add_argument("--only", metavar="TARGET", help="try one input and show it")
    parser.add_argument("--index", type=int, default=0)
    return parser


def table(found: Mapping[str, Tally], seconds: float) -> str:
    """Inputs, answers, refusals and findings by target."""
    lines = [
        f"{'target':14}{'inputs':>9}{'answered':>10}{'1':>8}{'2':>8}{'3':>7}{'findings':>10}{'ms':>8}"
    ]
    rows = {**found, "all": _sum(found.values())}
    for name, one in rows.items():
        codes = (one.codes[code] for code in (0, 1, 2, 3))
        answered, none, unusable, failed = codes
        cost = 1e3 * one.seconds / max(one.inputs, 1)
        lines.append(
            f"{name:14}{one.inputs:9,}{answered:10,}{none:8,}{unusable:8,}{failed:7,}"
            f"{len(one.findings):10,}{cost:8.2f}"
        )
    rate = rows["all"].inputs / seconds
    return "\n".join([*lines, f"{seconds:.0f} s, {rate:.0f} inputs a second"])


def _sum(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for one in tallies:
        whole.join(one)
    return whole


def lines_of_findings(found: Mapping[str, Tally], seed: int) -> list[str]:
    """A line for each finding: what it is, and how to see it again."""
    return [
        f"{finding.fault.kind}: {finding.fault.text}\n"
        f"    python -m tests.fuzz --seed {seed} --only {name!r} --index {finding.index}"
        for name, one in found.items()
        for finding in one.findings.values()
    ]


def _again(name: str, seed: int, index: int) -> int:
    """Try one input, and show it with all that came of it."""
    with prepared():
        case = case_of(name, TARGETS[name], seed, index)
        _say(as_text(case))
        result = run_case(case)
        _say(f"exit code {result.code}\n{result.out[:SHOWN]}{result.err[:SHOWN]}")
        found = try_one(name, seed, index)
    for fault in found.faults:
        _say(f"{fault.kind} at {fault.place}: {fault.text}")
    if result.error is not None:
        import traceback

        _say("".join(traceback.format_exception(result.error)))
    return int(bool(found.faults))


def as_text(case: Case) -> str:
    """A case for a shell, and its files."""
    words = " ".join(
        repr(word) if not word.replace("-", "").isalnum() else word for word in case.words
    )
    files = (
        f"--- {name}\n{content[:SHOWN].decode('utf-8', 'backslashreplace')}"
        for name, content in case.files.items()
    )
    return "\n".join([f"distillplan {words}", *files])


def _say(text: str, stream: object = None) -> None:
    target = sys.stderr if stream is sys.stderr else sys.stdout
    target.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
    target.flush()


if __name__ == "__main__":
    sys.exit(main())
