"""The pictures of the gallery: `python -m tests.gallery [NAME ...]` draws them anew.

A stale one fails tests/test_gallery.py, which draws it again and compares what it says: its title,
its names, its sources, all of which carry numbers.
"""

import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.shell import run

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
FOLDER = ROOT / "docs" / "pictures"
TEXT = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
LEAST_WORDS = 3
"""A text of fewer letters is the number of a tick, which matplotlib chooses."""


class Drawn(NamedTuple):
    """One picture of the gallery."""

    command: str
    """Without the file that it writes."""
    about: str
    """What to see in it."""
    first: str = ""
    """A command that writes what it needs."""


GALLERY = {
    "map": Drawn(
        "distillplan plot map 1e21 --student 1B --teacher llama-3.1-8b --logits cached",
        "Where distilling wins: the odds for students of many sizes on many budgets.",
    ),
    "losses": Drawn(
        "distillplan plot losses 1e21 --student 1B --teacher 7B:2T --logits cached",
        "Both losses over the budget, in FLOPs and in GPU-hours, with 90% bands.",
    ),
    "teacher": Drawn(
        "distillplan plot teacher --student 1B --tokens 100B",
        "A teacher can be too weak and too strong: the student's loss over its teacher's.",
    ),
    "optimum": Drawn(
        "distillplan plot optimum --student 1B",
        "The best teacher, the tokens of both, and how the budget is shared between them.",
    ),
    "compare": Drawn(
        "distillplan plot compare compare.yaml",
        "Scenarios of a file: losses, gains and odds.",
    ),
    "fit": Drawn(
        "distillplan plot fit mine.yaml",
        "A law of your own runs: fitted against measured losses, and what is left.",
        first="distillplan fit runs.csv supervised_runs.csv -o mine.yaml --resamples 20",
    ),
    "estimate": Drawn(
        "distillplan plot estimate --model llama-3.2-1b --teacher llama-3.1-8b --tokens 100B "
        "--gpu a100-80gb --gpus 16",
        "Where the time of a step, the memory and the money go.",
    ),
    "transfer": Drawn(
        "distillplan plot transfer",
        "Gains predicted and seen: every published comparison of other laboratories.",
    ),
    **{
        f"figure{number}": Drawn(f"distillplan plot paper --figure {number}", about)
        for number, about in (
            (6, "The paper's Figure 6 from the law, with the points read off it."),
            (7, "Figure 7: the best teacher of a student and its tokens."),
            (8, "Figure 8: losses by who pays for the teacher."),
            (9, "Figure 9: the best sizes where the teacher is trained too."),
        )
    },
    "kernel": Drawn(
        "distillplan demo kernel", "A teacher too large for its student, in closed form."
    ),
    "mapping": Drawn(
        "distillplan demo mapping",
        "Small networks learn most from a teacher in between.",
    ),
    "calibration": Drawn(
        "distillplan demo calibration", "Targets that are cut off make a student overconfident."
    ),
}
"""By the name of the file, in the order of the page."""


def drawn(name: str) -> str:
    """A picture drawn now, as SVG."""
    one = GALLERY[name]
    with tempfile.TemporaryDirectory() as folder:
        for file in EXAMPLES.glob("*.*"):
            Path(folder, file.name).write_bytes(file.read_bytes())
        for command in filter(None, (one.first, f"{one.command} -o {name}.svg")):
            done = run(*shlex.split(command)[1:], folder=folder)
            assert done.returncode == 0, done.stderr
        return Path(folder, f"{name}.svg").read_text(encoding="utf-8")


def says(svg: str) -> list[str]:
    """The texts of a picture, but for the numbers of its axes."""
    texts = (" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in TEXT.findall(svg))
    return [one for one in texts if sum(map(str.isalpha, one)) >= LEAST_WORDS]


def page() -> str:
    """The pictures with their commands, for the page of the gallery."""
    lines = []
    for name, one in GALLERY.items():
        lines += [f"![{one.about}](pictures/{name}.svg)", "", one.about, "", "```sh"]
        lines += [*filter(None, (one.first,)), f"{one.command} -o {name}.svg", "```", ""]
    return "\n".join(lines).rstrip()


if __name__ == "__main__":
    for which in sys.argv[1:] or GALLERY:
        (FOLDER / f"{which}.svg").write_text(drawn(which), encoding="utf-8")
        sys.stdout.write(f"docs/pictures/{which}.svg\n")
