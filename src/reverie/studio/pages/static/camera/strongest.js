// The channels that stand furthest above their usual: what each waits for as a small picture, its name, and how far it stands out.
import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { excited, made, making } from "../form/excited.js";

/** The list: `element`, `show(channels, free)`, `rest()`. Pictures that were not made yet are made one at a time while `free`, and all of them at rest. */
export const strongest = () => {
  const list = h("ol.strongest"), element = h("div", { hidden: true }, h("p.soft", {}, t("camera.channels")), list);
  const rows = new Map(), asked = new Set(); // by name: its row; and what was asked for, once: what cannot be made is not asked for again
  let now = [];
  const row = (name) => {
    if (!rows.has(name)) rows.set(name, h("li", {}, h("span.place"), h("span.bar"), h("span.which", {}, name), h("span.value")));
    return rows.get(name);
  };
  return {
    element,
    show: (channels, free) => {
      now = channels.map(({ layer, channel, strength }) => ({ name: `${layer}:${channel}`, strength }));
      element.hidden = !now.length;
      const most = Math.max(...now.map(({ strength }) => strength), 1e-6);
      list.replaceChildren(...now.map(({ name, strength }) => {
        const shown = row(name), picture = made(name), [place, bar, , value] = shown.children;
        if (picture && picture.parentNode !== place) place.replaceChildren(picture);
        bar.style.setProperty("--share", Math.max(0, strength / most));
        value.textContent = t("camera.above", { n: strength.toFixed(1) });
        return shown;
      }));
      for (const name of [...rows.keys()].slice(0, Math.max(0, rows.size - 100))) if (!now.some((each) => each.name === name)) rows.delete(name);
      const next = now.find(({ name }) => !made(name) && !asked.has(name));
      if (free && next && !making()) { asked.add(next.name); excited(next.name); }
    },
    rest: () => now.forEach(({ name }) => { if (!asked.has(name)) { asked.add(name); excited(name); } }),
  };
};
