"""Runs of one size and length: seeds, which agree, or a sweep of settings, of which one is best."""

from typing import Final

import numpy as np

from distillplan.fitting.rows import IndexArray, Mask
from distillplan.laws.formulas import FloatArray

SEED_NOISE: Final = 0.01
"""Standard deviation of the log loss that replicates may have; of seeds it is 0.1% to 0.5%."""

_CHANCE: Final = 0.1
"""Of replicates with that noise, the share that are taken for a sweep."""

_SAME_TOKENS: Final = 2e-3
"""Relative difference of token counts that come from rounding to whole batches."""


def replicate_groups(
    params: FloatArray, tokens: FloatArray, teacher_loss: FloatArray
) -> IndexArray:
    """Number of the size, length and teacher of each run, from 0; shape (runs,).

    Args:
        params: shape (runs,).
        tokens: equal within 0.2% where runs differ in batches only, shape (runs,).
        teacher_loss: NaN without a teacher, shape (runs,).
    """
    teacher = np.nan_to_num(teacher_loss, nan=-1.0)
    order = np.lexsort([tokens, teacher, params])
    same = (
        (np.diff(params[order]) == 0)
        & (np.diff(teacher[order]) == 0)
        & (np.diff(np.log(tokens[order])) < _SAME_TOKENS)
    )
    number = np.empty(params.size, dtype=np.intp)
    number[order] = np.concatenate([[0], np.cumsum(~same)])[: params.size]
    return number


def differing(loss: FloatArray, groups: IndexArray) -> Mask:
    """Which groups have runs that differ by more than seeds do, shape (groups,).

    Where half of the groups with several runs do, all of them are taken for a sweep.

    Args:
        loss: shape (runs,).
        groups: as from `replicate_groups`, shape (runs,).
    """
    from scipy.special import chdtri  # slow to import

    count = np.bincount(groups)
    logs = np.log(loss)
    mean = np.bincount(groups, logs) / count
    square = np.bincount(groups, (logs - mean[groups]) ** 2)
    several = count > 1
    found: Mask = several & (square > SEED_NOISE**2 * chdtri(np.maximum(count - 1, 1), _CHANCE))
    return several if 2 * found.sum() >= max(several.sum(), 1) else found


def above_the_lowest(loss: FloatArray, groups: IndexArray, chosen: Mask) -> Mask:
    """The runs of some groups that are not the lowest of theirs, shape (runs,).

    Args:
        loss: shape (runs,).
        groups: number of each run's group, shape (runs,).
        chosen: of which groups, shape (groups,).
    """
    order = np.lexsort([loss, groups])
    first = np.ones(loss.size, dtype=bool)
    first[order] = np.concatenate([[True], np.diff(groups[order]) > 0])[: loss.size]
    return np.asarray(chosen[groups] & ~first)
