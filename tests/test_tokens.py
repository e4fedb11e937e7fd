"""What Tokens refuse."""

import warnings

import numpy as np
import pytest

from mmdmad.errors import DataError
from mmdmad.tokens import Layout, Tokens


@pytest.mark.parametrize("layout", [Layout("steps", (0,), where=np.zeros((0, 2))), Layout("grid", (0, 4))])
def test_a_part_without_a_token_is_refused_as_that(layout):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=r"no tokens: values of shape \(0, 3\).*at least one token is needed"):
            Tokens(np.zeros((0, 3)), layout)
