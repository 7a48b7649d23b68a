"""A published distillation side lent to one's own supervised runs."""

import numpy as np
import pytest

from distillplan.fitting.fitter import moved
from distillplan.fitting.lent import lent_side
from distillplan.laws import law_catalog
from distillplan.laws.formulas import DistillationLaw, SupervisedLaw

LIKE = law_catalog.law()
PLACES = ((1e9, 2e10, 2.2), (3e8, 2e10, 2.4), (3e9, 1e11, 2.0), (1e9, 1e11, 2.1))


def gains(law: DistillationLaw, level: float) -> list[float]:
    return [
        float(law.supervised.loss(n, d) - law.loss(n, d, x * level)) / level for n, d, x in PLACES
    ]


@pytest.mark.parametrize("level", [0.9, 1.0, 1.3])
def test_the_published_law_in_other_units_lends_its_own_side(level: float) -> None:
    """By construction the lent side is the published one in those units."""
    published = LIKE.distillation
    assert published is not None
    alone = moved(LIKE.supervised, np.log(level))
    there = lent_side(alone, LIKE, level)
    assert there.supervised == pytest.approx(alone, rel=1e-6)
    assert gains(there, level) == pytest.approx(gains(published, 1.0), abs=0.002)


@pytest.mark.parametrize("name", ["besiroglu2024", "gadre2024_c4", "muennighoff2023_c4"])
def test_other_laboratories_students_gain_about_what_the_published_ones_do(name: str) -> None:
    """Within the transfer error (0.016 nats), although their supervised laws differ in shape."""
    alone = law_catalog.law(name).supervised
    level = alone.loss(1e9, 2e10) / LIKE.supervised.loss(1e9, 2e10)
    published = LIKE.distillation
    assert published is not None
    assert gains(lent_side(alone, LIKE, level), level) == pytest.approx(
        gains(published, 1.0), abs=0.016
    )


def test_draws_lend_each_its_own_gain() -> None:
    """Many laws at once are each as alone."""
    alone = LIKE.supervised
    many = SupervisedLaw(**{name: np.full(3, one) for name, one in alone._asdict().items()})  # type: ignore[arg-type]  # letters may be arrays
    together, single = lent_side(many, LIKE, 1.0), lent_side(alone, LIKE, 1.0)
    assert together.loss(1e9, np.full(3, 2e10), np.full(3, 2.2)) == pytest.approx(
        single.loss(1e9, 2e10, 2.2), rel=1e-6
    )


def test_a_law_without_a_distillation_side_lends_none() -> None:
    with pytest.raises(ValueError, match="no distillation side"):
        lent_side(LIKE.supervised, law_catalog.law("besiroglu2024"), 1.0)
