"""`make test-install`: every extra but the zoo over an older CPU build of PyTorch, in an environment of its own, really installed.

It takes minutes and 1.5 GB; `tests/test_installing.py` asks pip the same without installing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "import importlib.metadata as m; print(m.version('torch'))"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([python, ROOT / "tools/cpu_torch.py", ROOT / "constraints.txt"], check=True)
        subprocess.run([*pip, f"{ROOT}"], check=True)
        before = subprocess.check_output([python, "-c", VERSION], text=True).strip()
        subprocess.run([*pip, f"{ROOT}[all]"], check=True)
        after = subprocess.check_output([python, "-c", VERSION], text=True).strip()
        subprocess.run([f"{folder}/bin/reverie", "doctor"], check=True)
        print(f"torch {before} before, {after} after an install of [all]")
        if before != after:
            sys.exit("an install of [all] put another torch in its place")


if __name__ == "__main__":
    main()
