"""Progress of long work, on standard error: a bar, or a line now and then off a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[int], None]

LINE_SECONDS = 5.0
"""Between two lines off a terminal; work that is done sooner is silent there."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar that is told how much is done; off a terminal a line every few seconds."""
    if not sys.stderr.isatty():
        yield _lines(title, total)
        return
    with bar_on_terminal() as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def bar_on_terminal() -> "Progress":
    """A bar on standard error; the cursor stays, as Ctrl-C leaves nobody to bring it back."""
    from rich.console import Console  # rich takes 30 ms to import
    from rich.progress import Progress

    class WithCursor(Console):
        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - rich's
            return False

    return Progress(
        console=WithCursor(stderr=True),
        transient=True,
        redirect_stdout=False,  # rows may be on their way to it
        redirect_stderr=False,
    )


def _lines(title: str, total: int) -> Advance:
    """Says how much is done whenever it has been silent for long."""
    last = time.monotonic()

    def advance(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_SECONDS:
            last = now
            print(f"{title}: {done} of {total}", file=sys.stderr, flush=True)  # noqa: T201 - stderr

    return advance
