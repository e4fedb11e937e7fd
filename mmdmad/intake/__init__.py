"""The short way in: from folders, files, arrays and DataFrames to cases, without a manifest.

>>> import numpy as np
>>> cases = cases_from(images=np.zeros((3, 8, 8, 3), np.uint8), texts=["one", "two", None])
>>> [(case.id, case.pattern) for case in cases]
[('0', ('image', 'text')), ('1', ('image', 'text')), ('2', ('image',))]
"""

from mmdmad.intake.anything import cases_of
from mmdmad.intake.by_kind import cases_from

__all__ = ["cases_from", "cases_of"]
