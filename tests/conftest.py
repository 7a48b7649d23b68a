"""What tests share."""

from pathlib import Path

import pytest

from distillplan import law
from distillplan.laws.provenance import PublishedLaw

SHARED = Path(__file__).parents[2] / "shared" / "data"
"""Published data sets, beside the checkout where the maintainers keep them; they do not ship."""


@pytest.fixture(scope="session")
def busbridge() -> PublishedLaw:
    return law("busbridge2025")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the published data sets are not beside this checkout")
    return SHARED
