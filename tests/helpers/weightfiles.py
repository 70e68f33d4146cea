"""Weights for the tests, written byte by byte: state dicts as pickles of any words, in zips, in files of old torch and of safetensors."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
KINDS = {
    torch.float32: "Float",
    torch.float64: "Double",
    torch.float16: "Half",
    torch.int64: "Long",
    torch.int32: "Int",
    torch.uint8: "Byte",
}
NAMES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32"}
NO_HOOKS = b"ccollections\nOrderedDict\n)R"


def small(seed: int = 0) -> nn.Module:
    """A network whose weights come from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 5))
        with torch.no_grad():
            norm: Any = net[1]
            norm.running_mean.uniform_()
            norm.num_batches_tracked.fill_(seed + 7)
    return net.eval()


# ── words of pickles ─────────────────────────────────────────────────────────────────────────────────────────────────────


def text(string: str) -> bytes:
    return b"X" + struct.pack("<I", len(string.encode())) + string.encode()


def number(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def many(*parts: bytes) -> bytes:
    """A tuple."""
    return b"(" + b"".join(parts) + b"t"


def called(module: str, name: str, *arguments: bytes) -> bytes:
    return f"c{module}\n{name}\n".encode() + many(*arguments) + b"R"


def stored(key: str, count: int, kind: str = "Float") -> bytes:
    """A storage of so many elements."""
    return many(text("storage"), f"ctorch\n{kind}Storage\n".encode(), text(key), text("cpu"), number(count)) + b"Q"


def tensor(storage: bytes, shape: Iterable[int], stride: Iterable[int], offset: int = 0, hooks: bytes = NO_HOOKS) -> bytes:
    sides = [many(*(number(each) for each in numbers)) for numbers in (shape, stride)]
    return called("torch._utils", "_rebuild_tensor_v2", storage, number(offset), *sides, b"\x89", hooks)


def listed(entries: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """A dictionary."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"


def whole(value: bytes) -> bytes:
    """A pickle of it, as torch writes them."""
    return b"\x80\x02" + value + b"."


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Parts:
    """A state dict in parts: the words that make each tensor, and the bytes of each storage. What is changed goes into the file."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.entries: dict[str, bytes] = {}
        self.storages: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}
        for number_, (name, each) in enumerate(state.items()):
            key = str(number_)
            self.storages[key] = each.contiguous().numpy().tobytes()
            self.counts[key] = each.numel()
            self.entries[name] = tensor(stored(key, each.numel(), KINDS[each.dtype]), each.shape, each.stride())

    def zip(self) -> bytes:
        return zipped(whole(listed(self.entries)), self.storages)

    def legacy(self) -> bytes:
        return legacy(self.old(), self.storages, self.counts)

    def old(self) -> bytes:
        """The pickle of before torch 1.6: each storage says that it is no view."""
        return whole(re.sub(rb"(?<!t)tQ", b"NtQ", listed(self.entries)))


def zipped(
    pickle: bytes,
    storages: Mapping[str, bytes] | None = None,
    others: Mapping[str, bytes] | None = None,
    packed: Iterable[str] = (),
    folder: str = "archive",
) -> bytes:
    """A file of torch.save; `others` by their names in it; those in `packed` are compressed."""
    entries = {
        "data.pkl": pickle,
        "byteorder": b"little",
        **{f"data/{key}": each for key, each in (storages or {}).items()},
        "version": b"3\n",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {**entries, **(others or {})}.items():
            how = zipfile.ZIP_DEFLATED if name in packed else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content, how)
    return out.getvalue()


def large(content: bytes, entries: int) -> bytes:
    """A zip with the end that zips of more than 65,535 files have, which says that it has so many."""
    end, first = content.rindex(b"PK\5\6"), content.index(b"PK\1\2")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, end - first, first)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    return content[:end] + record + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


def legacy(
    pickle: bytes, storages: Mapping[str, bytes], counts: Mapping[str, int], keys: Iterable[str] | None = None, little: bool = True
) -> bytes:
    """A file of torch before 1.6."""
    machine = whole(listed({"protocol_version": number(1001), "little_endian": b"\x88" if little else b"\x89"}))
    order = whole(b"](" + b"".join(text(each) for each in (storages if keys is None else keys)) + b"e")
    data = b"".join(struct.pack("<q", counts[key]) + each for key, each in storages.items())
    return MAGIC + whole(number(1001)) + machine + pickle + order + data


def safe(state: Mapping[str, Tensor]) -> tuple[dict[str, dict[str, object]], bytes]:
    """Header and bytes of a file of safetensors."""
    header: dict[str, dict[str, object]] = {}
    data = b""
    for name, each in state.items():
        content = each.contiguous().view(torch.uint8).numpy().tobytes() if each.dim() else each.numpy().tobytes()
        header[name] = {"dtype": NAMES[each.dtype], "shape": list(each.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return header, data


def safetensors(header: object, data: bytes) -> bytes:
    """A file; the header is an object for JSON, or its bytes."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(content)) + content + data
