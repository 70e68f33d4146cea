// A builder of targets: layers, units and classes, added and taken away, each with its weight; the text of it stands below and can be written by hand.
import { button, fresh, h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { excited } from "./excited.js";
import { search } from "./search.js";

const TERM = /^\s*([+-])?\s*(?:(\d+(?:\.\d+)?)\s*\*\s*)?((?:class:)?[^\s+*]+?(?:\s[^\s+*-][^\s+*]*)*)\s*(?=[+-]\s|$)/;

/** The terms of a text, `[{ sign, weight, name }]`, or null where it is written as the builder does not write. */
export const termsOf = (text) => {
  const terms = [];
  let rest = text.trim();
  while (rest) {
    const found = TERM.exec(rest);
    if (!found?.[0] || !found[3]) return null;
    terms.push({ sign: found[1] ?? "+", weight: Number(found[2] ?? 1), name: found[3] });
    rest = rest.slice(found[0].length);
  }
  return terms;
};
/** The text of terms: `blocks.4.1:12 - 0.5*blocks.2.0:3`. */
export const textOf = (terms) => terms.filter(({ name }) => name).map(({ sign, weight, name }, at) => (at || sign === "-" ? `${sign} ` : "").replace(/^\+ $/, at ? "+ " : "")
  + (weight === 1 ? "" : `${weight}*`) + name).join(" ");

/** The builder: `element`, `read()`, `write(text)`; `changed()` at each change. */
const builder = (changed, id = fresh("target")) => {
  let terms = [];
  const written = h("input", { type: "text", id, autocomplete: "off", spellcheck: false, placeholder: t("target.written"), "aria-label": t("target.text"), data: { own: "" } });
  const rows = h("ul.terms");
  /** Something was changed by hand: at this row, in the part with this class, or where there is none left, at the search. */
  const told = (at = -1, part = "") => {
    written.value = textOf(terms);
    draw();
    changed();
    if (part) (rows.children[Math.min(at, terms.length - 1)]?.querySelector(part) ?? layer.input).focus();
  };
  /** Of a layer: which of its channels; empty for all. */
  const channelOf = (term, at) => (/^class:|@/.test(term.name) ? null : h("input.channel", { type: "number", min: 0, step: 1, placeholder: t("target.any"), value: /:(\d+)$/.exec(term.name)?.[1] ?? "",
    "aria-label": t("target.unit", { what: term.name }), title: t("target.unit", { what: term.name }), data: { own: "" }, on: { change: (event) => {
      term.name = term.name.replace(/:\d+$/, "") + (event.target.value === "" ? "" : `:${Math.abs(Math.trunc(Number(event.target.value)))}`);
      told(at, ".channel");
    } } }));
  const draw = () => rows.replaceChildren(...terms.map((term, at) => h("li", {},
    button(term.sign === "-" ? "−" : "+", () => { term.sign = term.sign === "-" ? "+" : "-"; told(at, ".sign"); }, { "aria-label": t(term.sign === "-" ? "target.less" : "target.more", { what: term.name }), className: "sign" }),
    h("input", { type: "number", min: 0, step: "any", value: term.weight, "aria-label": t("target.weight", { what: term.name }), data: { own: "" }, on: { change: (event) => {
      term.weight = Math.abs(Number(event.target.value)) || 1;
      told();
    } } }),
    excited(term.name), h("span.term", {}, term.name), channelOf(term, at), button("×", () => { terms.splice(at, 1); told(at, ".drop"); }, { "aria-label": t("target.drop", { what: term.name }), className: "plain drop" }))));
  const add = (name) => { terms.push({ sign: "+", weight: 1, name }); told(); };
  written.addEventListener("change", () => { terms = termsOf(written.value) ?? []; draw(); changed(); });
  const layer = search({ label: t("target.layer"), kind: "layers", clears: true, choose: ({ name }) => add(name) });
  const classes = search({ label: t("target.class"), kind: "classes", clears: true, choose: ({ name }) => add(`class:${name}`) });
  return {
    element: h("div.builder", {}, rows, h("div.adding", {}, layer.element, classes.element), written),
    read: () => written.value.trim() || undefined,
    write: (text) => { written.value = text ?? ""; terms = termsOf(written.value) ?? []; draw(); },
  };
};

/** The field of a form. */
export const target = (field, id, context, changed) => {
  const made = builder(changed, id);
  return { control: made.element, read: made.read, write: made.write };
};
/** A builder of several targets, one after another: each counts as soon as it is something. `changed(text, before)`. */
export const targets = ({ label, changed }) => {
  let last;
  const made = builder(() => {
    const now = made.read();
    take.disabled = now === undefined;
    changed(now, last);
    last = now;
  });
  const take = button(t("target.take"), () => { last = undefined; made.write(""); take.disabled = true; }, { disabled: true });
  return { element: h("div.many", { role: "group", "aria-label": label }, h("p.head", { "aria-hidden": "true" }, label), made.element, take) };
};
