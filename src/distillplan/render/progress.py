"""Progress of long work, on standard error: a bar, or a line now and then off a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from distillplan.render.streams import write_error

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[int], None]
One = TypeVar("One")

LINE_SECONDS = 3.0
"""Between two lines off a terminal; work that is done sooner is silent there."""


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Advance]:
    """A bar that is told how much is done; off a terminal a line now and then, where it is news.

    Args:
        title: what is done.
        total: how much there is to do; None where nobody knows.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        with _lines(title, total) as advance:
            yield advance
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
        redirect_stdout=False,  # what is written there need not be the terminal's
        redirect_stderr=False,
    )


def watched(ones: Iterable[One], title: str, total: int) -> Iterator[One]:
    """The same things as they come, with their progress."""
    with progress(title, total) as advance:
        for done, one in enumerate(ones, 1):
            yield one
            advance(done)


@contextmanager
def _lines(title: str, total: int | None) -> Iterator[Advance]:
    """Says how much is done every few seconds, where that is more than it said last."""
    from threading import Event, Thread  # only for work that may take long

    finished, done = Event(), 0

    def advance(so_far: int) -> None:
        nonlocal done
        done = so_far

    def say() -> None:
        last = ""
        while not finished.wait(LINE_SECONDS):
            line = f"{title}: {'at work' if total is None else f'{done} of {total}'}"
            if line == last:
                continue
            last = line
            try:
                write_error(line)
            except (OSError, ValueError):  # nobody reads, or the stream is closed
                return

    thread = Thread(target=say, daemon=True)
    thread.start()
    try:
        yield advance
    finally:
        finished.set()
        thread.join()
