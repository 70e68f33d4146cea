"""The page of what a network saw: whole in itself, inert to strangers' text, readable by everyone, and its parts said as they are."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pytest
import torch
from tests.helpers.sights import bare, noise, noisy, rung, sight

import reverie
from reverie.insight import Fidelity, Noticed, Opinion, Rung, layer_page, report
from reverie.networks import Label
from reverie.pages import Shot, embedded_images

HOSTILE = '"><script>alert(1)</script>.png'
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def tree(page: str) -> Element:
    """The page as a tree; a page that HTML5 calls wrong fails here."""
    root: Element = html5lib.HTMLParser(strict=True).parse(page)
    return root


def texts(page: str) -> str:
    """What a person reads, white space evened out."""
    body = tree(page).find(f"{XHTML}body")
    assert body is not None
    for parent in list(body.iter()):
        for child in [each for each in parent if each.tag == f"{XHTML}script"]:
            parent.remove(child)
    return re.sub(r"\s+", " ", "".join(body.itertext()))


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_grows_codes_each_picture_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, photo = sight(), embedded_images.photo
    coded: list[torch.Tensor] = []

    def watched(pixels: torch.Tensor, largest: int, quality: int) -> Shot:
        coded.append(pixels)
        return photo(pixels, largest, quality)

    monkeypatch.setattr(embedded_images, "photo", watched)
    first = replace(whole, layers=whole.layers[:1]).page()
    before = len(coded)
    whole.page()
    each = [2 + sum(one.feature is not None for one in each.noticed) - (each.enhanced is None) for each in whole.layers]
    assert len(coded) - before == sum(each[1:]) + before - each[0]  # of the picture itself as many as on the first
    assert replace(whole, layers=whole.layers[:1]).page() == first


@pytest.fixture(scope="module")
def page() -> str:
    return sight().page()


def test_it_is_html_as_the_standard_has_it_and_says_its_language(page: str) -> None:
    assert page.lower().startswith("<!doctype html>")
    assert tree(page).get("lang") == "en"


def test_nothing_in_it_points_outside(page: str) -> None:
    for each in tree(page).iter():
        for name, value in each.attrib.items():
            if name.rpartition("}")[2] in ("src", "href", "srcset", "action", "data", "poster"):
                assert value.startswith(("data:image/", "#")), f"{each.tag} {name}={value[:60]}"
    text = re.sub(r"data:image/[^\"]*", "", page)
    assert not re.search(r"https?:|//[a-z]|@import|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon", text)
    assert re.findall(r"url\(.{3}", text) == ['url("${']  # the picture on the stage, for its fading


def test_its_policy_forbids_everything_but_itself(page: str) -> None:
    policy = next(each for each in tree(page).iter(f"{XHTML}meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.get("content") == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def test_every_link_inside_it_leads_somewhere_and_no_id_is_there_twice(page: str) -> None:
    ids = [each.get("id") for each in tree(page).iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    for each in tree(page).iter():
        target = each.get("href", "")
        if target.startswith("#"):
            assert target[1:] in ids, target


def test_each_picture_is_in_it_once(page: str) -> None:
    uris = [uri for uri in re.findall(r"data:image/(?:webp|jpeg)[^\"]+", page)]
    assert len(uris) == len(set(uris)) == 3 + 4 * (1 + 1 + 2)  # the photograph large, small and quiet; rebuilt, enhanced, two features


def test_sixteen_layers_of_pictures_as_large_as_real_ones_stay_small() -> None:
    def real(number: int) -> Rung:
        noticed = tuple(Noticed(channel, 3.0, 4 * noise(112, 168, seed=channel), noisy(3, 160, 160, seed=channel)) for channel in range(4))
        return replace(rung(number), rebuilt=noisy(3, 224, 336), enhanced=noisy(3, 320, 480), noticed=noticed)  # noise: the worst there is

    whole = sight(layers=tuple(real(number) for number in range(1, 17)), expected=16, picture=noisy(3, 600, 900))
    assert len(whole.page().encode()) < 10_000_000


def test_a_page_that_would_be_too_large_has_coarser_pictures(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setattr(report, "LIMIT", int(len(page) * 0.95))
    assert len(sight().page()) < 0.95 * len(page)


# ── what strangers wrote ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hostile_name_is_text_wherever_it_stands() -> None:
    fidelity = Fidelity(0.0, 1.0, (Opinion(HOSTILE, HOSTILE, 0.5, False),))
    one = replace(rung(1, name=HOSTILE, level=HOSTILE), fidelity=fidelity)
    labels = (Label(0, HOSTILE, 0.5),)
    facts: dict[str, Any] = {"name": HOSTILE, "why": HOSTILE, "against": HOSTILE, "usual": HOSTILE}
    page = sight(labels=labels, notes=(HOSTILE,), layers=(one,), expected=2, **facts).page()
    found = tree(page)
    scripts = ["".join(each.itertext()) for each in found.iter(f"{XHTML}script")]
    assert len(scripts) == 2
    assert json.loads(scripts[0])["layers"][0]["name"] == HOSTILE
    assert not [text for text in scripts[1:] if "alert(1)" in text]
    assert "<" not in scripts[0] and "<script>alert" not in page
    heading = next(found.iter(f"{XHTML}h1"))
    assert "".join(heading.itertext()) == HOSTILE


def test_a_name_cannot_turn_the_line_around() -> None:
    assert "\u202e" not in sight(1, name="a\u202egnp.exe").page()


# ── for everyone ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_picture_says_what_it_shows(page: str) -> None:
    found = tree(page)
    alts = [each.get("alt") for each in found.iter(f"{XHTML}img")]
    assert len(alts) >= 17 and all(alts)
    for each in found.iter(f"{SVG}svg"):
        assert each.get("aria-hidden") == "true" or each.get("aria-label"), each.attrib
    assert "The picture rebuilt from layer blocks.2 alone; similarity at a glance 0.97, in detail 0.94, relative error 0.03" in alts


def test_headings_stand_in_order(page: str) -> None:
    levels = [int(each.tag[-1]) for each in tree(page).iter() if re.fullmatch(rf"{XHTML}h[1-6]", str(each.tag))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert levels.count(2) == 3 + 4  # labels, reading, walk; the layers


def test_without_a_script_it_reads_and_what_needs_one_is_hidden(page: str) -> None:
    for each in tree(page).iter():
        if "scripted" in each.get("class", "").split():
            assert "hidden" in each.attrib
    assert {each.get("id") for each in tree(page).iter() if "hidden" in each.attrib} >= {"walk"}


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_says_what_was_found(page: str) -> None:
    said = texts(page)
    for words in (
        "Egyptian cat77\u00a0%", "under 0.1\u00a0%", "judge-one still Egyptian cat, 71\u00a0%", "judge-two no longer: now tabby, 40\u00a0%",
        "Very like the original: similarity at a glance 0.97, in detail 0.94, relative error 0.03.",
        "Channel 7 4.2 spreads above usual", "24 photographs of things",
        "2 · edges · blocks.2",
        "Each value sees 25 × 25 pixels, the box: about a quarter as wide as the picture.",
        "A grid of 48 × 32 places, 2 pixels apart; 16 channels.",
        "+1.50", "−0.70", "A note.", f"Made by Reverie {reverie.__version__}",
    ):  # fmt: skip
        assert words.replace("\u00a0", " ") in said.replace("\u00a0", " "), words
    assert "unfinished" not in said


def test_the_lowest_layer_stands_first(page: str) -> None:
    sections = [each.get("id") for each in tree(page).iter(f"{XHTML}section")]
    assert sections[2:] == ["layer-1", "layer-2", "layer-3", "layer-4"]


def test_an_unfinished_page_says_so() -> None:
    assert "This page is unfinished. 2 of 16 layers are on it so far." in texts(sight(2, expected=16).page())


def test_before_the_first_layer_there_is_a_page_already() -> None:
    said = texts(sight(0, expected=16).page())
    assert "0 of 16 layers" in said and "walk" not in said


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ({"noticed": ()}, "What it noticed"),
        ({"enhanced": None}, "What it would add"),
        ({"counted": None}, "What counted"),
    ],
)
def test_a_part_that_is_missing_is_left_out_with_its_explanation(gone: dict[str, Any], words: str, page: str) -> None:
    assert words in texts(page)
    said = texts(sight(layers=(replace(rung(1), **gone),), expected=1).page())
    assert words not in said
    assert "None" not in said.replace("None of the channels", "") and "nan" not in said.split()


def test_a_network_without_labels_is_shown_without_them() -> None:
    ones = tuple(replace(rung(number), fidelity=Fidelity(0.03, 0.94), counted=None) for number in (1, 2))
    said = texts(sight(2, labels=(), why=None, against=None, layers=ones).page())
    for words in ("What it calls the picture", "What counted", "judge", "labels", "spoke"):
        assert words not in said
    assert "at its end" in said


@pytest.mark.parametrize(("glance", "words"), [(0.96, "Very"), (0.8, "Much"), (0.43, "Somewhat"), (0.2, "Faintly"), (0.13, "Hardly")])
def test_the_words_on_a_rebuilt_picture_follow_from_how_it_looks_at_a_glance(glance: float, words: str) -> None:
    one = replace(rung(1), fidelity=Fidelity(0.03, 0.35, (), glance))
    assert f"{words} like the original: similarity at a glance {glance:.2f}, in detail 0.35" in texts(
        sight(layers=(one,), expected=1).page()
    )


def test_of_figures_that_are_no_numbers_nothing_is_told() -> None:
    said = texts(sight(layers=(bare(rung(1)),), expected=1).page())
    assert "1 · blocks.1" in said and "like the original" not in said and "similarity" not in said.split("1 · blocks.1")[1]


def test_what_was_compared_with_is_said_as_it_is() -> None:
    said = texts(sight(1, usual="24 pictures of pink noise", baseline="an even black picture").page())
    for words in ("the mean of its values on what is named below", "Measured on 24 pictures of pink noise.",
                  "They are counted from an even black picture:",
                  "From an even black picture to this one, Egyptian cat gained on tabby by +1.50"):  # fmt: skip
        assert words in said, words
    assert "grey" not in said and "measured on other pictures" not in said
    assert "From an even picture of the network’s mean colour to this one, the score of Egyptian cat changed by" in texts(
        sight(1, against=None).page()
    )


def test_a_channel_that_never_fired_has_words_in_place_of_a_picture() -> None:
    one = replace(rung(1), noticed=(Noticed(7, -0.3, torch.zeros(32, 48), None),))
    said = texts(sight(layers=(one,), expected=1).page())
    assert "no picture: none was made, or the channel never fired" in said and "0.3 spreads below usual" in said


@pytest.mark.parametrize(("field", "words"), [(None, "sees all of the picture"), (100, "from the middle all"), (200, "wherever it stands")])
def test_what_one_value_sees_is_said_as_it_is(field: int | None, words: str) -> None:
    assert words in texts(sight(layers=(rung(1, receptive_field=field),), expected=1).page())


def test_the_box_is_as_large_as_the_field_and_ends_at_the_edge() -> None:
    box, cell = layer_page.boxes(25, (32, 48), (64, 96))
    assert box == (49 - 12.5, 33 - 12.5, 25, 25) and cell == (48, 32, 2, 2)
    assert layer_page.boxes(80, (32, 48), (64, 96))[0] == (9, 0, 80, 64)


def test_the_script_gets_the_maps_as_they_are() -> None:
    data = layer_page.script_data(rung(1))
    heat, spoke = data["heats"][0], data["counted"]
    cells = np.frombuffer(base64.b64decode(heat["cells"]), np.uint8).reshape(heat["grid"])
    assert heat["top"] == 5 and cells[0, 0] == 255 and cells.sum() == 255
    signs = np.frombuffer(base64.b64decode(spoke["cells"]), np.uint8).reshape(spoke["grid"]).astype(int) - 127
    assert signs[0, 0] == 127 and signs[-1, -1] == pytest.approx(-127 / 2.5, abs=0.6) and np.count_nonzero(signs) == 2
