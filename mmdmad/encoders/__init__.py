"""Encoders turn decoded parts into tokens: one registry, one file an encoder.

Light to import: torch and the weights come with the first encoder that is made.
"""

from mmdmad.encoders.auto import resolve_encoder
from mmdmad.encoders.base import Encoder, encoder, encoders, make_encoder

__all__ = ["Encoder", "encoder", "encoders", "make_encoder", "resolve_encoder"]
