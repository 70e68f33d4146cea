"""A page from templates, a style, a script and data: one file, whole in itself, inert to strangers' text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie.version import __version__

NO_BREAK = "\u00a0"  # a space at which no line ends


def render(package: str, name: str, data: Mapping[str, object], /, **values: object) -> str:
    """A page in the frame that all have (`page.html.jinja`, `base.css`).

    Args:
        package: whose folder `templates` has NAME.html.jinja, which extends `page.html.jinja`, NAME.css, and NAME.js if it has a script.
        data: what the script reads, as JSON, in the element of the id `data`.
        **values: what the templates name; `made`, what made the page, is known to them.
    """
    own = PackageLoader(package)
    loader = ChoiceLoader([own, PackageLoader("reverie.pages")])
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.filters["percent"] = percent

    def source(file: str) -> str:
        return loader.get_source(env, file)[0]

    return env.get_template(f"{name}.html.jinja").render(
        made=f"Reverie {__version__}",
        style=Markup(source("base.css") + source(f"{name}.css")),
        script=Markup(source(f"{name}.js") if f"{name}.js" in own.list_templates() else ""),
        data=Markup(inert_json(data)),
        **values,
    )


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
