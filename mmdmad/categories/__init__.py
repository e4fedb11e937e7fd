"""Category prompts: what normal and anomalous things of a kind look like, in words that a text-image model can take.

A category is one YAML file (`prompts/categories/`), written by a person or a model, audited before it is used.
"""

from mmdmad.categories.audit import Audit, Fault, audit
from mmdmad.categories.category import Category, Language, Wording, load, names, parse, save
from mmdmad.categories.changes import Change, difference, prune
from mmdmad.categories.grammar import write

__all__ = [
    "Audit",
    "Category",
    "Change",
    "Fault",
    "Language",
    "Wording",
    "audit",
    "difference",
    "load",
    "names",
    "parse",
    "prune",
    "save",
    "write",
]
