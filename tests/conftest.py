"""What tests share."""

import pytest

from distillplan import law
from distillplan.laws.provenance import PublishedLaw


@pytest.fixture(scope="session")
def busbridge() -> PublishedLaw:
    return law("busbridge2025")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress of a slow machine stands among what a command says in this process."""
    monkeypatch.setattr("distillplan.render.progress.LINE_SECONDS", 3600.0)
