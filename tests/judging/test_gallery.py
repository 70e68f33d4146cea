"""Galleries: nothing is left out, every place is counted, and what was changed since is found."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.helpers.commands import carrying
from tests.helpers.galleries import ODD, SCORE, filled, gridded, judged, made
from tests.helpers.recipes import PLAIN

import reverie.judging.galleries.folder as folder_module
from reverie.album import Entry
from reverie.errors import InputError, OutputError, UnsafeError
from reverie.judging.galleries import Difference, GalleryFolder, check_page, found_gallery, read_manifest, verified
from reverie.judging.galleries.known import known_of, rankings
from reverie.judging.galleries.page import page
from reverie.judging.scores.kept import Scored, keep
from reverie.judging.scores.table import SCORES
from reverie.recipe import Stopped, resolve
from reverie.recipe.description import preset_of

FILES = sorted([ODD, "dream.png", "banana.png", "daisy.jpg", "sheet.png", "below/photo.jpg", "broken.png"])
PATHS = [each for each in FILES if each != "sheet.png"]  # sheets are counted apart


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REVERIE_CACHE", str(tmp_path / "cache"))
    return filled(tmp_path / "pictures")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


def data_of(gallery: Path) -> Any:
    found = re.search('<script type="application/json" id="data">(.*?)</script>', (gallery / "index.html").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def shards(gallery: Path, kind: str) -> list[Any]:
    """What the shards of a kind hand over, in order."""
    rows: list[Any] = []
    for name in data_of(gallery)[kind]:
        first, text = re.fullmatch(rf"gallery\.{kind}\((\d+), (.*)\);\n", (gallery / name).read_text(), re.DOTALL).groups()  # type: ignore[union-attr]
        assert int(first) == len(rows)
        rows += json.loads(text)
    return rows


def test_every_picture_is_in_it_with_all_that_is_known(folder: Path, place: Path) -> None:
    made(place, folder)
    data, details, thumbs = data_of(place), shards(place, "details"), shards(place, "thumbs")
    assert [each["path"] for each in details] == PATHS and len(data["rows"]) == len(thumbs) == 6
    for path, row, detail, thumb in zip(PATHS, data["rows"], details, thumbs, strict=True):
        content = (folder / path).read_bytes()
        assert row[4] == hashlib.sha256(content).hexdigest() and detail["bytes"] == len(content)
        assert row[0] == (path == "broken.png")
        if path == "broken.png":
            assert thumb == "" and "damaged" in detail["fault"]
        else:
            assert Image.open(BytesIO(b64decode(thumb))).format == "WEBP"
    dream = details[PATHS.index("dream.png")]
    assert dream["recipe"] == json.loads(PLAIN.model_copy(update={"seed": 8}).text()) and dream["steps"] == 80
    assert dream["words"].startswith("a dream on blocks.4.1:12 - 0.5*blocks.2.0:3, 5 octaves of 16 steps, 96×64, seed 8")
    text = (place / "index.html").read_text("utf-8")
    assert '<a href="../pictures/sheet.png">sheet.png</a>: a sheet of 1 pictures' in text
    assert "6 pictures and 1 sheet, none left out; 4 made by Reverie; 1 cannot be read and stands here without a picture." in text
    assert "Beside the pictures there is 1 other file" in text
    assert not re.search(r"https?://(?!www\.w3\.org)", text)


def test_a_place_is_counted_among_all_that_have_the_score_and_what_is_alike_shares_it() -> None:
    scores = [0.5, None, 0.9, 0.5, 0.1]
    pictures = [
        known_of(Entry(str(at), 1, 1, "picture", recipe="" if each is None else judged("banana", each).text()))
        for at, each in enumerate(scores)
    ]
    (found,) = rankings(pictures)
    assert found.name == SCORE and found.places == {2: 1, 0: 2, 3: 2, 4: 4}


def test_what_a_recipe_says_is_known_in_fields() -> None:
    said = PLAIN.model_copy(update={"stopped": Stopped(octave=3, step=5)})
    known = known_of(Entry("a", 1, 1, "picture", recipe=said.text()))
    assert (known.kind, known.layers, known.networks, known.steps) == ("dream", ("blocks.4.1", "blocks.2.0"), ("efficientnet-lite0",), 37)
    banana = known_of(Entry("a", 1, 1, "picture", recipe=judged("banana", 0.2).text()))
    assert (banana.classes, banana.layers, banana.scores) == (("banana",), (), {SCORE: 0.2})


@pytest.mark.parametrize(("name", "level"), [("menagerie", "objects"), ("eyes", "parts"), ("neon", "objects")])
def test_the_preset_of_a_recipe_is_the_one_whose_choices_it_has(name: str, level: str) -> None:
    request = resolve("dream", {"preset": name})
    groups = {each: request[type(getattr(PLAIN, each))] for each in ("canvas", "ascent", "transforms", "penalties", "finish")}
    assert preset_of(PLAIN.model_copy(update=groups), level) == name
    assert preset_of(PLAIN.model_copy(update=groups), "edges") == ""
    steeper = groups["ascent"].model_copy(update={"octaves": 7})
    assert preset_of(PLAIN.model_copy(update={**groups, "ascent": steeper}), level) == ""


def test_five_thousand_pictures_make_a_page_below_two_megabytes_whatever_their_recipes() -> None:
    said = [judged(f"a class of some length {number % 1000}", number / 5000, number).text() for number in range(5000)]
    name, date = f"{'x' * 100}.png", 10**18
    pictures = [
        known_of(Entry(f"a folder/{at:05} {name}", 10**7, date + at, "picture", "", f"{at:064x}", 4000, 3000, text))
        for at, text in enumerate(said)
    ]
    about = {"details": ["p"] * 50, "thumbs": ["p"] * 50, "list_sha256": "", "stars": {}, "unseen": {}, "films": 0, "others": 0}
    assert len(page("many", pictures, rankings(pictures), about).encode()) <= 2_000_000


def test_what_strangers_wrote_is_text_and_nothing_else(folder: Path, place: Path) -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    carrying(folder / "</title><b>.png".replace("/", "_"), judged(bad, 0.5).text())
    made(place, folder)
    text = (place / "index.html").read_text("utf-8")
    assert bad not in text and "<b>.png" not in text and bad in data_of(place)["words"]["class"]


def test_the_list_has_the_hash_of_every_picture_and_of_itself(folder: Path, place: Path) -> None:
    made(place, folder)
    data = json.loads((place / "manifest.json").read_text())
    assert [(each["path"], each["sha256"]) for each in data["pictures"]] == [
        (path, hashlib.sha256((folder / path).read_bytes()).hexdigest()) for path in FILES
    ]
    listed = [data["folder"], *data["unseen"], *(f"{each['sha256']} {each['path']}" for each in data["pictures"])]
    lines = b"".join(f"{each}\0".encode() for each in listed)
    assert data["list_sha256"] == hashlib.sha256(lines).hexdigest() and data["count"] == 7
    for name, digest in data["page"].items():
        assert hashlib.sha256((place / name).read_bytes()).hexdigest() == digest
    assert {*data["page"], "manifest.json"} == {each.relative_to(place).as_posix() for each in place.rglob("*") if each.is_file()}


def differences(place: Path, folder: Path) -> list[Difference]:
    at, pictures, manifest = found_gallery(folder, place)
    check_page(manifest, at)
    return verified(manifest, pictures)


def test_what_was_removed_added_or_changed_is_found_even_at_the_same_size_and_time(folder: Path, place: Path) -> None:
    made(place, folder)
    assert differences(place, folder) == []
    shutil.copy(folder / "dream.png", folder / "below" / "copy without a suffix")
    (folder / "sheet.png").unlink()
    (folder / "more.txt").write_text("no picture")
    facts = (folder / "daisy.jpg").stat()
    content = bytearray((folder / "daisy.jpg").read_bytes())
    content[-30] ^= 1
    (folder / "daisy.jpg").write_bytes(content)
    os.utime(folder / "daisy.jpg", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    (folder / "elsewhere").symlink_to(folder.parent, target_is_directory=True)
    assert [(each.path, each.state) for each in differences(place, folder)] == [
        ("below/copy without a suffix", "added"), ("daisy.jpg", "changed"), ("elsewhere", "added"), ("sheet.png", "removed"),
    ]  # fmt: skip
    assert differences(Path("nowhere"), place) == differences(place, folder)  # the gallery says where its pictures are


def test_what_has_the_bytes_of_one_that_is_gone_was_renamed(folder: Path, place: Path) -> None:
    shutil.copy(folder / "dream.png", folder / "twin.png")
    made(place, folder)
    shutil.copy(folder / "daisy.jpg", folder / "copy.jpg")  # the first is there still
    (folder / "dream.png").rename(folder / "below" / "night.png")
    (folder / "twin.png").unlink()
    assert [(each.path, each.state, each.was) for each in differences(place, folder)] == [
        ("below/night.png", "renamed", "dream.png"), ("copy.jpg", "added", None), ("twin.png", "removed", None),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["list", "count", "page", "shard", "gone"])
def test_a_list_or_a_page_that_was_changed_is_refused(folder: Path, place: Path, what: str) -> None:
    gallery = made(place, folder)
    assert gallery.manifest is not None
    manifest, shard = place / "manifest.json", place / next(each for each in gallery.manifest.page if "details" in each)
    data = json.loads(manifest.read_text())
    if what == "list":
        data["pictures"] = data["pictures"][1:]
    if what == "count":
        data["count"] = 6
    manifest.write_text(json.dumps(data))
    if what in ("page", "shard"):
        target = place / "index.html" if what == "page" else shard
        target.write_text(target.read_text().replace("dream", "drean", 1))
    if what == "gone":
        shard.unlink()
    with pytest.raises(UnsafeError, match="was changed" if what != "gone" else "is gone"):
        differences(place, folder)


def test_a_list_that_speaks_of_another_folder_was_changed(folder: Path, place: Path, tmp_path: Path) -> None:
    made(place, folder)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="is of another folder"):
        found_gallery(tmp_path / "other", place)
    manifest = place / "manifest.json"
    for changed in ({"folder": "../other"}, {"unseen": {"secret": "not readable"}}):
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changed}))
        with pytest.raises(UnsafeError, match="was changed"):
            read_manifest(place)
        made(place, folder, force=True)


def test_a_gallery_that_was_killed_is_made_again(folder: Path, place: Path) -> None:
    made(place, folder)
    (place / "index.html").unlink()
    with pytest.raises(UnsafeError, match=r"was changed|is gone"):
        differences(place, folder)
    (place / "manifest.json").unlink()
    made(place, folder)
    assert differences(place, folder) == []
    (place / "index.html").unlink()
    (place / "manifest.json").unlink()
    (place / "parts" / "mine.js").write_text("mine")
    with pytest.raises(OutputError, match="holds other things"):
        made(place, folder)


def test_a_list_that_is_none_or_leads_out_of_its_folder_is_no_list(folder: Path, place: Path) -> None:
    made(place, folder)
    manifest = place / "manifest.json"
    whole = json.loads(manifest.read_text())
    fields: list[dict[str, Any]] = [
        {"pictures": 5}, {"pictures": [{"path": "../../x", "sha256": ""}]}, {"page": {"/etc/passwd": "0" * 64}}, {"pictures": [{}]},
        {"pictures": [{"path": "a", "sha256": 5}]}, {"folder": None},
    ]  # fmt: skip
    for bad in ("{", "[" * 100_000, *(json.dumps({**whole, **each}) for each in fields)):
        manifest.write_text(bad)
        with pytest.raises(UnsafeError, match="was changed"):
            read_manifest(place)
    manifest.write_text('{"name": "another program"}')
    assert read_manifest(place) is None
    with pytest.raises(InputError, match="no gallery of"):
        found_gallery(folder, place)


def test_made_again_it_keeps_what_is_not_its_own_and_drops_old_shards(folder: Path, place: Path) -> None:
    made(place, folder)
    (place / "parts" / "mine.js").write_text("mine")
    before = set((place / "parts").iterdir())
    (folder / "dream.png").unlink()
    made(place, folder)
    after = set((place / "parts").iterdir())
    assert place / "parts" / "mine.js" in after and len(after) == len(before) == 3 and after != before
    assert differences(place, folder) == []


def test_stopped_on_the_way_the_gallery_before_is_still_whole(folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place, folder)
    before = (place / "index.html").read_bytes()
    (folder / "dream.png").unlink()

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "page", killed)
        with pytest.raises(KeyboardInterrupt):
            made(place, folder)
    assert (place / "index.html").read_bytes() == before and len(shards(place, "details")) == 6
    assert [each.state for each in differences(place, folder)] == ["removed"]


def test_nothing_that_is_no_gallery_of_this_folder_is_written_over(folder: Path, place: Path, tmp_path: Path) -> None:
    place.mkdir()
    (place / "index.html").write_text("mine")
    with pytest.raises(OutputError, match="holds other things"):
        GalleryFolder(place, folder).ready(force=False)
    assert (place / "index.html").read_text() == "mine"
    other = tmp_path / "others"
    shutil.copytree(folder, other)
    made(tmp_path / "second", folder)
    with pytest.raises(OutputError, match="is the gallery of another folder"):
        GalleryFolder(tmp_path / "second", other).ready(force=False)
    with pytest.raises(OutputError, match="is not a folder"):
        GalleryFolder(folder / "notes.txt", folder).ready(force=True)


def test_a_gallery_in_its_own_folder_does_not_count_itself(folder: Path) -> None:
    first = made(folder / "gallery", folder)
    again = made(folder / "gallery", folder)
    assert first.manifest is not None and again.manifest is not None
    assert list(again.manifest.pictures) == FILES and again.manifest.list_sha256 == first.manifest.list_sha256
    assert differences(folder / "gallery", folder) == []


def test_stars_that_were_saved_are_in_the_page_made_again_and_others_are_an_error(folder: Path, place: Path) -> None:
    gallery = made(place, folder)
    digest = gallery.pictures[0].entry.sha256
    (place / "stars.json").write_text(json.dumps({"made": "stars", "stars": {digest: 4}}))
    made(place, folder)
    assert data_of(place)["stars"] == {digest: 4}
    for bad in ("{", "[]", '{"made": "stars", "stars": {"a": 6}}', '{"made": "stars", "stars": {"a": true}}', '{"stars": {}}'):
        (place / "stars.json").write_text(bad)
        with pytest.raises(InputError, match="holds no stars"):
            made(place, folder)


def test_a_page_of_nothing_says_so() -> None:
    about = {"details": [], "thumbs": [], "list_sha256": "", "stars": {}, "unseen": {"x": "a link"}, "films": 2, "others": 0}
    text = page("nothing", [], [], about)
    assert "0 pictures, none left out." in text and "There are no pictures in this folder." in text and "2 films" in text
    assert replace(known_of(Entry("a", 1, 1))).words == ""


def stars_for(folder: Path, place: Path, counts: dict[str, int]) -> None:
    stars = {hashlib.sha256((folder / path).read_bytes()).hexdigest(): count for path, count in counts.items()}
    (place / "stars.json").write_text(json.dumps({"made": "stars", "stars": stars}))


def test_stars_are_held_against_kept_scores_and_a_ranking_is_fitted_to_enough_of_them(tmp_path: Path, place: Path, folder: Path) -> None:
    for number in range(22):
        shot = carrying(folder / f"{number:02}.png", PLAIN.model_copy(update={"seed": 100 + number}).text())
        keep(hashlib.sha256(shot.read_bytes()).hexdigest(), Scored({"naturalness": (number + 1) / 30, "agreement": 0.5}, {"rise": "why"}))
    counts = {f"{number:02}.png": 1 + number // 5 for number in range(22)}
    made(place, folder)
    text = (place / "index.html").read_text("utf-8")
    assert "No picture of this page had stars" in text and "Above 0 to 1. How near light" in text and "It needs a picture alone;" in text
    stars_for(folder, place, {path: count for path, count in counts.items() if path < "19"})
    made(place, folder)
    text = (place / "index.html").read_text("utf-8")
    assert "19 pictures of this page have stars" in text and "No ranking is fitted to your stars: that takes 20" in text
    stars_for(folder, place, counts)
    shutil.copy(folder / "03.png", folder / "copy of 03.png")  # which is the same picture
    made(place, folder)
    text, data = (place / "index.html").read_text("utf-8"), data_of(place)
    assert [each["name"] for each in data["scores"]] == ["agreement", "naturalness", SCORE, "fitted to your 22 stars"]
    assert [each["of"] for each in data["scores"]] == [23, 23, 2, 25] and [each["fitted"] for each in data["scores"]] == [False] * 3 + [
        True
    ]
    assert "above 0 to 1: how near light" in data["scores"][1]["about"]
    assert re.search(r"naturalness</th><td>22</td><td>0\.9\d \(0\.\d\d to 0\.\d\d\)</td><td>\+\d", text)
    assert re.search(r"agreement</th><td>22</td><td>all alike</td><td>no part in it", text)
    assert "it says what you like, not what is good" in text and re.search(r"rank correlation with your stars is 0\.9", text)
    places = [row[10][3][1] for row in data["rows"] if row[10][3]]
    assert sorted(places)[0] == 1 and len(places) == 25
    assert shards(place, "details")[1]["without"] == {"rise": "why"}


def test_five_thousand_pictures_with_all_scores_make_a_page_below_two_megabytes() -> None:
    scores = {each.name: 0.0 for each in SCORES}
    pictures = [
        replace(known_of(Entry(f"{at}.png", 10**7, 10**18 + at, "picture", "", f"{at:064x}", 4000, 3000)), scores={
            name: (at * 7919 % 5000) / 7000 + place for place, name in enumerate(scores)
        })
        for at in range(5000)
    ]  # fmt: skip
    about = {"details": ["p"] * 50, "thumbs": ["p"] * 50, "list_sha256": "", "stars": {}, "unseen": {}, "films": 0, "others": 0}
    assert len(page("many", pictures, rankings(pictures), about).encode()) <= 2_000_000


def test_of_a_grid_the_page_says_what_is_missing_and_only_of_a_whole_one_that_nothing_is(folder: Path, tmp_path: Path) -> None:
    grid = gridded(tmp_path / "grid", {"level": ("parts", "edges"), "sober": ("sober", "not sober")}, never=("edges-not sober.png",))

    def said() -> str:
        made(grid, grid, force=True)
        found = re.search('<p class="by">(.*?)</p>', (grid / "index.html").read_text("utf-8"))
        assert found is not None
        return found[1]

    never = (
        "3 of the 4 pictures of the grid, and 1 sheet; never fired, so that there is no picture: edges-not sober.png; 3 made by Reverie."
    )
    assert said() == never and "2 levels × sober or not" in (grid / "index.html").read_text("utf-8")
    assert differences(grid, grid) == []
    carrying(grid / "edges-not sober.png", PLAIN.model_copy(update={"seed": 3}).text())
    assert said() == "All 4 pictures of the grid, none left out, and 1 sheet; 4 made by Reverie."
    rows = data_of(grid)
    assert rows["axes"] == [{"name": "level", "values": ["parts", "edges"]}, {"name": "sober", "values": ["sober", "not sober"]}]
    assert [row[11] for row in rows["rows"]] == [3, 2, 1, 0]  # by path; as in the grid the other way round
    carrying(grid / "mine.png", PLAIN.model_copy(update={"seed": 99}).text())
    assert (
        "none left out, and 1 sheet; beside them 1 other picture; 5 made" in said() and [row[11] for row in data_of(grid)["rows"]][2] == -1
    )
    carrying(grid / "parts-sober.png", PLAIN.model_copy(update={"seed": 99}).text())
    assert "3 of the 4 pictures of the grid" in said() and "not the picture that the grid has of this name: parts-sober.png" in said()


def test_verifying_a_grid_tells_what_was_gone_before_the_page_was_made(tmp_path: Path, folder: Path) -> None:
    grid = gridded(tmp_path / "grid", {"seed": ("0", "1", "2")})
    (grid / "1.png").unlink()
    (grid / "sheet.png").unlink()
    made(grid, grid, force=True)
    assert [(each.path, each.state) for each in differences(grid, grid)] == [("1.png", "removed"), ("sheet.png", "removed")]
    (grid / "2.png").rename(grid / "two.png")
    assert [(each.path, each.state) for each in differences(grid, grid)] == [
        ("1.png", "removed"), ("sheet.png", "removed"), ("two.png", "renamed"),
    ]  # fmt: skip


def test_a_damaged_list_of_a_grid_is_told_and_the_page_is_made(tmp_path: Path, folder: Path) -> None:
    grid = gridded(tmp_path / "a grid", {"seed": ("0", "1")})
    (grid / "grid.json").write_text('{"made": "grid", "axes": 5}')
    gallery = made(grid, grid, force=True)
    assert gallery.grid is None and gallery.damage.startswith("grid.json is damaged")
    text = (grid / "index.html").read_text("utf-8")
    assert "2 pictures and 1 sheet, none left out" in text and "grid.json is damaged" in text and differences(grid, grid) == []


def test_reverie_s_own_files_are_no_other_files(tmp_path: Path, folder: Path) -> None:
    grid = gridded(tmp_path / "grid", {"seed": ("0", "1")})
    (grid / "stars.json").write_text('{"made": "stars", "stars": {}}')
    made(grid, grid, force=True)
    made(grid, grid)
    assert "other file" not in (grid / "index.html").read_text("utf-8")
    (grid / "notes.txt").write_text("mine")
    made(grid, grid)
    assert "there is 1 other file" in (grid / "index.html").read_text("utf-8")


def test_a_gallery_whose_list_was_changed_is_told_as_such_and_may_be_made_again(folder: Path, place: Path) -> None:
    made(place, folder)
    manifest = place / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"count": 7', '"count": 6'))
    with pytest.raises(UnsafeError):
        differences(place, folder)
    assert "was changed" in GalleryFolder(place, folder).tampered()
    made(place, folder)
    assert GalleryFolder(place, folder).tampered() == "" and differences(place, folder) == []


def test_choices_are_called_as_their_flags_are(folder: Path, place: Path) -> None:
    request = PLAIN.model_copy(update={"ascent": PLAIN.ascent.model_copy(update={"octave_scale": 1.7})})
    carrying(folder / "scaled.png", request.text())
    made(place, folder)
    (found,) = [each for each in shards(place, "details") if each["path"] == "scaled.png"]
    assert ["octave scale", "1.7", "1.4"] in found["apart"]
