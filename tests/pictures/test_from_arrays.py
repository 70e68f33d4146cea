"""Pictures that are at hand: arrays, tensors, PIL images and bytes of one picture are that picture, wherever one is taken."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.helpers.tiny import Hand, wrapped
from torch.utils.data import DataLoader, TensorDataset

import reverie
from reverie.errors import InputError, UsageError
from reverie.networks import Network
from reverie.pictures import Picture, as_picture, as_tensor, several

LABELS = ["first", "second", "third"]
LITTLE: dict[str, Any] = {"steps": 1, "channels": 0}
FEW: dict[str, Any] = {"octaves": 1, "steps": 2}


def colours(height: int = 20, width: int = 28, seed: int = 4) -> np.ndarray[Any, Any]:
    """(H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def grey() -> np.ndarray[Any, Any]:
    return colours()[..., 0]


def png(values: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def forms(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The same picture of (H, W, C) uint8 in every form."""
    first = torch.from_numpy(values.copy()).permute(2, 0, 1)  # (C, H, W)
    plain = values.astype(np.float64) / 255
    return {
        "uint8 (H, W, C)": values, "float64 (H, W, C)": plain, "float32 (H, W, C)": plain.astype(np.float32),
        "uint16": values.astype(np.uint16) * 257,
        "uint8 (C, H, W)": values.transpose(2, 0, 1), "(1, H, W, C)": values[None], "(1, C, H, W)": values.transpose(2, 0, 1)[None],
        "flipped twice": values[::-1].copy()[::-1], "big endian": plain.astype(">f4"),
        "tensor": first / 255, "uint8 tensor": first, "tensor (1, C, H, W)": first[None] / 255, "tensor (H, W, C)": first.permute(1, 2, 0),
        "asks for a gradient": (first / 255).requires_grad_(True), "double": first.double() / 255,
        "channels last": (first[None] / 255).to(memory_format=torch.channels_last),
        "PIL": Image.fromarray(values), "bytes": png(values), "bytearray": bytearray(png(values)),
        "Picture": Picture((first / 255).contiguous()),
    }  # fmt: skip


@pytest.mark.parametrize("form", forms(colours()))
def test_every_form_is_the_same_picture(form: str) -> None:
    wanted = torch.from_numpy(colours()).permute(2, 0, 1) / 255
    got = as_picture(forms(colours())[form])
    assert got.pixels.dtype == torch.float32 and not got.pixels.requires_grad and got.pixels.is_contiguous()
    assert torch.allclose(got.pixels, wanted, atol=1e-6) and got.alpha is None


def test_grey_comes_with_and_without_a_place_for_its_channel() -> None:
    wanted = torch.from_numpy(grey().copy())[None] / 255
    for form in (grey(), grey()[..., None], grey()[None], grey() / 255, wanted[0], wanted, wanted[None]):
        assert torch.allclose(as_tensor(form), wanted)
    assert torch.equal(as_tensor(grey() > 100), (wanted * 255 > 100.5).float())
    assert torch.equal(as_tensor(torch.from_numpy(grey() > 100)), (wanted * 255 > 100.5).float())


def test_a_last_channel_of_two_or_four_is_alpha_unless_so_many_are_looked_for() -> None:
    four = np.dstack([colours(), grey()])
    for form in (four, four / 255, torch.from_numpy(four).permute(2, 0, 1)):
        found = as_picture(form, 3)
        assert found.pixels.shape == (3, 20, 28) and found.alpha is not None
        assert torch.allclose(found.alpha, torch.from_numpy(grey().copy()) / 255)
        assert as_picture(form, 4).pixels.shape == (4, 20, 28)
    two = as_picture(four[..., 2:], 1)
    assert two.pixels.shape == (1, 20, 28) and two.alpha is not None
    six = np.dstack([colours(), colours()])
    assert as_picture(six, 6).pixels.shape == as_picture(six.transpose(2, 0, 1), 6).pixels.shape == (6, 20, 28)


@pytest.mark.parametrize(("given", "said"), [
    (np.zeros((3, 20, 3)), r"the shape \(3, 20, 3\) of a picture's array.* either end"),
    (np.zeros((20,)), r"the shape \(20,\)"),
    (np.zeros((0, 4, 3)), r"the shape \(0, 4, 3\)"),
    (np.zeros((2, 20, 20, 3)), "a batch of 2 pictures where one belongs"),
    (torch.zeros(5, 3, 20, 20), "a batch of 5 pictures"),
    (colours().astype(np.float32), "values up to 255 in a float array; divide by 255"),
    (torch.from_numpy(colours()).permute(2, 0, 1).float(), "values up to 255 in a float tensor; divide by 255"),
    (torch.full((3, 20, 20), 1.5), r"values up to 1\.5 in a float tensor; bring it to 0..1"),
    (torch.linspace(-2, 2.5, 1200).view(3, 20, 20), r"values from -2 to 2\.5 in a float tensor; .*before it is normalised"),
    (torch.full((3, 20, 20), float("nan")), "no finite numbers"),
    (colours().astype(np.int64), "int64 in a picture's array, which does not say what white is; .*uint8"),
    (torch.zeros(3, 20, 20, dtype=torch.int64), "int64 in a picture's tensor"),
    (np.array([["a"]]), "does not say what white is"), (np.zeros((4, 4), complex), "complex128"),
    ((grey() > 100).astype(np.uint8), "uint8 up to 1 in a picture's array, where 255 is white"),
    (3.5, "a float is no picture"), ({"a": 1}, "a dict is no picture"),
])  # fmt: skip
def test_what_is_ambiguous_or_out_of_range_says_so(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        as_tensor(given, 3)


@pytest.mark.parametrize(("odd", "kind"), [
    (lambda x: x.to_sparse(), "sparse"), (lambda x: x[0].to_sparse_csr(), "sparse"), (lambda x: x.to("meta"), "meta"),
    (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8), "quantised"), (lambda x: torch.nested.nested_tensor([x]), "nested"),
])  # fmt: skip
def test_tensors_of_other_kinds_are_told(odd: Callable[[torch.Tensor], torch.Tensor], kind: str) -> None:
    with pytest.raises(UsageError, match=f"a {kind} tensor where a picture belongs; give a dense one"):
        as_tensor(odd(torch.rand(3, 8, 8)))


def test_what_hands_out_pictures_one_after_the_other_or_in_batches_is_gone_through() -> None:
    batch = torch.rand(7, 3, 8, 8)
    beside = TensorDataset(batch, torch.arange(7))
    given: list[Any] = [DataLoader(beside, batch_size=3), DataLoader(batch, batch_size=4), beside, (each for each in batch)]  # type: ignore[arg-type]
    for each in given:
        found = several(each, "usual")
        assert len(found) == 7 and torch.equal(torch.stack(found), batch)
    endless = (torch.zeros(3, 8, 8) for _ in iter(int, 1))
    assert len(several(endless, "usual")) == 500
    with pytest.raises(InputError, match="no picture in what usual= is; give one at least"):
        several([], "usual")


def test_what_resizing_leaves_beyond_the_range_is_cut() -> None:
    assert as_tensor(torch.tensor([[[1.00005, -0.00005]]])).tolist() == [[[1.0, 0.0]]]


def test_several_are_a_folder_a_list_or_a_batch(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(png(colours()))
    assert [each.name for each in several(tmp_path, "towards")] == ["a.png", "b.png"]
    assert len(several([colours()] * 3, "towards")) == len(several(np.stack([colours()] * 3), "towards")) == 3
    assert len(several(torch.zeros(4, 3, 9, 9), "towards")) == 4
    assert len(several(colours(), "towards")) == len(several(b"abc", "towards")) == 1


@pytest.fixture(scope="module")
def net() -> Network:
    return wrapped(Hand(), labels=LABELS)


def test_wherever_a_picture_is_taken(net: Network) -> None:
    values, mask = colours(), np.zeros((20, 28), bool)
    mask[:10] = True
    tensor = torch.from_numpy(values.copy()).permute(2, 0, 1) / 255
    pairs: dict[str, tuple[Callable[[Any], object], Any, Any]] = {
        "start": (lambda it: reverie.dream(it, "edge", network=net, **FEW).encode(with_recipe=False), tensor, values),
        "guide": (lambda it: reverie.dream(tensor, "edge", guide=it, network=net, **FEW).encode(with_recipe=False), tensor, values),
        "mask": (
            lambda it: reverie.dream(tensor, "edge", mask=it, network=net, **FEW).encode(with_recipe=False),
            torch.from_numpy(mask).float()[None], mask,
        ),
        "towards": (
            lambda it: reverie.dream(tensor, "edge", towards=it, away=[values[::-1]], network=net, **FEW).encode(with_recipe=False),
            [tensor, tensor], np.stack([values, values]),
        ),
        "recognise": (lambda it: [(each.index, round(each.probability, 5)) for each in net.recognise(it)], tensor, values),
        "see": (lambda it: reverie.see(it, network=net, layers=["edge"], **LITTLE).layers[0].activations.tolist(), tensor, values),
        "attribute": (lambda it: net.attribute(it, ["edge"], 1)[0].values.tolist(), tensor, values),
        "climb": (
            lambda it: reverie.climb(it, lambda pictures: pictures.mean((1, 2, 3)), **FEW).encode(with_recipe=False), tensor, values,
        ),
    }  # fmt: skip
    for name, (door, one, other) in pairs.items():
        assert door(one) == door(other), name


def test_what_is_usual_may_be_pictures_at_hand(net: Network, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(colours(seed=number)))
    at_hand = np.stack([colours(seed=number) for number in range(3)])
    plans = [reverie.api.plan_see(colours(), network=net, layers=["edge"], usual=each) for each in (tmp_path, at_hand, list(at_hand))]
    for plan in plans[1:]:
        assert plan.sight.usual == "3 pictures"
        assert all(
            torch.equal(*each) for each in zip(plan.request.usual.layers["edge"], plans[0].request.usual.layers["edge"], strict=True)
        )


# ---- classes, and devices


@pytest.mark.parametrize("label", [1, "1", "second", "class:second", np.int64(1), np.uint8(1), torch.tensor(1), np.array(1)])
def test_a_class_is_a_name_or_a_number_of_any_kind(net: Network, label: Any) -> None:
    made = reverie.imagine(label, network=net, size=32, **FEW)
    assert isinstance(made, Picture) and str(made.recipe and made.recipe.target) == "class:second=1"
    assert net.class_index(label) == 1
    assert torch.equal(net.attribute(colours(), ["edge"], label)[0].values, net.attribute(colours(), ["edge"], 1)[0].values)
    assert reverie.api.plan_see(colours(), network=net, layers=["edge"], why=label).request.why == 1


def test_what_was_recognised_is_a_class_too(net: Network) -> None:
    best = net.recognise(colours())[0]
    assert net.class_index(best) == best.index
    assert [str(each.recipe and each.recipe.target) for each in reverie.imagine(np.arange(2), network=net, size=32, **FEW)] == [
        "class:first=0", "class:second=1",
    ]  # fmt: skip


@pytest.mark.parametrize(("label", "said"), [
    (3, "no class 3; the network has 3 classes"), (-1, "no class -1; the network has 3"), (1.0, "a float is no class"),
    (True, "a bool is no class"), (None, "a NoneType is no class"),
])  # fmt: skip
def test_what_is_no_class_says_so(net: Network, label: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        net.class_index(label)


def test_a_device_is_a_name_or_a_device_of_torch(net: Network) -> None:
    for device in ("cpu", torch.device("cpu"), torch.device("cpu", 0), "cpu:0"):
        assert reverie.wrap(Hand(), mean=[0.0] * 3, std=[1.0] * 3, size=16, device=device).device.type == "cpu"
        made = reverie.dream(colours(), "edge", network=net, device=device, **FEW)
        assert made.recipe is not None and made.recipe.machine.device == "cpu"
    for device in ("cpu:1", torch.device("cuda", 99)):
        with pytest.raises(UsageError, match=f"device '{device}' is not on this machine"):
            net.to(device)
    for wrong in ("gpu", torch.device("meta"), "cuda:one"):
        with pytest.raises(UsageError, match=f"no device '{wrong}'"):
            net.to(wrong)
