"""The queue: what is asked for is checked, ordered, told of, and still there afterwards."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from reverie.errors import InputError, OutputError, ReverieError, UsageError
from reverie.recipe import COMMANDS
from reverie.studio.jobs import MADE, Home, Queue, checked
from reverie.studio.jobs import queue as queue_module
from reverie.studio.jobs.ledger import Ledger


@pytest.fixture
def queue(home: Home) -> Queue:
    return Queue(home)


def states(queue: Queue) -> dict[int, str]:
    return {each.id: each.state for each in queue.jobs()}


def order(queue: Queue) -> list[int]:
    return [each.id for each in sorted(queue.jobs(["waiting"]), key=lambda each: each.place)]


def test_a_job_is_there_with_all_that_was_asked_for_also_for_others(home: Home, queue: Queue, picture: str) -> None:
    made = queue.add("dream", [picture], {"level": "parts", "seed": "1-3", "mask": picture, "width": None})
    assert made == Queue(home).job(made.id) == queue.jobs()[0]
    assert (made.command, made.subjects, made.state, made.place) == ("dream", (picture,), "waiting", 0)
    assert made.choices == {"level": "parts", "seed": "1-3", "mask": picture}


@pytest.mark.parametrize(
    ("command", "subjects", "choices", "field"),
    [
        ("dream", ["/etc/passwd"], {}, None),
        ("dream", [], {}, None),
        ("dream", ["PICTURE"], {"mask": "/etc/passwd"}, "mask"),
        ("dream", ["PICTURE"], {"guide": "http://x/y.png"}, "guide"),
        ("feature", ["blocks.1"], {"usual": ["PICTURE", "/etc"]}, "usual"),
        ("feature", ["blocks.1"], {"direction": "/tmp/x.npy"}, "direction"),
        ("see", ["PICTURE"], {"baseline": "/etc/passwd"}, "baseline"),
        ("redo", ["PICTURE"], {"start": "/etc/passwd"}, "start"),
        ("dream", ["PICTURE"], {"network": "/tmp/weights.pt"}, "network"),
        ("dream", ["PICTURE"], {"network": "timm:resnet18.a1_in1k"}, "network"),
        ("dream", ["PICTURE"], {"network": ["efficientnet-lite0", 5]}, "network"),
        ("journey", ["PICTURE", "timm:resnet18/layer1", "parts"], {"ring": True}, "ring"),
        ("journey", ["PICTURE"], {"ring": ["parts", "hf:a/b@c/layer1"]}, "ring"),
        ("dream", ["PICTURE"], {"output": "/tmp/x.png"}, None),
        ("dream", ["PICTURE"], {"definition": "os:system"}, None),
        ("dream", ["PICTURE"], {"steps": 0}, "steps"),
        ("dream", ["PICTURE"], {"steps": float("nan")}, None),
        ("dream", ["PICTURE"], {"level": "noses"}, None),
        ("dream", ["PICTURE"], {"seed": "3-1"}, "seed"),
        ("film", ["PICTURE", "PICTURE"], {}, None),
        ("film", ["noise:pink"], {}, None),
        ("imagine", ["x" * 5000], {}, None),
        ("imagine", ["banana"], {"between": ["x" * 70_000]}, None),
        ("train", ["PICTURE"], {}, None),
        ("grid", ["/etc/passwd"], {"vary": {"seed": [1, 2]}}, None),
        ("grid", [], {"vary": {"start": ["PICTURE", "/etc/passwd"]}}, "start"),
        ("grid", ["PICTURE"], {"vary": ["guide=/etc/passwd,/etc/hosts"]}, "guide"),
        ("grid", ["PICTURE"], {"vary": {"network": ["efficientnet-lite0", "/tmp/x.pt"]}}, "network"),
        ("grid", ["PICTURE"], {"vary": {"steps": [5, 0]}}, "steps"),
        ("grid", ["PICTURE"], {"vary": "seed=0-3"}, "vary"),
        ("grid", ["PICTURE"], {"vary": ["seed=x"]}, "vary"),
        ("grid", ["PICTURE"], {"vary": {}, "command": "see"}, None),
        ("dream", ["PICTURE"], {"max_pixels": 10**9}, None),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_before_it_is_in_the_queue(
    queue: Queue, picture: str, command: str, subjects: list[str], choices: dict[str, Any], field: str | None
) -> None:
    def meant(value: Any) -> Any:
        return [meant(each) for each in value] if isinstance(value, list) else picture if value == "PICTURE" else value

    with pytest.raises(UsageError) as told:
        queue.add(command, meant(subjects), {name: meant(value) for name, value in choices.items()})
    assert told.value.field == field
    assert not queue.jobs() and not queue.last_event


ODD: list[Any] = [
    [], {}, "", "a" * 3000, True, False, -1, 1e308, 10**30, [1, 2], [[1]], ["a"], [None], {"a": 1}, "\ud800", "1-1000000000000",
    "٣", "a\0b", "/etc/passwd", [True], "nan", "class:", "0x0", {"a": ["b"]},
]  # fmt: skip


@pytest.mark.parametrize("command", MADE)
def test_whatever_a_page_sends_is_a_wish_or_refused_in_words(home: Home, picture: str, command: str) -> None:
    subjects = ["banana"] if command in ("imagine", "feature") else [picture]
    wishes: list[tuple[Any, Any]] = [(subjects, {name: odd}) for name in (*COMMANDS[command].fields, "network") for odd in ODD]
    wishes += [(odd if several else [odd], {}) for odd in ODD for several in (False, isinstance(odd, (str, list, dict)))]
    wishes += [(subjects, {"vary": {name: odd}}) for name in ("level", "seed", "start", "network", "guide", "noses") for odd in ODD]
    wishes += [(subjects, {"vary": odd}) for odd in ([each] for each in ODD)]
    refused = 0
    for given, choices in wishes:
        try:
            checked(home, command, given, choices)
        except ReverieError as error:
            refused += 1
            assert error.fault and "\n" not in str(error)
    assert refused > len(wishes) / 2
    assert not any("/etc/passwd" in str(reference) for _, reference in checked(home, command, subjects, {}).files())


def test_a_grid_is_kept_as_lists_however_it_was_said(queue: Queue, picture: str) -> None:
    said = queue.add("grid", [picture], {"vary": ["level=edges,parts", "seed=0-2"]})
    named = queue.add("grid", [picture], {"vary": {"level": ["edges", "parts"], "seed": "0-2"}})
    assert said.choices == named.choices == {"vary": {"level": ["edges", "parts"], "seed": [0, 1, 2]}}


def test_a_picture_that_was_never_handed_in_is_told_with_its_field(queue: Queue, picture: str) -> None:
    with pytest.raises(InputError) as told:
        queue.add("dream", [picture], {"guide": "input:" + "0" * 64})
    assert told.value.field == "guide"


def test_jobs_are_ordered_and_paused_ones_keep_their_place(queue: Queue) -> None:
    first, second, third, last = (queue.add("imagine", ["banana"], {"seed": seed}).id for seed in range(4))
    queue.move(last, 1)
    assert order(queue) == [first, last, second, third]
    queue.pause(last)
    assert order(queue) == [first, second, third] and queue.job(last).place == -1
    queue.resume(last)
    queue.move(first, 99)
    assert order(queue) == [last, second, third, first]
    queue.cancel(second)
    with pytest.raises(UsageError, match="is cancelled"):
        queue.move(second, 0)
    queue.retry(second)
    assert order(queue) == [last, second, third, first]


def test_what_makes_no_sense_is_refused_and_changes_nothing(queue: Queue) -> None:
    number = queue.add("imagine", ["banana"], {}).id
    queue.cancel(number)
    for wrong in (queue.pause, queue.resume):
        with pytest.raises(UsageError, match="is cancelled"):
            wrong(number)
    with pytest.raises(InputError, match="no job 99"):
        queue.pause(99)
    assert states(queue) == {number: "cancelled"}


def test_those_that_are_over_can_be_cleared_and_their_ids_do_not_come_again(queue: Queue) -> None:
    kept, gone = queue.add("imagine", ["banana"], {}).id, queue.add("imagine", ["banana"], {}).id
    queue.cancel(gone)
    assert queue.clear() == 1 and list(states(queue)) == [kept]
    assert queue.add("imagine", ["banana"], {}).id > gone
    assert {"id": gone, "state": "cleared"} in [each.data for each in queue.events(0)]


def test_one_that_runs_is_not_cleared(home: Home, queue: Queue) -> None:
    number = queue.add("imagine", ["banana"], {}).id
    assert Ledger(home).claim()
    queue.clear(["running", "waiting"])
    assert states(queue) == {number: "running"}


def test_a_held_queue_gives_no_job_also_after_a_restart(home: Home, queue: Queue) -> None:
    queue.add("imagine", ["banana"], {})
    queue.hold()
    assert Queue(home).held and Ledger(home).claim() is None
    queue.go_on()
    assert not Queue(home).held and Ledger(home).claim() is not None


def test_events_come_in_order_after_an_id_and_of_one_thing_only_the_last(home: Home, queue: Queue) -> None:
    first, second = (queue.add("imagine", ["banana"], {}).id for _ in range(2))
    seen = queue.last_event
    ledger = Ledger(home)
    assert ledger.claim()
    for done in (0.25, 0.5):
        ledger.progressed(first, done, "step", 3.0)
    ledger.previewed(77, 0.5)
    found = queue.events(seen)
    assert [each.id for each in found] == sorted(each.id for each in found) and min(each.id for each in found) > seen
    assert [(each.kind, each.data.get("id"), each.data.get("done")) for each in found] == [
        ("queue", None, None), ("job", first, 0.5), ("preview", None, 0.5),
    ]  # fmt: skip
    assert found[0].data == {"held": False, "order": [second]}
    assert queue.events(found[1].id) == found[2:] and queue.events(queue.last_event) == []
    assert len(queue.events(0, limit=2)) == 2


def test_events_that_are_no_longer_kept_are_told_to_be_missed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "KEPT_EVENTS", 5)
    before = queue.last_event
    jobs = [queue.add("imagine", ["banana"], {}).id for _ in range(9)]
    found = queue.events(before)
    assert found[0].kind == "queue" and found[0].data["missed"] is True
    assert found[-1].id == queue.last_event and not any("missed" in each.data for each in found[1:])
    assert len(found) <= 6
    assert not any("missed" in each.data for each in queue.events(found[0].id))
    elsewhere = queue.events(queue.last_event + 1000)  # of a page that was open on another home
    assert len(elsewhere) == 1 and elsewhere[0].data["missed"] is True and elsewhere[0].data["order"] == jobs


def test_whoever_waits_hears_of_what_another_connection_did(home: Home, queue: Queue) -> None:
    assert queue.wait(queue.last_event, 0.0) == []
    number = Queue(home).add("imagine", ["banana"], {}).id
    assert [each.data["id"] for each in queue.wait(0, 30.0) if each.kind == "job"] == [number]


def test_two_hundred_jobs_are_listed_in_parts(queue: Queue) -> None:
    made = [queue.add("imagine", ["banana"], {"seed": seed}).id for seed in range(200)]
    listed = [each.id for each in queue.jobs(limit=150)]
    listed += [each.id for each in queue.jobs(limit=150, before=listed[-1])]
    assert listed == made[::-1]
    assert [each.place for each in queue.jobs()] == list(range(199, -1, -1))


def test_a_damaged_queue_is_told_in_a_line(home: Home) -> None:
    home.database.write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="is damaged"):
        Queue(home)


def test_a_queue_of_a_newer_reverie_is_left_alone(home: Home) -> None:
    with sqlite3.connect(home.database) as made:
        made.execute("PRAGMA user_version=99")
    with pytest.raises(InputError, match="newer Reverie"):
        Queue(home)


def test_a_queue_that_cannot_be_opened_is_told(home: Home) -> None:
    home.database.mkdir()
    with pytest.raises(OutputError, match="cannot be read or written"):
        Queue(home)
