"""`reverie studio`: the studio, from its start to Ctrl-C or SIGTERM."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path

import platformdirs

from reverie.cli.console import aside, remark, say
from reverie.cli.flags import Call
from reverie.errors import MissingExtra
from reverie.installing import EXTRAS, install_extra, missing
from reverie.recipe import Serving
from reverie.store import expanded

_OPEN = (
    "other machines can reach this studio: whoever has the address with its token can use it, and what is sent is not encrypted; "
    "leave out --host to keep it to this machine"
)


def studio(call: Call) -> int:
    if lacking := missing(EXTRAS["studio"]):
        raise MissingExtra(f"the studio needs {', '.join(lacking)}", install_extra("studio"))
    from reverie.studio.server import LOOPBACK, is_loopback, serve

    serving = call.of(Serving)
    host = serving.host or LOOPBACK
    if not is_loopback(host):
        remark(_OPEN)
    home = _usual_home() if serving.home is None else expanded(serving.home)

    def ready(address: str) -> None:
        say(address)
        aside(f"everything is kept in '{home}'; Ctrl-C ends the studio")
        if serving.browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()  # some browsers do not return

    serve(home, host=host, port=serving.port, ready=ready)
    return 0


def _usual_home() -> Path:
    return platformdirs.user_pictures_path() / "Reverie"
