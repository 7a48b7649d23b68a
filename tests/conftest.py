"""What tests share."""

import atexit
import os
import shutil
import signal
import sys
import tempfile

import pytest
from hypothesis import settings

from distillplan import law
from distillplan.laws.provenance import PublishedLaw

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts what runs in the background like this, and every process of a test would
    # ignore the interrupt that it is sent
    signal.signal(signal.SIGINT, signal.default_int_handler)

if sys.dont_write_bytecode:
    # who wants no bytecode in the sources has it elsewhere while the tests run: the processes that
    # they start, hundreds of them, would each compile the whole package
    os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    atexit.register(shutil.rmtree, os.environ["PYTHONPYCACHEPREFIX"], ignore_errors=True)


# no test times anything: on a busy machine the first of a kind may take seconds
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def busbridge() -> PublishedLaw:
    return law("busbridge2025")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress of a slow machine stands among what a command says in this process."""
    monkeypatch.setattr("distillplan.render.progress.LINE_SECONDS", 3600.0)
