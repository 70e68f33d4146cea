"""Messages between the server and the process that does the jobs: a line of JSON, then bytes. Both sides check what comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal, get_args

from reverie.errors import InputError, Interrupted, MissingExtra, OutputError, ReverieError, UnsafeError, UsageError, first_line

Kind = Literal[
    "ask", "preview", "drop", "camera", "close camera", "stop",  # to the process
    "ready", "away", "answer", "fault", "preview frame", "preview ended", "job frame", "alive", "camera frame",  # from it
]  # fmt: skip
LONGEST = 16 << 20  # bytes of a message
_KINDS = frozenset(get_args(Kind))
_ERRORS = {each.__name__: each for each in (UsageError, InputError, UnsafeError, OutputError, MissingExtra, Interrupted, ReverieError)}


@dataclass(frozen=True)
class Message:
    """One message. `key` is what it is about: the number of a question, a preview or a job, the session of a camera."""

    kind: Kind
    key: int | str = 0
    what: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""


def send(connection: Connection, message: Message) -> None:
    """Hand over a message.

    Raises:
        OSError: nobody is there any more. ValueError: it is longer than any may be.
    """
    head = json.dumps({"kind": message.kind, "key": message.key, "what": message.what}, allow_nan=False).encode()
    if len(head) + len(message.content) >= LONGEST:
        raise ValueError("a message that is too long")
    connection.send_bytes(head + b"\n" + message.content)


def receive(connection: Connection) -> Message:
    """The next message.

    Raises:
        EOFError: nobody is there any more, or what came is no message of ours.
    """
    try:
        head, _, content = connection.recv_bytes(LONGEST).partition(b"\n")
        told = json.loads(head)
        kind, key, what = told["kind"], told["key"], told["what"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise EOFError from error
    if kind not in _KINDS or not isinstance(key, (int, str)) or not isinstance(what, dict):
        raise EOFError
    return Message(kind, key, what, content)


def as_fault(error: ReverieError) -> dict[str, str | None]:
    """An error of ours as data: its type, fault and remedy as a page says them (a choice is called as its field is), and the field."""
    fault, remedy = error.with_flags(lambda name: name.replace("_", " "))
    kind = next(each for each in type(error).__mro__ if each.__name__ in _ERRORS).__name__
    return {"type": kind, "fault": fault, "remedy": remedy, "field": error.field}


def fault_of(error: ReverieError) -> dict[str, str | None]:
    """What a page says of an error: `{"fault", "remedy", "field"}`; the field is the choice that is at fault, or None."""
    told = as_fault(error)
    return {name: told[name] for name in ("fault", "remedy", "field")}


def from_fault(told: Mapping[str, Any]) -> ReverieError:
    """The error again, of its kind."""
    error = _ERRORS.get(str(told.get("type")), OutputError)(str(told.get("fault")), str(told.get("remedy") or ""))
    error.field = told.get("field")
    return error


def unforeseen(error: Exception) -> OutputError:
    """A fault of ours, or of what we use, as an error of ours."""
    return OutputError(f"this went wrong in a way nobody foresaw: {type(error).__name__}: {first_line(error)}", "tell us how it came to it")
