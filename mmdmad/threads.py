"""One thread for small work.

A part is encoded by many small operations of three libraries with a pool each (torch, BLAS, OpenCV). Between two
operations an idle pool spins and takes the core from the next library's: on two cores one thread encoded a clip 2.7
times as fast as two did. It also makes the numbers the same on machines with other numbers of cores.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch, BLAS and OpenCV to one thread inside, and give them back what they had; may be nested.

    The numbers of threads belong to the process: another thread of it that sets them meanwhile is overruled.

    >>> import torch
    >>> before = torch.get_num_threads()
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")  # what is not loaded has no pool yet
    pools = _pools(torch is not None, cv2 is not None, "sklearn" in sys.modules)
    had = torch.get_num_threads() if torch else 0, cv2.getNumThreads() if cv2 else 0
    with pools.limit(limits=1):
        if torch:
            torch.set_num_threads(1)
        if cv2:
            cv2.setNumThreads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(had[0])
            if cv2:
                cv2.setNumThreads(had[1])


@lru_cache(maxsize=8)
def _pools(*loaded: bool) -> Any:
    """The OpenMP and BLAS pools of this process; looked for again when a library has come."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
