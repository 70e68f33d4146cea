// What is known of a picture, as names and values.
import { h } from "../core/dom.js";
import { readable } from "../core/forms.js";

/** A recipe flat: `ascent.steps` → 16. */
export const flat = (part, name = "") => (part === null || typeof part !== "object" || (Array.isArray(part) && part.every((each) => typeof each !== "object")) ? [[name, part]]
  : Object.entries(part).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key)));
export const facts = (rows) => h("dl.facts", {}, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, readable(value)))));
