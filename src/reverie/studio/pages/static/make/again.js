// A picture that Reverie made, given back: how it was made, what of that is not as usual, and the same again with another seed.
import { button, h } from "../core/dom.js";
import { fieldOf, readable } from "../core/forms.js";
import { post } from "../core/net.js";
import { count, t } from "../core/texts.js";
import { anySeed, order } from "./go.js";

/** How a picture of the gallery (`{ picture }`) or of the inputs (`{ input }`) was made, as a wish. */
export const recall = (what) => post("/api/again", what);

const usual = (form, field) => (field?.name === "preset" ? form.usual_preset || field.default : field?.default);
/** The note on a form that was filled from a recipe. */
export const recalled = ({ again, form, wish, useAsStart }) => {
  const differing = Object.entries(again.choices).filter(([name, value]) => {
    const field = fieldOf(form, name);
    return !field || JSON.stringify(usual(form, field) ?? null) !== JSON.stringify(value);
  });
  const rows = differing.map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, readable(value),
    h("span.soft", {}, ` ${t("again.usual", { value: readable(usual(form, fieldOf(form, name))) })}`))));
  return h("section.recalled", { "aria-label": t("again.title") }, h("h2", {}, t("again.title")), h("p", {}, again.words),
    (again.notes ?? []).map((note) => h("p.soft", {}, note)), again.missing?.length ? h("p.fault", {}, t("again.missing", { n: again.missing.length })) : null,
    rows.length ? h("details", {}, h("summary", {}, count("again.differs", rows.length)), h("dl.facts", {}, rows)) : h("p.soft", {}, t("again.alike")),
    h("p.row", {}, button(t("again.seed"), async () => {
      wish.choose({ seed: anySeed() });
      await order(wish.body());
    }, { className: "strong" }), useAsStart && button(t("again.start"), useAsStart)));
};
