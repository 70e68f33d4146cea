"use strict";
// The walk through the layers and the place on the picture. The page reads without it; what it needs is hidden until here.
(() => {
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  if (!data.layers.length || !get("walk")) return;
  document.querySelectorAll(".scripted").forEach((each) => { each.hidden = false; });

  const [tall, wide] = data.seen;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const stage = get("stage"), frame = get("frame"), photograph = get("photograph");
  const layerInput = get("layer"), acrossInput = get("across"), downInput = get("down");
  const cards = [...get("ladder").querySelectorAll("button")];
  const state = { layer: 0, x: 0.5, y: 0.5, held: false };

  // ── the data ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const at = (map, x, y) => {
    const [rows, columns] = map.grid;
    const row = Math.min(rows - 1, Math.floor(y * rows)), column = Math.min(columns - 1, Math.floor(x * columns));
    return map.bytes[row * columns + column];
  };
  for (const each of data.layers) {
    each.heats.forEach((map) => { map.bytes = bytes(map.cells); });
    if (each.counted) each.counted.bytes = bytes(each.counted.cells);
  }

  // the channel most above its usual at a place, or null where none is unusual
  function noticed(layer, x, y) {
    let best = null;
    layer.heats.forEach((map, index) => {
      const spreads = at(map, x, y) / 255 * map.top;
      if (spreads >= data.unusual && (!best || spreads > best.spreads)) best = { spreads, index, channel: map.channel };
    });
    return best;
  }

  // the place where most stood out in all layers together: the walk starts there
  function liveliest() {
    let best = { sum: 0, x: 0.5, y: 0.5 };
    for (let y = 0.05; y < 1; y += 0.05) {
      for (let x = 0.05; x < 1; x += 0.05) {
        const sum = data.layers.reduce((total, layer) => total + Math.min(5, (noticed(layer, x, y) || { spreads: 0 }).spreads), 0);
        if (sum > best.sum) best = { sum, x, y };
      }
    }
    return best;
  }

  // how strongly a place counted, −1 (against) … 1 (for); null where nothing is known
  const counted = (layer, x, y) => (layer.counted ? (at(layer.counted, x, y) - 127) / 127 : null);

  // the piece one value sees, cut off at the edges, and its cell: [x, y, width, height]
  function boxes(layer, x, y) {
    const [rows, columns] = layer.grid, w = wide / columns, h = tall / rows;
    const left = Math.min(columns - 1, Math.floor(x * columns)) * w, top = Math.min(rows - 1, Math.floor(y * rows)) * h;
    if (layer.field === null) return { box: [0, 0, wide, tall], cell: [left, top, w, h] };
    const half = layer.field / 2, cx = left + w / 2, cy = top + h / 2;
    const x0 = Math.max(0, cx - half), y0 = Math.max(0, cy - half);
    return { box: [x0, y0, Math.min(wide, cx + half) - x0, Math.min(tall, cy + half) - y0], cell: [left, top, w, h] };
  }

  // ── in words ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const named = (layer, number) => `Layer ${number}` + (layer.level ? `, ${layer.level}` : "") + ` (${layer.name})`;
  const spreadsInWords = (number) => `${number.toFixed(1)} spreads above usual`;

  function sideInWords(share) {
    if (share === null) return "";
    if (Math.abs(share) < data.slight) return "spoke for neither";
    return share > 0 ? `spoke for ${data.why || "the label"}` : `spoke for ${data.against || "other labels"}`;
  }

  function summary(layer, number) {
    const place = `At ${Math.round(state.x * 100)} % across and ${Math.round(state.y * 100)} % down`;
    if (!number) return `${place}. This is the picture itself; choose a layer to see what it made of this place.`;
    const all = layer.field === null || boxes(layer, state.x, state.y).box.slice(2).join() === [wide, tall].join();
    const found = noticed(layer, state.x, state.y), side = sideInWords(counted(layer, state.x, state.y));
    return `${place}, one value of layer ${number} sees ${all ? "all of the picture" : `${layer.field} × ${layer.field} pixels`}. ` +
      (!layer.heats.length ? "" : found ? `Channel ${found.channel} stands ${spreadsInWords(found.spreads)} there. `
        : "None of the channels shown is unusual there. ") + (side ? `The place ${side}.` : "");
  }

  function caption(layer, number) {
    if (!number) return "The picture as the network was given it.";
    const rebuilt = get(`rebuilt-${number}`);
    if (!rebuilt) return "Nothing was rebuilt from this layer: this is the picture itself.";
    const words = rebuilt.closest("figure").querySelector("figcaption > p");
    return "The picture as this layer still knows it. " + (words ? words.textContent.trim() : "");
  }

  // ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  function draw(selector, [x, y, width, height]) {
    get("marks").querySelectorAll(selector).forEach((rect) => {
      Object.entries({ x, y, width, height }).forEach(([key, value]) => rect.setAttribute(key, value));
    });
  }

  function shown(image, source, alt) {
    if (image.src === source.src) return;
    image.src = source.src;
    image.alt = alt;
  }

  // the picture of what excites a channel most, into a slot of its own
  function fill(holder, number, found) {
    const slot = holder.querySelector(".slot"), source = found && get(`feature-${number}-${found.index}`);
    if (!source) slot.replaceChildren();
    else {
      if (!slot.firstChild) slot.append(new Image());
      shown(slot.firstChild, source, source.alt);
    }
  }

  function showLayer() {
    const number = state.layer, layer = data.layers[number - 1] || null;
    const source = get(`rebuilt-${number}`) || photograph;
    if (stage.src !== source.src) {
      frame.style.backgroundImage = stage.src.length > 100 ? `url("${stage.src}")` : "none";
      shown(stage, source, source.alt);
      if (!still.matches) stage.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 260, easing: "ease-out" });
    }
    layerInput.value = number;
    layerInput.setAttribute("aria-valuetext", number ? named(layer, number) : "The picture itself");
    get("lower").disabled = number === 0;
    get("higher").disabled = number === data.layers.length;
    get("title").textContent = number ? named(layer, number) : "The picture itself";
    get("caption").textContent = caption(layer, number);
    cards.forEach((card, index) => card.setAttribute("aria-pressed", String(index + 1 === number)));
    showPlace();
  }

  function showPlace() {
    const number = state.layer, layer = data.layers[number - 1] || null;
    const { box, cell } = boxes(layer || data.layers[0], state.x, state.y);
    draw(".box", layer ? box : cell.map((value, index) => (index < 2 ? value : 0)));
    draw(".cell", cell);
    get("crop").setAttribute("viewBox", (layer ? box : [0, 0, wide, tall]).join(" "));
    get("crop").setAttribute("aria-label", layer ? "The piece of the picture that one value sees here" : "The picture itself");
    const found = layer && noticed(layer, state.x, state.y);
    fill(get("feature"), number, found);
    get("feature").hidden = !layer || !layer.heats.length;
    get("feature").querySelector("figcaption").textContent = found ? `what excites channel ${found.channel} most` : "nothing unusual here";
    get("summary").textContent = summary(layer, number);
    acrossInput.value = Math.round(state.x * 100);
    downInput.value = Math.round(state.y * 100);
    acrossInput.setAttribute("aria-valuetext", `${acrossInput.value} % across`);
    downInput.setAttribute("aria-valuetext", `${downInput.value} % down`);
    cards.forEach(showCard);
  }

  function showCard(card, index) {
    const layer = data.layers[index], number = index + 1;
    const found = noticed(layer, state.x, state.y), share = counted(layer, state.x, state.y);
    card.querySelector("svg").setAttribute("viewBox", boxes(layer, state.x, state.y).box.join(" "));
    fill(card, number, found);
    card.querySelector(".words").textContent = !layer.heats.length ? "" : found ? spreadsInWords(found.spreads) : "nothing unusual";
    const side = card.querySelector(".side");
    side.hidden = share === null;
    side.className = "side " + (share === null || Math.abs(share) < data.slight ? "neither" : share > 0 ? "for" : "against");
    side.style.setProperty("--share", Math.abs(share || 0));
    card.setAttribute("aria-label", `${named(layer, number)}: ` +
      [layer.heats.length ? (found ? `channel ${found.channel}, ${spreadsInWords(found.spreads)}` : "nothing unusual") : "",
        sideInWords(share)].filter(Boolean).join("; "));
  }

  // ── controls ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const toLayer = (number) => { state.layer = Math.max(0, Math.min(data.layers.length, number)); showLayer(); };
  const hint = () => {
    get("hint").textContent = matchMedia("(hover: none)").matches ? "Tap the picture to choose another place."
      : state.held ? "The place is held. Click the picture to let it go." : "Click the picture to hold the place.";
  };

  function toPlace(event) {
    const area = frame.getBoundingClientRect();
    state.x = Math.max(0, Math.min(1, (event.clientX - area.left) / area.width));
    state.y = Math.max(0, Math.min(1, (event.clientY - area.top) / area.height));
    showPlace();
  }

  layerInput.addEventListener("input", () => toLayer(Number(layerInput.value)));
  get("lower").addEventListener("click", () => toLayer(state.layer - 1));
  get("higher").addEventListener("click", () => toLayer(state.layer + 1));
  acrossInput.addEventListener("input", () => { state.x = acrossInput.value / 100; showPlace(); });
  downInput.addEventListener("input", () => { state.y = downInput.value / 100; showPlace(); });
  frame.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && !state.held) toPlace(event); });
  frame.addEventListener("click", (event) => {
    if (event.pointerType === "mouse") state.held = !state.held;
    if (event.pointerType !== "mouse" || state.held) toPlace(event);
    hint();
  });
  cards.forEach((card) => card.addEventListener("click", () => toLayer(Number(card.dataset.layer))));

  // ── where the reader is, in the contents ──────────────────────────────────────────────────────────────────────────────
  const links = new Map([...document.querySelectorAll(".rail a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      links.forEach((link, id) => { if (id === entry.target.id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
    }
  }, { rootMargin: "-30% 0px -65% 0px" });
  links.forEach((_, id) => { if (get(id)) watcher.observe(get(id)); });

  hint();
  ({ x: state.x, y: state.y } = liveliest());
  showLayer();
})();
