"""Hostile files of weights, of containers: archives, files of old torch, headers of safetensors, and files of other things."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers.weightfiles import (
    MAGIC,
    Parts,
    called,
    legacy,
    listed,
    many,
    number,
    safe,
    safetensors,
    small,
    stored,
    tensor,
    text,
    whole,
    zipped,
)
from torch import Tensor

KEY = "0.weight"
SHAPE = (4, 3, 3, 3)


class Containers:
    """Makes the bytes of files, each kind in a method."""

    def __init__(self, rng: random.Random, canary: Path) -> None:
        self.rng = rng
        self.canary = str(canary)
        self.state: dict[str, Tensor] = dict(small(1).state_dict())

    def parts(self, entry: bytes | None = None, key: str = KEY, **storages: bytes) -> Parts:
        """The sound state dict, but for one entry, and further storages."""
        made = Parts(self.state)
        if entry is not None:
            made.entries[key] = entry
            if text("0") not in entry:
                del made.storages["0"], made.counts["0"]
        made.storages.update(storages)
        made.counts.update({each: len(content) // 4 for each, content in storages.items()})
        return made

    def either(self, parts: Parts) -> bytes:
        return self.rng.choice([parts.zip, parts.legacy])()

    def evil(self) -> bytes:
        """Words that write the canary where they are run."""
        python = f"open({self.canary!r}, 'w').close()"
        shell = f'echo > "{self.canary}"'
        inner = pickle.dumps(Reduced(exec, (python,)), 2)
        ways = [
            called("os", "system", text(shell)),
            called("posix", "system", text(shell)),
            called("builtins", "exec", text(python)),
            called("__builtin__", "eval", text(python)),
            called("builtins", "eval", text(python)),
            called("subprocess", "getoutput", text(shell)),
            called("timeit", "timeit", text("pass"), text(python)),
            called("pickle", "loads", b"C" + bytes([len(inner)]) + inner if len(inner) < 256 else text(python)),
            called("torch.storage", "_load_from_bytes", b"B" + struct.pack("<I", len(inner)) + inner),
            called("torch._tensor", "_rebuild_from_type_v2", b"cbuiltins\nexec\n", b"cbuiltins\nobject\n", many(text(python)), b"N"),
            called("functools", "partial", b"cbuiltins\nexec\n", text(python)),
            called("theirs.config", "Config", called("os", "system", text(shell))),
            called("copy_reg", "__newobj__", b"cbuiltins\nexec\n", text(python)),
            called("functools", "reduce", b"cbuiltins\nmap\n", b"](" + text(python) + b"e"),
            called("pathlib", "Path.touch", called("pathlib", "Path", text(self.canary))),
            many(text(python)) + b"ibuiltins\nexec\n",
            b"(cbuiltins\nexec\n" + text(python) + b"o",
            b"cbuiltins\nexec\n" + many(text(python)) + b"\x81",
            b"cbuiltins\nexec\n" + many(text(python)) + b"}\x92",
            text("builtins") + text("exec") + b"\x93" + many(text(python)) + b"R",
            b"ctypes\nFunctionType\n" + many(text(python)) + b"R",
            b"ccollections\nOrderedDict\n)R" + listed({"__setstate__": b"cbuiltins\nexec\n"}) + b"b" + text(python) + b"b",
            b"ctorch.nn.parameter\nParameter\n" + many(called("builtins", "exec", text(python))) + b"\x81",
            b"ctorch\ndevice\n" + many(called("builtins", "exec", text(python))) + b"R",
            tensor(stored("0", 108), SHAPE, (27, 9, 3, 1), hooks=called("builtins", "exec", text(python))),
            many(text("module"), called("builtins", "exec", text(python)), text("a.py"), text("x")) + b"Q",
        ]
        return self.rng.choice(ways)

    def sound(self, state: dict[str, Tensor] | None = None) -> bytes:
        """In one of the three formats."""
        state = self.state if state is None else state
        forms: list[Callable[[], bytes]] = [
            lambda: Parts(state).zip(),
            lambda: Parts(state).legacy(),
            lambda: safetensors(*safe(state)),
        ]
        return self.rng.choice(forms)()

    # ── containers that are not what they should be ──────────────────────────────────────────────────────────────────────

    def archive(self) -> bytes:
        rng, parts = self.rng, self.parts()
        made = whole(listed(parts.entries))
        good = bytearray(parts.zip())
        end = good.rindex(b"PK\5\6")
        first = good.index(b"PK\1\2")
        ways: list[Callable[[], bytes]] = [
            lambda: zipped(made, parts.storages, {"../../evil": b"x"}),
            lambda: zipped(made, parts.storages, {"DATA.PKL": whole(self.evil())}),
            lambda: zipped(made, parts.storages, {"a\\b": b"x"}),
            lambda: zipped(made, parts.storages, folder=".."),
            lambda: zipped(made, parts.storages, packed=["data/0"]),
            lambda: zipped(made, {**parts.storages, "0": parts.storages["0"][:-4]}),
            lambda: zipped(made, {key: each for key, each in parts.storages.items() if key != "3"}),
            lambda: zipped(made, parts.storages, {"constants.pkl": whole(self.evil()), "code/a.py": b"x"}),
            lambda: zipped(whole(self.evil()), {}, {"archive_format": b"pt2", "models/model.json": b"{}"}, folder="model"),
            lambda: zipped(made, parts.storages, {"byteorder": b"middle"}),
            lambda: zipped(made + whole(self.evil()), parts.storages),
            lambda: bytes(good) + b"x" * rng.randrange(1, 30),
            lambda: bytes(rng.randrange(1, 30)) + bytes(good),
            lambda: bytes(good[: rng.randrange(4, len(good))]),
            lambda: bytes(good[:end]) + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65000, 65000, end - first, first, 0),
            lambda: bytes(good[:end]) + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0),
            lambda: bytes(good[:end]) + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, end, 0),
            lambda: self.overlapping(good, first),
            lambda: self.many_zips(),
            lambda: zipped(b"", {}),
        ]
        return rng.choice(ways)()

    def overlapping(self, good: bytearray, first: int) -> bytes:
        """All entries begin where the first does."""
        at = first
        while (at := good.find(b"PK\1\2", at + 1)) > 0:
            good[at + 42 : at + 46] = bytes(4)
        return bytes(good)

    def many_zips(self) -> bytes:
        """A zip of something else."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("readme.txt", "hello")
            archive.writestr("inner.pth", self.parts().zip())
        return out.getvalue()

    def old(self) -> bytes:
        """Files of before torch 1.6."""
        rng, parts = self.rng, self.parts()
        made, keys = parts.old(), list(parts.storages)
        view = stored("0", 108)[:-2] + many(text("v"), number(0), number(108)) + b"tQ"
        container = many(text("module"), b"ccollections\nOrderedDict\n", text("a.py"), text("x")) + b"Q"
        plain = parts.legacy()
        ways: list[Callable[[], bytes]] = [
            lambda: legacy(made, parts.storages, {**parts.counts, "0": rng.choice([107, -1, 1 << 40])}),
            lambda: legacy(made, parts.storages, parts.counts, keys[1:]),
            lambda: legacy(made, parts.storages, parts.counts, [*keys, keys[0]]),
            lambda: legacy(made, parts.storages, parts.counts, keys[::-1]),
            lambda: legacy(made, parts.storages, parts.counts, little=False),
            lambda: legacy(made, {**parts.storages, "z": b"abcd"}, {**parts.counts, "z": 1}),
            lambda: self.parts(tensor(view, SHAPE, (27, 9, 3, 1))).legacy(),
            lambda: self.parts(container).legacy(),
            lambda: plain + bytes(rng.randrange(1, 9)),
            lambda: plain[: rng.randrange(20, len(plain))],
            lambda: plain.replace(number(1001), number(1002), 1),
            lambda: MAGIC + self.tar() + plain,
            lambda: MAGIC * 2000,
        ]
        return rng.choice(ways)()

    def header(self) -> bytes:
        """Headers of safetensors."""
        rng = self.rng
        sound, data = safe(self.state)
        header: dict[str, Any] = dict(sound)
        entry: dict[str, Any] = header[rng.choice(list(header))]
        span: list[int] = entry["data_offsets"]
        length = span[1] - span[0]
        doubled = json.dumps(header)
        ways: list[Callable[[], object]] = [
            lambda: entry.update(data_offsets=[span[0] + 4, span[1] + 4]),
            lambda: entry.update(data_offsets=[span[1], span[0]]),
            lambda: entry.update(data_offsets=[0, length]) if span[0] else entry.update(data_offsets=[4, length + 4]),
            lambda: entry.update(data_offsets=[span[0], 1 << 50]),
            lambda: entry.update(data_offsets=[-4, span[1]]),
            lambda: entry.update(data_offsets=[float(span[0]), span[1]]),
            lambda: entry.update(shape=[1 << 31, 1 << 31]),
            lambda: entry.update(shape=[-1, -length // 4]),
            lambda: entry.update(shape=[True, length // 4]),
            lambda: entry.update(shape=[1e400]),
            lambda: entry.update(shape="4"),
            lambda: entry.update(dtype=rng.choice(["F4", "", None, "F8_E4M3", ["F32"], "f32"])),
            lambda: entry.update(surplus=1),
            lambda: entry.pop("dtype"),
            lambda: header.update(more={"dtype": "F32", "shape": [0], "data_offsets": [4, 4]}),
            lambda: header.update(more=[]),
            lambda: header.clear(),
        ]
        files: list[Callable[[], bytes]] = [
            lambda: safetensors((doubled[:-1] + ", " + json.dumps(KEY) + ": " + json.dumps(header[KEY]) + "}").encode(), data),
            lambda: safetensors(doubled.replace('"shape"', '"dtype": "F32", "shape"', 1).encode(), data),
            lambda: struct.pack("<Q", rng.choice([1 << 40, len(doubled) + len(data) + 1, 1 << 62])) + doubled.encode() + data,
            lambda: safetensors(header, data + bytes(rng.randrange(1, 9))),
            lambda: safetensors(header, data[: -rng.randrange(1, 9)]),
            lambda: safetensors(doubled.encode()[:-1], data),
            lambda: safetensors(b"\xff\xfe{" + doubled.encode(), data),
        ]
        if rng.random() < 0.4:
            return rng.choice(files)()
        rng.choice(ways)()
        return safetensors(header, data)

    def other(self) -> bytes:
        """Files of other things."""
        rng = self.rng
        return rng.choice(
            [
                b"",
                b"PK\3\4",
                b"<!DOCTYPE html><html><body>Not found</body></html>",
                b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 100000000\n",
                b'{"error": "Repository not found"}',
                gzip.compress(self.parts().zip()),
                b"\x89HDF\r\n\x1a\n" + bytes(100),
                b"\x93NUMPY\x01\0" + bytes(100),
                self.tar(),
                rng.randbytes(rng.randrange(1, 3000)),
                bytes(rng.randrange(1, 3000)),
                b"cbuiltins\nexec\n(V" + f"open({self.canary!r}, 'w').close()".encode() + b"\ntR.",
                pickle.dumps({"a": 1}, rng.randrange(6)),
            ]
        )

    def tar(self) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name in ("storages", "tensors", "pickle", f"../{Path(self.canary).name}"):
                info = tarfile.TarInfo(name)
                info.size = 100
                archive.addfile(info, io.BytesIO(whole(self.evil()).ljust(100, b"\0")[:100]))
        return out.getvalue()


class Reduced:
    """Calls the function where it is unpickled."""

    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.made = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.made
