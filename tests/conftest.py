"""What tests share."""

import atexit
import gc
import os
import shutil
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from distillplan import law
from distillplan.cli.main import SELDOM
from distillplan.laws.provenance import PublishedLaw

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts what runs in the background like this, and every process of a test would
    # ignore the interrupt that it is sent
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of each worker: they are as many as cores

ROOT = Path(__file__).parents[1]


def remove_bytecode() -> None:
    for folder in ("src", "tests", "coefficients"):
        for bytecode in (ROOT / folder).rglob("__pycache__"):
            shutil.rmtree(bytecode, ignore_errors=True)


if sys.dont_write_bytecode:
    # who wants no bytecode in the sources has none there after the tests: without it each of the
    # hundreds of processes that they start would compile the whole package
    atexit.register(remove_bytecode)
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection(session: pytest.Session) -> None:
    """Load every test module, last to first, in every second worker.

    All workers load all modules. If all began at the same end, each would compile every module just
    before the others write down that they have.
    """
    if int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2:
        folders = (Path(one) for one in session.config.args if Path(one).is_dir())
        modules = (path for folder in folders for path in folder.rglob("test_*.py"))
        for path in sorted(modules, reverse=True):
            with suppress(Exception, pytest.skip.Exception):  # which collecting it will say
                import_module(".".join(path.resolve().relative_to(ROOT).with_suffix("").parts))


gc.disable()  # modules and tests that are collected make no garbage, and looking takes seconds


def pytest_collection_finish() -> None:
    """Look for garbage from here on, seldom and not among what stays, as a command does."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(SELDOM)


# No test times anything: on a busy machine the first of a kind may take seconds. The examples are
# the same in each run, so that only a change can make one fail; `nox -s explore` draws others.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("others", deadline=None, database=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def busbridge() -> PublishedLaw:
    return law("busbridge2025")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress of a slow machine stands among what a command says in this process."""
    monkeypatch.setattr("distillplan.render.progress.LINE_SECONDS", 3600.0)
