// A choice that is a picture: chosen from disk, taken from the start, or, where it is a mask, painted.
import { button, h } from "../core/dom.js";
import { seenAt } from "../core/net.js";
import { t } from "../core/texts.js";
import { chooser } from "../make/given.js";
import { paint } from "./mask.js";

/** A picture, or several where the field is of kind `pictures`. */
export const files = (field, id, context, changed, more = () => []) => {
  const several = field.kind === "pictures", shown = h("ul.chips");
  let held = [];
  const take = (subject) => { held = several ? [...held, subject] : [subject]; draw(); changed(); };
  const draw = () => {
    shown.hidden = !held.length;
    shown.replaceChildren(...held.map((subject) => h("li", {}, field.kind === "array" ? h("span", {}, subject.slice(0, 14)) : h("img", { src: seenAt(subject, 160), alt: field.name }),
      button("×", () => { held = held.filter((each) => each !== subject); draw(); changed(); }, { "aria-label": t("given.without", { what: field.name }), className: "plain" }))));
  };
  const choose = chooser(t(field.kind === "array" ? "given.chooseFile" : several ? "given.chooseSeveral" : "given.choose"), ({ input }) => take(`input:${input}`), { several, accept: field.kind === "array" ? ".npy" : "image/*" });
  choose.querySelector("input").dataset.own = "";
  choose.querySelector("input").id = id;
  choose.querySelector("label").htmlFor = id;
  draw();
  return {
    control: h("div.files", {}, shown, h("span.row", {}, choose, more(take))),
    read: () => (held.length ? (several ? held : held[0]) : undefined),
    write: (value) => { held = value === undefined ? [] : [value].flat(); draw(); },
  };
};
/** A mask: white where to dream. */
export const painted = (field, id, context, changed) => files(field, id, context, changed, (take) => [button(t("mask.paint"), async () => {
  const start = context.start();
  if (!start || !/^(input|picture):/.test(start)) throw Object.assign(Error(), { fault: t("mask.nothing") });
  const made = await paint(start);
  if (made) take(made);
})]);
