// Which network looks, or which do: those that are installed here.
import { h } from "../core/dom.js";
import { get } from "../core/net.js";
import { t } from "../core/texts.js";

let asked = null;
const known = () => (asked ??= get("/api/networks").then((found) => found.networks ?? found).catch(() => { asked = null; return []; }));

export const networks = (field, id) => {
  const several = field.kind === "networks", empty = several ? [] : [h("option", { value: "" }, field.default ? t("form.usual", { value: field.default }) : t("form.itself"))];
  const control = h("select", { id, multiple: several, size: several ? 3 : null }, empty);
  let wanted;
  const write = (value) => {
    wanted = value;
    const names = [value ?? (several ? [] : "")].flat();
    [...control.options].forEach((each) => { each.selected = names.includes(each.value); });
  };
  known().then((found) => {
    control.append(...found.filter((each) => each.installed !== false).map(({ name }) => h("option", { value: name }, name)));
    write(wanted);
  });
  return {
    control, write,
    read: () => {
      const names = [...control.selectedOptions].map((each) => each.value).filter(Boolean);
      if (!names.length) return control.options.length > empty.length ? undefined : wanted; // they have not come yet
      return names.length === 1 ? names[0] : names;
    },
  };
};
