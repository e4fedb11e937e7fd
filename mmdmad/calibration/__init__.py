"""Conformal p-values with a guarantee, and control of false discoveries."""

from mmdmad.calibration.conformal import (
    adjusted_p_values,
    benjamini_hochberg,
    case_uniform,
    conformal_p_value,
    conformal_p_values,
    false_alarm_interval,
    is_attainable,
    smallest_calibration_size,
)

__all__ = [
    "adjusted_p_values",
    "benjamini_hochberg",
    "case_uniform",
    "conformal_p_value",
    "conformal_p_values",
    "false_alarm_interval",
    "is_attainable",
    "smallest_calibration_size",
]
