"""What a page wishes for, and jobs as a page gets them: in the page's words a picture that was made has an id, in the queue's a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reverie.errors import ReverieError, printable
from reverie.studio.jobs import Home, Job
from reverie.studio.jobs.wishes import Wish, checked
from reverie.studio.server.made_pictures import Gallery
from reverie.studio.server.refusals import Refused, told

INPUT = re.compile(r"input:([0-9a-f]{64})")
_MANY, _NAMED = 256, "picture:"


class Asked(BaseModel):
    """A wish as a page sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    command: str = Field(max_length=40)
    subjects: list[str] = Field(max_length=_MANY)
    choices: dict[str, JsonValue] = Field(default_factory=dict, max_length=_MANY)


class Translator:
    """Between the page's words and the queue's.

    Args:
        home: whose pictures they are. gallery: of the same.
    """

    def __init__(self, home: Home, gallery: Gallery) -> None:
        self._home, self._gallery = home, gallery

    def wish(self, asked: Asked) -> Wish:
        """What is asked for, in the queue's words, and checked.

        Raises:
            Refused: 422, with the field that is at fault.
        """
        subjects = [self.reference(each, "subjects") for each in asked.subjects]
        choices = {name: _everywhere(value, partial(self.reference, field=name)) for name, value in asked.choices.items()}
        try:
            return checked(self._home, asked.command, subjects, choices)
        except ReverieError as error:
            _, data = told(error)
            raise Refused(422, **{**data, "field": data["field"] or _field_in(data["fault"], choices)}) from error
        except (TypeError, ValueError, ArithmeticError, AttributeError) as error:  # lists in the place of numbers, and other surprises
            raise Refused(422, "a choice that is not of its kind", "see the form of the command") from error

    def reference(self, text: str, field: str | None = None) -> str:
        """`picture:ID` as `picture:NAME`; any other text as it is. Refused where no picture has this id: names are not for pages."""
        if not text.startswith(_NAMED):
            return text
        made = self._gallery.find(text.removeprefix(_NAMED))
        if made is None:
            raise Refused(422, f"“{printable(text)[:60]}” is no picture of the gallery", "choose another one", field)
        return f"{_NAMED}{made.path}"

    def file(self, text: str, field: str) -> str:
        """A picture that is there, in the queue's words. Refused where it is none."""
        found = self.reference(text, field)
        try:
            self._home.find(found, field)
        except ReverieError as error:
            _, data = told(error)
            raise Refused(422, **{**data, "field": field}) from error
        return found

    def job(self, job: Job) -> dict[str, Any]:
        return self.data(job.as_data())

    def data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A job, or another event, in the page's words: `results` are ids of the gallery. What is no more there is left out of them."""
        found = dict(data)
        if "subjects" in found:
            found["named"] = [
                self._called(each) for each in found["subjects"] if isinstance(each, str) and each.startswith(("input:", _NAMED))
            ]
        for key in ("subjects", "choices"):
            if key in found:
                found[key] = _everywhere(found[key], self._id_in)
        if "results" in found:
            found["results"] = [id for name in found["results"] for id in self._gallery.ids_of(name)]
        return found

    def _called(self, reference: str) -> str:
        """What people call a picture, without its suffix."""
        return PurePosixPath(self._home.called(reference)).stem

    def picture(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """An event that something was made: `picture`, its id, in the place of its name."""
        return {"picture": next(iter(self._gallery.ids_of(str(data.get("name")))), None), "job": data.get("job")}

    def _id_in(self, text: str) -> str:
        if not text.startswith(_NAMED):
            return text
        return f"{_NAMED}{next(iter(self._gallery.ids_of(text.removeprefix(_NAMED))), 'gone')}"


def _field_in(fault: str, choices: Mapping[str, Any]) -> str | None:
    """The choice that a message is of where it names none as one: `no level 'objectz'`."""
    return next((name for name in choices if re.match(rf"((no|several|both) )?(choice ')?{re.escape(name)}s?\b", fault)), None)


def _everywhere(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text of it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _everywhere(each, change) for name, each in value.items()}
    return [_everywhere(each, change) for each in value] if isinstance(value, (list, tuple)) else value
