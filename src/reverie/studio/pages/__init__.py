"""The page of the studio: one document, its modules and styles as files, and every text of it in one place."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reverie import pages
from reverie.pages.rendering import inert_json
from reverie.version import __version__

STATIC = Path(__file__).parent / "static"
"""The folder that is served below `/static/`: modules, styles, the picture that the studio opens on."""

BASE_STYLE = Path(pages.__file__).parent / "templates" / "base.css"
"""The style that every page of Reverie has, which is served as `/static/style/base.css`."""

LANGUAGES = tuple(sorted(each.stem for each in (Path(__file__).parent / "texts").glob("*.json")))


@cache
def texts(language: str = "en") -> dict[str, object]:
    """Every text of the page, in groups, from `texts/LANGUAGE.json`; `{name}` in one stands for what the page puts there.

    Raises:
        KeyError: there are no texts in this language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    found: dict[str, object] = json.loads((Path(__file__).parent / "texts" / f"{language}.json").read_text("utf-8"))
    return found


@cache
def document(language: str = "en") -> str:
    """The one document of the studio, as `GET /` answers it: nothing in it is a stranger's, no script and no style stands in it.

    The texts lie in it as data, which a browser does not run, so that a page in another language needs another document alone.
    """
    env = Environment(loader=PackageLoader("reverie.studio.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    words = texts(language)
    return env.get_template("studio.html.jinja").render(
        language=language, made=f"Reverie {__version__}", texts=words, data=Markup(inert_json(words))
    )
