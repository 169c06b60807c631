"""How the PyTorch sides time what they run.

SPDX-License-Identifier: Apache-2.0
"""

import time


def time_work(work, seconds):
    """Seconds of one run over at least `seconds`, and how many runs that were."""
    iterations = 1
    while True:
        start = time.perf_counter()
        for _ in range(iterations):
            work()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / iterations, iterations
        iterations = max(iterations + 1, int(iterations * min(10.0, 1.2 * seconds / elapsed)))
