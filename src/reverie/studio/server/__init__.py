"""The server: what is asked of a studio over HTTP, and who may ask."""

from reverie.studio.server.addresses import LOOPBACK, is_loopback
from reverie.studio.server.application import application
from reverie.studio.server.limits import Limits
from reverie.studio.server.serving import serve
from reverie.studio.server.studio import Studio

__all__ = ["LOOPBACK", "Limits", "Studio", "application", "is_loopback", "serve"]
