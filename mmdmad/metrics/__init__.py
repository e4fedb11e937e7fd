"""Metrics: ranking, localisation in pictures, series, intervals and the reliability of p-values."""

from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.metrics.intervals import binomial_range, bootstrap_mean, bootstrap_metric
from mmdmad.metrics.pixels import aupro, pixel_metrics
from mmdmad.metrics.ranking import auroc, average_precision, f1_at, f1_max
from mmdmad.metrics.reliability import calibration_error, false_alarms
from mmdmad.metrics.series import buffer_window, segments, vus, vus_pr

__all__ = [
    "aupro",
    "auroc",
    "average_precision",
    "binomial_range",
    "bootstrap_mean",
    "bootstrap_metric",
    "buffer_window",
    "calibration_error",
    "clopper_pearson",
    "f1_at",
    "f1_max",
    "false_alarms",
    "pixel_metrics",
    "segments",
    "vus",
    "vus_pr",
]
