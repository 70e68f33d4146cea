"""What can be asked of a studio, by what it is about."""

from reverie.studio.server.routes import camera, flashes, inputs, jobs, networks, page, pictures, previews, trash

ROUTERS = tuple(each.router for each in (page, jobs, previews, inputs, networks, pictures, flashes, trash, camera))

__all__ = ["ROUTERS"]
