"use strict";
// Layers, units and classes by name, number and word. Only what a question needs is loaded.
{
  const MOST = 40, form = by("search"), query = by("query"), found = by("found"), told = by("found-told");
  const below = (stem) => `${encodeURIComponent(stem)}/`;
  const start = () => Promise.all(Array.from({ length: Number(form.dataset.files) }, (_, at) => atlas.load(`site/search-${at}.js`)));
  const rowsOf = async ([, stem, , pages]) => {
    await Promise.all(Array.from({ length: Math.ceil(pages / 4000) }, (_, at) => atlas.load(`${below(stem)}units-${at}.js`)));
    return atlas.rows.get(stem) ?? [];
  };
  const item = (href, spot, name, words) => {
    const link = Object.assign(document.createElement("a"), { href }), text = document.createElement("span");
    text.append(element("b", name), element("span", words && ` ${words}`));
    link.append(spot, text);
    const one = document.createElement("li");
    one.append(link);
    return one;
  };
  const unit = ([name, stem, , , asked], row, words) => item(`${below(stem)}${row[0]}.html`, atlas.spot(below(stem), row[1], asked, row[5] & 4), `${name}:${row[0]}`, words);
  const search = async (text) => {
    const items = [], wanted = text.toLowerCase(), numbered = wanted.match(/^(.+):(\d*)$/s) ?? wanted.match(/^(?:unit )?()(\d+)$/);
    for (const layer of atlas.known) {
      const [name, stem, level, pages, asked, drawn] = layer;
      if (name.toLowerCase().includes(wanted) || (level && level.includes(wanted))) items.push(item(`${below(stem)}index.html`, atlas.spot(below(stem), Math.max(drawn, 0), asked, drawn >= 0), name, [level, `${pages.toLocaleString("en")} units`].filter(Boolean).join(", ")));
    }
    [...atlas.pages.keys()].sort((one, other) => one - other).forEach((index, at, all) => {
      const label = atlas.names[index];
      if (label.toLowerCase().includes(wanted) || String(index) === wanted) items.push(item(`classes/${index}.html`, atlas.spot("classes/", at, all.length, atlas.pages.get(index)), label, `class ${index}`));
    });
    if (numbered) {
      for (const layer of atlas.known) {
        if (layer[0].toLowerCase().includes(numbered[1].trim())) {
          for (const row of await rowsOf(layer)) if (String(row[0]) === numbered[2] || (!numbered[2] && numbered[1])) items.push(unit(layer, row, ""));
        }
      }
    } else {
      const spoken = new Set(atlas.names.flatMap((label, index) => (label.toLowerCase().includes(wanted) ? [index] : [])));
      if (spoken.size) {
        for (const layer of atlas.known.slice().reverse()) { // the highest say most of classes
          for (const row of await rowsOf(layer)) {
            const index = row[6].find((each) => spoken.has(each));
            if (index !== undefined) items.push(unit(layer, row, `speaks for ${atlas.names[index]}`));
          }
          if (items.length > MOST) break;
        }
      }
    }
    return items;
  };
  let due = 0, turn = 0;
  const answer = async () => {
    const text = query.value.trim(), mine = ++turn;
    if (!text) { found.replaceChildren(); told.textContent = ""; return; }
    try {
      await start();
      const items = await search(text);
      if (mine !== turn) return; // another question was asked meanwhile
      found.replaceChildren(...items.slice(0, MOST));
      told.textContent = items.length > MOST ? `The first ${MOST}; write more to narrow it.` : items.length ? `${items.length} found` : "Nothing in this atlas is called so.";
    } catch { told.textContent = "What is searched could not be read: the folder of this page is not whole."; }
  };
  query.addEventListener("input", () => { clearTimeout(due); due = setTimeout(answer, 150); });
  form.addEventListener("submit", (event) => { event.preventDefault(); found.querySelector("a")?.focus(); });
  form.hidden = false; // without a script it could do nothing
}
