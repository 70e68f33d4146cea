"""Hostile files of weights from a seed."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tests.helpers.hostile_containers import KEY, SHAPE, Containers, Reduced
from tests.helpers.weightfiles import MAGIC, called, listed, many, number, safetensors, stored, tensor, text, whole, zipped

SUFFIXES = (".pth", ".pt", ".safetensors", ".bin", ".pt2", ".ckpt", "")


class Maker(Containers):
    """Makes files of every kind, each in a method: what runs, what is not what it claims, what takes time or memory, and containers."""

    def runs(self) -> bytes:
        """A pickle that runs: in a state dict, in the place of one, in a checkpoint, nested, bare, of any protocol."""
        evil, rng = self.evil(), self.rng
        python = f"open({self.canary!r}, 'w').close()"
        shape = rng.randrange(7)
        if shape == 0:
            return self.either(self.parts(evil))
        if shape == 1:
            return zipped(whole(evil), self.parts().storages)
        if shape == 2:
            return zipped(whole(listed({"state_dict": listed(self.parts().entries), "args": evil})), self.parts().storages)
        if shape == 3:
            return pickle.dumps(Reduced(rng.choice([exec, eval]), (python,)), rng.randrange(6))
        if shape == 4:
            nested: object = Reduced(exec, (python,))
            for _ in range(rng.randrange(1, 6)):
                nested = [{"a": (nested,)}]
            return zipped(pickle.dumps(nested, rng.randrange(6)))
        if shape == 5:
            return MAGIC + whole(evil) + self.parts().legacy()[len(MAGIC) :]
        return zipped(whole(evil + b"0" + listed(self.parts().entries)), self.parts().storages)

    # ── tensors that are not what they claim ─────────────────────────────────────────────────────────────────────────────

    def claims(self) -> bytes:
        data = bytes(108 * 4)
        huge = 1 << 33
        return self.either(
            self.rng.choice(
                [
                    self.parts(tensor(stored("x", 1), (huge,), (0,)), x=bytes(4)),
                    self.parts(tensor(stored("x", 1), SHAPE, (0, 0, 0, 0)), x=bytes(4)),
                    self.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 0)), x=data),
                    self.parts(tensor(stored("x", 108), SHAPE, (1, 1, 1, 1)), x=data),
                    self.parts(tensor(stored("x", 108), SHAPE, (-27, 9, 3, 1), 81), x=data),
                    self.parts(tensor(stored("x", 108), (4, 3, 3, -3), (27, 9, 3, 1)), x=data),
                    self.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 1), 1), x=data),
                    self.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 1), -1), x=data),
                    self.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 1), 1 << 62), x=data),
                    self.parts(tensor(stored("x", huge), SHAPE, (27, 9, 3, 1)), x=data),
                    self.parts(tensor(stored("x", 107), SHAPE, (27, 9, 3, 1)), x=data),
                    self.parts(tensor(stored("x", -108), SHAPE, (27, 9, 3, 1)), x=data),
                    self.parts(tensor(stored("x", 108), (4, 27), (27, 1)), x=data),
                    self.parts(tensor(stored("x", 108), [1] * 70, [1] * 70), x=data),
                    self.parts(tensor(stored("x", 108, "Int"), SHAPE, (27, 9, 3, 1)), x=data),
                    self.parts(called("torch", "FloatTensor", number(huge))),
                    self.parts(called("builtins", "bytearray", number(huge))),
                    self.parts(
                        called("torch._utils", "_rebuild_meta_tensor_no_storage", text("f"), many(number(huge)), many(number(1)), b"\x89")
                    ),
                    self.parts(called("torch._utils", "_rebuild_sparse_tensor", b"N", many(b"N"))),
                    self.parts(number(3)),
                    self.parts(many(tensor(stored("0", 108), SHAPE, (27, 9, 3, 1)))),
                ]
            )
        )

    def unfit(self) -> bytes:
        """Sound tensors of another network."""
        state = dict(self.state)
        way = self.rng.randrange(5)
        if way == 0:
            del state[self.rng.choice([each for each in state if "batches" not in each])]
        elif way == 1:
            state["extra" + chr(self.rng.randrange(1, 0x3000))] = state.pop(KEY)
        elif way == 2:
            state[KEY] = state[KEY].transpose(0, 1)
        elif way == 3:
            state[KEY] = state[KEY].to(torch.int32)
        else:
            state["1.num_batches_tracked"] = torch.tensor(3.0)
        return self.sound(state)

    def infinite(self) -> bytes:
        state = {name: each.clone() for name, each in self.state.items()}
        key = self.rng.choice([each for each in state if state[each].is_floating_point()])
        wide = self.rng.random() < 0.3
        state[key] = state[key].double() if wide else state[key].half() if self.rng.random() < 0.3 else state[key]
        state[key].view(-1)[self.rng.randrange(state[key].numel())] = 1e300 if wide else self.rng.choice([torch.nan, torch.inf, -torch.inf])
        return self.sound(state)

    # ── what would take time or memory ───────────────────────────────────────────────────────────────────────────────────

    def copies(self, pairs: int, times: int) -> bytes:
        """A list of so many pairs, made into a dictionary so many times: few words, much work."""
        entries = b"".join(many(text(str(each)), b"N") for each in range(pairs))
        return b"](" + entries + b"eq\0(" + b"ccollections\nOrderedDict\nh\0\x85R" * times + b"t\x86"

    def bomb(self) -> bytes:
        rng = self.rng
        storages = self.parts().storages
        laughs = b")q\0" + b"".join(b"h%ch%c\x86q%c" % (each, each, each + 1) for each in range(60))
        pairs = b"](" + (b"]q\1" + text("a") + b"aNa") * 1 + b"e"
        ways: list[Callable[[], bytes]] = [
            lambda: self.either(self.parts(laughs)),
            lambda: zipped(whole(b"}" + laughs + b"Ns"), storages),
            lambda: zipped(whole(self.copies(2000, 4000)), storages),
            lambda: zipped(whole(called("collections", "OrderedDict", pairs)), storages),
            lambda: zipped(whole(b"(" * 200_000), storages),
            lambda: zipped(whole(b"]" * 100_000 + b"a" * 99_999), storages),
            lambda: zipped(whole(b")" + b"\x85" * 400_000), storages),
            lambda: zipped(whole(b"N" * 1_500_000), storages),
            lambda: zipped(whole(b"]q\0(" + b"h\0" * 300_000 + b"e"), storages),
            lambda: zipped(whole(b"]r\xff\xff\xff\x7f"), storages),
            lambda: zipped(whole(b"X\xff\xff\xff\xff" + b"a" * 1000), storages),
            lambda: zipped(whole(b"\x8b\xff\xff\xff\x7f"), storages),
            lambda: zipped(whole(b"L" + b"9" * 2_000_000 + b"L\n"), storages),
            lambda: zipped(whole(listed({text("a" * 5000).decode("latin-1"): b"N"})), storages),
            lambda: zipped(bytes(80 << 20), storages, packed=["data.pkl"]),
            lambda: zipped(self.parts().zip(), {**storages, "0": bytes(100 << 20)}, packed=["data/0"]),
            lambda: zipped(whole(listed(self.parts().entries)), storages, {"byteorder": bytes(20 << 20)}),
            lambda: zipped(whole(listed(self.parts().entries)), {**storages, **{f"y{each}": b"" for each in range(101_000)}}),
            lambda: zipped(whole(listed({f"p{each}": tensor(stored("0", 108), (), ()) for each in range(9000)})), storages),
            lambda: safetensors(b"[" * 1_000_000, b""),
            lambda: safetensors(b'{"a":' * 200_000, b""),
            lambda: safetensors(b'{"a":[' + rng.choice([b"[],", b"{},"]) * rng.choice([1_000_000, 6_000_000]) + b"0]}", b""),
            lambda: safetensors(b'{"a":' + b"9" * 1_000_000 + b"}", b""),
            lambda: safetensors({f"p{each}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for each in range(51_000)}, b""),
            lambda: safetensors(b" " * (17 << 20), b""),
            lambda: safetensors(b'{"__metadata__": {' + b",".join(b'"%d":"x"' % each for each in range(100_000)) + b"}}", b""),
        ]
        return rng.choice(ways)()

    def mutated(self) -> bytes:
        """A sound file with bytes changed, most of them where it says what it holds."""
        rng = self.rng
        content = bytearray(self.sound())
        for _ in range(rng.choice([1, 1, 2, 5, 30])):
            at = rng.randrange(len(content) if rng.random() < 0.5 else min(len(content), 1500))
            way = rng.randrange(5)
            if way == 0:
                content[at] ^= 1 << rng.randrange(8)
            elif way == 1:
                content[at : at + 4] = rng.choice([bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", rng.randbytes(4)])
            elif way == 2:
                del content[at : at + rng.choice([1, 4, 100])]
            elif way == 3:
                content[at:at] = rng.choice([bytes(4), content[at : at + 50], rng.randbytes(3)])
            else:
                content[at : at + 1] = rng.choice(b"(.0Nct}]RbqhuQ\x81\x93\x8a\x85").to_bytes(1, "little")
            content = content or bytearray(b"x")
        return bytes(content)


KINDS = (
    "runs",
    "runs",
    "runs",
    "claims",
    "claims",
    "unfit",
    "infinite",
    "bomb",
    "archive",
    "old",
    "header",
    "other",
    "mutated",
    "mutated",
    "mutated",
)


def hostile(rng: random.Random, folder: Path, canary: Path, count: int) -> Iterator[Path]:
    """Files in `folder`, named after what they are."""
    maker = Maker(rng, canary)
    for turn in range(count):
        kind = KINDS[turn % len(KINDS)]
        place = folder / f"{turn:05}-{kind}{rng.choice(SUFFIXES)}"
        place.write_bytes(getattr(maker, kind)())
        yield place
