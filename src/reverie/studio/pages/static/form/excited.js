// Small pictures of what excites a layer, a channel or a class: made one after another, while nothing else is asked for, and kept, here for as
// long as the page is open, and by the studio in its cache.
import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { preview } from "../make/preview.js";

const SIDE = 96;
const session = `${crypto.randomUUID()}-excited`;
const kept = new Map(); // by target: its canvas
let shot = null, waiting = [], turn = null;

const next = () => {
  turn = waiting.shift() ?? null;
  if (turn) shot.ask({ command: "feature", subjects: [turn], choices: {} }, SIDE, true);
};
/** Whether one is being made. */
export const making = () => turn !== null;
/** The picture of a target that is made; null where it is not. */
export const made = (target) => (kept.get(target)?.dataset.made ? kept.get(target) : null);
/** A picture of a target, blank until it is made. */
export const excited = (target) => {
  if (kept.has(target)) return kept.get(target);
  const canvas = h("canvas.excited", { role: "img", "aria-label": t("target.shown", { what: target }), title: t("target.shown", { what: target }) });
  kept.set(target, canvas);
  waiting.push(target);
  shot ??= preview(session, {
    frame: (bitmap) => {
      const of = kept.get(turn);
      if (of) { [of.width, of.height] = [bitmap.width, bitmap.height]; of.getContext("2d").drawImage(bitmap, 0, 0); }
      bitmap.close();
    },
    ended: () => { const of = kept.get(turn); if (of) of.dataset.made = "made"; next(); },
    failed: () => { kept.delete(turn); next(); },
  });
  if (!turn) next();
  return canvas;
};
