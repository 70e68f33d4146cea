"use strict";
// A map that is moved and zoomed by mouse, touch and keys; what is in a cell is told beside it.
{
  const map = by("map"), world = map.querySelector(".world"), image = world.querySelector("img"), MOST = 24;
  const columns = Number(map.dataset.columns), rows = Number(map.dataset.rows);
  const cells = new Map([...document.querySelectorAll("#cells li")].map((each) => [each.dataset.at, each]));
  const regions = [...world.querySelectorAll(".region")];
  const chosen = Object.assign(element("span", "", "chosen"), { hidden: true });
  let zoom = 1, x = 0, y = 0, base = 1;
  world.append(chosen);
  map.classList.add("live");
  Object.assign(map, { tabIndex: 0, role: "group", ariaLabel: "Map, moved with the arrow keys, zoomed with plus and minus" });
  ["tools", "how"].forEach((id) => { by(id).hidden = false; });

  const put = () => {
    const width = base * zoom, height = width * rows / columns;
    x = width < map.clientWidth ? (map.clientWidth - width) / 2 : Math.min(0, Math.max(map.clientWidth - width, x));
    y = height < map.clientHeight ? (map.clientHeight - height) / 2 : Math.min(0, Math.max(map.clientHeight - height, y));
    world.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
    world.style.setProperty("--zoom", zoom);
    const taken = []; // labels that would lie over a larger one wait until there is room
    for (const each of regions) {
      const left = x + parseFloat(each.style.left) / 100 * width, top = y + parseFloat(each.style.top) / 100 * height;
      const wide = each.textContent.length * 7 + 14;
      const free = taken.every((other) => Math.abs(other.left - left) > (other.wide + wide) / 2 || Math.abs(other.top - top) > 24);
      each.style.visibility = free ? "visible" : "hidden";
      if (free) taken.push({ left, top, wide });
    }
  };
  const fit = () => {
    base = Math.min(map.clientWidth, map.clientHeight * columns / rows);
    world.style.width = `${base}px`;
    put();
  };
  const zoomTo = (wanted, atX = map.clientWidth / 2, atY = map.clientHeight / 2) => {
    const next = Math.min(MOST, Math.max(1, wanted));
    x = atX - (atX - x) * next / zoom;
    y = atY - (atY - y) * next / zoom;
    zoom = next;
    put();
  };
  const tell = (column, row) => {
    const item = cells.get(`${column},${row}`), shots = element("div", "", "shots");
    chosen.hidden = !item;
    if (!item) { by("cell").textContent = "Nothing lies there."; return; }
    Object.assign(chosen.style, { left: `${100 * column / columns}%`, top: `${100 * row / rows}%`, width: `${100 / columns}%`, height: `${100 / rows}%`, borderWidth: `${2 / zoom}px`, outlineWidth: `${2 / zoom}px` });
    shots.append(...item.dataset.shots.split(" ").filter(Boolean).map((each) => Object.assign(new Image(), { src: `../${each}`, alt: "a picture of the data set" })));
    by("cell").replaceChildren(element("p", item.textContent), shots);
  };
  const cellAt = (left, top) => [Math.floor((left - x) / (base * zoom) * columns), Math.floor((top - y) / (base * zoom) * columns)];

  const fingers = new Map();
  let moved = 0, apart = 0;
  const local = (event) => { const edge = map.getBoundingClientRect(); return [event.clientX - edge.left, event.clientY - edge.top]; };
  const spread = () => { const [one, other] = [...fingers.values()]; return Math.hypot(one[0] - other[0], one[1] - other[1]); };
  map.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    map.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, local(event));
    if (fingers.size === 1) moved = 0;
    if (fingers.size === 2) apart = spread();
  });
  map.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = local(event);
    fingers.set(event.pointerId, now);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (fingers.size === 2) {
      const [one, other] = [...fingers.values()], next = spread();
      zoomTo(zoom * next / Math.max(apart, 1), (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
      apart = next;
    } else { x += now[0] - before[0]; y += now[1] - before[1]; put(); }
  });
  const lift = (event) => {
    if (fingers.delete(event.pointerId) && event.type === "pointerup" && !fingers.size && moved < 6) tell(...cellAt(...local(event)));
  };
  map.addEventListener("pointerup", lift);
  map.addEventListener("pointercancel", lift);
  map.addEventListener("wheel", (event) => { event.preventDefault(); zoomTo(zoom * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...local(event)); }, { passive: false });
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = 80, ways = {
      ArrowLeft: () => { x += step; put(); }, ArrowRight: () => { x -= step; put(); }, ArrowUp: () => { y += step; put(); }, ArrowDown: () => { y -= step; put(); },
      "+": () => zoomTo(zoom * 1.5), "=": () => zoomTo(zoom * 1.5), "-": () => zoomTo(zoom / 1.5), 0: () => zoomTo(1),
      Enter: () => tell(...cellAt(map.clientWidth / 2, map.clientHeight / 2)),
    };
    if (ways[event.key]) { event.preventDefault(); ways[event.key](); }
  });
  by("in").addEventListener("click", () => zoomTo(zoom * 1.5));
  by("out").addEventListener("click", () => zoomTo(zoom / 1.5));
  by("whole").addEventListener("click", () => zoomTo(1));
  addEventListener("resize", fit);
  fit();
}
