"""A page from templates, a style, a script and data: one file, whole in itself, inert to strangers' text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie.version import __version__

NO_BREAK = "\u00a0"  # a space at which no line ends
MADE = f"Reverie {__version__}"


def render(package: str, name: str, data: Mapping[str, object], /, **values: object) -> str:
    """A page in the frame that all have (`page.html.jinja`, `base.css`).

    Args:
        package: whose folder `templates` has NAME.html.jinja, which extends `page.html.jinja`, NAME.css, and NAME.js if it has a script.
        data: what the script reads, as JSON, in the element of the id `data`.
        **values: what the templates name; `made`, what made the page, is known to them.
    """
    env = _environment(package)
    return env.get_template(f"{name}.html.jinja").render(
        made=MADE,
        style=Markup(shared(package, "base.css", f"{name}.css")),
        script=Markup(shared(package, f"{name}.js") if f"{name}.js" in env.list_templates() else ""),
        data=Markup(inert_json(data)),
        **values,
    )


def render_linked(package: str, name: str, /, **values: object) -> str:
    """A page of a site, in the same frame: its template links in the blocks `styles` and `scripting` files that many pages share."""
    return _environment(package).get_template(f"{name}.html.jinja").render(made=MADE, **values)


def shared(package: str, *files: str) -> str:
    """Styles or scripts among the templates of a package or ours, one after another: what stands in a page, or in a file beside many."""
    env = _environment(package)
    assert env.loader is not None
    return "".join(env.loader.get_source(env, file)[0] for file in files)


@cache
def _environment(package: str) -> Environment:
    loader = ChoiceLoader([PackageLoader(package), PackageLoader("reverie.pages")])
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.filters["percent"] = percent
    return env


def inert_json(data: Mapping[str, object]) -> str:
    """JSON inside a page: no markup can end it."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def percent(probability: float) -> str:
    """A probability 0..1 in words: `71 %`."""
    share = 100 * probability
    if 0 < share < 0.1:
        return f"under 0.1{NO_BREAK}%"
    if 99.5 <= share < 100:
        return f"over 99{NO_BREAK}%"
    return (f"{share:.1f}" if share < 1 and share > 0 else f"{share:.0f}") + f"{NO_BREAK}%"


def signed(number: float) -> str:
    """`+0.42`, with a true minus sign."""
    return f"{number:+.2f}".replace("-", "−")


def hex_colour(colour: tuple[int, int, int]) -> str:
    """Red, green and blue, 0..255 each, as CSS has them: `#ff9628`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
