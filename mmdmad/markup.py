"""HTML for notebooks: what comes from outside becomes text here, and nowhere else; tables and pictures of it."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from mmdmad.plain import plain

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LEFT = "text-align:left;vertical-align:top"


def text(value: object, most: int | None = None) -> str:
    """Anything as a notebook may have it: every character of it is shown, none is markup; at most `most` of them.

    >>> text("<b>a</b>"), text("a long line", most=6), text(None)
    ('&lt;b&gt;a&lt;/b&gt;', 'a lon…', '')
    """
    words = "" if value is None else plain(str(value))
    return escape(words if most is None or len(words) <= most else words[: most - 1] + "…")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; heads and cells are HTML that `text` made."""
    lines = "".join("<tr>" + "".join(f'<td style="{_LEFT}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    heads = "".join(f'<th style="{_LEFT}">{one}</th>' for one in head)
    return f'<table style="text-align:left"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def listed(lines: Iterable[str]) -> str:
    """A list without marks, in small letters; its lines are HTML that `text` made. Nothing where there are none."""
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f'<ul style="list-style:none;padding-left:0;font-size:90%">{items}</ul>' if items else ""


def picture(shown: "Picture", width: int) -> str:
    """A picture in the page itself, at most `width` wide and high."""
    small = shown.convert("RGB")
    small.thumbnail((width, width))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="" style="margin:4px" src="data:image/jpeg;base64,{data}">'
