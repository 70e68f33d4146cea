"""What a user may write after `--network`, and what is said of what nobody can mean."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reverie.errors import UsageError
from reverie.networks.sources.source import Source, is_same, source


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("efficientnet-lite0", Source("built-in", "efficientnet-lite0")),
        ("torchvision:googlenet", Source("torchvision", "googlenet")),
        ("torchvision:resnet50@IMAGENET1K_V1", Source("torchvision", "resnet50", "IMAGENET1K_V1")),
        ("timm:resnet50", Source("timm", "resnet50")),
        ("timm:resnet50.a1_in1k", Source("timm", "resnet50", "a1_in1k")),
        ("hf:timm/resnet18.a1_in1k", Source("hf", "timm/resnet18.a1_in1k")),
        ("hf:owner/name@v1.0", Source("hf", "owner/name", "v1.0")),
        ("mine.safetensors", Source("file", "mine.safetensors")),
        ("runs/3/Mine.PTH", Source("file", "runs/3/Mine.PTH")),
        ("C:\\runs\\mine.pt", Source("file", "C:\\runs\\mine.pt")),
        ("model.pt2", Source("file", "model.pt2")),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, wanted: Source) -> None:
    assert source(text) == wanted
    assert source(text).text == text


def test_a_file_that_is_there_is_one_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        source("checkpoint")
    Path("checkpoint").touch()
    assert source("checkpoint") == Source("file", "checkpoint")


@pytest.mark.parametrize(
    ("text", "fault", "remedy"),
    [
        ("", "without a name", "reverie networks"),
        ("  ", "without a name", "reverie networks"),
        ("efficientnet-lite9", "no network 'efficientnet-lite9'", "'efficientnet-lite0'"),
        ("googlenet", "no network 'googlenet'", "did you mean 'torchvision:googlenet'"),
        ("torchvison:googlenet", "no zoo 'torchvison'", "'torchvision:googlenet'"),
        ("torchvision:", "'torchvision:' without a name", "torchvision:googlenet"),
        ("timm:", "'timm:' without a name", "timm:resnet50.a1_in1k"),
        ("timm:resnet50.", "ends in '.' without a tag", "leave out the '.'"),
        ("timm:resnet50@main", "named by a tag after a dot", "timm:resnet50.a1_in1k"),
        ("torchvision:resnet50@", "ends in '@' without a name of weights", "leave out the '@'"),
        ("hf:", "'hf:' without a name", "hf:timm"),
        ("hf:resnet", "has no owner", "hf:owner/name"),
        ("hf:a/b/c", "more than an owner and a name", "hf:owner/name"),
        ("hf:owner/name@", "ends in '@' without a revision", "leave out the '@'"),
        ("hf:../../etc", "more than an owner", "hf:owner/name"),
        ("hf:owner/..", "no name of a network there", "write it like"),
        ("hf:owner/a..b", "no name of a network there", "write it like"),
        ("hf:owner/name@../main", "no revision", "write it like"),
        ("torchvision:../x", "no name of a network there", "write it like"),
        ("timm/resnet18", "no such file", "hf:timm/resnet18"),
        ("gibberish", "no network 'gibberish'", "`reverie networks` lists them"),
        ("a\nb" * 100, "no network", "reverie networks"),
    ],
)
def test_what_nobody_can_mean_is_answered_in_two_lines(text: str, fault: str, remedy: str) -> None:
    with pytest.raises(UsageError) as raised:
        source(text)
    assert fault in raised.value.fault and remedy in raised.value.remedy
    assert len(raised.value.fault) < 200 and raised.value.fault.isprintable() and raised.value.remedy.isprintable()


def test_a_name_without_a_version_means_any() -> None:
    assert is_same("torchvision:googlenet@IMAGENET1K_V1", "torchvision:googlenet")
    assert is_same("timm:resnet50.a1_in1k", "timm:resnet50")
    assert not is_same("timm:resnet50.a1_in1k", "timm:resnet50.a2_in1k")
    assert not is_same("torchvision:googlenet", "torchvision:googlenet@IMAGENET1K_V1")
    assert is_same("My net", "My net") and not is_same("My net", "Your net")


def test_reading_a_name_looks_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("timm", "torchvision", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, package, None)  # importing it would fail
    assert [source(each).kind for each in ("timm:resnet50", "torchvision:vgg16", "hf:a/b")] == ["timm", "torchvision", "hf"]
