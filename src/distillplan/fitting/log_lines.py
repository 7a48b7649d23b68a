"""Logs of training as trainers print them -> rows: "iteration 100/ 5000 | lm loss: 2.9"."""

import re
from collections.abc import Iterator
from typing import Final

from distillplan.files.csv_reader import FileRow

_LONGEST: Final = 2000
"""Characters of a line that is read."""
_COLORS: Final = re.compile(r"\x1b\[[\d;]*m")
_STEP: Final = re.compile(r"(?<![\w.])(?:iteration|iter|step)s?[ \t]*[:=]?[ \t]*\d", re.IGNORECASE)
_PAIR: Final = re.compile(
    r"([A-Za-z][A-Za-z_/ ]{0,40}?)[ \t]*[:=]?[ \t]*"
    r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|nan|inf)(?![\w.])"
)


def log_rows(text: str) -> list[FileRow]:
    r"""The lines of a log that tell a loss at a step; its numbers by the words before them.

    Megatron-LM, nanoGPT, torchtitan and others print such lines. Losses of a line on validation
    are named so.

    >>> log_rows(" iteration  100/ 5000 | lm loss: 2.9E+00 | loss scale: 1.0 |\n")[0].values
    {'loss scale': '1.0', 'lm loss': '2.9E+00', 'step': '100'}
    """
    rows = (
        FileRow(line=number, values=dict(reversed(list(_numbers(line)))))
        for number, line in enumerate(_COLORS.sub("", text).splitlines(), 1)
        if len(line) < _LONGEST and _STEP.search(line)
    )
    return [row for row in rows if any("loss" in name for name in row.values)]


def _numbers(line: str) -> Iterator[tuple[str, str]]:
    checked = "validation" in line.lower()
    for found in _PAIR.finditer(line):
        name = found[1].strip().lower()
        if name.split()[-1] in ("iteration", "iter", "step"):
            name = "step"
        elif checked and "loss" in name and not name.startswith("val"):
            name = f"validation {name}"
        yield name, found[2]
