"""A look at cases before anything is learned: what is there, what a fit would take, what it could promise.

>>> from mmdmad.cases import Case, Cases, Part
>>> texts = [Case(str(i), {"text": Part("text", value=f"job {i} done")}, split="train") for i in range(40)]
>>> report = check(Cases(tuple(texts)), estimate=False)
>>> report.learned, report.stops, report.support[0].floor
(40, (), 0.0244)
"""

from mmdmad.checking.check import check, check_path
from mmdmad.checking.report import Report
from mmdmad.checking.tell import lines_of

__all__ = ["Report", "check", "check_path", "lines_of"]
