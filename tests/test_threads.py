"""One thread inside, what there was outside, however it ends."""

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from mmdmad.threads import one_thread


def threads() -> list[int]:
    return [torch.get_num_threads(), cv2.getNumThreads(), *(pool["num_threads"] for pool in threadpool_info())]


@pytest.fixture(autouse=True)
def two_threads():
    had = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    yield
    torch.set_num_threads(had[0])
    cv2.setNumThreads(had[1])


def test_one_thread_inside_and_the_former_number_after():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = threads()
    with one_thread():
        assert set(threads()) == {1}
        with one_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_given_back_after_an_error():
    before = threads()
    with pytest.raises(ValueError, match="inside"), one_thread():
        raise ValueError("inside")
    assert threads() == before
