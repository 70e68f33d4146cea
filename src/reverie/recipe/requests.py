"""What a user asks for beside the choices of a recipe: what to climb, what lies beside the start, how large, where it runs."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, PlainValidator, SkipValidation

from reverie.errors import choice, unknown
from reverie.recipe.choices import Data, Flag, Level, Where
from reverie.recipe.presets import LOOKS, PRESETS, preset
from reverie.recipe.print_sizes import Paper, paper
from reverie.recipe.recipe import LONGEST_SIDE, MOST_SEED, MOST_TOGETHER
from reverie.target import Target, asked

MAX_PIXELS = 500_000_000  # that a picture may claim, unless somebody says otherwise
TOGETHER = 8  # pictures in a batch
COMPANY = 4  # natural pictures together where nothing is said: eight are little better, and take twice as long
LEVELS = ("edges", "textures", "patterns", "parts", "objects", "scenes")
Given = SkipValidation[Any]  # a path, a picture, a tensor: looked at when it is read


def _target(given: Any) -> Target | str | None:
    """A text is read when a network is at hand, whose names come first."""
    return None if given is None else asked(given)


def _word(kind: str, known: tuple[str, ...], more: str = "") -> Callable[[Any], Any]:
    def checked(given: Any) -> Any:
        word = given.lower() if isinstance(given, str) else given
        if word is not None and word not in known:
            raise unknown(kind, str(given), known, f"the {kind}s are " + ", ".join(known) + more)
        return word

    return checked


def _where(given: Any) -> Any:
    more = f"; a sky is often the top or the background, and {choice('mask', 'FILE')} takes any shape"
    return _word("part", get_args(Where), more)("centre" if isinstance(given, str) and given.lower() == "center" else given)


def _look(given: Any) -> Any:
    if given is not None:
        preset(given, LOOKS)
    return given.lower() if isinstance(given, str) else given


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
    preset: Annotated[str | None, BeforeValidator(_word("preset", (*PRESETS, *LOOKS))), Flag("P", ("--preset", "-p"), first=True)] = Field(
        None, description="named choices: " + ", ".join(PRESETS)
    )


class Style(Data):
    """What a picture from noise looks like."""

    group: ClassVar[str] = "what it looks like"
    preset: Annotated[str | None, BeforeValidator(_look), Flag("P", ("--preset", "-p"), first=True)] = Field(
        None, description="natural: a scene, as photographs show it; emblem: what is asked for alone, sharper than life"
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


class Places(Data):
    """Where the layer is looked at."""

    group: ClassVar[str] = "what to dream"
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
    company: Annotated[int | None, Flag("N")] = Field(
        None,
        ge=1,
        le=MOST_TOGETHER,
        description="unseen others join it, so many in all; without it 4",
    )


class OfTheNetwork(Data):
    """What is made as the network's own pictures are."""

    group: ClassVar[str] = "what to dream"
    usual: Annotated[Given, Flag("FOLDER")] = Field(
        None,
        description="pictures like those of its training, whose light it takes; `--natural` draws to them where its norms have none",
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
    baseline: Annotated[Given, Flag("HOW|PICTURE")] = Field(
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


class NoiseSeed(Seed):
    """The same of noise that is looked at."""

    group: ClassVar[str] = "what to look at"
    seed: Annotated[int, Flag("N", first=True)] = Field(0, ge=0, le=MOST_SEED, description="of noise: another seed gives other noise")


class Variants(Data):
    """Pictures of the same that differ to the eye."""

    group: ClassVar[str] = "what to dream"
    variants: Annotated[int | None, Flag("N", first=True)] = Field(
        None,
        ge=2,
        le=100,
        description="so many that differ to the eye, as seeds hardly do",
    )


class Varying(Data):
    """What of a grid differs from picture to picture."""

    group: ClassVar[str] = "what to dream"
    vary: Annotated[Given, Flag("NAME=VALUES", first=True, several=True)] = Field(
        None, description="values of a choice, each of them with each of the others: level=edges,parts, seed=0-3, strength=0.1-0.3:0.05"
    )
    command: Annotated[Literal["dream", "imagine", "feature"], Flag("NAME", first=True)] = Field(
        "dream", description="what makes the pictures: dream, imagine or feature"
    )


class Charted(Data):
    """What of a network an atlas shows."""

    group: ClassVar[str] = "what to look at"
    layers: Annotated[Given, Flag("LAYER[,LAYER…]", first=True, several=True)] = Field(
        None, description="these layers or levels alone; without it every block"
    )
    units: Annotated[Given, Flag("UNIT[,UNIT…]", first=True, several=True)] = Field(
        None, description="these units of them alone: blocks.4.1:12, blocks.4.1:0-15"
    )
    sample: Annotated[int | None, Flag("N", first=True)] = Field(
        None, ge=1, le=1_000_000, description="so many units of each layer, evenly taken, and as many classes"
    )
    classes: Annotated[Given, Flag("LABEL[,LABEL…]", first=True, several=True)] = Field(
        None, description="these classes alone; `none` for none"
    )
    dataset: Annotated[Given, Flag("FOLDER", first=True)] = Field(
        None, description="pictures, in a folder and below: each page then shows those that excite its unit most"
    )
    facets: Annotated[int, Flag("N", first=True)] = Field(
        4, ge=0, le=16, description="pictures of each unit that differ from one another, beside the one of what excites it most"
    )
    maps: Annotated[bool, Flag(names=("--no-maps",), negative=True)] = Field(
        True, description="lay out what the layers of each level answer to the data set, and draw it: a map of hundreds of small pictures"
    )
