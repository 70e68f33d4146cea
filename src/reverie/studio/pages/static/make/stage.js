// The picture first: what was given, and over it what the network makes of it, frame by frame.
import { h } from "../core/dom.js";
import { t } from "../core/texts.js";

/** A stage: `element`, `start(address, words)`, `frame(bitmap, share)`, `keep()`, `empty(words)`, `note(text)`. */
export const stage = () => {
  const start = h("img.start", { alt: "", hidden: true, decoding: "async" });
  const dream = h("canvas.dream", { role: "img", "aria-label": t("stage.dream"), hidden: true });
  const bare = h("p.bare", { hidden: true });
  const note = h("p.note", { role: "status", hidden: true });
  const shown = h("button.small", { type: "button", "aria-pressed": "false", hidden: true }, t("stage.original"));
  const plate = h("div.plate", {}, start, dream, bare);
  const full = plate.requestFullscreen ? h("button.small", { type: "button", on: { click: () => plate.requestFullscreen().catch(() => {}) } }, t("stage.full")) : null;
  const element = h("figure.stage", { data: { testid: "stage" } }, plate, h("div.under", {}, note, shown, full));
  let kept = null;
  const hide = (original) => {
    shown.setAttribute("aria-pressed", String(original));
    shown.textContent = t(original ? "stage.dreamt" : "stage.original");
    dream.classList.toggle("away", original);
  };
  shown.addEventListener("click", () => hide(shown.getAttribute("aria-pressed") !== "true"));
  start.addEventListener("load", () => { if (start.naturalWidth) plate.style.setProperty("--ratio", start.naturalWidth / start.naturalHeight); });
  return {
    element, plate,
    start: (address, words) => {
      bare.hidden = true;
      dream.hidden = true;
      shown.hidden = true;
      hide(false);
      start.alt = words;
      start.src = address;
      start.hidden = false;
    },
    /** The next frame. After `keep`, it comes in as far as it is done, so that a finer dream does not begin with a poorer picture. */
    frame: (bitmap, share = 1) => {
      bare.hidden = true;
      if (start.hidden) plate.style.setProperty("--ratio", bitmap.width / bitmap.height);
      dream.width = bitmap.width;
      dream.height = bitmap.height;
      const pen = dream.getContext("2d");
      if (kept) pen.drawImage(kept, 0, 0, dream.width, dream.height);
      pen.globalAlpha = kept ? share ** 2 : 1;
      pen.drawImage(bitmap, 0, 0);
      bitmap.close();
      dream.hidden = false;
      shown.hidden = start.hidden;
      element.dataset.frames = Number(element.dataset.frames ?? 0) + 1;
    },
    keep: () => { kept = document.createElement("canvas"); [kept.width, kept.height] = [dream.width, dream.height]; kept.getContext("2d").drawImage(dream, 0, 0); },
    anew: () => { kept = null; },
    empty: (words) => {
      start.hidden = true;
      start.removeAttribute("src");
      dream.hidden = true;
      shown.hidden = true;
      bare.textContent = words;
      bare.hidden = false;
    },
    working: (is) => { plate.setAttribute("aria-busy", String(is)); },
    note: (text) => { note.textContent = text; note.hidden = !text; },
  };
};
