"""Conformal p-values with a guarantee, and control of false discoveries."""

from mmdmad.calibration.conformal import (
    adjusted_p_values,
    attained_level,
    benjamini_hochberg,
    case_uniform,
    conformal_p_value,
    conformal_p_values,
    false_alarm_interval,
    false_alarm_range,
    is_attainable,
    smallest_calibration_size,
)

__all__ = [
    "adjusted_p_values",
    "attained_level",
    "benjamini_hochberg",
    "case_uniform",
    "conformal_p_value",
    "conformal_p_values",
    "false_alarm_interval",
    "false_alarm_range",
    "is_attainable",
    "smallest_calibration_size",
]
