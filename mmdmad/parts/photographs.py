"""Photographs of telephones (HEIC, HEIF), which Pillow reads with a plugin, where that is installed."""

import importlib

HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"heif")
"""The brands of such a file, in its first box."""
PLUGIN = "pillow_heif"


def is_heif(head: bytes) -> bool:
    """Whether a file that begins so is a photograph in HEIF.

    >>> is_heif(b"\\0\\0\\0\\x18ftypheic"), is_heif(b"\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\r")
    (True, False)
    """
    return head[4:8] == b"ftyp" and head[8:12] in HEIF


def lacking(head: bytes, name: str) -> str:
    """Why a photograph that begins so cannot be read, and what to run; "" where Pillow can, or it is none.

    The plugin is told to Pillow the first time that it is needed.
    """
    if not is_heif(head):
        return ""
    try:
        importlib.import_module(PLUGIN).register_heif_opener()
    except ImportError:
        return (
            f"{name} is a photograph in HEIF (HEIC), which takes a package of its own: pip install pillow-heif; or "
            "save it as JPEG or PNG"
        )
    return ""
