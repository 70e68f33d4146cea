"""Hostile files of weights: none runs, none takes long or much memory, each is refused in one line, and the module stays as it was."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.helpers.hostile_weights import KINDS, Maker, hostile
from tests.helpers.weightfiles import (
    MAGIC,
    Parts,
    called,
    large,
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

from reverie.errors import InputError, ReverieError, UnsafeError
from reverie.networks.checkpoints import loading, opened, pickle_scan, safetensors_header
from reverie.networks.checkpoints.claims import Claim

FILES = 200
SLOW, LARGE = 20.0, 1 << 30  # seconds of the processor, whatever else runs; bytes above the file's own
SHAPE = (4, 3, 3, 3)


def read(folder: Path) -> list[dict[str, Any]]:
    """What each file of the folder did, read in one process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.reading_weights", folder],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusal(place: Path, content: bytes, kind: type[ReverieError] = UnsafeError, **options: Any) -> str:
    """What is said of a file with this content."""
    place.write_bytes(content)
    net, untouched = small(2), small(2).state_dict()
    with pytest.raises(ReverieError) as caught:
        loading.load_weights(place, net, **options)
    assert type(caught.value) is kind, caught.value
    assert all(torch.equal(each, untouched[name]) for name, each in net.state_dict().items())
    return str(caught.value)


def test_two_hundred_files_from_a_seed(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    folder, canary = tmp_path / "files", tmp_path / "canary"
    folder.mkdir()
    made = list(hostile(random.Random(seed), folder, canary, FILES))
    (folder / "sound.pth").write_bytes(Maker(random.Random(seed), canary).sound())
    *told, sound = read(folder)
    assert sound["wrong"] == "it was taken"  # which shows that the program would tell
    assert [each["file"] for each in told] == [each.name for each in made] and len(made) == FILES
    assert [each for each in told if each["wrong"]] == []
    assert [each for each in told if each["code"] not in (3, 4) and "mutated" not in each["file"]] == []
    assert [each for each in told if each["seconds"] > SLOW] == []
    assert [each for each in told if each["peak"] > LARGE + (folder / each["file"]).stat().st_size] == []
    assert not canary.exists()
    refused = Counter(each["code"] for each in told)
    assert refused[4] > FILES / 3 and refused[3] > FILES / 10 and refused[0] < FILES / 10


def test_they_would_run_where_they_are_trusted(tmp_path: Path) -> None:
    """The canary is one: pickle writes it."""
    canary = tmp_path / "canary"
    maker = Maker(random.Random(0), canary)
    ran = 0
    for _ in range(60):
        with contextlib.suppress(Exception):  # some are broken on purpose
            pickle.loads(whole(maker.evil()))
        ran += canary.exists()
        canary.unlink(missing_ok=True)
    assert ran > 20


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_the_same_seed_makes_the_same_files(kind: str) -> None:
    made = [getattr(Maker(random.Random(3), Path("canary")), kind)() for _ in range(2)]
    assert made[0] == made[1] or kind in ("archive", "bomb")  # zips bear the time


def test_each_is_told_for_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_scan, "WORDS", 5000)
    monkeypatch.setattr(safetensors_header, "TENSORS", 100)
    monkeypatch.setattr(safetensors_header, "BRACKETS", 600)
    place, canary = tmp_path / "a.safetensors", tmp_path / "canary"
    maker = Maker(random.Random(0), canary)
    data = bytes(108 * 4)
    longer = tensor(stored("x", 109), SHAPE, (27, 9, 3, 1))
    four = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    view = stored("0", 108)[:-2] + many(text("v"), number(0), number(108)) + b"tQ"
    huge = maker.parts(tensor(stored("x", 1), (1 << 33,), (0,)), x=bytes(4))
    assert len(huge.zip()) < 5000
    for told, content in {
        "with the word PROTO 4": zipped(whole(listed(maker.parts().entries)).replace(b"\x80\x02", b"\x80\x04", 1), maker.parts().storages),
        "points to something that is no storage": maker.parts(tensor(view, SHAPE, (27, 9, 3, 1))).legacy(),
        "a storage of a size that cannot be": maker.parts(tensor(stored("x", -108), SHAPE, (27, 9, 3, 1)), x=data).zip(),
        "has a shape that cannot be": maker.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 1), -1), x=data).zip(),
        "would call os.system": zipped(whole(called("os", "system", text("x")))),
        "strides overlap": huge.zip(),
        "more than is stored: 109 elements of 108": maker.parts(tensor(stored("x", 108), SHAPE, (27, 9, 3, 1), 1), x=data).legacy(),
        "claims 436 bytes for the storage x, and holds 432 bytes": maker.parts(longer, x=data).zip(),
        "claims 109 elements for the storage x": maker.parts(longer, x=data + bytes(4)).legacy()
        .replace((109).to_bytes(8, "little"), (108).to_bytes(8, "little")),
        "two entries named 0.weight": zipped(whole(b"}(" + (text("0.weight") + b"N") * 2 + b"u")),
        "describes the storage 0 in two ways": maker.parts(tensor(stored("0", 107), (107,), (1,)), "0.bias").zip(),
        "packed, and torch packs none": zipped(bytes(1 << 20), packed=["data.pkl"]),
        "program of torch.export": zipped(whole(b"N"), {}, {"archive_format": b"pt2"}),
        "program of TorchScript": zipped(whole(b"N"), {}, {"constants.pkl": b""}),
        "it has more after its tensors": safetensors({"a": four}, bytes(5)),
        "claims 8 bytes for a, and gives it 4": safetensors({"a": {**four, "shape": [2]}}, bytes(4)),
        "does not hold the storages that": legacy(whole(b"}"), {}, {}, ["a", "a"]),
        "does not hold the storages": legacy(whole(b"}"), {"a": b"abcd"}, {"a": 1}),
        "more after its tensors": maker.parts().legacy() + b"x",
        "more after its pickle": zipped(whole(b"}") + b"x"),
        "has a byteorder of 100 bytes": zipped(whole(b"}"), {}, {"byteorder": bytes(100)}),
        "tensors that share bytes": safetensors({"a": four, "b": four}, bytes(4)),
        "bytes between its tensors": safetensors({"a": {**four, "data_offsets": [4, 8]}}, bytes(8)),
        "a name that is used twice": zipped(whole(b"N"), {}, {"DATA.PKL": b""}),
        "twice or leads out": zipped(whole(b"N"), {}, {"../a": b""}),
        "lie over each other": maker.overlapping(bytearray(zipped(whole(b"N"))), zipped(whole(b"N")).index(b"PK\1\2")),
        "more than 5,000 words": zipped(whole(b"N" * 5000)),
        "a pickle of more than 5,000 words": zipped(whole(maker.copies(100, 60))),
        "nested deeper": zipped(whole(b"(" * 1000)),
        "a pickle, but none of torch.save": pickle.dumps({"a": 1}),
        "another order of bytes": maker.parts().legacy().replace(b"little_endian\x88", b"little_endian\x89"),
        "header of 17,825,792 bytes": safetensors(b"{" + b" " * ((17 << 20) - 1), b""),
        "more lists than tensors": safetensors(b'{"a":[' + b"[]," * 600 + b"0]}", b""),
        "has 101 tensors": safetensors({f"{at}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for at in range(101)}, b""),
        "archive of 100,001 files": large(zipped(whole(b"N")), 100_001),
        "two entries named a": safetensors(b'{"a": 1, "a": 2}', b""),
    }.items():  # fmt: skip
        assert told in refusal(place, content)
    for told, content in {
        "web page": b"  <html>",
        "pointer of git-lfs": b"version https://git-lfs.github.com/spec/v1\n",
        "is empty": b"",
        "tar archive": maker.tar(),
        "no file of weights": b"hello, these are my weights",
        "none of torch: it has no data.pkl": maker.many_zips(),
        "directory does not go with its size": Parts(maker.state).zip()[:-2] + b"\5\0",
        "not at its end": Parts(maker.state).zip()[:-1],
        "ends before its tensors": Parts(maker.state).legacy()[:-1],
        "1 bytes are missing": safetensors(*safe(maker.state))[:-1],
        "its header is no JSON": safetensors(b'{"a": NaN}', b""),
        "version that torch does not know": MAGIC + whole(number(7)),
        "holds no dictionary": zipped(whole(b"N")),
    }.items():
        assert told in refusal(place, content, InputError)


@pytest.mark.parametrize(
    ("shape", "stride", "offset", "room", "sound"),
    [
        ((2, 3), (3, 1), 0, 6, True), ((2, 3), (1, 2), 0, 6, True), ((2, 3), (4, 1), 1, 8, True), ((), (), 5, 6, True),
        ((0, 3), (3, 1), 0, 0, True), ((1, 3), (0, 1), 0, 3, True), ((2, 3), (3, 1), 1, 6, False), ((2, 3), (3, 1), -1, 6, False),
        ((2, 3), (2, 1), 0, 6, False), ((2, 3), (1, 1), 0, 6, False), ((2,), (0,), 0, 6, False), ((2,), (-1,), 1, 6, False),
        ((-1,), (1,), 0, 6, False), ((2, 3), (1,), 0, 6, False), ((2, 2, 2), (1, 3, 2), 0, 9, False), ((3, 2), (2, 3), 0, 9, False),
        ((), (), 6, 6, False), ((1,) * 17, (1,) * 17, 0, 6, False),
    ],
)  # fmt: skip
def test_which_tensors_can_be(shape: tuple[int, ...], stride: tuple[int, ...], offset: int, room: int, sound: bool) -> None:
    assert (Claim(torch.float32, shape, stride, offset, room).problem() == "") == sound


def test_weights_of_another_network_are_told_by_name(tmp_path: Path) -> None:
    place = tmp_path / "weights.pth"
    state = Maker(random.Random(0), place).state
    forms: list[Callable[[dict[str, Any]], bytes]] = [
        lambda given: Parts(given).zip(),
        lambda given: Parts(given).legacy(),
        lambda given: safetensors(*safe(given)),
    ]
    for form in forms:
        less = {name: each for name, each in state.items() if not name.startswith("1.")}
        assert "without 1.weight, 1.bias, 1.running_mean and 1 more;" in refusal(place, form(less))
        assert "without 0.bias and with a\ufffdb" in refusal(
            place, form({"a\x1bb" if name == "0.bias" else name: each for name, each in state.items()})
        )
        assert "0.weight is 3×4×3×3, not 4×3×3×3" in refusal(place, form({**state, "0.weight": state["0.weight"].transpose(0, 1)}))
        assert "0.bias is int32, not float32" in refusal(place, form({**state, "0.bias": torch.zeros(4, dtype=torch.int32)}))
        assert "1.num_batches_tracked is float32" in refusal(place, form({**state, "1.num_batches_tracked": torch.tensor(1.0)}))
        for value in (torch.nan, torch.inf, -torch.inf):
            assert "not finite, in 3.bias" in refusal(place, form({**state, "3.bias": torch.tensor([0, 0, 0, 0, value])}))
        assert "too large for float32, in 3.bias" in refusal(
            place, form({**state, "3.bias": torch.tensor([0, 0, 1e300, 0, 0], dtype=torch.float64)})
        )


def test_what_is_no_file(tmp_path: Path) -> None:
    net = small()
    for place, told in ((tmp_path, "is a folder"), (tmp_path / "no.pth", "does not exist"), (tmp_path / "a\0b", "does not exist")):
        with pytest.raises(InputError, match=told):
            loading.load_weights(place, net)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.pth")
        with pytest.raises(InputError, match="is not a file"):
            loading.load_weights(tmp_path / "pipe.pth", net)


def test_a_file_far_larger_than_its_network_is_not_even_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "sha256_of", lambda _: pytest.fail("it was read"))
    with (tmp_path / "sparse.pth").open("wb") as file:
        file.write(zipped(b""))
        file.truncate(2 << 30)
    with pytest.raises(UnsafeError, match="more than any checkpoint of this network"):
        loading.load_weights(tmp_path / "sparse.pth", small())


def test_no_unpickler_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are taken from where they lie: neither torch nor pickle is asked, whatever a file holds."""
    for module, name in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch._C, "PyTorchFileReader")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it was unpickled"))
    state = dict(small(1).state_dict())
    for content in (Parts(state).zip(), Parts(state).legacy()):
        (tmp_path / "a.pth").write_bytes(content)
        net = small(2)
        loading.load_weights(tmp_path / "a.pth", net)
        assert all(torch.equal(each, state[name]) for name, each in net.state_dict().items())
