// Which network looks, or which do: those that are installed here.
import { h } from "../core/dom.js";
import { get } from "../core/net.js";
import { t } from "../core/texts.js";

let asked = null;
const known = () => (asked ??= get("/api/networks").then((found) => (found.networks ?? found).filter((each) => each.installed !== false).map(({ name }) => name))
  .catch(() => { asked = null; return []; }));

/** One network, from a list. */
export const network = (field, id) => {
  const control = h("select", { id }, h("option", { value: "" }, field.default ? t("form.usual", { value: field.default }) : t("form.itself")));
  let wanted = "";
  const write = (value) => { control.value = wanted = value ?? ""; };
  known().then((names) => { control.append(...names.map((name) => h("option", { value: name }, name))); write(wanted); });
  control.addEventListener("change", () => { wanted = control.value; });
  return { control, write, read: () => wanted || undefined };
};

/** Several, each with a box; of a single one its name alone. */
export const networks = (field, id) => {
  const control = h("div.boxes", { id, role: "group", "aria-label": field.help });
  let wanted = [];
  const write = (value) => { wanted = [value ?? []].flat(); control.querySelectorAll("input").forEach((each) => { each.checked = wanted.includes(each.value); }); };
  control.addEventListener("input", ({ target }) => { wanted = target.checked ? [...wanted, target.value] : wanted.filter((each) => each !== target.value); });
  known().then((names) => { control.append(...names.map((name) => h("label", {}, h("input", { type: "checkbox", value: name }), name))); write(wanted); });
  return { control, write, read: () => (wanted.length > 1 ? wanted : wanted[0]) };
};
