"""What is missing is named with a command that gets it here; nothing that is installed takes the torch that is there away."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.helpers.pages import ROOT
from tools import cpu_torch

from reverie.installing import EXTRAS, install, install_extra, torch_build

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_extras_are_those_of_the_package() -> None:
    have = {name: tuple(re.split(r"[<>=]", each)[0] for each in found) for name, found in PROJECT["optional-dependencies"].items()}
    assert {name: have[name] for name in EXTRAS} == EXTRAS
    assert set(have) == {*EXTRAS, "all", "dev"}
    assert have["all"] == (f"reverie[{','.join(name for name in EXTRAS if name != 'zoo')}]",)


def test_pydantic_leaves_out_fields_that_have_their_default() -> None:
    """`exclude_if` came with 2.12."""
    (bound,) = (each for each in PROJECT["dependencies"] if each.startswith("pydantic"))
    assert tuple(map(int, bound.removeprefix("pydantic>=").split("."))) >= (2, 12)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell finds the Python that runs, and pip is there."""
    monkeypatch.setattr(shutil, "which", lambda name: str(Path(sys.executable).with_name(name)))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace())


def _with_torch(monkeypatch: pytest.MonkeyPatch, torch: str | None, *others: str) -> None:
    def version(name: str) -> str:
        if name == "torch" and torch is not None:
            return torch
        if name in others:
            return "1.0"
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.usefixtures("entered")
def test_the_command_leaves_torch_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _with_torch(monkeypatch, "2.13.0+cpu", "av")
    assert install("captum") == "pip install captum"
    assert install_extra("film") == "pip install opencv-python-headless"
    assert install("timm") == 'pip install uv, then: uv pip install --torch-backend cpu "torch==2.13.0" timm torchvision'
    again = 'pip install uv, then: uv pip install --torch-backend cpu --reinstall-package torchvision "torch==2.13.0" torchvision'
    assert install("torchvision", how="--force-reinstall") == again
    assert torch_build("auto") == "pip install uv, then: uv pip install --torch-backend auto --reinstall-package torch torch"
    _with_torch(monkeypatch, "2.12.1")
    assert install_extra("zoo") == 'pip install "torch==2.12.1" timm torchvision huggingface_hub'
    assert install("captum", how="--upgrade") == "pip install --upgrade captum"
    _with_torch(monkeypatch, None)
    assert install("torchvision") == "pip install torchvision"


def test_the_command_installs_here_and_not_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace())
    assert install("av") == f"{python} -m pip install av"
    monkeypatch.chdir(tmp_path)
    assert install("av") == ".venv/bin/python -m pip install av"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert install("av") == "uv pip install --python .venv/bin/python av"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my venv" / "python"))
    assert install("av") == 'uv pip install --python "my venv/python" av'


def test_no_message_and_no_page_names_the_package_where_pip_looks_by_itself() -> None:
    """Other packages are called reverie there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    wrong = re.compile(r"pip install (-\S+ )*['\"]?reverie\b")
    assert [str(page) for page in pages if wrong.search(page.read_text("utf-8"))] == []


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The Python of an environment that pip believes has an older CPU build of PyTorch, and beside it what is here and needs no torch."""
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    for each in metadata.distributions():
        needs = {re.split(r"[^A-Za-z0-9_-]", text)[0] for text in each.requires or () if "extra ==" not in text}
        if each.name.lower() not in ("torch", "reverie") and not needs & {"torch", "torchvision"}:
            folder = Path(str(each.locate_file(""))) / f"{each.name.replace('-', '_')}-{each.version}.dist-info"
            if folder.is_dir() and not (packages / folder.name).exists():
                (packages / folder.name).symlink_to(folder, target_is_directory=True)
    (packages / "torch-2.11.0+cpu.dist-info").mkdir()
    (packages / "torch-2.11.0+cpu.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0+cpu\n")
    return place / "bin" / "python"


def test_an_install_of_all_leaves_torch(older: Path) -> None:
    """`make test-install` really installs; here pip says what it would do."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not in this environment")
    extras = PROJECT["optional-dependencies"]
    (named,) = re.findall(r"\[(.*)\]", extras["all"][0])
    wanted = [*PROJECT["dependencies"], *(each for name in named.split(",") for each in extras[name])]
    asked = [sys.executable, "-m", "pip", "--python", str(older), "install", "--dry-run", "--quiet", "--report", "-", "--retries", "0"]
    done = subprocess.run([*asked, "--timeout", "15", *wanted], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode and ("No matching distribution" in done.stderr or "connection" in done.stderr.lower()):
        pytest.skip(f"no index of packages can be reached: {done.stderr.strip().splitlines()[-1][:200]}")
    assert done.returncode == 0, done.stderr
    found = {each["metadata"]["name"].lower() for each in json.loads(done.stdout)["install"]}
    assert "captum" in found
    assert not {each for each in found if each in ("torch", "torchvision", "triton") or "nvidia" in each or "cuda" in each}


# ── the CPU build, by `make` ─────────────────────────────────────────────────────────────────────────────────────────────


class Machine:
    """Stands in for the programs that install, and keeps what they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, uv: str | None, works: str) -> None:
        self.asked: list[str] = []

        def run(command: tuple[str, ...], **_: object) -> SimpleNamespace:
            said = " ".join(command)
            self.asked.append(said)
            return SimpleNamespace(returncode=0 if re.search(works, said) else 1)

        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr(shutil, "which", lambda name: uv if name == "uv" else None)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(cpu_torch, "_has_torch", lambda: False)
        monkeypatch.setattr(cpu_torch, "gpu_is_seen", lambda: False)


@pytest.fixture
def constraints(tmp_path: Path) -> Path:
    (tmp_path / "constraints.txt").write_text("tomli==2.0\ntorch==2.13.0\ntorchvision==0.28.0\n")
    return tmp_path / "constraints.txt"


def test_the_cpu_build_comes_from_where_pip_looks(monkeypatch: pytest.MonkeyPatch, constraints: Path) -> None:
    machine = Machine(monkeypatch, uv=None, works=r"torch==2\.13\.0\+cpu$")
    cpu_torch.main(constraints)
    assert len(machine.asked) == 1


@pytest.mark.parametrize(
    ("uv", "works", "count"), [("/usr/bin/uv", "^/usr/bin/uv", 2), ("/usr/bin/uv", "^(?!/usr).*uv", 4), (None, "uv", 3)]
)  # an own one, an own one that is too old, none
def test_or_by_uv_which_knows_the_place(monkeypatch: pytest.MonkeyPatch, constraints: Path, uv: str | None, works: str, count: int) -> None:
    machine = Machine(monkeypatch, uv=uv, works=works)
    cpu_torch.main(constraints)
    assert len(machine.asked) == count and "--torch-backend cpu --no-deps torch==2.13.0" in machine.asked[-1]


def test_where_it_cannot_be_had_that_is_told(
    monkeypatch: pytest.MonkeyPatch, constraints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Machine(monkeypatch, uv=None, works="^$")
    cpu_torch.main(constraints)
    assert "no CPU build of PyTorch can be had" in capsys.readouterr().out


def test_a_torch_that_is_there_and_a_gpu_are_left(monkeypatch: pytest.MonkeyPatch, constraints: Path, tmp_path: Path) -> None:
    machine = Machine(monkeypatch, uv=None, works="")
    with monkeypatch.context() as patch:
        patch.setattr(cpu_torch, "_has_torch", lambda: True)
        cpu_torch.main(constraints)
    with monkeypatch.context() as patch:
        patch.setattr(cpu_torch, "gpu_is_seen", lambda: True)
        cpu_torch.main(constraints)
    assert machine.asked == []
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not cpu_torch.gpu_is_seen(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert cpu_torch.gpu_is_seen(tmp_path)
