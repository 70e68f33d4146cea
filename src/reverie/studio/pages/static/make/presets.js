// Named looks as small pictures of this very picture: each is dreamt in turn, once the large one rests.
import { h } from "../core/dom.js";
import { on } from "../core/live.js";
import { isAway, seenAt } from "../core/net.js";
import { t } from "../core/texts.js";
import { preview } from "./preview.js";

const SIDE = 144;
const seen = new Map(); // what was dreamt before, by subject and preset: a bitmap each

/** The row of presets: `element`, `show(name)`, `fill(subject)` when there is time, `hold()` when there is not. */
export const presets = (session, command, names, chosen) => {
  const cards = new Map(names.map(({ name, shows }) => {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const button = h("button.preset", { type: "button", "aria-pressed": "false", title: shows, on: { click: () => chosen(name) } }, canvas, h("span", {}, name));
    return [name, { canvas, button }];
  }));
  const paint = (name, bitmap) => {
    const { canvas } = cards.get(name);
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.classList.remove("undreamt");
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
  };
  let subject = null, turn = null, latest = null, wanted = null;
  const next = () => {
    turn = subject && names.map(({ name }) => name).find((name) => !seen.has(`${command}|${subject}|${name}`));
    if (turn) shot.ask({ command, subjects: [subject], choices: { preset: turn } }, SIDE, true);
  };
  const skip = () => { if (turn) seen.set(`${command}|${subject}|${turn}`, latest); latest = null; next(); };
  const shot = preview(`${session}-presets`, {
    frame: (bitmap) => { if (turn) { paint(turn, bitmap); latest = bitmap; } },
    ended: skip, failed: (error) => { if (!isAway(error)) skip(); },
  });
  const deaf = on("back", () => { if (turn) next(); });
  return {
    element: h("div.presets", { role: "group", "aria-label": t("presets.title") }, h("p.head", { "aria-hidden": "true" }, t("presets.title")),
      h("div.strip", {}, [...cards.values()].map(({ button }) => button))),
    show: (name) => cards.forEach(({ button }, each) => button.setAttribute("aria-pressed", String(each === name))),
    fill: (of) => {
      subject = of;
      if (!turn) next();
    },
    /** Another picture: itself in every card, until each is dreamt. */
    begin: (of) => {
      const plain = /^(input|picture):/.test(of) ? Object.assign(new Image(), { src: seenAt(of, SIDE) }) : null;
      names.forEach(({ name }) => {
        const kept = seen.get(`${command}|${of}|${name}`), { canvas } = cards.get(name);
        if (kept) paint(name, kept);
        else canvas.width = canvas.width; // empties it
        canvas.classList.toggle("undreamt", !kept);
      });
      plain?.addEventListener("load", () => names.forEach(({ name }) => {
        if (of !== wanted || !cards.get(name).canvas.classList.contains("undreamt")) return;
        paint(name, plain);
        cards.get(name).canvas.classList.add("undreamt");
      }));
      wanted = of;
    },
    hold: () => { turn = null; shot.stop(); },
    close: () => { deaf(); shot.close(); },
  };
};
