"""Sweeps: cells per second, whether work is linear in cells, and memory while streaming.

Figures, not limits: `pytest tests/benchmarks --benchmark-enable`.
"""

import subprocess
import sys

import pytest

CELLS = 40_000
SCRIPT = """
import resource, sys, time
from distillplan.scenarios.scenario_file import read_grid
from distillplan.questions.sweep import sweep
side = int(sys.argv[1])
begun = time.perf_counter()
grid = read_grid("", [], {"compute": f"1e19:1e24:{side}", "student": f"100M:10B:{side}"})
rows = sum(1 for _ in sweep(grid.cells()))
taken, used = time.perf_counter() - begun, time.process_time()
print(rows, taken, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measured(side):
    """Cells, seconds by the clock, seconds of the processor and megabytes of side x side cells."""
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(side)], capture_output=True, text=True, check=True
    )
    cells, seconds, used, megabytes = map(float, found.stdout.split())
    return int(cells), seconds, used, megabytes


@pytest.mark.parametrize("side", [200])
def test_cells_per_second_of_train(benchmark, side):
    """200 x 200 cells of the hardest accounting, the teacher chosen in each."""
    if not benchmark.enabled:
        assert measured(4)[0] == 16
        benchmark(lambda: None)
        return
    quarter, whole = measured(side // 2), measured(side)
    assert whole[0] == side * side == CELLS
    benchmark.extra_info |= {
        "cells_per_second": whole[0] / whole[1],
        "four_times_the_cells": whole[2] / quarter[2],
        "megabytes": whole[3],
        "megabytes_of_a_quarter": quarter[3],
    }
    print(
        f"\n{whole[0] / whole[1]:.0f} cells per second; four times the cells: "
        f"{whole[2] / quarter[2]:.2f} x the work, {quarter[3]:.0f} -> {whole[3]:.0f} MB"
    )
    benchmark.pedantic(measured, args=(20,), rounds=1)
