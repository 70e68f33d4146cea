"""What was seen in one picture: data, and as figures, picture files and a page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from reverie.errors import printable, unknown
from reverie.insight.handout import handout
from reverie.insight.layer_page import SLIGHT, UNUSUAL, layer_view, script_data
from reverie.insight.layer_report import Rung
from reverie.networks import Label
from reverie.pages import embedded_images, hex_colour, render
from reverie.pictures import Picture, in_colours, resize
from reverie.store import file_stems

LIMIT = 10_000_000  # bytes of a page
QUALITIES = (86, 70, 45)  # of the pictures: the first that keeps the page below the limit
LARGE = 1280  # longest side of the picture in pixels
MEAN_COLOUR = "an even picture of the network’s mean colour"
BRIGHTEST = 8.0  # spreads above usual that are white in the file of a heat map


@dataclass(frozen=True, repr=False)
class Sight:
    """What every layer of a network made of one picture. In a notebook it shows itself as its page.

    Attributes:
        name: of the picture, a stranger's text.
        picture: as it was handed in. seen: (height, width) in pixels at which it was looked at.
        network: its name.
        labels: what the network says of the picture, the likeliest first; empty where it has no labels.
        why, against: the label that is explained, and the one it is held against; None where there is none.
        usual: the set of pictures, or the noise, on which "usual" was measured, in words.
        layers: what each of them made of it, lowest first. expected: how many they are when all is done.
        notes: what the user should know.
        seconds: it took so far.
        shown: channels that are looked at as red, green and blue; none of them for what is usual.
        baseline: the picture that what counted is counted from, in words.
    """

    name: str
    picture: Picture
    seen: tuple[int, int]
    network: str
    labels: tuple[Label, ...]
    why: str | None
    against: str | None
    usual: str
    layers: tuple[Rung, ...] = ()
    expected: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    shown: tuple[int, ...] = ()
    baseline: str = MEAN_COLOUR

    def __getitem__(self, name: str) -> Rung:
        """What the layer of this name made of it; UsageError where it was not looked at."""
        for each in self.layers:
            if each.name == name:
                return each
        raise unknown("layer", name, (each.name for each in self.layers), "it was not among those looked at")

    def page(self) -> str:
        """One self-contained HTML page, below 10 MB: pictures are coded more coarsely where they must be."""
        page = ""
        for quality in QUALITIES:
            page = _page(self, quality)
            if len(page.encode()) < LIMIT:
                break
        return page

    def pictures(self) -> dict[str, Picture]:
        """Every picture of it, by the name of its file."""
        found = {}
        stems = file_stems(each.name for each in self.layers)
        for each in self.layers:
            stem = stems[each.name]
            found[f"{stem}-rebuilt.png"] = each.rebuilt
            if each.enhanced is not None:
                found[f"{stem}-enhanced.png"] = each.enhanced
            for one in each.noticed:
                found[f"{stem}-{one.channel}-heat.png"] = Picture(_grey(one.heat, self.seen))
                if one.feature is not None:
                    found[f"{stem}-{one.channel}-feature.png"] = one.feature
        return found

    def handout(self) -> str:
        """One self-contained HTML page that fits one sheet of A4 or Letter: six steps of the way up, in plain words, for a class."""
        picture = in_colours(self.picture.pixels, self.shown)  # (3, H, W)
        return handout(picture, self.seen, self.network, self.labels, self.layers)

    def as_data(self, paths: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The figures, for JSON; `paths` says where the pictures lie, by the names that `pictures` gives: of others there is None."""
        stems = file_stems(each.name for each in self.layers)
        return {
            "picture": self.name,
            "network": self.network,
            "seen": {"width": self.seen[1], "height": self.seen[0]},
            "labels": [vars(each) for each in self.labels],
            "why": self.why,
            "against": self.against,
            "usual": self.usual,
            "notes": list(self.notes),
            "expected": self.expected,
            "layers": [_figures(each, stems[each.name], paths or {}) for each in self.layers],
        }

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.page())}" title="What the network saw" style="width:100%;height:80vh;border:0"></iframe>'

    def __repr__(self) -> str:
        return f"Sight({self.name!r}, {self.network}, {len(self.layers)} of {self.expected} layers)"


def _page(sight: Sight, quality: int) -> str:
    height, width = sight.seen
    picture = in_colours(sight.picture.pixels, sight.shown)  # (3, H, W)
    views = [layer_view(number, each, sight.seen, (sight.why, sight.against), quality) for number, each in enumerate(sight.layers, 1)]
    return render(
        "reverie.insight",
        "see",
        _script_data(sight),
        sight=sight,
        name=printable(sight.name),
        seen=(width, height),
        large=embedded_images.photo(picture, LARGE, quality),
        small=embedded_images.photo(picture, max(height, width), min(95, quality + 6)),
        quiet=embedded_images.quiet(picture, max(height, width), quality),
        labels=[(each.label, each.probability, f"{100 * min(max(each.probability, 0.0), 1.0):.2f}") for each in sight.labels],
        rungs=views,
        has={part: any(getattr(each, part) for each in views) for part in ("noticed", "enhanced", "counted", "opinions")},
        unusual=f"{UNUSUAL:g}",
        levels=any(each.layer.level for each in views),
        colours={name: hex_colour(getattr(embedded_images, name.upper())) for name in ("for", "against", "faint", "bright")},
    )


def _script_data(sight: Sight) -> dict[str, object]:
    layers = [script_data(each) for each in sight.layers]
    return {"seen": sight.seen, "why": sight.why, "against": sight.against, "unusual": UNUSUAL, "slight": SLIGHT, "layers": layers}


def _figures(rung: Rung, stem: str, paths: Mapping[str, str]) -> dict[str, Any]:
    def path(part: str) -> str | None:
        return paths.get(f"{stem}-{part}.png")

    counted = rung.counted and {
        "total": rung.counted.total,
        "for": [{"channel": channel, "score": score} for channel, score in rung.counted.channels_for],
        "against": [{"channel": channel, "score": score} for channel, score in rung.counted.channels_against],
    }
    return {
        "name": rung.name,
        "rebuilt": path("rebuilt"),
        "enhanced": path("enhanced"),
        "fidelity": rung.fidelity.as_data(),
        "noticed": [
            {
                "channel": each.channel,
                "score": each.score,
                "heat": path(f"{each.channel}-heat"),
                "feature": path(f"{each.channel}-feature"),
            }
            for each in rung.noticed
        ],
        "counted": counted,
    }


def _grey(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """(h, w) in spreads → (3, H, W): black at usual and below, white at 8 spreads above."""
    return resize((heat / BRIGHTEST).clamp(0, 1)[None], *size).expand(3, -1, -1)
