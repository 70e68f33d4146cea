"use strict";
// What the scripts of an atlas share. Beside a page opened from disk no data can be fetched, but scripts can be loaded: data come as scripts.
const by = (id) => document.getElementById(id);
const element = (tag, text = "", kind = "") => Object.assign(document.createElement(tag), { textContent: text, className: kind });
const atlas = {
  rows: new Map(), known: [], names: [], pages: new Map(), asked: new Map(),
  units(stem, first, rows) { const all = this.rows.get(stem) ?? []; rows.forEach((row, at) => { all[first + at] = row; }); this.rows.set(stem, all); },
  layers(all) { this.known = all; },
  labels(first, texts, pages, drawn) { // of a class that has a page: whether it has a picture
    texts.forEach((text, at) => { this.names[first + at] = text; });
    pages.forEach((index) => this.pages.set(index, drawn.includes(index)));
  },
  load(address) { // each once
    if (!this.asked.has(address)) {
      this.asked.set(address, new Promise((done, failed) => {
        document.head.append(Object.assign(document.createElement("script"), { src: address, onload: done, onerror: () => failed(Error(address)) }));
      }));
    }
    return this.asked.get(address);
  },
  spot(below, at, asked, hasPicture) { // a small picture out of a sheet of 8 by 8
    const spot = element("span", "", hasPicture ? "spot" : "spot empty"), first = at - (at % 64);
    if (hasPicture) {
      spot.style.backgroundImage = `url("${below}tiles-${first / 64}.webp")`;
      Object.entries({ x: at % 8, y: Math.floor((at - first) / 8), rows: Math.ceil(Math.min(64, asked - first) / 8) }).forEach(([name, value]) => spot.style.setProperty(`--${name}`, value));
    }
    return spot;
  },
};
// from unit to unit, and from class to class, by the arrow keys
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.target.closest("input, select, textarea, button, summary, [role=group]")) return;
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = way && document.querySelector(`a[rel=${way}]`);
  if (link && document.documentElement.scrollWidth <= innerWidth) link.click();
});
