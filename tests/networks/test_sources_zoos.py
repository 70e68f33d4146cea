"""Networks of the zoos, with random weights that the test serves in place of what would come down."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.helpers.commands import Run, carrying, saved
from tests.helpers.recipes import PLAIN
from tests.helpers.tiny import close, picture
from tests.helpers.zoo import MEAN, STD, of_timm, of_torchvision

import reverie
from reverie.errors import MissingExtra, UnsafeError, UsageError
from reverie.installing import install
from reverie.networks.sources import hub_files, zoos
from reverie.networks.sources.source import source
from reverie.store import sha256_of


def test_a_network_of_torchvision_is_built_filled_and_known(served: Callable[..., Path], asked: list[str]) -> None:
    theirs = of_torchvision("squeezenet1_1")
    served(theirs)
    state = torch.random.get_rng_state()
    net = reverie.load("torchvision:squeezenet1_1", device="cpu")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert net.name == "torchvision:squeezenet1_1@IMAGENET1K_V1" and net.size == (224, 224)
    assert net.class_index("Egyptian cat") == 285 and net.class_index("crane bird") == 134 and len(net.labels) == 1000
    assert re.fullmatch(r"https://\S+/squeezenet1_1-b8a52dc0\.pth b8a52dc0 weights", asked[0]) and len(asked) == 1
    x = picture(64, 64)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    with torch.no_grad():
        assert close(net(x), theirs((x - mean) / std))


def test_googlenet_is_built_as_with_its_weights_and_its_heads_for_training_are_left_out(served: Callable[..., Path]) -> None:
    theirs: Any = of_torchvision("googlenet", aux_logits=True, transform_input=True, init_weights=False)
    served(theirs)
    found = zoos.found(source("torchvision:googlenet"))
    assert found.module.transform_input and not found.module.aux_logits and not found.module.training
    assert not any(each.requires_grad for each in found.module.parameters())
    x = picture(64, 64)
    with torch.no_grad():
        theirs.aux_logits = False
        assert torch.equal(found.module(x), theirs(x))


def test_densenet_is_read_by_the_names_of_its_file(served: Callable[..., Path]) -> None:
    theirs = of_torchvision("densenet121")
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2.", name): each for name, each in theirs.state_dict().items()}
    old = {name: each for name, each in old.items() if not name.endswith("num_batches_tracked")}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    served(old)
    ours = zoos.found(source("torchvision:densenet121")).module.state_dict()
    assert all(torch.equal(ours[name], each) for name, each in theirs.state_dict().items() if not name.endswith("num_batches_tracked"))


def test_weights_come_down_once_are_verified_and_kept(place: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = of_torchvision("squeezenet1_1")
    import torchvision

    files = tmp_path / "files"
    files.mkdir()
    torch.save(theirs.state_dict(), files / "net.pth")
    name = f"squeezenet1_1-{sha256_of(files / 'net.pth')[:8]}.pth"
    (files / "net.pth").rename(files / name)
    asked: list[str] = []

    class Serve(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(files))

        def log_message(self, *_: Any) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        weights = torchvision.models.get_model_weights("squeezenet1_1").DEFAULT.value
        monkeypatch.setattr(weights, "url", f"http://127.0.0.1:{server.server_port}/{name}")
        words = ("layers", "--network", "torchvision:squeezenet1_1")
        run(*words, "--offline").fault(3, "not in the cache")
        assert asked == []
        assert run(*words).code == run(*words, "--offline").code == 0
        assert asked == [f"/{name}"]
        server.shutdown()
    (place.parent / "cache" / "weights" / name).write_bytes(b"no weights")
    run(*words, "--offline").fault(3, "not in the cache")  # what is damaged is not used


def test_other_weights_are_chosen_by_name(served: Callable[..., Path], asked: list[str]) -> None:
    served(of_torchvision("mobilenet_v3_small"))
    assert reverie.load("torchvision:mobilenet_v3_small@IMAGENET1K_V1", device="cpu").name.endswith("@IMAGENET1K_V1")
    with pytest.raises(UsageError, match=r"no weights of torchvision:mobilenet_v3_small 'IMAGENET1K_V3'.*'IMAGENET1K_V1'"):
        reverie.load("torchvision:mobilenet_v3_small@IMAGENET1K_V3")
    assert len(asked) == 1


def test_weights_that_do_not_fit_are_refused_and_random_ones_never_used(served: Callable[..., Path]) -> None:
    served(of_torchvision("squeezenet1_0"))
    with pytest.raises(UnsafeError, match="do not fit SqueezeNet"):
        reverie.load("torchvision:squeezenet1_1")


def test_a_network_of_timm_comes_from_where_its_entry_says(served: Callable[..., Path], asked: list[str]) -> None:
    safe = served(of_timm("test_resnet"))
    net = reverie.load("timm:test_resnet", device="cpu")
    assert net.name == "timm:test_resnet.r160_in1k" and net.size == (160, 160) and net.sha256 == sha256_of(safe)
    assert asked == ["timm/test_resnet.r160_in1k model.safetensors None"]
    assert net.class_index("Egyptian cat") == 285


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("torchvision:googlnet", "did you mean 'torchvision:googlenet'"),
        ("torchvision:fcn_resnet50", "torchvision:"),
        ("timm:resnet5O", "did you mean 'timm:resnet50'"),
        ("timm:resnet50.a1_in2k", "did you mean 'a1_in1k'"),
        ("timm:vit_tiny_patch16_224.zzz", "it has "),
    ],
)
def test_a_name_that_a_zoo_does_not_have_gives_the_nearest(served: Callable[..., Path], asked: list[str], name: str, words: str) -> None:
    served({})
    with pytest.raises(UsageError) as raised:
        reverie.load(name)
    assert words in raised.value.remedy and asked == []


def test_what_knows_itself_is_not_told(served: Callable[..., Path], place: Path, run: Run, asked: list[str]) -> None:
    served({})
    with pytest.raises(UsageError, match="knows its own normalisation"):
        reverie.load("torchvision:vgg16", mean=[0.5] * 3, std=[0.5] * 3)
    run("layers", "--network", "torchvision:vgg16", "--definition", "a:b").fault(2, "--definition is for a network of your own")
    assert asked == []


@pytest.mark.parametrize(
    ("error", "name", "parts"),
    [
        (ModuleNotFoundError("no", name="torchvision"), "torchvision:vgg16", ("needs torchvision", "install torchvision")),
        (ModuleNotFoundError("no", name="timm"), "timm:resnet50", ("needs timm", "install timm")),
        (ModuleNotFoundError("no", name="huggingface_hub"), "hf:a/b", ("needs huggingface_hub", "install huggingface_hub")),
        (
            RuntimeError("operator torchvision::nms does not exist"),
            "timm:resnet50",
            ("does not fit torch 2", "--reinstall-package torchvision"),
        ),
    ],
)
def test_what_cannot_be_imported_is_said_with_what_to_install(
    error: Exception, name: str, parts: tuple[str, ...], place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_name: str) -> Any:
        raise error

    monkeypatch.setattr(zoos, "importlib", SimpleNamespace(import_module=fails))
    asked = [install(each.removeprefix("install ")) if each.startswith("install ") else each for each in parts]  # as from this folder
    run("layers", "--network", name).fault(MissingExtra.exit_code, *asked)


def test_offline_nothing_comes_down(served: Callable[..., Path], place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    served({})
    run("layers", "--network", "torchvision:vgg16", "--offline").fault(3, "--offline")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run("layers", "--network", "timm:resnet50").fault(3, "--offline")


def test_what_comes_down_has_a_bar_where_somebody_looks(
    served: Callable[..., Path], place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(of_timm("test_resnet"))
    words = ("feature", "layer1.0:1", "--network", "timm:test_resnet", "--size", "32", "--octaves", "1", "--steps", "1", "--force")
    assert "downloading" not in run(*words).err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert "downloading timm:test_resnet" in run(*words).err
    assert "downloading" not in run(*words, "--quiet").err


def test_a_recipe_makes_nothing_come_down(served: Callable[..., Path], place: Path, run: Run, asked: list[str]) -> None:
    safe = served(of_timm("test_resnet"))
    saved(place / "sky.png")
    net = ("--network", "timm:test_resnet")
    few = ("--octaves", "1", "--steps", "1", "--width", "64", "--threads", "1")
    assert run("dream", "sky.png", "-t", "layer1.0:1", *few, "-o", "a.png", *net).code == 0
    used = run("recipe", "a.png", "--json").data[0]["recipe"]["networks"][0]
    assert (used["name"], used["sha256"]) == ("timm:test_resnet.r160_in1k", sha256_of(safe))
    asked.clear()
    run("redo", "a.png").fault(3, "made with 'timm:test_resnet.r160_in1k', which is not here", "--network timm:test_resnet.r160_in1k")
    assert asked == ["timm/test_resnet.r160_in1k model.safetensors None"]  # it was looked for here
    assert run("redo", "a.png", *net, "-o", "b.png").code == 0
    assert (place / "b.png").read_bytes() == (place / "a.png").read_bytes()
    whole = hub_files.fetched
    here = lambda *given, **more: whole(*given, **{**more, "offline": False})  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_files, "fetched", here)  # as if it were in the cache
        assert run("redo", "a.png", "-o", "c.png").code == 0
    assert (place / "c.png").read_bytes() == (place / "a.png").read_bytes()


def test_a_recipe_of_a_zoo_with_other_weights_is_refused(served: Callable[..., Path], place: Path, run: Run) -> None:
    served(of_timm("test_resnet"))
    whole = hub_files.fetched
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_files, "fetched", lambda *given, **more: whole(*given, **{**more, "offline": False}))
        used = PLAIN.networks[0].model_copy(update={"name": "timm:test_resnet.r160_in1k", "sha256": "0" * 64})
        carrying(place / "a.png", PLAIN.model_copy(update={"networks": (used,)}).text())
        run("redo", "a.png").fault(3, "other weights of 'timm:test_resnet.r160_in1k'")


def test_a_ring_goes_round_networks_of_the_zoos(served: Callable[..., Path], place: Path, run: Run) -> None:
    served(of_timm("test_resnet"))
    saved(place / "sky.png")
    few = ("--frames", "2", "--steps", "1", "--octaves", "1", "--width", "64")
    ring = ("journey", "sky.png", "--ring", "efficientnet-lite0/edges", "timm:test_resnet/layer1.0:1")
    assert run(*ring, *few, "-o", "frames").code == 0
    named = ("--network", "efficientnet-lite0", "--network", "timm:test_resnet")
    assert run(*ring, *few, "-o", "again", *named).code == 0
