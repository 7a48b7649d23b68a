"""The rows beside cached logits that run the teacher are those of the same question online."""

import pytest

from distillplan.accounting import Accounting
from tests.plans import quick_plan, scenario_from_options

WEEK = {"compute": "64 h100-sxm for 7 days", "student": "1B", "teacher": "7B:2T"}
LARGE = {
    "compute": 1e21,
    "student": "1B",
    "teacher": "llama-3.1-70b",
    "gpu": "a100-40gb",
    "gpus": 8,
}


@pytest.mark.parametrize("words", [WEEK, LARGE], ids=["hours", "flops"])
@pytest.mark.parametrize("stored", [{}, {"logit_format": "top-k"}], ids=str)
def test_running_the_teacher_takes_the_same_beside_cached_logits(words, stored):
    def row(**logits):
        found = quick_plan(scenario_from_options(**words, **logits))
        return next(one for one in found.options if one.accounting is Accounting.EXISTS)

    online, cached = row(logits="online"), row(logits="cached", **stored)
    assert cached.student_tokens == pytest.approx(online.student_tokens, rel=1e-9)
    assert cached.loss == pytest.approx(online.loss, rel=1e-9)
    assert cached.bill.memory_bytes_per_gpu == online.bill.memory_bytes_per_gpu
    assert cached.bill.fits is online.bill.fits
    assert cached.bill.gpu_hours.mid == pytest.approx(online.bill.gpu_hours.mid, rel=1e-9)
