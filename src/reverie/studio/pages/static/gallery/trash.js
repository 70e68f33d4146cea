// What was thrown away, until it is emptied.
import { button, confirmed, h, handled, tell } from "../core/dom.js";
import { on } from "../core/live.js";
import { get, post } from "../core/net.js";
import { count, t } from "../core/texts.js";

export const view = async (root) => {
  const list = h("ul.shots"), state = h("p.soft", { role: "status" });
  const empty = button(t("trash.empty"), async () => {
    if (!await confirmed(t("trash.sure"), t("trash.empty"))) return;
    await post("/api/trash/empty");
    await load();
  });
  const load = async () => {
    const found = await get("/api/trash"), pictures = found.pictures ?? found;
    list.replaceChildren(...pictures.map((picture) => h("li", {}, h("span.shot", {}, h("img", { src: `/api/trash/${encodeURIComponent(picture.id)}/thumb`, alt: "", loading: "lazy" }), h("span.line", {}, picture.words || picture.name)),
      button(t("trash.restore"), async () => {
        await post(`/api/trash/${encodeURIComponent(picture.id)}/restore`);
        tell(t("trash.restored"), { link: { href: `#/picture/${encodeURIComponent(picture.id)}`, text: t("queue.look") } });
        await load();
      }, { "aria-label": `${t("trash.restore")}: ${picture.name ?? picture.words}` }))));
    empty.hidden = !pictures.length;
    state.textContent = pictures.length ? count("gallery.count", pictures.length) : t("trash.nothing");
  };
  root.append(h("h1", {}, t("trash.title")), h("p.row.back", {}, h("a", { href: "#/pictures" }, t("gallery.back"))), h("p.row", {}, state, empty), list);
  await load();
  return on("back", handled(load));
};
