"""A published distillation side for a supervised law of one's own.

Before the first distillation nobody knows one's own distilled losses. What other
laboratories saw says that the gain of distillation carries over, up to the transfer error that the
odds of a plan carry (``laws.transfer``). So the lent side is the one under which distilled students
gain, in the units of the runs, what they gain in the published law::

    L_S(N, D, L_T) = L(N, D) - s gain(N, D, L_T / s)

with L the supervised law of the runs and s the level of its losses over the published ones. The
primed letters are fitted to that over the sizes, tokens and teachers of the published law.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, Final, TypeVar, cast

import numpy as np

from distillplan.fitting.joint_form import JointForm
from distillplan.fitting.prior import prior_around
from distillplan.fitting.rows import Rows
from distillplan.fitting.solver import solve
from distillplan.laws.draws import columns_of_law, law_of_columns
from distillplan.laws.formulas import DistillationLaw, FloatArray, SupervisedLaw
from distillplan.laws.provenance import PublishedLaw

Law = TypeVar("Law", SupervisedLaw, DistillationLaw)

_PLACES: Final = 5
"""Sizes, and as many token counts and teachers, to which the letters are fitted."""
_ABOVE_TEACHER: Final = 1.002
"""Equation 8 has no student better than its teacher."""
_WEIGHT: Final = 1e-6
"""Of the belief in the published letters against the gains, which it only keeps from wandering."""


def lent_side(
    alone: SupervisedLaw, like: PublishedLaw, level: float, drawn: DistillationLaw | None = None
) -> DistillationLaw:
    """Supervised laws with the gains of a published law.

    Args:
        alone: the supervised law of the runs, or draws of it: letters of shape (laws,).
        like: the published law, with a distillation side.
        level: losses of the runs over the published ones at the same sizes.
        drawn: draws of the published law whose gains are lent, letters of shape (laws,); None: all
            lend from the law itself.

    Raises:
        ValueError: for a published law without a distillation side.
    """
    published = like.distillation
    if published is None:
        raise ValueError("this law has no distillation side to lend")
    rows = _places(like, level)
    x = np.asarray(rows.log_teacher_loss)
    alone = _as_arrays(alone)
    own = _columns(alone).loss_at_logs(rows.log_params, rows.log_tokens)
    lender = published if drawn is None else drawn
    lending = _columns(_as_arrays(lender))
    at = rows.log_params, rows.log_tokens
    gain = lending.supervised.loss_at_logs(*at) - lending.loss_at_logs(*at, x - np.log(level))
    target = np.log(np.maximum(own - level * gain, np.exp(x) * _ABOVE_TEACHER))
    form = JointForm.around(rows, published)
    return _fitted(form, rows, published, form.alone.theta(alone), target)


def _fitted(
    form: JointForm,
    rows: Rows,
    published: DistillationLaw,
    known: FloatArray,
    target: FloatArray,
) -> DistillationLaw:
    """Primed letters for each supervised side, held where it is."""
    count, first = len(known), known.shape[1]
    prior = prior_around(form, published, form.alone.theta(published.supervised)[None, :])
    starts = np.repeat(prior.mean[None, :], count, axis=0)
    starts[:, :first] = known
    shift = (starts - prior.mean) @ prior.whitening.T
    theta = solve(
        form,
        rows,
        starts,
        delta=np.inf,
        target=target,
        penalty=prior,
        penalty_weight=_WEIGHT,
        penalty_shift=shift,
        steps=25,
        tolerance=1e-5,
    ).theta
    theta[:, :first] = known
    return form.law(theta if count > 1 else theta[0])


def _as_arrays(law: Law) -> Law:
    """The law with letters of shape (laws,)."""
    return _mapped(law, np.atleast_1d)


def _columns(law: Law) -> Law:
    """The law with letters of shape (laws, 1), to broadcast against places."""
    return _mapped(law, lambda one: one[:, None])


def _mapped(law: Law, change: Callable[[Any], Any]) -> Law:
    every = columns_of_law(law)
    found: Any = law_of_columns({name: change(one) for name, one in every.items()})
    return cast("Law", found)


def _places(like: PublishedLaw, level: float) -> Rows:
    """Sizes, tokens and teachers over the range of the published law, in the units of the runs."""
    ends = [
        np.log(like.valid[name]) for name in ("student_params", "student_tokens", "teacher_loss")
    ]
    ends[2] = ends[2] + np.log(level)
    grids = [np.linspace(low, high, _PLACES) for low, high in ends]
    every = np.array(list(product(*grids)))
    return Rows(
        log_params=every[:, 0],
        log_tokens=every[:, 1],
        log_loss=np.zeros(len(every)),
        log_teacher_loss=every[:, 2],
    )
