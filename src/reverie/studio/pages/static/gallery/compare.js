// Two pictures side by side, or one over the other, and where their recipes differ.
import { fresh, h } from "../core/dom.js";
import { readable } from "../core/forms.js";
import { get } from "../core/net.js";
import { t } from "../core/texts.js";
import { flat } from "./facts.js";

export const view = async (root, ids) => {
  const sides = await Promise.all(ids.slice(0, 2).map((id) => get(`/api/pictures/${encodeURIComponent(id)}`)));
  const shot = (picture) => h("img", { src: `/api/pictures/${encodeURIComponent(picture.id)}/image`, alt: picture.words || picture.name });
  const wipe = h("input", { type: "range", min: 0, max: 100, value: 50, id: fresh("wipe") });
  const over = h("div.wipe", {}, sides.map(shot)), cut = () => over.style.setProperty("--cut", `${wipe.value}%`);
  wipe.addEventListener("input", cut);
  cut();
  const [left, right] = sides.map((each) => new Map(each.recipe ? flat(each.recipe) : []));
  const apart = [...new Set([...left.keys(), ...right.keys()])].filter((name) => JSON.stringify(left.get(name)) !== JSON.stringify(right.get(name)));
  root.append(h("h1", {}, t("compare.title")), h("p.row.back", {}, h("a", { href: "#/pictures" }, t("gallery.back"))),
    h("div.two", {}, sides.map((each) => h("figure", {}, h("a", { href: `#/picture/${encodeURIComponent(each.id)}` }, shot(each)), h("figcaption", {}, each.words || each.name)))),
    h("details.every", {}, h("summary", {}, t("compare.over")), over, h("label", { htmlFor: wipe.id }, t("compare.cut")), wipe),
    h("h2", {}, t("compare.differences")), left.size && right.size ? apart.length ? h("div.wide", { tabIndex: 0, role: "region", "aria-label": t("compare.differences") }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("compare.what")),
      sides.map((each) => h("th", { scope: "col" }, each.name)))), h("tbody", {}, apart.map((name) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, readable(left.get(name))), h("td", {}, readable(right.get(name))))))))
      : h("p.soft", {}, t("compare.alike")) : h("p.soft", {}, t("compare.none")));
};
