"""Reads every file of a folder as weights, and tells as lines of JSON what each did: reading_weights.py FOLDER"""

from __future__ import annotations

import io
import json
import pickle
import sys
import time
from pathlib import Path

import torch
from tests.helpers.weightfiles import small
from torch import Tensor


def peak() -> int:
    """Bytes that this process has ever had in memory; 0 where it cannot be told."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def attempt(place: Path, before: int) -> dict[str, object]:
    """What reading it did: error, exit code, seconds of the processor, peak of memory above `before`, and what is wrong with that."""
    from reverie.errors import ReverieError
    from reverie.networks.checkpoints.loading import load_weights

    net, untouched = small(2), small(2).state_dict()
    began = time.process_time()
    result, code, wrong = "", 0, ""
    try:
        load_weights(place, net)
    except ReverieError as error:
        result, code = f"{type(error).__name__}: {error}", error.exit_code
        if "\n" in str(error) or not error.remedy or len(str(error)) > 600:
            wrong = "not one short line with a remedy"
        if any(not torch.equal(each, untouched[name]) for name, each in net.state_dict().items()):
            wrong = "the module is changed"
    except BaseException as error:  # noqa: BLE001 - what gets out is what we look for
        result, wrong = repr(error)[:400], "an error that is none of ours"
    seconds = time.process_time() - began
    if not result:
        wrong = "" if "mutated" in place.name and _is_equal(place, net.state_dict()) else "it was taken"
    return {"file": place.name, "result": result, "code": code, "seconds": seconds, "peak": peak() - before, "wrong": wrong}


def _is_equal(place: Path, state: dict[str, Tensor]) -> bool:
    """Whether it is the sound file's but for a few bits of numbers, which nobody could tell, or what the libraries find in it."""
    from safetensors.torch import load

    state.pop("1.num_batches_tracked")  # counts what nobody asks for: taken without it too
    sound = small(1).state_dict()
    if sum(int((sound[name] != each).sum()) for name, each in state.items()) < 10:  # torch refuses or misreads some of these
        return True
    content = place.read_bytes()
    try:
        found = load(content) if content[8:9] == b"{" else torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, pickle.UnpicklingError):
        return False
    return all(torch.equal(found[name], each) for name, each in state.items() if name in found)


def main() -> int:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (16 << 30, resource.RLIM_INFINITY))  # a bomb is to end this process, not the machine
    except (ImportError, ValueError):
        pass
    torch.set_num_threads(1)
    first = Path(sys.argv[1])
    attempt(first / "missing", 0)  # what is imported, is
    before = peak()
    for place in sorted(first.iterdir()):
        print(json.dumps(attempt(place, before)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
