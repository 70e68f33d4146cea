"""Several pictures: a list that shows itself as a contact sheet, and that sheet as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import SupportsIndex, overload

from reverie.errors import UsageError
from reverie.pictures.picture import Picture
from reverie.pictures.sheets import MOST, contact_sheet
from reverie.recipe import sheet_mark
from reverie.target import as_said

_NAMED = 6  # in the short form of a list


class Pictures(list[Picture]):
    """Pictures in a list, which a notebook shows as a contact sheet; of more than 1000 the first."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Pictures: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Picture | Pictures:
        return Pictures(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    def __repr__(self) -> str:
        names = [repr(label_of(each)) for each in self[:_NAMED]]
        return f"Pictures({len(self):,}: {', '.join(names)}{', …' * (len(self) > _NAMED)})" if self else "Pictures(0)"

    def _repr_png_(self) -> bytes | None:
        return sheet(self[:MOST])._repr_png_() if self else None


def sheet(pictures: Iterable[Picture], labels: Sequence[str] | None = None) -> Picture:
    """A contact sheet: pictures in reading order, a label under each. A unit that never fired leaves its place empty.

    Args:
        pictures: 1 to 1000.
        labels: one for each; None takes what each was made for from its recipe.

    Raises:
        UsageError: none or too many of them, or another number of labels.
    """
    given = list(pictures)
    wrong = next((each for each in given if not isinstance(each, Picture)), None)
    if wrong is not None or isinstance(pictures, Picture):
        raise UsageError(f"a sheet of {type(wrong or pictures).__name__}", "give a list of pictures that Reverie made or loaded")
    if labels is not None and not all(isinstance(each, str) for each in labels):
        raise UsageError("labels of a sheet that are no texts", "give one text for each picture")
    names = _told_apart(given) if labels is None else labels
    return Picture(
        contact_sheet([each.colours if each.alive else None for each in given], names), sheet_of=sheet_mark(each.recipe for each in given)
    )


def _told_apart(pictures: Sequence[Picture]) -> list[str]:
    """A label for each; with its seed where others were made for the same."""
    names = [label_of(each) for each in pictures]
    seeds = ["" if each.recipe is None else f" · seed {each.recipe.seed}" for each in pictures]
    return [name + seed if len(set(seeds)) > 1 and names.count(name) > 1 else name for name, seed in zip(names, seeds, strict=True)]


def label_of(picture: Picture) -> str:
    """What a picture was made for, as people say it: `class:banana` is a banana, diverse ones have a number. Empty without a recipe."""
    if picture.recipe is None:
        return ""
    target, batch = str(picture.recipe.target), picture.recipe.batch
    name = as_said(target)
    return f"{name} · {batch.index + 1}" if batch is not None and batch.kind == "diverse" else name
