// What varies in a grid: two choices or more, each with its values.
import { button, h } from "../core/dom.js";
import { fieldsOf } from "../core/forms.js";
import { t } from "../core/texts.js";

export const vary = (field, id, { spec }, changed) => {
  const names = fieldsOf(spec).map(({ name }) => name).filter((name) => name !== "vary");
  const rows = h("ul.varied");
  const row = (name = "", values = "") => h("li", {},
    h("select", { "aria-label": t("vary.what") }, h("option", { value: "" }, t("vary.none")), names.map((each) => h("option", { value: each, selected: each === name }, each.replaceAll("_", " ")))),
    h("input", { type: "text", value: values, "aria-label": t("vary.values"), placeholder: t("vary.such"), autocomplete: "off" }),
    button("×", (event) => { event.currentTarget?.closest("li")?.remove(); changed(); }, { className: "plain", "aria-label": t("vary.drop") }));
  const read = () => {
    const said = [...rows.children].map((each) => [each.querySelector("select").value, each.querySelector("input").value.trim()]).filter(([name, values]) => name && values);
    return said.length ? said.map(([name, values]) => `${name}=${values}`) : undefined;
  };
  const write = (value) => rows.replaceChildren(...[value ?? []].flat().map((each) => row(...each.split(/=(.*)/).slice(0, 2))), ...(value?.length > 1 ? [] : [row()]));
  write(undefined);
  rows.append(row());
  return { control: h("div.varying", { id, role: "group", "aria-label": field.help }, rows, button(t("vary.add"), () => { rows.append(row()); })), read, write };
};
