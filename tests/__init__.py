"""The tests.

They run as one process a core, so the threads of numpy's matrices would wait for each other; numpy
reads this when it is imported.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
