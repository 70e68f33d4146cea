"""Files of safetensors: the header looked at before the library reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from reverie.networks.checkpoints.claims import LONGEST, Claim, brief, damaged, refused

LARGEST = 4 << 20  # bytes of a header; a tensor takes about a hundred, and the largest networks of pictures have a few thousand
TENSORS = 50_000
BRACKETS = 6 * TENSORS  # a tensor has three, and a text may have some: millions of empty lists take minutes
_KINDS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def starts_like(head: bytes) -> bool:
    """Whether a file that begins like this is one of safetensors: a length, which no text can be, then an object of JSON."""
    return head[8:9] == b"{" and 0 in head[:8]


def look(file: IO[bytes], size: int, name: str) -> dict[str, Claim]:
    """What the header says, where it says what can be.

    Every entry has a dtype that torch knows, a shape, and its own bytes: in order, without a gap, to the file's end.

    Raises:
        InputError: it is damaged or cut short. UnsafeError: two entries of a name, bytes shared or claimed that are not there.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > LARGEST:
        raise refused(name, f"has a header of {length:,} bytes; {LARGEST:,} are the most")
    if length > size - 8:
        raise damaged(name, "is cut short: it ends before its header does")
    text = file.read(length)
    if text.count(b"[") + text.count(b"{") > BRACKETS:
        raise refused(name, "has a header of more lists than tensors have")
    entries = _entries(text, name)
    entries.pop("__metadata__", None)
    if len(entries) > TENSORS:
        raise refused(name, f"has {len(entries):,} tensors; {TENSORS:,} are the most")
    found, spans = {}, []
    for key, entry in entries.items():
        found[key], span = _claim(key, entry, name)
        spans.append(span)
    end = 0
    for first, last in sorted(spans):
        if first != end:
            raise refused(name, "has tensors that share bytes" if first < end else "has bytes between its tensors")
        end = last
    if 8 + length + end > size:
        raise damaged(name, f"is cut short: {8 + length + end - size:,} bytes are missing")
    if 8 + length + end < size:
        raise refused(name, "has more after its tensors")
    return found


def load(place: Path, keys: Iterable[str], name: str) -> dict[str, Tensor]:
    """Tensors of a file that `look` has passed.

    Raises:
        InputError: the library cannot read it after all.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, framework="pt", device="cpu") as file:
            return {key: file.get_tensor(key) for key in keys}
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise damaged(name, "is damaged: safetensors cannot read it") from error


def _entries(text: bytes, name: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                raise refused(name, f"has two entries named {brief(key)}")
            made[key] = value
        return made

    def nothing(word: str) -> Any:
        raise ValueError(word)

    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=once, parse_constant=nothing)
    except (ValueError, RecursionError) as error:
        raise damaged(name, "is damaged: its header is no JSON") from error
    if not isinstance(entries, dict):
        raise damaged(name, "is damaged: its header is no object of JSON")
    return entries


def _claim(key: str, entry: Any, name: str) -> tuple[Claim, tuple[int, int]]:
    """The tensor, and from where to where its bytes go."""
    if len(key) > LONGEST:
        raise refused(name, f"has a name of {len(key):,} characters")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise damaged(name, f"is damaged: {brief(key)} is not described as a tensor is")
    kind, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise refused(name, f"has a tensor of the kind {brief(kind)}", "save its weights as floats of 16 or 32 bits")
    if not _counts(shape) or not _counts(span) or len(span) != 2 or span[1] < span[0]:
        raise refused(name, f"has a shape or place that cannot be: {brief(key)}")
    claim = Claim(_KINDS[kind], tuple(shape))
    if problem := claim.problem():
        raise refused(name, f"has a tensor that {problem}: {brief(key)}")
    size = claim.dtype.itemsize
    for side in shape:
        size *= side
    if size != span[1] - span[0]:
        raise refused(name, f"claims {size:,} bytes for {brief(key)}, and gives it {span[1] - span[0]:,}")
    return claim, (span[0], span[1])


def _counts(numbers: Any) -> bool:
    return isinstance(numbers, list) and len(numbers) <= 16 and all(type(each) is int and 0 <= each < 1 << 56 for each in numbers)
