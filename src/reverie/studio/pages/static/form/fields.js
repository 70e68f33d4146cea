// A choice as something one can set: by what it holds a number, a switch, a list, a picture, a class, a target …
import { fresh, h } from "../core/dom.js";
import { readable } from "../core/forms.js";
import { has, t } from "../core/texts.js";
import { network, networks } from "./networks.js";
import { files, painted } from "./files.js";
import { search } from "./search.js";
import { target } from "./target.js";
import { vary } from "./vary.js";

const labelOf = (name) => (has(`fields.${name}`) ? t(`fields.${name}`) : name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase()));

// each maker gives `{ control, read(), write(value) }`; `read` gives undefined where nothing is said
const text = (field, id, more = {}) => {
  const control = h("input", { type: "text", id, placeholder: placeholder(field), autocomplete: "off", ...more });
  return { control, read: () => control.value.trim() || undefined, write: (value) => { control.value = value === undefined ? "" : Array.isArray(value) ? value.join(", ") : value; } };
};
const placeholder = (field) => (field.default === null || field.default === undefined || field.default === "" ? t("form.itself") : readable(field.default));
const number = (field, id) => {
  const whole = field.kind === "whole", span = (field.high ?? Infinity) - (field.low ?? -Infinity);
  const step = whole ? 1 : "any";
  const control = h("input", { type: "number", id, min: field.low, max: field.high, step, placeholder: placeholder(field), inputMode: whole ? "numeric" : "decimal" });
  const slider = Number.isFinite(span) && span <= (whole ? 64 : 10) ? h("input", { type: "range", min: field.low, max: field.high, step: whole ? 1 : span / 200, tabIndex: -1, "aria-hidden": "true" }) : null;
  const usual = () => field.default ?? field.low ?? 0;
  if (slider) {
    slider.value = usual();
    slider.addEventListener("input", () => { control.value = Number(Number(slider.value).toPrecision(4)); control.dispatchEvent(new Event("input", { bubbles: true })); });
  }
  return {
    control: slider ? h("span.numbers", {}, slider, control) : control,
    read: () => (control.value === "" ? undefined : Number(control.value)),
    write: (value) => {
      if (document.activeElement !== control) control.value = value ?? "";
      if (slider && document.activeElement !== slider) slider.value = value ?? usual();
    },
  };
};
const choice = (field, id) => {
  const control = h("select", { id }, h("option", { value: "" }, field.default ? t("form.usual", { value: readable(field.default) }) : t("form.itself")),
    field.choices.map((each) => h("option", { value: each }, each)));
  return { control, read: () => control.value || undefined, write: (value) => { control.value = value ?? ""; } };
};
const flip = (field, id) => {
  const control = h("input", { type: "checkbox", id });
  return { control, read: () => (control.checked === Boolean(field.default) ? undefined : control.checked), write: (value) => { control.checked = value ?? Boolean(field.default); } };
};
const seeds = (field, id) => {
  const made = text(field, id, { inputMode: "numeric" });
  return { ...made, read: () => { const said = made.read(); return said !== undefined && /^\d+$/.test(said) ? Number(said) : said; } };
};
const numbers = (field, id) => {
  const made = text(field, id);
  return { ...made, read: () => made.read()?.split(",").map(Number) };
};
const klass = (field, id, context, changed) => {
  const found = search({ label: null, id, kind: "classes", choose: changed });
  return { control: found.element, read: found.read, write: found.write };
};
const layers = (field, id, context, changed) => {
  const made = text(field, id), found = search({ label: t("form.layer"), kind: "layers", clears: true, choose: ({ name }) => {
    made.control.value = [made.control.value.trim(), name].filter(Boolean).join(", ");
    changed();
  } });
  return { control: h("span.stacked", {}, made.control, found.element), read: () => made.read()?.split(/\s*,\s*/), write: made.write };
};
const KINDS = { number, whole: number, choice, switch: flip, seeds, numbers, class: klass, layers, target, targets: text, picture: files, pictures: files, array: files, pair: text,
  baseline: text, mask: painted, network, networks, size: text, text };

/** A choice: `element`, `show()` when the wish changed, `fault(told)` or `fault(null)`, `words`: what it is found by. */
export const control = (field, wish, context) => {
  const id = fresh(field.name), help = fresh("help"), wrong = h("p.fault", { id: fresh("wrong"), hidden: true });
  const changed = () => wish.choose({ [field.name]: made.read() });
  const made = (field.name === "vary" ? vary : KINDS[field.kind] ?? text)(field, id, context, changed);
  const grouped = ["networks", "target"].includes(field.kind) || field.name === "vary"; // several controls, each with a label of its own
  const label = grouped ? h("span.label", {}, labelOf(field.name)) : h("label", { htmlFor: id }, labelOf(field.name)), bounds = limits(field);
  const reset = h("button.plain", { type: "button", hidden: true, "aria-label": t("form.reset", { what: labelOf(field.name) }), title: t("form.reset", { what: labelOf(field.name) }),
    on: { click: () => { wish.choose({ [field.name]: undefined }); } } }, "↺");
  const element = h("div.field", { data: { field: field.name, kind: field.kind } }, h("span.named", {}, label, reset), made.control,
    h("p.help", { id: help }, [field.help, bounds].filter(Boolean).join("; ")), wrong);
  const input = element.querySelector(`#${id}`);
  input?.setAttribute("aria-describedby", `${help} ${wrong.id}`);
  element.addEventListener("input", (event) => { if (!event.target.closest("[data-own]")) changed(); });
  element.addEventListener("change", (event) => { if (!event.target.closest("[data-own]")) changed(); });
  return {
    element, words: `${field.name} ${labelOf(field.name)} ${field.help}`.toLowerCase(),
    show: () => {
      const value = wish.choices[field.name];
      if (JSON.stringify(made.read() ?? null) !== JSON.stringify(value ?? null)) made.write(value);
      element.toggleAttribute("data-differs", value !== undefined);
      reset.hidden = value === undefined;
    },
    fault: (told) => {
      wrong.textContent = told ? [told.fault, told.remedy].filter(Boolean).join(" – ") : "";
      wrong.hidden = !told;
      if (told) input?.setAttribute("aria-invalid", "true");
      else input?.removeAttribute("aria-invalid");
    },
  };
};
const limits = ({ kind, low, high, open_below: open }) => {
  if (!["number", "whole"].includes(kind) || (low === null && high === null)) return "";
  if (high === null || high === undefined) return t(open ? "form.above" : "form.from", { low });
  return t(open ? "form.aboveTo" : "form.between", { low, high });
};
