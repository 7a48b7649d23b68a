"""What tests share."""

import pytest

from distillplan import law
from distillplan.laws.provenance import PublishedLaw


@pytest.fixture(scope="session")
def busbridge() -> PublishedLaw:
    return law("busbridge2025")
