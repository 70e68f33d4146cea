"""Every sweep, one after another, with a line for each; exit 1 if any found a fault: python -m tests.torture [--seed N]"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SWEEPS = ("torture_files", "torture_films", "torture_recipes", "torture_weights", "torture_dreams", "torture_work")


def main() -> int:
    folder = Path(__file__).parent
    failed = []
    for sweep in SWEEPS:
        done = subprocess.run([sys.executable, folder / f"{sweep}.py", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
        lines = done.stdout.splitlines()
        for line in lines[:-1] if done.returncode else []:
            print(f"  {line}")
        print(f"{sweep}: {lines[-1] if lines else 'nothing was said'}", flush=True)
        failed += [sweep] if done.returncode else []
    print("failed: " + ", ".join(failed) if failed else "no fault found")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
