"""docs/how-it-works.md: its code runs, prints what stands on the page, and its prose names no number that the code does not."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

import reverie

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUM = re.compile(r"((?:−?[\d.]+|\()[\d. ×/+()−√]*) = (−?\d+(?:\.\d+)?)")


class Block(NamedTuple):
    code: str
    line: int  # of the page, of the fence
    printed: str | None  # what stands in a ```text fence directly after it


def blocks(page: str) -> list[Block]:
    """The ```python fences of a page in order, each with the ```text fence directly after it, if there is one."""
    fences = list(FENCE.finditer(page))
    found = []
    for number, fence in enumerate(fences):
        if fence[1] != "python":
            continue
        after = fences[number + 1] if number + 1 < len(fences) else None
        joined = after is not None and after[1] == "text" and not page[fence.end() : after.start()].strip()
        found.append(Block(fence[2], page[: fence.start()].count("\n") + 1, after[2] if after is not None and joined else None))
    return found


def run(page: Path, space: dict[str, Any]) -> list[tuple[Block, str]]:
    """Run a page's blocks in one namespace; each with what it printed."""
    results = []
    for block in blocks(page.read_text("utf-8")):
        code = compile("\n" * block.line + block.code, str(page), "exec")  # so that a traceback names the line of the page
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, space)
        results.append((block, out.getvalue()))
    return results


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Small pictures gain nothing by more, and on a busy machine threads that wait for each other take many times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def ran() -> list[tuple[Block, str]]:
    with one_thread():
        return run(PAGE, {"__name__": "how_it_works"})


def test_the_page_prints_what_stands_on_it(ran: list[tuple[Block, str]]) -> None:
    assert len(ran) > 12
    for block, printed in ran:
        assert printed == (block.printed or ""), f"{PAGE.name}:{block.line}"


def test_every_number_in_the_prose_is_one_the_code_uses_or_prints(ran: list[tuple[Block, str]]) -> None:
    page = PAGE.read_text("utf-8")
    checked = set(re.findall(r"\d+\.\d+", " ".join(fence[2] for fence in FENCE.finditer(page))))
    checked |= {str(float(number)) for number in checked}
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page))
    prose = SUM.sub("", prose)  # see the next test
    assert not set(re.findall(r"\d+\.\d+", prose)) - checked


def test_the_sums_written_out_in_the_prose_are_right(ran: list[tuple[Block, str]]) -> None:
    page = " ".join(PAGE.read_text("utf-8").split())
    sums = SUM.findall(page)
    assert len(sums) >= 9
    for left, right in sums:
        value = eval(re.sub(r"√(\([^)]*\))", r"\1**.5", left.replace("×", "*").replace("−", "-")))
        off = 0.5 * 10 ** -len(right.partition(".")[2])
        assert value == pytest.approx(float(right.replace("−", "-")), abs=off if "." in right else 1e-9), f"{left} = {right}"


def test_the_rooms_of_the_page_and_their_files_exist() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\|([^|]*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) >= 10
    house = Path(reverie.__file__).parent
    for room, files in rows:
        assert (house / room).is_dir() or (house / f"{room}.py").is_file(), room
        for file in re.findall(r"`([\w/]+)`", files):
            assert (house / room / f"{file}.py").is_file(), f"{room}/{file}"
