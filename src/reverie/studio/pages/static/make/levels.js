// The slider of six steps, from edges to scenes.
import { fresh, h } from "../core/dom.js";
import { t } from "../core/texts.js";

export const LEVELS = ["edges", "textures", "patterns", "parts", "objects", "scenes"];

/** The slider: `element`, `show(level)`. `moved(level)` while it moves and when it rests. */
export const levels = (moved) => {
  const id = fresh("level"), said = h("output", { htmlFor: id });
  const slider = h("input", { type: "range", id, min: 0, max: LEVELS.length - 1, step: 1, on: { input: () => { tell(); moved(LEVELS[slider.value]); } } });
  const marks = LEVELS.map((level, at) => h("button.mark", { type: "button", tabIndex: -1, "aria-hidden": "true", on: { click: () => {
    slider.value = at;
    tell();
    moved(level);
  } } }, t(`levels.${level}`)));
  const tell = () => {
    const level = LEVELS[slider.value];
    slider.setAttribute("aria-valuetext", t(`levels.${level}`));
    said.textContent = t(`levels.means.${level}`);
    marks.forEach((mark, at) => mark.classList.toggle("here", at === Number(slider.value)));
  };
  slider.value = 4;
  tell();
  return {
    element: h("div.levels", {}, h("label.head", { htmlFor: id }, t("levels.title")), slider, h("div.marks", {}, marks), said),
    show: (level) => { if (LEVELS.includes(level)) { slider.value = LEVELS.indexOf(level); tell(); } },
    level: () => LEVELS[slider.value],
  };
};
