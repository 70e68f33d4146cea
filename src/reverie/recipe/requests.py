"""What a user asks for beside the choices of a recipe: what to climb, what lies beside the start, how large, where it runs."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, PlainValidator, SkipValidation

from reverie.errors import unknown
from reverie.recipe.choices import Data, Flag, Level, Where
from reverie.recipe.presets import PRESETS
from reverie.recipe.print_sizes import Paper, paper
from reverie.recipe.recipe import LONGEST_SIDE, MOST_SEED, MOST_THREADS, MOST_TOGETHER
from reverie.target import Target, asked

MAX_PIXELS = 500_000_000  # that a picture may claim, unless somebody says otherwise
TOGETHER = 8  # pictures in a batch
LEVELS = ("edges", "textures", "patterns", "parts", "objects", "scenes")
Given = SkipValidation[Any]  # a path, a picture, a tensor: looked at when it is read


def _target(given: Any) -> Target | str | None:
    """A text is read when a network is at hand, whose names come first."""
    return None if given is None else asked(given)


def _word(kind: str, known: tuple[str, ...]) -> Callable[[Any], Any]:
    def checked(given: Any) -> Any:
        if given is not None and given not in known:
            raise unknown(kind, str(given), known, f"the {kind}s are " + ", ".join(known))
        return given

    return checked


def _where(given: Any) -> Any:
    return _word("part", get_args(Where))("centre" if given == "center" else given)


def sides(given: Any) -> tuple[int, int] | None:
    """(height, width) from a side, both, or a text: `512`, or `640x360`, which is width × height.

    Raises:
        ValueError: none of these.
    """
    if isinstance(given, str):
        parts = given.lower().replace("×", "x").split("x")
        if len(parts) <= 2 and all(each.isdecimal() and len(each) < 8 for each in parts):
            given = (int(parts[-1]), int(parts[0]))
    found = given if isinstance(given, (tuple, list)) else (given, given)
    if given is None:
        return None
    if len(found) != 2 or not all(isinstance(each, Integral) and not isinstance(each, bool) and int(each) > 0 for each in found):
        raise ValueError("should be a side in pixels, or both: 640x360 is width x height")
    return int(found[0]), int(found[1])


Target_ = Annotated[Target | str | None, PlainValidator(_target)]
Sides = Annotated[tuple[int, int] | None, PlainValidator(sides)]


class Goal(Data):
    """What to climb."""

    group: ClassVar[str] = "what to dream"
    target: Annotated[Target_, Flag("T", ("--target", "-t"), first=True)] = Field(
        None, description="what to climb: blocks.4.1, blocks.4.1:12, class:banana, sums of them"
    )
    level: Annotated[Level | None, BeforeValidator(_word("level", LEVELS)), Flag("L", ("--level", "-l"), first=True)] = Field(
        None, description="instead of a target, in plain words: " + ", ".join(LEVELS[:-1]) + " or " + LEVELS[-1]
    )
    preset: Annotated[str | None, BeforeValidator(_word("preset", tuple(PRESETS))), Flag("P", ("--preset", "-p"), first=True)] = Field(
        None, description="named choices: " + ", ".join(PRESETS)
    )


class Along(Data):
    """A direction in a layer that is climbed along."""

    group: ClassVar[str] = "what to dream"
    direction: Annotated[Given, Flag("FILE")] = Field(
        None, description="an .npy file, one number for each channel of the target's layer: climb along it"
    )
    towards: Annotated[Given, Flag("PATH")] = Field(
        None, description="pictures: climb towards what the target's layer sees in them, away from those it leads from"
    )
    away: Annotated[Given, Flag("PATH", ("--from",))] = Field(
        None, description="pictures: climb away from what the target's layer sees in them"
    )


class Beside(Along):
    """What lies beside the start."""

    guide: Annotated[Given, Flag("PICTURE", first=True)] = Field(None, description="a picture: enhance what is like it at the layer")
    caricature: bool = Field(False, description="exaggerate what the layer sees in the start")


class Mask(Data):
    """Where to dream."""

    group: ClassVar[str] = "what to dream"
    mask: Annotated[Given, Flag("PICTURE", first=True)] = Field(None, description="a picture: dream where it is white, not where black")
    where: Annotated[Where | None, BeforeValidator(_where), Flag("PART", first=True)] = Field(
        None, description="dream on a part alone: top, bottom, left, right, centre, edges, subject, background"
    )


class Places(Mask):
    """Where the layer is looked at."""

    mask: Annotated[Given, Flag("PICTURE", first=True)] = Field(
        None, description="a picture: what the target's layer sees counts where it is white, and not where it is black"
    )


class Width(Data):
    """How large what begins with a picture shall be."""

    group: ClassVar[str] = "size"
    width: Annotated[int | None, Flag("W", first=True)] = Field(
        None, ge=1, le=LONGEST_SIDE, description="bring the start to this width, its shape kept"
    )


class Size(Data):
    """How large what begins with noise shall be."""

    group: ClassVar[str] = "size"
    size: Annotated[Sides, Flag("N|WxH", first=True)] = Field(None, description="of a picture made from noise: a side, or width x height")


class Print(Data):
    """How large it shall be on paper."""

    group: ClassVar[str] = "size"
    print: Annotated[Paper | None, PlainValidator(paper), Flag("SIZE", first=True)] = Field(
        None, description="for a print of this size: A3, 'A3 landscape', 60x40cm, 8x10in"
    )


class Cut(Data):
    """How a picture too large for one pass is cut; without it as memory and layers ask for."""

    group: ClassVar[str] = "size"
    tile: Annotated[int | None, Flag("N")] = Field(
        None, ge=16, le=2**16, description="side of the tiles a large picture's gradient is computed in; without it as memory allows"
    )
    halo: Annotated[int | None, Flag("N")] = Field(
        None, ge=0, le=2**12, description="pixels around each tile that the network sees too; without it as many as it takes"
    )


class Together(Data):
    """How many pictures of one thing, and which are made together."""

    group: ClassVar[str] = "what to dream"
    between: Annotated[Given, Flag("A B")] = Field(None, description="two of them: a row of pictures from one to the other")
    count: Annotated[int | None, Flag("N")] = Field(
        None, ge=2, le=MOST_TOGETHER, description="pictures from one to the other, where a row leads between two; without it 7"
    )
    diverse: Annotated[int | None, Flag("N", first=True)] = Field(
        None, ge=2, le=MOST_TOGETHER, description="so many pictures of each that differ from one another"
    )
    batch: Annotated[int, Flag("N")] = Field(
        TOGETHER, ge=1, le=MOST_TOGETHER, description="how many are made together: part of the recipe, since it changes details"
    )


class OfTheNetwork(Data):
    """What is made as the network's own pictures are."""

    group: ClassVar[str] = "what to dream"
    usual: Annotated[Given, Flag("FOLDER")] = Field(
        None, description="pictures as the network was trained on: light, contrast and colours are as theirs, and they are compared with"
    )
    class_score: Annotated[Literal["logit", "log-odds"] | None, Flag("HOW")] = Field(
        None,
        description="how a class is judged: by its logit alone, or by its odds against all others, which is the usual way for networks of "
        "your own; for built-in ones the logit is",
    )


class Top(Data):
    """How much of an answer is told."""

    group: ClassVar[str] = "output"
    top: Annotated[int, Flag("N", first=True)] = Field(5, ge=1, description="how many labels")


class Look(Data):
    """What of a picture is looked at, and how."""

    group: ClassVar[str] = "what to look at"
    layers: Annotated[Given, Flag("LAYER[,LAYER…]", first=True, several=True)] = Field(
        None, description="look at these layers or levels alone; without it at every block"
    )
    level: Annotated[Level | None, BeforeValidator(_word("level", LEVELS)), Flag("L", ("--level", "-l"), first=True)] = Field(
        None, description="look at the layer of this level alone"
    )
    why: Annotated[Given, Flag("LABEL", first=True)] = Field(None, description="what counted for this label instead of the first")
    baseline: Annotated[Given, Flag("B")] = Field(
        "mean", description="what counted is compared with: mean, the network's mean colour, black, blurred, or a picture"
    )
    channels: Annotated[int, Flag("N", first=True)] = Field(4, ge=0, le=4, description="how many of each layer are shown")
    usual: Annotated[Given, Flag("FOLDER")] = Field(None, description="a folder of pictures that are usual, to tell what is not")
    width: Annotated[int | None, Flag("W", first=True)] = Field(
        None, ge=16, le=LONGEST_SIDE, description="look at it at this width; without it at about the network's own size"
    )
    steps: Annotated[int | None, Flag("N")] = Field(
        None, ge=1, le=100_000, description="of each rebuilding; without it as many as the layer's depth asks for"
    )
    shown: Annotated[Given, Flag("N,N,N")] = Field(
        (), description="of many channels: those that are looked at as red, green and blue, or one, in grey"
    )


class Course(Data):
    """What of a journey its recipe has in another form."""

    group: ClassVar[str] = "how it moves"
    ring: Annotated[Given, Flag(switch=True)] = Field(
        (), description="targets or levels that take turns, each dreaming on what the last one saw"
    )
    seconds: Annotated[float | None, Flag("X", first=True)] = Field(
        None, gt=0, le=10**7, description="length of the film, instead of a number of frames"
    )


class FilmReading(Data):
    """How a film is read."""

    group: ClassVar[str] = "what to dream"
    strict: bool = Field(False, description="refuse a film of which only a part can be read")


class Seed(Data):
    """What sets one result apart from another of the same choices."""

    group: ClassVar[str] = "what to dream"
    seed: Annotated[int, Flag("N", first=True)] = Field(0, ge=0, le=MOST_SEED, description="another seed gives another picture")


class Seeds(Seed):
    """The same where several give several results."""

    seed: Annotated[int, Flag("N|A-B|A,B", first=True, seeds=True)] = Field(
        0, ge=0, le=MOST_SEED, description="1-10 or 1,4,7 give a picture each"
    )


class Variants(Data):
    """Pictures of the same that differ to the eye."""

    group: ClassVar[str] = "what to dream"
    variants: Annotated[int | None, Flag("N", first=True)] = Field(
        None,
        ge=2,
        le=100,
        description="so many that differ to the eye, as seeds hardly do",
    )


class Machinery(Data):
    """Where it runs, and what is allowed and kept."""

    group: ClassVar[str] = "this machine"
    device: Annotated[str | None, BeforeValidator(lambda given: given and str(given)), Flag("D")] = Field(
        None, description="cpu, cuda or mps; without it the fastest there is"
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


class FilmWriting(Writing):
    """How a film is written."""

    preview: Annotated[int, Flag("N")] = Field(
        0, ge=0, le=1_000_000, description="put every N-th frame into NAME-preview while it goes, to be looked at"
    )
    keep_frames: bool = Field(False, description="leave NAME.work with the frames: a longer one goes on from them")
    partial: bool = Field(False, description="a film of what there is, where it is stopped")


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
