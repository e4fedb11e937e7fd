"""Claims: what may be said is built of typed statements, never searched for in words.

Evidence becomes claims (`claims_of`, `claims_of_finding`); code writes each in English or German (`clause`); a sentence
from elsewhere is shown only where every word of it was read as claims that hold (`admit`); a model chooses claims and
how they are joined (`claims.choosing`) and writes nothing.
"""

from mmdmad.claims.admit import Admitted, admit
from mmdmad.claims.base import Claim, Subject
from mmdmad.claims.making import claims_of, claims_of_finding
from mmdmad.claims.render import clause

__all__ = ["Admitted", "Claim", "Subject", "admit", "claims_of", "claims_of_finding", "clause"]
