// The slider of six steps, from edges to scenes.
import { fresh, h } from "../core/dom.js";
import { t } from "../core/texts.js";

export const LEVELS = ["edges", "textures", "patterns", "parts", "objects", "scenes"];

/** The slider: `element`, `show(level, target)`: null where a target of one's own counts, `level()`. `moved(level)` while it moves and when it rests. */
export const levels = (moved) => {
  const id = fresh("level"), said = h("output", { htmlFor: id });
  let own = ""; // a target that counts instead
  const slider = h("input", { type: "range", id, min: 0, max: LEVELS.length - 1, step: 1, on: { input: () => { own = ""; tell(); moved(LEVELS[slider.value]); } } });
  const marks = LEVELS.map((level, at) => h("button.mark", { type: "button", tabIndex: -1, "aria-hidden": "true", on: { click: () => {
    slider.value = at;
    own = "";
    tell();
    moved(level);
  } } }, t(`levels.${level}`)));
  const tell = () => {
    const level = LEVELS[slider.value];
    slider.setAttribute("aria-valuetext", own ? t("levels.own") : t(`levels.${level}`));
    said.textContent = own ? t("levels.target", { target: own }) : t(`levels.means.${level}`);
    element.classList.toggle("aside", Boolean(own));
    marks.forEach((mark, at) => mark.classList.toggle("here", !own && at === Number(slider.value)));
  };
  const element = h("div.levels", {}, h("label.head", { htmlFor: id }, t("levels.title")), slider, h("div.marks", {}, marks), said);
  slider.value = 4;
  tell();
  return {
    element,
    show: (level, target = "") => {
      own = level === null ? target : "";
      if (LEVELS.includes(level)) slider.value = LEVELS.indexOf(level);
      tell();
    },
    level: () => LEVELS[slider.value],
  };
};
