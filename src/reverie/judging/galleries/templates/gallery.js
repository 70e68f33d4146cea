"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const { words, scores, shard, axes } = data;
const by = (id) => document.getElementById(id);
const list = by("pictures");
const count = (number) => number.toLocaleString("en");
const say = (text) => { by("said").textContent = text; }; // for those who hear the page: what keys did
const plural = (number) => `${count(number)} picture${number === 1 ? "" : "s"}`;

// ── what is known ───────────────────────────────────────────────────────────────────────────────────────────────────────
const valuesAt = (at) => { // of each axis the word for its value; the last axis changes with every picture
  const found = [];
  if (at >= 0) for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { values } = axes[axis];
    found.unshift(values[at % values.length]);
    at = Math.floor(at / values.length);
  }
  return found;
};
const pictures = data.rows.map((row, index) => {
  const [fault, date, width, height, sha256, kind, preset, networks, layers, classes, places, inGrid = -1] = row;
  const said = (name, numbers) => numbers.map((each) => words[name][each]);
  return {
    index, fault, date, width, height, sha256, places, inGrid, values: valuesAt(inGrid), detail: null,
    kind: kind < 0 ? [] : [words.kind[kind]], preset: preset < 0 ? [] : [words.preset[preset]],
    network: said("network", networks), layer: said("layer", layers), class: said("class", classes),
  };
});
const day = (picture) => {
  const at = new Date(picture.date * 1000);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};
const titleOf = (picture) => picture.values.join(" · ") || nameOf(picture).split("/").at(-1);
const starWords = (number) => (number ? `${number} star${number > 1 ? "s" : ""}` : "");
const nameOf = (picture) => picture.detail?.path ?? `picture ${picture.index + 1}`;

// shards are scripts beside the page: a page that is opened from disk may run those, and read no files
const coming = new Map();
const loaded = (file) => {
  if (!coming.has(file)) coming.set(file, globalThis.around?.load(file, gallery) ?? new Promise((done) => {
    const script = document.createElement("script");
    script.src = file;
    script.onload = script.onerror = () => { script.remove(); done(); };
    document.head.append(script);
  }));
  return coming.get(file);
};
const thumbs = [];
const gallery = {
  details(first, rows) { rows.forEach((row, at) => { pictures[first + at].detail = row; caption(pictures[first + at]); }); },
  thumbs(first, rows) { rows.forEach((row, at) => { thumbs[first + at] = row && `data:image/webp;base64,${row}`; }); },
};
const thumb = async (picture) => {
  await loaded(data.thumbs[Math.floor(picture.index / shard)]);
  return thumbs[picture.index] ?? "";
};
const detail = async (picture) => {
  await loaded(data.details[Math.floor(picture.index / shard)]);
  return picture.detail ?? { path: nameOf(picture), href: "" };
};

// ── stars ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
const KEY = "reverie-stars";
const kept = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; } };
const stars = { ...data.stars, ...kept() };
const starsOf = (picture) => (picture.fault ? 0 : stars[picture.sha256] ?? 0);
const give = (picture, number) => {
  if (!picture.sha256 || picture.fault) return;
  stars[picture.sha256] = number;
  try { globalThis.around?.keep(picture.sha256, number); localStorage.setItem(KEY, JSON.stringify({ ...kept(), [picture.sha256]: number })); } catch { /* they stay until the page goes */ }
  caption(picture);
  say(`${titleOf(picture)}: ${starWords(number) || "no stars"}`);
  tellNewer();
};
const tellNewer = () => { // the page compares the stars that it was made with: newer ones are not in it
  const note = document.getElementById("newer");
  if (!note) return;
  const newer = pictures.filter((each) => !each.fault && starsOf(each) !== (data.stars[each.sha256] ?? 0)).length;
  note.hidden = newer === 0;
  note.textContent = `The stars of ${plural(newer)} in this browser are not in this comparison yet: save them into the folder of this page, and make it again.`;
};
const given = () => Object.fromEntries(pictures.filter(starsOf).map((each) => [each.sha256, starsOf(each)]));

// ── cards ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
const card = by("card").content.firstElementChild;
let current = pictures[0], showing = null, marked = []; // in the tab order; in the large view; to be compared
let ranking = null; // by which the cards say their place
const scoreOf = (picture) => (ranking === null ? null : ranking === "stars" ? starsOf(picture) || null : picture.places[ranking]?.[0] ?? null);
const starPlace = (picture) => 1 + pictures.filter((each) => starsOf(each) > starsOf(picture)).length;
const placeOf = (picture) => (ranking === "stars" ? starPlace(picture) : picture.places[ranking][1]);
const having = () => (ranking === "stars" ? pictures.filter(starsOf).length : scores[ranking].of);
const caption = (picture) => {
  const { card } = picture, score = scoreOf(picture), number = starsOf(picture);
  const what = [...picture.class, ...picture.layer].slice(0, 2).join(", ") || (picture.kind[0] ?? (picture.fault ? picture.detail?.fault ?? "" : "no recipe"));
  const place = score === null ? (ranking === null ? "" : "no place") : `place ${count(placeOf(picture))} of ${count(having())}`;
  card.querySelector(".name").textContent = titleOf(picture);
  card.firstElementChild.title = nameOf(picture);
  card.querySelector(".line").textContent = [place, what, starWords(number)].filter(Boolean).join(" · ");
};
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) {
    seen.unobserve(target);
    for (const each of target.children) {
      const picture = pictures[each.dataset.at];
      if (!picture.fault) thumb(picture).then((uri) => { if (uri) each.querySelector("img").src = uri; });
    }
  }
}, { rootMargin: "900px 0px" });
for (const picture of pictures) {
  picture.card = card.cloneNode(true);
  picture.card.dataset.at = picture.index;
  picture.button = picture.card.firstElementChild;
  if (picture.fault) picture.card.querySelector(".shot").dataset.fault = "";
  caption(picture);
}

// blocks of whole rows: the browser lays out those near the screen
const ROWS = 6, NARROWEST = 148, GAP = 12; // pixels
let columns = 0, shown = [];
const fitting = () => Math.max(2, Math.floor((list.clientWidth + GAP) / (NARROWEST + GAP)));
const arrange = () => {
  columns = fitting();
  const blocks = [];
  for (let first = 0; first < shown.length; first += columns * ROWS) {
    const some = shown.slice(first, first + columns * ROWS), block = document.createElement("div");
    block.className = "block";
    block.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    block.style.containIntrinsicHeight = `${Math.ceil(some.length / columns) * 16}rem`; // as of a row in the style, with its gap
    block.append(...some.map((each) => each.card));
    blocks.push(block);
  }
  seen.disconnect();
  list.replaceChildren(...blocks);
  blocks.forEach((each) => seen.observe(each));
};
new ResizeObserver(() => { if (columns !== fitting()) arrange(); }).observe(list);

// ── sorting and filtering ───────────────────────────────────────────────────────────────────────────────────────────────
const AXES = axes.map((_, at) => `axis-${at}`);
const FILTERS = ["kind", "network", "layer", "class", "preset"].filter(by);
const value = (id) => by(id).value;
const matches = (picture) => {
  if (!AXES.every((id, at) => !value(id) || picture.values[at] === value(id))) return false;
  if (!FILTERS.every((name) => !value(name) || picture[name].includes(value(name)))) return false;
  if ((value("from") && day(picture) < value("from")) || (value("to") && day(picture) > value("to"))) return false;
  if (value("least") !== "" && ranking !== null && !(scoreOf(picture) >= Number(value("least")) && scoreOf(picture) !== null)) return false;
  const text = value("text").trim().toLowerCase();
  return !text || `${nameOf(picture)}\n${picture.detail?.words ?? ""}`.toLowerCase().includes(text);
};
const rank = (picture) => (scoreOf(picture) === null ? Infinity : ranking === "stars" ? -starsOf(picture) : placeOf(picture)); // the least comes first
const ORDERS = {
  grid: (one, other) => (one.inGrid < 0) - (other.inGrid < 0) || one.inGrid - other.inGrid,
  newest: (one, other) => other.date - one.date, oldest: (one, other) => one.date - other.date, path: () => 0,
  score: (one, other) => rank(one) - rank(other) || 0,
};
const byWord = (name) => (one, other) => (one[name].length === 0) - (other[name].length === 0) || (one[name][0] ?? "").localeCompare(other[name][0] ?? "");
const apply = () => {
  const sort = value("sort"), before = ranking;
  ranking = sort === "stars" ? "stars" : sort.startsWith("score ") ? Number(sort.slice(6)) : null;
  if (ranking === null) by("best").value = "";
  by("best").disabled = by("least").disabled = ranking === null;
  const alike = pictures.filter(matches), best = Number(value("best"));
  const order = ranking === null ? ORDERS[sort] ?? byWord(sort) : ORDERS.score;
  shown = alike.sort((one, other) => order(one, other) || one.index - other.index);
  const ranked = shown.filter((each) => scoreOf(each) !== null);
  if (best) shown = ranked.filter((each, at) => at < best || rank(each) === rank(ranked[best - 1])); // what shares the last place is shown too
  arrange();
  if (before !== ranking || ranking === "stars") pictures.forEach(caption);
  by("none").hidden = shown.length > 0;
  by("status").textContent = sentence(alike.length, ranked.length, best);
  focusable(shown.includes(current) ? current : shown[0]);
};
const sentence = (alike, ranked, best) => {
  const name = ranking === "stars" ? "your stars" : ranking === null ? "" : scores[ranking].name;
  const of = alike === pictures.length ? `all ${plural(alike)}` : `${count(alike)} of ${plural(pictures.length)}`;
  if (ranking === null) return pictures.length ? `Shown: ${of}.` : "";
  const taste = scores[ranking]?.fitted ? " It says what you like, not what is good." : "";
  const without = `${count(pictures.length - having())} of ${plural(pictures.length)} have no such score`;
  const who = `Each says its place among all ${count(having())} that have it.${taste}`;
  if (best && shown.length === ranked) return `Shown: ${ranked === 1 ? "the one" : `all ${count(ranked)}`} of ${of} that ${ranked === 1 ? "has" : "have"} a place by ${name}, the highest first. ${without}. ${who}`;
  const last = shown.filter((each) => rank(each) === rank(shown.at(-1))).length;
  const why = shown.length > best ? `, since ${count(last)} share place ${count(placeOf(shown.at(-1)))}` : "";
  if (!best) return `Shown: ${of}, the highest first by ${name}. ${without} and come last, without a place.${taste}`;
  return `Not all: the ${count(shown.length)} highest of ${count(ranked)} by ${name}${why}, out of ${of}. ${without} and cannot be among them. ${who}`;
};

// ── keys: one card is in the tab order, arrows move among them ──────────────────────────────────────────────────────────
const focusable = (picture) => {
  if (current) current.button.tabIndex = -1;
  current = picture;
  if (picture) picture.button.tabIndex = 0;
};
const go = (picture) => { if (picture) { focusable(picture); picture.button.focus(); picture.card.scrollIntoView({ block: "nearest" }); } };
list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const at = shown.indexOf(current);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: shown.length - 1 }[event.key];
  if (to !== undefined) { event.preventDefault(); go(shown[to]); }
  else if (event.key === "c") { mark(current); say(by("chosen").textContent || "Nothing is chosen to be compared."); }
  else if (/^[0-5]$/.test(event.key)) give(current, Number(event.key));
});
list.addEventListener("focusin", (event) => focusable(pictures[event.target.parentElement.dataset.at] ?? current));
list.addEventListener("click", (event) => {
  const item = event.target.closest("[role=listitem]");
  if (item) { focusable(pictures[item.dataset.at]); open(current); }
});

// ── one picture, large ──────────────────────────────────────────────────────────────────────────────────────────────────
const large = by("large"), pair = by("pair");
const place = async (image, picture) => { // the file itself, or its thumbnail where the browser cannot show it
  const { href, path, words } = await detail(picture);
  image.alt = words ? `${path}: ${words}` : path;
  image.width = picture.width || 192;
  image.height = picture.height || 192;
  image.style.maxWidth = `${3 * (picture.width || 192)}px`; // small pictures are not magnified more
  image.className = picture.width && picture.width < 300 ? "crisp" : "";
  image.hidden = Boolean(picture.fault);
  by("small").hidden = true;
  image.onerror = async () => { image.onerror = null; by("small").hidden = false; image.src = await thumb(picture); };
  if (picture.fault) image.removeAttribute("src"); else if (globalThis.around) around.show(image, picture, thumb); else image.src = href;
};
const open = async (picture) => {
  showing = picture;
  const known = await detail(picture), { recipe } = known;
  by("large-name").textContent = known.path;
  place(by("large-image"), picture);
  const facts = [
    ...axes.map(({ name }, at) => [name, picture.values[at]]),
    ["cannot be read", picture.fault && known.fault], ["recipe", known.words || (picture.fault ? "" : "none: nothing says how it was made")],
    ...(known.apart ?? []).map(([name, now, usual]) => [name, usual ? `${now} (usually ${usual})` : now]),
    ["preset", picture.preset.join(", ")], ["cost", known.steps ? `${count(known.steps)} gradient steps` : ""],
    ...scores.map(({ name, of, about }, at) => [name, picture.places[at] ? `${Number(picture.places[at][0].toPrecision(4))}, place ${count(picture.places[at][1])} of ${count(of)}` : "", about]),
    ...[...new Set(Object.values(known.without ?? {}))].map((why) => ["without a score", `${Object.keys(known.without).filter((name) => known.without[name] === why).join(", ")}: ${why}`]),
    ...(recipe?.opinions ?? []).map((each) => [`${each.network} sees`, `${each.labels.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`).join(", ")}; what was asked for comes ${each.rank === 1 ? "first" : `at ${count(each.rank)}`}`]),
    ["size", picture.width ? `${count(picture.width)} × ${count(picture.height)} pixels, ${count(known.bytes ?? 0)} bytes` : ""],
    ["date of the file", new Date(picture.date * 1000).toLocaleString()], ["sha256", picture.sha256],
    ["of its recipe", picture.fault ? "" : known.fault], ["how it was read", known.notes],
  ].filter(([, text]) => text);
  by("facts").replaceChildren(...facts.flatMap(([name, text, about]) => [Object.assign(element("dt", name), { title: about ?? "" }), element("dd", text)]));
  by("whole").hidden = !recipe;
  by("recipe").textContent = recipe ? JSON.stringify(recipe, null, 1) : "";
  by("before").disabled = shown[0] === picture;
  by("after").disabled = shown.at(-1) === picture;
  showMarked();
  by("stars").hidden = !picture.sha256 || Boolean(picture.fault);
  document.querySelectorAll("#stars input").forEach((each) => { each.checked = Number(each.value) === starsOf(picture); });
  if (!large.open) large.showModal();
  large.scrollTop = 0;
  by("large-name").focus();
};
const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
by("stars").append(...[0, 1, 2, 3, 4, 5].map((number) => {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "stars", value: number });
  input.addEventListener("change", () => give(showing, number));
  label.append(input, number === 0 ? "none" : String(number));
  return label;
}));
const turn = (by) => { const next = shown[shown.indexOf(showing) + by]; if (next) open(next); };
by("before").addEventListener("click", () => turn(-1));
by("after").addEventListener("click", () => turn(1));
by("mark").addEventListener("click", () => mark(showing));
by("with").addEventListener("click", () => { if (!marked.includes(showing)) mark(showing); compare(); });
large.addEventListener("keydown", (event) => {
  if (event.target.matches("input, pre")) return;
  if (event.key === "ArrowLeft") turn(-1);
  if (event.key === "ArrowRight") turn(1);
});
large.addEventListener("close", () => go(showing));
document.querySelectorAll(".close").forEach((each) => each.addEventListener("click", () => each.closest("dialog").close()));

// ── two side by side ────────────────────────────────────────────────────────────────────────────────────────────────────
const mark = (picture) => {
  marked = marked.includes(picture) ? marked.filter((each) => each !== picture) : [...marked, picture].slice(-2);
  pictures.forEach((each) => {
    each.button.toggleAttribute("data-marked", marked.includes(each));
    each.button.setAttribute("aria-pressed", marked.includes(each));
  });
  by("tray").hidden = marked.length === 0;
  by("chosen").textContent = marked.map(titleOf).join(" and ") + (marked.length === 1 ? ": choose one more to compare it with" : "");
  by("compare").disabled = marked.length < 2;
  showMarked();
};
const showMarked = () => { // where to go on, in the large view
  const other = marked.filter((each) => each !== showing).at(-1);
  by("mark").setAttribute("aria-pressed", marked.includes(showing));
  by("with").hidden = !other;
  by("with").textContent = other ? `Compare with ${titleOf(other)}` : "Compare";
  by("hint").textContent = marked.includes(showing) && !other ? "Chosen to be compared. Go to another picture: there it can be compared with this one." : "";
};
const flat = (part, name = "") => (part === null || typeof part !== "object" ? [[name, part === null ? "none" : String(part)]]
  : Object.entries(part).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key)));
const inRow = ([name, ...texts]) => {
  const row = document.createElement("tr");
  row.append(Object.assign(element("th", name), { scope: "row" }), ...texts.map((text) => element("td", text)));
  return row;
};
const compare = async () => {
  const [one, other] = marked, sides = [await detail(one), await detail(other)];
  const [left, right] = sides.map((each) => new Map(each.recipe ? flat(each.recipe) : []));
  const apart = [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name));
  const plain = (name) => (data.groups.includes(name.split(".")[0]) ? name.split(".").slice(1).join(" ") : name).replaceAll("_", " "); // as flags say it
  place(by("one"), one);
  place(by("other"), other);
  by("one-name").textContent = [sides[0].path, ...one.values].join(" · ");
  by("other-name").textContent = [sides[1].path, ...other.values].join(" · ");
  const number = (picture, at) => (picture.places[at] ? `${Number(picture.places[at][0].toPrecision(4))}, place ${count(picture.places[at][1])}` : "–");
  const said = [
    ...scores.map(({ name }, at) => [name, number(one, at), number(other, at)]), ["your stars", ...[one, other].map((each) => starWords(starsOf(each)) || "–")],
  ].filter(([, ...each]) => each.some((text) => text !== "–"));
  by("sides").hidden = said.length === 0;
  by("sides").tBodies[0].replaceChildren(...said.map(inRow));
  const lack = sides.filter((each) => !each.recipe).map((each) => each.path);
  by("alike").textContent = lack.length ? `Without a recipe that can be used: ${lack.join(" and ")}.` : apart.length ? "All other fields of their recipes are alike." : "Their recipes are alike.";
  by("differences").hidden = lack.length > 0 || apart.length === 0;
  by("differences").tBodies[0].replaceChildren(...apart.map((name) => inRow([plain(name), left.get(name) ?? "–", right.get(name) ?? "–"])));
  pair.showModal();
  by("pair-name").focus();
};
by("compare").addEventListener("click", compare);
by("leave").addEventListener("click", () => { marked.slice().forEach(mark); go(current); });

// ── saving stars, and the beginning ─────────────────────────────────────────────────────────────────────────────────────
by("save").addEventListener("click", () => {
  const file = new Blob([JSON.stringify({ made: "stars", stars: given() }, null, 1)], { type: "application/json" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "stars.json" });
  link.click();
  URL.revokeObjectURL(link.href);
  by("saved").textContent = `Stars of ${plural(Object.keys(given()).length)} saved.`;
});
by("open").addEventListener("change", async () => {
  try {
    const read = JSON.parse(await by("open").files[0].text());
    const sound = read.made === "stars" && !Array.isArray(read.stars) && Object.values(read.stars).every((number) => [1, 2, 3, 4, 5].includes(number));
    if (!sound) throw TypeError(); // the command takes no such file either
    pictures.forEach((each) => { if (Object.hasOwn(read.stars, each.sha256)) give(each, read.stars[each.sha256]); });
    by("saved").textContent = `Stars of ${plural(Object.keys(given()).length)}.`;
    apply();
  } catch { by("saved").textContent = "This file holds no stars as this page saves them."; }
  by("open").value = ""; // else the same file, opened again, would be no change
});
let due = 0;
by("choices").addEventListener("input", () => { clearTimeout(due); due = setTimeout(apply, 120); });
by("choices").addEventListener("reset", () => setTimeout(apply));
by("choices").addEventListener("submit", (event) => event.preventDefault());
["choices", "how", "keeping"].forEach((id) => { by(id).hidden = false; }); // without a script they could do nothing
by("filters").open = innerWidth > 600;
tellNewer();
apply();
(async () => { for (const file of data.details) await loaded(file); })();
