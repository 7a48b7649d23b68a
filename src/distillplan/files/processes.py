"""Work that several processes do side by side, with the results in order."""

import io
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from distillplan.errors import DistillplanError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_JOBS: Final = 256
"""Most processes of one command."""
_AHEAD: Final = 3
"""Items for each process that are made or wait before their turn: none has to wait for the reader,
and what is ready stays small."""


def in_order(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Generator[Result, None, None]:
    """The results of items in the order of the items, made by as many processes.

    The processes start at once, before the first result is asked for; a program that has threads
    should not start processes. With one process the work is done here, when it is asked for. Who
    stops before the last result closes the generator, which ends the processes.

    Args:
        work: a function that another process can import.
        items: what it is called with.
        jobs: number of processes.

    Raises:
        DistillplanError: when a process is killed. What `work` raises is raised here.
    """
    if jobs == 1 or len(items) < 2:
        return (work(one) for one in items)
    from concurrent.futures import ProcessPoolExecutor  # only where it is asked for

    pool = ProcessPoolExecutor(min(jobs, len(items)), initializer=_as_worker)
    waiting = iter(items)
    ahead = deque(pool.submit(work, one) for one in islice(waiting, _AHEAD * jobs))
    return _collected(pool, ahead, (pool.submit(work, one) for one in waiting))


def _collected(
    pool: "ProcessPoolExecutor",
    ahead: "deque[Future[Result]]",
    more: "Iterator[Future[Result]]",
) -> Generator[Result, None, None]:
    """Results in their order; one more item is handed out for each that is ready."""
    from concurrent.futures.process import BrokenProcessPool

    try:
        while ahead:
            found = ahead.popleft().result()
            ahead.extend(islice(more, 1))
            yield found
    except BrokenProcessPool:
        raise DistillplanError(
            "--jobs: a process was killed, perhaps for want of memory; use fewer"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _as_worker() -> None:
    """Leave interrupts and messages to the process that started this one, and end when it does."""
    import signal  # only in a worker, as below
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr = io.StringIO()  # that nobody takes a result is nothing to tell
    parent: Any = parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()  # or workers of a killed process would wait for ever
            os._exit(1)

    Thread(target=end, daemon=True).start()
