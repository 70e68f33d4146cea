// Every choice of a command in its groups, each with its help, its usual value and its bounds, as the table of commands has them.
import { fresh, h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { control } from "./fields.js";

/** The form: `element`, `show()` when the wish changed, `fault(name, told)` at a choice, `clean()`, `open()`, `aside`: the choices named in `apart`, to be shown
 * beside the picture. Choices in `simple` are set elsewhere. */
export const form = (spec, wish, { simple = new Set(), apart = [], start = () => null } = {}) => {
  const controls = new Map(), filter = h("input", { type: "search", id: fresh("find"), autocomplete: "off" }), count = h("span.count");
  const groups = spec.groups.map(({ name, fields }) => {
    const here = fields.filter((field) => !simple.has(field.name)).sort((one, other) => Number(Boolean(other.first)) - Number(Boolean(one.first)));
    here.forEach((field) => controls.set(field.name, control(field, wish, { start, spec })));
    const inside = here.filter((field) => !apart.includes(field.name));
    return inside.length ? h("fieldset.group", {}, h("legend", {}, name[0].toUpperCase() + name.slice(1)), inside.map(({ name: each }) => controls.get(each).element)) : null;
  }).filter(Boolean);
  const none = h("p.soft", { hidden: true }, t("form.none"));
  const back = h("button.small", { type: "button", on: { click: () => wish.choose(Object.fromEntries([...controls.keys()].map((name) => [name, undefined]))) } }, t("form.back"));
  const element = h("details.every", {}, h("summary", {}, t("form.every"), count), h("div.finding", {},
    h("label", { htmlFor: filter.id }, t("form.find")), filter, back), none, h("div.groups", {}, groups));
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    controls.forEach(({ element: each, words: own }, name) => { each.hidden = !apart.includes(name) && !words.every((word) => own.includes(word)); });
    groups.forEach((each) => { each.hidden = ![...each.querySelectorAll(".field")].some((field) => !field.hidden); });
    none.hidden = groups.some((each) => !each.hidden);
  });
  const show = () => {
    controls.forEach((each) => each.show());
    const differing = [...controls.keys()].filter((name) => wish.choices[name] !== undefined).length;
    count.textContent = differing ? t("form.differ", { n: differing }) : "";
    back.hidden = !differing;
  };
  show();
  return {
    element, show,
    aside: apart.filter((name) => controls.has(name)).map((name) => controls.get(name).element),
    open: () => { element.open = true; },
    clean: () => controls.forEach((each) => each.fault(null)),
    fault: (name, told, open = true) => {
      const found = controls.get(name);
      if (!found) return false;
      if (open && !apart.includes(name)) element.open = true;
      found.fault(told);
      return true;
    },
  };
};
