"""What can be looked into."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Query

from reverie.errors import Refused as NotAll
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.networks.builtin.class_lookup import entries
from reverie.networks.builtin.labels import imagenet
from reverie.recipe import DEFAULT_NETWORK
from reverie.studio.server.refusals import Refused
from reverie.studio.server.studio import Here

router = APIRouter()
Name = Annotated[str, Query(max_length=100)]
_MOST = 1000


@router.get("/api/networks")
async def networks(here: Here) -> dict[str, Any]:
    """Those that are known, and whether each is installed; no other is opened, and none is fetched."""
    return {"networks": await here.ask("networks")}


@router.get("/api/layers")
async def layers(here: Here, network: Name = DEFAULT_NETWORK) -> dict[str, Any]:
    """The layers of a network, in forward order."""
    return {"layers": await here.ask("layers", network=_known(network))}


@router.get("/api/classes")
def classes(here: Here, network: Name = DEFAULT_NETWORK, q: Annotated[str, Query(max_length=100)] = "") -> dict[str, Any]:
    """Its classes: all, or those that a word means or has in its name."""
    _known(network)
    try:
        found = entries(imagenet(), [q.strip()] if q.strip() else [])
    except NotAll:
        found = []
    return {"classes": [dataclasses.asdict(each) for each in found[:_MOST]]}


def _known(network: str) -> str:
    if network not in CATALOGUE:
        raise Refused(422, "there is no such network here", f"there are {', '.join(CATALOGUE)}", "network")
    return network
