"""What a network computes in: said in one way everywhere, part of the recipe, and kept when a picture is made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers.commands import Run, pixels
from tests.helpers.tiny import settled, wrapped
from torch import nn

import reverie
from reverie import api
from reverie.album import read_recipe
from reverie.api.opening import networks_from
from reverie.errors import UsageError
from reverie.networks import Network
from reverie.networks.prepared import device
from reverie.render.batch_memory import bytes_per_pixel

SHORT: dict[str, Any] = {"target": "blocks.2.1", "octaves": 1, "steps": 2}
FLAGS = ("-t", "blocks.2.1", "--octaves", "1", "--steps", "2")
HERE = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture(autouse=True)
def processor(monkeypatch: pytest.MonkeyPatch, lite0: Network) -> Iterator[pytest.MonkeyPatch]:
    """One that multiplies bfloat16, whatever is here; the network that all tests share is given back as it was."""
    monkeypatch.setattr(device, "runs_here", lambda x: x.is_cpu)
    monkeypatch.setattr(device, "multiplies_bfloat16", lambda: True)
    yield monkeypatch
    lite0.to("cpu")


def small() -> nn.Module:
    torch.manual_seed(0)
    return settled(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()))


def opened(precision: str | torch.dtype | None) -> Network:
    return reverie.wrap(small(), mean=[0.5] * 3, std=[0.2] * 3, size=32, device="cpu", precision=precision)  # type: ignore[arg-type]


def test_a_network_is_opened_in_it() -> None:
    for said, found in ((None, torch.float32), ("auto", torch.float32), ("bfloat16", torch.bfloat16), (torch.bfloat16, torch.bfloat16)):
        assert reverie.load(precision=said).dtype == opened(said).dtype == found  # type: ignore[arg-type]
    ready = opened("bfloat16").prepare(["1"])
    seen = ready(torch.rand(1, 3, 32, 32))["1"]
    assert {each.dtype for each in ready.module.parameters()} == {torch.bfloat16} and seen.dtype == torch.float32


def test_a_picture_is_another_close_one_and_its_recipe_says_so(small_sky: Path) -> None:
    fine, coarse = (reverie.dream(small_sky, **SHORT, precision=each) for each in ("float32", "bfloat16"))
    assert fine.recipe is not None and coarse.recipe is not None
    assert (fine.recipe.machine.precision, coarse.recipe.machine.precision) == ("float32", "bfloat16")
    apart = (fine.pixels - coarse.pixels).abs()
    assert 0 < float(apart.mean()) < 0.03


def test_redo_keeps_it_with_the_same_bytes(run: Run, small_sky: Path) -> None:
    command = ("dream", "sky.png", *FLAGS)
    assert run(*command, "--precision", "bfloat16", "-o", "a.png").code == 0
    assert read_recipe("a.png").machine.precision == "bfloat16"
    answer = run("redo", "a.png", "-o", "b.png")
    assert answer.code == 0 and "the same bytes" in answer.err
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    for said in ("float32", "auto"):
        answer = run("redo", "a.png", "-o", f"{said}.png", "--precision", said)
        assert answer.code == 0 and "here it is" in answer.err and "cpu, float32" in answer.err
    assert Path("float32.png").read_bytes() == Path("auto.png").read_bytes() != Path("a.png").read_bytes()
    run(*command, "-o", "fine.png")
    assert np.array_equal(pixels(Path("fine.png")), pixels(Path("float32.png")))


def test_another_picture_of_it_keeps_it_too(run: Run, small_sky: Path) -> None:
    first = reverie.dream(small_sky, **SHORT, precision="bfloat16").save("a.png")
    for changes, found in (
        ({"seed": 5}, "bfloat16"), ({"seed": 5, "precision": "float32"}, "float32"), ({"precision": "auto"}, "float32"),
        ({"network": "efficientnet-lite0"}, "bfloat16"), ({"network": "efficientnet-lite0", "precision": "float32"}, "float32"),
    ):  # fmt: skip
        plan = api.plan_again(first, **changes)
        assert plan.recipe.machine.precision == found, changes
    assert run("redo", "a.png", "--seed", "5", "-o", "b.png").code == run("redo", "a.png", "--network", "efficientnet-lite0").code == 0
    assert read_recipe("b.png").machine.precision == read_recipe("a-redo.png").machine.precision == "bfloat16"
    assert Path("a-redo.png").read_bytes() == first.read_bytes()


def test_a_network_that_is_given_stays_as_it_is(small_sky: Path) -> None:
    first = reverie.dream(small_sky, "0", network=opened("bfloat16"), octaves=1, steps=2).save("a.png")
    assert reverie.redo(first, network=opened("bfloat16")).save("b.png").read_bytes() == first.read_bytes()
    made = reverie.redo(first, network=opened("float32")).recipe
    assert made is not None and made.machine.precision == "float32"
    with pytest.raises(UsageError, match="precision=bfloat16, but the network is open in float32; load it with that precision"):
        reverie.redo(first, network=opened("float32"), precision="bfloat16")


def test_without_kernels_it_is_made_again_in_float32(run: Run, small_sky: Path, processor: pytest.MonkeyPatch) -> None:
    reverie.dream(small_sky, **SHORT, precision="bfloat16").save("a.png")
    processor.setattr(device, "runs_here", lambda _: False)
    answer = run("redo", "a.png", "-o", "b.png")
    assert "cpu, bfloat16" in answer.err and "here it is" in answer.err and "cpu, float32" in answer.err and "to the eye" in answer.err
    assert read_recipe("b.png").machine.precision == "float32"
    assert run("redo", "a.png", "-o", "c.png", "--precision", "bfloat16").code == 0
    assert Path("c.png").read_bytes() == Path("a.png").read_bytes()


def test_a_processor_that_is_slower_in_it_is_told_of(run: Run, small_sky: Path, processor: pytest.MonkeyPatch) -> None:
    told = "bfloat16 is slower than float32 on this processor"
    assert told not in run("dream", "sky.png", *FLAGS, "--precision", "bfloat16").err
    for name, answer in (("multiplies_bfloat16", False), ("runs_here", False)):
        processor.setattr(device, name, lambda *_, answer=answer: answer)
        for command in (("dream", "sky.png", *FLAGS, "-o", "a.png", "--force"), ("recognise", "sky.png")):
            assert told in run(*command, "--precision", "bfloat16").err
        again = run("redo", "a.png", "--force")  # in bfloat16 as its recipe says, or where there are no kernels in float32
        assert again.code == 0 and (told in again.err) == (name == "multiplies_bfloat16"), again
        assert told not in run("recognise", "sky.png", "--precision", "auto").err
        with pytest.warns(UserWarning, match=told):
            opened("bfloat16")
        processor.setattr(device, name, lambda *_: True)
    assert device.slower(torch.device("cuda"), torch.bfloat16) == device.slower(HERE, torch.float32) == ""


def test_one_that_is_none_or_another_is_refused(run: Run, small_sky: Path, lite0: Network) -> None:
    for wrong in ("float16", "fine", torch.float64):
        with pytest.raises(UsageError, match=r"precision=.*should be"):
            reverie.dream(small_sky, **SHORT, precision=wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"precision=.*; it should be float32, bfloat16 or auto"):
            reverie.load(precision=wrong)  # type: ignore[arg-type]
    run("dream", "sky.png", "--precision", "float16").fault(2, "--precision float16", "it should be", "bfloat16")
    with pytest.raises(UsageError, match="precision=bfloat16, but the network is open in float32; load it with that precision"):
        reverie.see(small_sky, network=lite0, precision="bfloat16")
    assert networks_from(lite0, None, "float32") == networks_from(lite0, None, "auto") == (lite0,)
    with pytest.raises(UsageError, match="networks in different precisions; open them in the same one"):
        networks_from([opened("bfloat16"), wrapped(nn.Conv2d(3, 2, 1))], None)


def test_a_device_whose_torch_has_none_is_told_of(run: Run, small_sky: Path, processor: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise TypeError("BFloat16 is not supported on MPS")

    processor.setattr(torch.nn.functional, "conv2d", none)
    run("dream", "sky.png", "--precision", "bfloat16").fault(2, "--precision bfloat16: this torch cannot", "cpu", "leave it out")


def test_everything_with_a_device_has_it(run: Run, small_sky: Path, processor: pytest.MonkeyPatch) -> None:
    answer = run("recognise", "sky.png", "--precision", "bfloat16", "--json")
    coarse, fine = (json.loads(each)[0]["labels"][0]["probability"] for each in (answer.out, run("recognise", "sky.png", "--json").out))
    assert 0 < abs(coarse - fine) < 0.1
    plans: list[Any] = [
        api.plan_journey(small_sky, precision="bfloat16", frames=2), api.plan_feature("blocks.1.0:3", precision="bfloat16", size=48)[0],
        api.plan_imagine("banana", precision="bfloat16", size=48)[0],
        api.plan_journey("noise:pink", ring=["parts", "patterns"], precision="bfloat16", frames=2, size=48),
    ]  # fmt: skip
    assert {each.recipe.machine.precision for each in plans} == {"bfloat16"}
    assert api.plan_see(small_sky, precision="bfloat16").asked["precision"] == "bfloat16"
    with pytest.raises(UsageError, match="precision"):
        reverie.climb(small_sky, lambda pictures: pictures.mean(), precision="bfloat16")  # type: ignore[call-arg]


def test_estimates_follow_it() -> None:
    fine, coarse = (bytes_per_pixel(opened(each), ["1"]) for each in ("float32", "bfloat16"))
    assert coarse < 0.7 * fine


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("flags\t\t: fpu avx512_bf16 sse\n", True),
        ("processor: 0\nFeatures : fp bf16\n", True),
        ("flags: fpu avx512f\n", False),
        ("x: 1\n", None),
    ],
)
def test_what_linux_tells_of_the_processor(told: str, found: bool | None, tmp_path: Path, processor: pytest.MonkeyPatch, run: Run) -> None:
    (tmp_path / "cpuinfo").write_text(told)
    processor.undo()
    assert device.multiplies_bfloat16(tmp_path / "cpuinfo") is found and device.multiplies_bfloat16(tmp_path / "none") is None
    processor.setattr(device, "multiplies_bfloat16", lambda: found)
    words = {True: "in hardware", False: "not in hardware: slow", None: "not known"}
    rows = {row["what"]: row["state"] for row in json.loads(run("doctor", "--json").out)}
    assert rows["bfloat16 on the processor"] == words[found]
