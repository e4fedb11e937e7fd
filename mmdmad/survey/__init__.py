"""What a look at one decoded part finds before anything is learned: traits, channels, what is odd, fingerprints.

One module a modality, called by its `survey`; `mmdmad.checking` holds many parts against each other.
"""

from mmdmad.survey.base import Channel, Survey

__all__ = ["Channel", "Survey"]
