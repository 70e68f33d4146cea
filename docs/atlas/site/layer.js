"use strict";
// All units of a layer in another order, a part of them at a time.
{
  const list = by("units");
  if (list) {
    const { stem } = list.dataset, per = Number(list.dataset.per), asked = Number(list.dataset.asked);
    const DEAD = 1, MISLEADS = 2, PICTURE = 4;
    const pager = by("pager");
    let order = [], page = Number(list.dataset.page), sort = 0;
    const value = (row, by) => (by === 5 ? row[5] & DEAD : row[by] ?? -Infinity);
    const told = (row) => (sort === 4 && row[4] !== null ? String(row[4]) : Math.abs(sort) === 2 || Math.abs(sort) === 3 ? (row[Math.abs(sort)] < 0 ? "not judged" : (row[Math.abs(sort)] / 100).toFixed(2)) : "");
    const tile = (row) => {
      const link = Object.assign(element("a", "", "tile"), { href: `${row[0]}.html` });
      const name = element("span", String(row[0]), "name");
      if (row[5] & DEAD) name.append(" ", element("i", "dead", "mark"));
      else if (row[5] & MISLEADS) {
        const mark = element("i", "▲", "mark");
        mark.append(element("span", " its picture may mislead", "said"));
        name.append(" ", mark);
      }
      if (told(row)) name.append(document.createElement("br"), told(row));
      link.append(atlas.spot("", row[1], asked, row[5] & PICTURE), name);
      return link;
    };
    const show = (moved) => {
      const shown = order.slice(page * per, (page + 1) * per), blocks = [];
      for (let first = 0; first < shown.length; first += 64) {
        const block = element("div", "", "block");
        block.append(...shown.slice(first, first + 64).map(tile));
        blocks.push(block);
      }
      list.replaceChildren(...blocks);
      const count = Math.ceil(order.length / per);
      if (count > 1) {
        const nav = Object.assign(element("nav", "", "pager"), { ariaLabel: "Pages" });
        nav.append(...Array.from({ length: count }, (_, at) => {
          const button = Object.assign(element("button", String(at + 1)), { type: "button", onclick: () => { page = at; show(true); } });
          if (at === page) button.setAttribute("aria-current", "page");
          return button;
        }));
        pager.replaceChildren(nav);
      }
      by("told").textContent = `${order.length.toLocaleString("en")} units${count > 1 ? `, part ${page + 1} of ${count}` : ""}`;
      if (moved) { list.scrollIntoView(); list.querySelector("a").focus({ preventScroll: true }); }
    };
    by("sorting").addEventListener("submit", (event) => event.preventDefault());
    by("sort").addEventListener("change", async () => {
      by("told").textContent = "…";
      try { await Promise.all(Array.from({ length: Number(list.dataset.shards) }, (_, at) => atlas.load(`units-${at}.js`))); } catch { by("told").textContent = "What they are sorted by could not be read."; return; }
      sort = Number(by("sort").value);
      page = 0;
      const rows = atlas.rows.get(stem), column = Math.abs(sort), way = sort < 0 ? 1 : -1;
      const last = (row) => column === 2 || column === 3 ? row[column] < 0 : false; // what was not judged comes last either way
      order = sort === 0 ? rows.slice() : rows.slice().sort((one, other) => last(one) - last(other) || way * (value(one, column) - value(other, column)) || one[1] - other[1]);
      show(false);
    });
    by("sorting").hidden = false; // without a script it could do nothing
  }
}
