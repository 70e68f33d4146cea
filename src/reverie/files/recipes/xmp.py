"""The XMP packet that holds a recipe: written, and read from a stranger's. Where a kind of file keeps it is known to the others."""

from __future__ import annotations

from xml.parsers import expat

from reverie.errors import UnsafeError

UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of its box in MP4
TAG = 700  # of its field in TIFF
JPEG_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
MAX_IN_JPEG = 65533 - len(JPEG_HEADER)  # bytes of a segment
FAULTS = (UnicodeDecodeError, expat.ExpatError)
"""What `recipe_in` raises of a damaged packet."""

_NAMESPACE = "urn:reverie:xmp:1#"
_ESCAPES = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}  # quotes too: Pillow looks for `tiff:Orientation="6"` in raw XMP


def packet(recipe: str) -> bytes:
    """A packet that holds `recipe` and nothing else."""
    from xml.sax.saxutils import escape  # brings urllib along: not for those who only read

    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:reverie="{_NAMESPACE}">'
        f"<reverie:recipe>{escape(recipe, _ESCAPES)}</reverie:recipe>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def recipe_in(packet: bytes, name: str) -> str | None:
    """The recipe in a packet, or None. Expat expands no entity here: those need a document type, and that is refused.

    Raises:
        UnsafeError: it declares a document type.
    """
    if _NAMESPACE.encode() not in packet:
        return None
    pieces: list[str] = []
    inside = found = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside, found
        inside = not found and tag == f"{_NAMESPACE} recipe"
        found = found or inside

    def end(tag: str) -> None:
        nonlocal inside
        inside = False

    def text(piece: str) -> None:
        if inside:
            pieces.append(piece)

    def refuse(*declaration: object) -> None:
        raise UnsafeError(f"the recipe in '{name}' declares a document type, as attacks do", "do not trust this file")

    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(packet.rstrip(b"\0"), True)
    return "".join(pieces) if found else None
