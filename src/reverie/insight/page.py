"""What was seen, as a page, as figures, as picture files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from reverie import pages
from reverie.insight.report import Rung, Sight
from reverie.pictures import Picture, in_colours, resize
from reverie.version import __version__

BRIGHTEST = 8.0  # spreads above usual that are white in the file of a heat map


def written(sight: Sight) -> str:
    """One self-contained HTML page."""
    return pages.see_page(
        pages.Sight(
            name=sight.name,
            picture=in_colours(sight.picture.pixels, sight.shown),
            seen=sight.seen,
            network=sight.network,
            labels=tuple((each.label, each.probability) for each in sight.labels),
            why=sight.why,
            against=sight.against,
            usual=sight.usual,
            notes=sight.notes,
            rungs=tuple(_rung(each) for each in sight.layers),
            expected=sight.expected,
            made=f"Reverie {__version__}",
        )
    )


def pictures(sight: Sight) -> dict[str, Picture]:
    """Every picture of it, by the name of its file."""
    found = {}
    for each in sight.layers:
        found[f"{each.name}-rebuilt.png"] = each.rebuilt
        if each.enhanced is not None:
            found[f"{each.name}-enhanced.png"] = each.enhanced
        for one in each.noticed:
            found[f"{each.name}-{one.channel}-heat.png"] = Picture(_grey(one.heat, sight.seen))
            if one.feature is not None:
                found[f"{each.name}-{one.channel}-feature.png"] = one.feature
    return found


def figures(sight: Sight, paths: Mapping[str, str]) -> dict[str, Any]:
    """The figures; a picture by its path, or by its file's name."""
    return {
        "picture": sight.name,
        "network": sight.network,
        "seen": {"width": sight.seen[1], "height": sight.seen[0]},
        "labels": [vars(each) for each in sight.labels],
        "why": sight.why,
        "against": sight.against,
        "usual": sight.usual,
        "notes": list(sight.notes),
        "expected": sight.expected,
        "layers": [_figures(each, paths) for each in sight.layers],
    }


def _figures(rung: Rung, paths: Mapping[str, str]) -> dict[str, Any]:
    def path(part: str) -> str:
        return paths.get(f"{rung.name}-{part}.png", f"{rung.name}-{part}.png")

    spoke = rung.counted
    return {
        "name": rung.name,
        "rebuilt": path("rebuilt"),
        "enhanced": None if rung.enhanced is None else path("enhanced"),
        "fidelity": rung.fidelity.as_data(),
        "noticed": [
            {
                "channel": each.channel,
                "score": each.score,
                "heat": path(f"{each.channel}-heat"),
                "feature": None if each.feature is None else path(f"{each.channel}-feature"),
            }
            for each in rung.noticed
        ],
        "counted": None
        if spoke is None
        else {
            "total": spoke.total,
            "for": [{"channel": channel, "score": score} for channel, score in spoke.channels_for],
            "against": [{"channel": channel, "score": score} for channel, score in spoke.channels_against],
        },
    }


def _rung(rung: Rung) -> pages.Rung:
    _, height, width = rung.activations.shape
    layer = rung.layer
    return pages.Rung(
        name=layer.name,
        level=layer.level,
        kind=layer.kind,
        channels=layer.channels,
        height=height,
        width=width,
        stride=layer.stride,
        receptive_field=layer.receptive_field,
        rebuilt=rung.rebuilt.colours,
        relative_error=rung.fidelity.relative_error,
        similarity=rung.fidelity.similarity,
        opinions=rung.fidelity.opinions,
        noticed=tuple(
            pages.Noticed(each.channel, each.score, each.heat, None if each.feature is None else each.feature.colours)
            for each in rung.noticed
        ),
        enhanced=None if rung.enhanced is None else rung.enhanced.colours,
        counted=rung.counted,
    )


def _grey(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """(h, w) in spreads → (3, H, W): black at usual and below, white at 8 spreads above."""
    return resize((heat / BRIGHTEST).clamp(0, 1)[None], *size).expand(3, -1, -1)
