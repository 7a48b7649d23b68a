"""Kill a process that saves two texts in turn, at random moments, and look at what is left.

``python -m tests.killed_saves FOLDER FIRST SECOND MOMENTS`` in a process without threads, which can
fork: a new interpreter for each moment would take a minute.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from distillplan.files.saving import TEMPORARY, save

MILLISECONDS = 6
"""In which a process is killed; several saves."""


def _saved_for_ever(path: Path, texts: list[str], begun: int) -> None:
    try:
        os.write(begun, b".")
        while True:
            for text in texts:
                save(path, text)
    except KeyboardInterrupt:
        os._exit(130)
    finally:
        os._exit(1)


def killed(path: Path, texts: list[str], by: signal.Signals, seconds: float) -> dict[str, Any]:
    """What is left of one process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _saved_for_ever(path, texts, writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    time.sleep(seconds)
    os.kill(child, by)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    whole = path.read_text(encoding="utf-8") in texts
    left = len(list(path.parent.glob(f"{TEMPORARY}*")))
    save(path, texts[0])  # whatever is left there
    for one in path.parent.glob(f"{TEMPORARY}*"):
        one.unlink()
    return {"by": by.name, "code": code, "whole": whole, "left": left}


if __name__ == "__main__":
    folder, *files, moments = sys.argv[1:]
    contents = [Path(one).read_text(encoding="utf-8") for one in files]
    place = Path(folder, "mine.yaml")
    save(place, contents[0])
    chance = random.Random(0)  # noqa: S311 - moments, no secrets
    ways = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
    found = [
        killed(place, contents, ways[turn % 3], chance.uniform(0, MILLISECONDS / 1000))
        for turn in range(int(moments))
    ]
    sys.stdout.write(json.dumps(found))
