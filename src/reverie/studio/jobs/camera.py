"""What a camera sees, dreamt on frame by frame: while the scene is still the dream deepens, and where it moves it fades back."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from reverie import api
from reverie.errors import ReverieError, UsageError, choice
from reverie.networks import Network
from reverie.pictures import Picture, load_bytes, resize
from reverie.render import Dreamer, Plan
from reverie.studio.jobs.frames import fitted, jpeg
from reverie.studio.jobs.open_networks import OpenNetworks
from reverie.studio.jobs.protocol import Message, as_fault, unforeseen

SIDE, STILL = 256, 0.97
_MOST = 8  # sessions
_COARSE = 32  # pixels a side at which it is judged whether a scene moves: noise of a camera is none there
_FIELDS = 4  # a side, of which the one that changed most tells whether somebody came
_MOVED = 0.08  # mean change of a coarse frame, of 0..1, at which nothing of the last dream is kept
_OCTAVES, _STEPS = 2, 1
_LOOK_AGAIN = 0.4  # seconds between two looks at what is seen, at least
_LOOKING = 0.15  # the share of the time that may go into looking
_CHANNELS = 4
_CHOICES = frozenset({"target", "level", "network", "side", "still", "strength"})


@dataclass
class _Session:
    """Of one camera: what it dreams with, the last frame (C, H, W), what was added to it, and what was seen."""

    asked: Mapping[str, Any]
    plan: Plan
    dreamer: Dreamer
    last: Tensor
    added: Tensor
    look: float = 0.0  # when it is looked at again
    seen: dict[str, Any] = field(default_factory=dict)


class Cameras:
    """The cameras of pages, each a session.

    Args:
        networks: that are open.
    """

    def __init__(self, networks: OpenNetworks) -> None:
        self._networks = networks
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def close(self, session: str) -> None:
        """Forget a session."""
        self._sessions.pop(session, None)

    def dreamt(self, message: Message) -> Message:
        """The dreamt frame, and what was seen; of a frame or choices that cannot be used the fault, and no frame."""
        try:
            frame, seen = self._dreamt(str(message.key), message.content, message.what.get("choices") or {})
        except ReverieError as error:
            return Message("camera frame", message.key, as_fault(error))
        except Exception as error:  # noqa: BLE001  # a fault of ours must not end the jobs
            return Message("camera frame", message.key, as_fault(unforeseen(error)))
        return Message("camera frame", message.key, seen, frame)

    def _dreamt(self, name: str, content: bytes, choices: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
        wrong = next((each for each in choices if each not in _CHOICES), None)
        if wrong is not None:
            raise UsageError(f"{choice(wrong)} of a camera", "there are " + ", ".join(sorted(_CHOICES)))
        side = choices.get("side", SIDE)
        if not isinstance(side, int) or not 64 <= side <= 1024:
            raise UsageError(choice("side", side), "it is a number from 64 to 1024")
        network = self._networks.get(choices.get("network"))
        frame = load_bytes(content, "the camera's frame", network.channels).pixels  # (C, H, W)
        frame = resize(frame, *fitted(frame.shape[1], frame.shape[2], side))
        session = self._session(name, frame, choices, network)
        moved, stirred = _moved(frame, session.last)
        still = float(choices.get("still", STILL)) * max(0.0, 1 - moved / _MOVED)
        begin = (frame + still * session.added).clamp(0, 1)
        dream = session.dreamer(begin, "camera").pixels
        session.last, session.added = frame, dream - frame
        if (began := time.monotonic()) >= session.look:
            session.seen = self._seen(frame, session.plan, network)
            ended = time.monotonic()
            session.look = ended + max(_LOOK_AGAIN, (ended - began) * (1 / _LOOKING - 1))
        return jpeg(dream, side), {**session.seen, "moved": moved, "stirred": stirred}

    def _session(self, name: str, frame: Tensor, choices: Mapping[str, Any], network: Network) -> _Session:
        """The session as it was; a new one where the size or the choices are others."""
        found = self._sessions.get(name)
        if found is None or found.asked != choices or found.last.shape != frame.shape:
            goal = {each: choices[each] for each in ("target", "level", "strength") if choices.get(each) is not None}
            plan = api.plan_dream(Picture(frame), network=network, octaves=_OCTAVES, steps=_STEPS, keep=False, **goal)
            found = _Session(choices, plan, Dreamer(plan.recipe, plan.networks), frame, torch.zeros_like(frame))
            self._sessions[name] = found
            while len(self._sessions) > _MOST:
                self._sessions.popitem(last=False)
        return found

    def _seen(self, frame: Tensor, plan: Plan, network: Network) -> dict[str, Any]:
        """What the network calls it, and the channels of the target's layers that are furthest above their usual."""
        layers = plan.recipe.target.layers()
        usual, channels = network.usual(), []
        with torch.no_grad():
            activations = network.prepare(layers)(resize(frame, *network.size)[None].to(network.device)) if layers else {}
        for layer in layers:
            strengths = activations[layer][0].float().flatten(1).mean(1).cpu()  # (C,)
            if usual is not None and layer in usual.layers:
                mean, spread = usual.layers[layer]
                strengths = (strengths - mean) / spread.clamp_min(1e-6)
            values, places = strengths.topk(min(_CHANNELS, len(strengths)))
            channels += [
                {"layer": layer, "channel": int(place), "strength": float(value)} for value, place in zip(values, places, strict=True)
            ]
        labels = [asdict(each) for each in network.recognise(frame, 3)] if network.labels else []
        return {"labels": labels, "channels": channels}


def _moved(frame: Tensor, last: Tensor) -> tuple[float, float]:
    """How much of a scene has changed: the mean difference of coarse frames, 0..1; and that of the part of it that changed most."""
    one, other = (resize(each, _COARSE, _COARSE) for each in (frame, last))
    changed = (one - other).abs().mean(0)  # (32, 32)
    return float(changed.mean()), float(F.adaptive_avg_pool2d(changed[None, None], _FIELDS).max())
