"""What is remembered of normal texts, from the texts themselves."""

from mmdmad.explain.text_normal import TextNormal
from mmdmad.parts import Text


def normal_of(*texts: str) -> TextNormal:
    """The words and kinds of lines of these normal texts."""
    normal = TextNormal()
    for one in texts:
        normal.add(Text(one), "")
    normal.finish()
    return normal
