"""What a user asks for beside what is made: where it runs, whose network it is, how results are written, printed and pruned."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from reverie.recipe.choices import Data, Flag
from reverie.recipe.recipe import MOST_THREADS
from reverie.recipe.requests import MAX_PIXELS, Given, Sides


def _word_of(precision: Any) -> Any:
    """A type of torch by its name."""
    return precision if precision is None else str(precision).removeprefix("torch.")


class Machinery(Data):
    """Where it runs, and what is allowed and kept."""

    group: ClassVar[str] = "this machine"
    device: Annotated[str | None, BeforeValidator(lambda given: given and str(given)), Flag("D")] = Field(
        None, description="cpu, cuda or mps; without it the fastest there is"
    )
    precision: Annotated[Literal["float32", "bfloat16", "auto"] | None, BeforeValidator(_word_of)] = Field(
        None, description="what the network computes in; auto, the usual: bfloat16 on a GPU made for it, else float32"
    )
    threads: Annotated[int | None, Flag("N")] = Field(
        None, ge=1, le=MOST_THREADS, description="processor threads; without it as many as torch takes"
    )
    keep: Annotated[bool, Flag(names=("--no-keep",), negative=True)] = Field(
        True, description="keep what goes in in the cache, where `redo` finds it"
    )
    max_pixels: Annotated[int, Flag("N")] = Field(MAX_PIXELS, ge=1, description="refuse a picture that claims more pixels than this")


def _numbers(given: Any) -> tuple[float, ...] | None:
    """`0.485,0.456,0.406` → three numbers."""
    if given is None or isinstance(given, tuple):
        return given
    try:
        return tuple(float(each) for each in str(given).split(","))
    except ValueError:
        raise ValueError("should be numbers with commas between, such as 0.485,0.456,0.406") from None


Numbers = Annotated[tuple[float, ...] | None, BeforeValidator(_numbers)]


class Own(Data):
    """What a network of one's own cannot say itself."""

    group: ClassVar[str] = "your own network"
    definition: Annotated[str | None, Flag("M:F")] = Field(
        None, description="of weights in a file or on the hub: the function that gives their module, as package.module:function"
    )
    mean: Annotated[Numbers, Flag("X,X,X")] = Field(None, description="the mean of each channel, as its training had it")
    std: Annotated[Numbers, Flag("X,X,X")] = Field(None, description="the deviation of each channel, as its training had it")
    range: Annotated[Numbers, Flag("X,X")] = Field(None, description="what black and white are before normalisation")
    native: Annotated[Sides, Flag("N|WxH")] = Field(None, description="the size of its pictures in training")
    labels: Annotated[str | None, Flag("FILE")] = Field(None, description="a file with the names of its classes, one a line")
    scores: Annotated[str | None, Flag("NAME")] = Field(
        None, description="which entry of its output is the class scores: a name, or its place from 0"
    )
    offline: bool = Field(False, description="download nothing: take what is in the cache")


class Writing(Data):
    """How results are written."""

    group: ClassVar[str] = "output"
    output: Annotated[Given, Flag("PATH", ("-o", "--output"), first=True)] = Field(
        None, description="a file for one result, a folder for several; without it a name made from what was asked for"
    )
    force: Annotated[bool, Flag(first=True)] = Field(False, description="replace files that exist")
    with_recipe: Annotated[bool, Flag(names=("--no-recipe",), negative=True)] = Field(True, description="write the recipe into the file")


class Making(Data):
    """What is written beside a picture."""

    group: ClassVar[str] = "output"
    making: Annotated[int, Flag("N")] = Field(0, ge=0, le=100, description="also write so many pictures from along the way, as a strip")


class Sheet(Data):
    """What is written beside pictures."""

    group: ClassVar[str] = "output"
    sheet: Annotated[str | None, Flag("FILE", first=True)] = Field(
        None, description="also write them all on one labelled sheet, to this file"
    )


class PageWriting(Data):
    """What is written beside the page of a look."""

    group: ClassVar[str] = "output"
    handout: Annotated[bool, Flag(first=True)] = Field(
        False, description="also write handout.html: one printed page in plain words, for a class"
    )
    pictures: Annotated[bool, Flag(first=True)] = Field(
        False, description="also write every picture of the page as a file, with its recipe, into the folder `pictures`"
    )


class Verifying(Data):
    """What is asked of a gallery that was made."""

    group: ClassVar[str] = "output"
    verify: Annotated[bool, Flag(first=True)] = Field(
        False, description="say whether a picture was removed, added, renamed or changed since the gallery was made, and write nothing"
    )


class Scoring(Data):
    """What is computed for a gallery."""

    group: ClassVar[str] = "output"
    with_scores: Annotated[bool, Flag(names=("--scores",), first=True)] = Field(
        False, description="compute the scores of pictures that have none yet, and keep them for every later gallery"
    )


class FilmWriting(Writing):
    """How a film is written."""

    preview: Annotated[int, Flag("N")] = Field(
        0, ge=0, le=1_000_000, description="put every N-th frame into NAME-preview while it goes, to be looked at"
    )
    keep_frames: bool = Field(False, description="leave NAME.work with the frames: a longer one goes on from them")
    partial: bool = Field(False, description="a film of what there is, where it is stopped")


class GridWriting(Writing):
    """How a grid is written."""

    output: Annotated[Given, Flag("PATH", ("-o", "--output"), first=True)] = Field(
        None, description="the folder for the pictures, the sheet and the page; without it a name made from what was asked for"
    )
    force: Annotated[bool, Flag(first=True)] = Field(False, description="begin anew, and replace what an earlier grid made there")


class AtlasWriting(Writing):
    """How an atlas is written."""

    output: Annotated[Given, Flag("PATH", ("-o", "--output"), first=True)] = Field(
        None, description="the folder for the site; without it `NETWORK-atlas` in the working folder"
    )
    force: Annotated[bool, Flag(first=True)] = Field(False, description="begin anew, and replace what an earlier atlas made there")


def _place_of_work(given: Any) -> str | None:
    """`ray`, `auto`, `HOST:PORT` or `ray://HOST:PORT`."""
    if given is None or given in ("ray", "auto") or re.fullmatch(r"(ray://)?[^\s/]+:\d{1,5}", str(given)):
        return None if given is None else str(given)
    raise ValueError("should be ray, auto or ray://HOST:PORT")


class Working(Data):
    """Who makes the parts of a job."""

    group: ClassVar[str] = "this machine"
    on: Annotated[str | None, BeforeValidator(_place_of_work), Flag("WHERE")] = Field(
        None, description="make the parts on Ray: ray, workers on this machine; auto or ray://HOST:PORT, a cluster that exists"
    )
    workers: Annotated[int | None, Flag("N")] = Field(
        None, ge=1, le=100_000, description="so many workers; without it as many as there is room for"
    )
    gpus_per_worker: Annotated[float | None, Flag("X")] = Field(
        None, ge=0, le=64, description="GPUs of each worker, 0.5 for two on one; without it one where a GPU is used"
    )


class Estimate(Data):
    group: ClassVar[str] = "output"
    estimate: bool = Field(False, description="say what memory, disk and time it would take, and stop")


class Printing(Data):
    """What is printed."""

    group: ClassVar[str] = "output"
    as_json: Annotated[bool, Flag(names=("--json",))] = Field(False, description="print the answer as JSON")
    quiet: bool = Field(False, description="no progress")


class Replay(Data):
    """How what was made before is made again."""

    group: ClassVar[str] = "what to dream"
    start: Annotated[Given, Flag("PATH", first=True)] = Field(
        None, description="what went into it, or the folder it is in, if it is neither kept nor beside it; or another start"
    )


class Listing(Data):
    """How much of a recipe is read out."""

    group: ClassVar[str] = "output"
    all_fields: Annotated[bool, Flag(names=("--all",), first=True)] = Field(False, description="every field, not only what is unusual")


class GivingBack(Data):
    """What of that which went in is given back."""

    group: ClassVar[str] = "output"
    start: Annotated[bool, Flag(first=True)] = Field(False, description="give back the picture or film it began with, if it is kept")
    inputs: Annotated[bool, Flag(first=True)] = Field(False, description="give back all that went in: guide, mask, direction too")
    output: Annotated[Given, Flag("PATH", ("-o", "--output"), first=True)] = Field(
        None, description="a file for the start, a folder for several; without it names made from the picture's"
    )


class Pruning(Data):
    """What of the cache is removed."""

    group: ClassVar[str] = "what to remove"
    prune: Annotated[bool, Flag(first=True)] = Field(False, description="remove files, the oldest first: say which")
    kind: Annotated[Given, Flag("KIND", first=True, several=True)] = Field(None, description="of this kind alone")
    older_than: Annotated[float | None, Flag("DAYS", first=True)] = Field(None, ge=0, description="only what was last used more days ago")
    to: Annotated[str | None, Flag("SIZE", first=True)] = Field(
        None, description="only as many as it takes to come down to this size: 500MB, 2GB"
    )


class Serving(Data):
    """Where a studio is, and who can reach it."""

    group: ClassVar[str] = "this machine"
    home: Annotated[str | None, Flag("FOLDER", first=True)] = Field(
        None, description="where it keeps everything; without it `Reverie` in your folder of pictures"
    )
    port: Annotated[int, Flag("N", first=True)] = Field(0, ge=0, le=65535, description="where it listens; 0 takes a port that is free")
    host: Annotated[str | None, Flag("H", first=True)] = Field(
        None, description="an address of this machine to listen at, which lets others in; without it this machine alone"
    )
    browser: Annotated[bool, Flag(names=("--no-browser",), first=True, negative=True)] = Field(True, description="open it in the browser")
