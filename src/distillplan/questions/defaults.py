"""What questions take where nobody says; commands read it at each start, so it imports nothing."""

from typing import Final

ANY_BUDGET: Final = 1e21
"""FLOPs, or GPU-hours, of a scenario whose own budget is ignored or searched for."""
GAINS: Final = (0.02, 0.01, 0.0)
"""Gains that a crossover looks for, nats per token."""
WARMUP: Final = 0.01
"""Share of a run in which its learning rate rises."""
DECAY: Final = 0.2
"""Share of a run in which its learning rate decays, where it decays at the end."""
