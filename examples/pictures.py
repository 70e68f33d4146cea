"""Make every picture of README and docs anew, by their commands: python examples/pictures.py [walls|grid|sober|page|studio|films]

The photographs come with scikit-image and scikit-learn; only what Reverie makes of them is kept.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFont

import reverie
from reverie.networks.builtin.catalogue import CATALOGUE
from reverie.pictures import quantise, strip
from reverie.recipe import PRESETS, PresetName

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
DREAMS: dict[str, tuple[str, PresetName]] = {  # name: start, preset
    "flower-garden": ("sklearn/datasets/images/flower.jpg", "garden"),
    "sky-menagerie": ("sky", "menagerie"),
    "temple-weave": ("sklearn/datasets/images/china.jpg", "weave"),
    "cat-mosaic": ("skimage/data/chelsea.png", "mosaic"),
    "rocket-eyes": ("skimage/data/rocket.jpg", "eyes"),
    "temple-garden": ("sklearn/datasets/images/china.jpg", "garden"),
}

WALL = (  # chosen before any of them was made
    *("banana", "goldfish", "lighthouse", "toucan", "volcano", "strawberry", "sports car", "daisy"),
    *("castle", "giant panda", "pizza", "school bus", "peacock", "umbrella", "teapot", "tarantula"),
    *("pineapple", "cello", "church", "red fox", "jellyfish", "coffee mug", "steam locomotive", "coral reef"),
)
LARGE = ("castle", "lighthouse", "volcano")
FEATURES = ("blocks.1.0", "blocks.2.1", "blocks.3.2", "blocks.4.1", "blocks.4.2", "blocks.5.1")  # the levels of lite0


def packaged(place: str) -> Path:
    """A file inside an installed package, which is not imported."""
    package, _, rest = place.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install -e '.[dev]'")
    return Path(spec.origin).parent / rest


def sheet(
    pictures: list[tuple[str, Image.Image]], columns: int, width: int, place: Path, marked: frozenset[str] = frozenset(), quality: int = 88
) -> None:
    """Pictures side by side in reading order, each with its name; marked ones are framed."""
    font = ImageFont.load_default(16)
    height = pictures[0][1].height * width // pictures[0][1].width
    rows = -(-len(pictures) // columns)
    page = Image.new("RGB", (columns * (width + 6) - 6, rows * (height + 28) - 6), "white")
    draw = ImageDraw.Draw(page)
    for number, (name, image) in enumerate(pictures):
        left, top = number % columns * (width + 6), number // columns * (height + 28)
        page.paste(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (left, top + 22))
        draw.text((left + 2, top + 2), name, fill="black", font=font)
        if name in marked:
            draw.rectangle((left, top + 22, left + width - 1, top + 21 + height), outline="#ff8800", width=4)
    page.save(place, quality=quality)
    print(place)


def walls() -> None:
    """Classes and features from noise, by the commands themselves."""
    with tempfile.TemporaryDirectory() as folder:
        for command, asked, name, more in (
            ("imagine", WALL, "classes", ["--batch", "8"]),
            ("imagine", WALL[:8], "emblems", ["--batch", "8", "--preset", "emblem"]),
            ("feature", [f"{layer}:0-5" for layer in FEATURES], "features", ["--batch", "6"]),
            ("feature", [f"{layer}:0-5" for layer in FEATURES[3:]], "features-natural", ["--batch", "6", "--preset", "natural"]),
        ):
            place = PICTURES / f"{name}.jpg"
            flags = [*more, "-o", folder, "--sheet", str(place), "--force"]
            subprocess.run([sys.executable, "-m", "reverie", command, *asked, *flags], check=True)
        subprocess.run([sys.executable, "-m", "reverie", "imagine", *LARGE, "--size", "512", "-o", folder, "--force"], check=True)
        sheet([(each, Image.open(Path(folder) / f"imagine-{each}-0.png")) for each in LARGE], 3, 512, PICTURES / "scenes.jpg")


def grid() -> None:
    """Three starts at five levels, by the command of the README."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, Path(__file__).parent / "sky.py", "sky.png"], check=True, cwd=folder)
        starts = ["sky.png", *(str(packaged(each)) for each in ("sklearn/datasets/images/china.jpg", "skimage/data/chelsea.png"))]
        words = ["grid", *starts, "--vary", "level=edges,textures,parts,objects,scenes", "--width", "400", "-o", "grid"]
        subprocess.run([sys.executable, "-m", "reverie", *words], check=True, cwd=folder)
        Image.open(Path(folder, "grid", "sheet.png")).convert("RGB").save(PICTURES / "grid.jpg", quality=88)
        print(PICTURES / "grid.jpg")


def sober() -> None:
    """Dreams beside the same dreams, sober."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, Path(__file__).parent / "sky.py", "sky.png"], check=True, cwd=folder)
        rows = []
        for name, start in (("a sky", Path(folder, "sky.png")), ("a temple", packaged("sklearn/datasets/images/china.jpg"))):
            made = [reverie.dream(start, level="parts", width=640, sober=each, keep=False) for each in (False, True)]
            rows += [(name, Image.open(start)), ("what it dreams", made[0].image), ("--sober", made[1].image)]
        sheet(rows, 3, 420, PICTURES / "sober.jpg")


def page() -> None:
    """What the network saw in a cat: the page, how it looks in a browser, and the cat as rebuilt from every layer."""
    seen = reverie.see(packaged("skimage/data/chelsea.png"), keep=False)
    place = PICTURES.parent / "see-chelsea.html"
    place.write_text(seen.page(), encoding="utf-8")
    print(place)
    rebuilt = [(each.name, each.rebuilt.image) for each in seen.layers]
    sheet([("the photograph", seen.picture.image.resize(rebuilt[0][1].size)), *rebuilt], 4, 300, PICTURES / "rebuilt-chelsea.jpg")
    shot(place)


def shot(place: Path) -> None:
    """How the section of the layer that stands for parts looks in a browser."""
    browser = shutil.which("chromium")
    if browser is None:
        print("no chromium here: see-chelsea.jpg is left as it was")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        tab = opened.new_page(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
        tab.goto(place.as_uri())
        tab.locator("h2", has_text="parts").last.evaluate("heading => heading.scrollIntoView()")
        tab.wait_for_timeout(2000)
        tab.screenshot(path=PICTURES / "see-chelsea.jpg", type="jpeg", quality=85)
        opened.close()
    print(PICTURES / "see-chelsea.jpg")


def studio() -> None:
    """The studio as it opens, in a browser, and a short film of it: from the first dream over levels and a look to the gallery."""
    browser = shutil.which("chromium")
    if browser is None:
        print("no chromium here: studio.jpg and studio.webp are left as they were")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        words = ["studio", "--port", "0", "--home", home, "--no-browser"]
        with subprocess.Popen([sys.executable, "-m", "reverie", *words], stdout=subprocess.PIPE, text=True) as served:
            assert served.stdout is not None
            opened = driver.chromium.launch(
                executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            tab = opened.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
            tab.goto(served.stdout.readline().strip())
            tab.wait_for_timeout(30_000)  # the dream, its finer pass, and the looks
            tab.screenshot(path=PICTURES / "studio.jpg", type="jpeg", quality=85)
            print(PICTURES / "studio.jpg")
            tour(tab)
            opened.close()
            served.terminate()


def tour(tab: Any) -> None:
    """A film of what one sees of it, each picture as long as it takes to be looked at; waiting is left out."""
    shots: list[tuple[Image.Image, int]] = []

    def shoot(milliseconds: int) -> None:
        shown = Image.open(BytesIO(tab.screenshot(type="jpeg", quality=92))).convert("RGB")
        small = shown.resize((800, 538), Image.Resampling.LANCZOS)
        if shots and ImageChops.difference(shots[-1][0], small).getbbox() is None:
            shots[-1] = shots[-1][0], shots[-1][1] + milliseconds
        else:
            shots.append((small, milliseconds))

    def dreaming(seconds: float, count: int = 3) -> None:
        """Pictures while it dreams, and one when it is done."""
        for _ in range(count):
            tab.wait_for_timeout(1000 * seconds / count)
            shoot(180)
        for _ in range(24):  # its finer pass may take longer than anybody looks
            if tab.locator(".plate[aria-busy=true]").count() == 0:
                break
            tab.wait_for_timeout(250)
        tab.wait_for_timeout(500)
        shoot(700)

    tab.goto(tab.url.split("#")[0])  # as it opens
    tab.locator(".stage canvas:not([hidden])").wait_for(timeout=120_000)
    dreaming(3)
    slider = tab.locator(".levels input")
    slider.press("Home")
    for step in range(6):
        if step:
            slider.press("ArrowRight")
        dreaming(1.5, 2)
    tab.locator(".preset", has_text="garden").click()
    dreaming(2)
    tab.locator("button.go").click()
    tab.wait_for_timeout(500)
    shoot(600)
    tab.goto(f"{tab.url.split('#')[0]}#/queue")
    tab.wait_for_timeout(1500)
    for _ in range(3):
        shoot(350)
        tab.wait_for_timeout(1500)
    tab.goto(f"{tab.url.split('#')[0]}#/pictures")
    tab.locator(".shots li img").first.wait_for(timeout=240_000)
    tab.wait_for_timeout(1500)
    shoot(1200)
    tab.locator(".shots li a").first.click()
    tab.locator("img.large").wait_for(timeout=60_000)
    tab.wait_for_timeout(2500)
    shoot(2000)
    place = PICTURES / "studio.webp"
    first, *others = (image for image, _ in shots)
    first.save(place, save_all=True, append_images=others, duration=[each for _, each in shots], loop=0, quality=72, method=5)
    print(place, f"{place.stat().st_size / 1e6:.1f} MB", f"{sum(each for _, each in shots) / 1000:.1f} s", len(shots), "pictures")


def atlas() -> None:
    """The atlas in the docs: 24 units of each level, with photographs that packages carry and whose licences let them be shown."""
    from bench.photographs import FILES, photograph

    work, place = PICTURES.parents[1] / "dreams", PICTURES.parent / "atlas"  # work stays, so that what is there is not made again
    folder = work / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (each for each, (package, _, _) in FILES.items() if package != "ultralytics" and each != "motorcycle_left"):
        Image.fromarray(quantise(photograph(name))).save(folder / f"{name}.jpg", quality=90)
    levels = "edges,textures,patterns,parts,objects,scenes"
    words = ["atlas", "--layers", levels, "--sample", "24", "--facets", "2", "--dataset", str(folder), "-o", str(work / "atlas")]
    subprocess.run([sys.executable, "-m", "reverie", *words], check=True)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(work / "atlas", place, ignore=shutil.ignore_patterns(".*"))  # the site without the index of what is finished
    browser = shutil.which("chromium")
    if browser is None:
        print("no chromium here: atlas-unit.jpg is left as it was")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        tab = opened.new_page(viewport={"width": 1240, "height": 1130}, reduced_motion="reduce")
        tab.goto((place / "blocks.4.2" / "42.html").as_uri())
        tab.wait_for_timeout(1000)
        tab.screenshot(path=PICTURES / "atlas-unit.jpg", type="jpeg", quality=84)
        opened.close()
    print(PICTURES / "atlas-unit.jpg")


def films() -> None:
    """A journey and a dreamt film, by the commands of the README."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, Path(__file__).parent / "balloon.py", "balloon.gif"], check=True, cwd=folder)
        for words in (
            ["journey", "noise:pink", "--seconds", "12", "--fps", "10", "--size", "256x144", "-o", str(PICTURES / "journey.gif")],
            ["film", "balloon.gif", "--width", "320", "-o", str(PICTURES / "balloon.gif")],
        ):
            subprocess.run([sys.executable, "-m", "reverie", *words, "--force"], check=True, cwd=folder)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    parts = {"walls": walls, "grid": grid, "sober": sober, "page": page, "studio": studio, "films": films, "atlas": atlas}
    for name, make in parts.items():
        if sys.argv[1:] in ([], [name]):
            make()
    if sys.argv[1:]:
        return
    with tempfile.TemporaryDirectory() as folder:
        sky = Path(folder) / "sky.png"
        subprocess.run([sys.executable, Path(__file__).parent / "sky.py", sky], check=True)
        net = reverie.load()
        for name, (start, preset) in DREAMS.items():
            source = sky if start == "sky" else packaged(start)
            print(reverie.dream(source, preset=preset, network=net, width=640, keep=False).save(PICTURES / f"{name}.jpg", force=True))
        for name, source in (("temple", packaged("sklearn/datasets/images/china.jpg")), ("sky", sky)):
            made: list[tuple[str, Image.Image]] = [("start", Image.open(source))]
            made += [(each, reverie.dream(source, preset=each, network=net, width=640, keep=False).image) for each in PRESETS]
            sheet(made, 4, 320, PICTURES / f"presets-{name}.jpg")
        made_of_cat = reverie.dream(packaged("skimage/data/chelsea.png"), preset="garden", network=net, width=480, keep=False, making=8)
        reverie.Picture(strip(made_of_cat.making), recipe=made_of_cat.recipe).save(PICTURES / "making.jpg", force=True)
        for name in CATALOGUE:
            other = reverie.load(name)
            blocks = [layer for layer in other.layers if layer.kind == "block"]
            named = {f"{layer.name} · {layer.level}" if layer.level else layer.name: layer.name for layer in blocks}
            dreams = [(label, reverie.dream(sky, layer, network=other, width=480, keep=False).image) for label, layer in named.items()]
            sheet(dreams, 4, 300, PICTURES / f"levels-{name}.jpg", frozenset(label for label in named if "·" in label))


if __name__ == "__main__":
    main()
