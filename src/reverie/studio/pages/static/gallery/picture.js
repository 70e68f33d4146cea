// One picture of the gallery: large, with its stars, notes and recipe, and what can be done with it.
import { button, fresh, h, handled, say, settled, tell } from "../core/dom.js";
import { on } from "../core/live.js";
import { get, post, put } from "../core/net.js";
import { count, moment, t } from "../core/texts.js";
import { calledOf } from "../core/words.js";
import { recall } from "../make/again.js";
import { anySeed, order } from "../make/go.js";
import { facts, flat } from "./facts.js";
import { framed } from "./grid.js";
import { isFilm, player } from "./player.js";
import { starsOf } from "./stars.js";

const LONGEST_NOTE = 2000; // letters, as the server takes them

export const view = async (root, [id]) => {
  const address = `/api/pictures/${encodeURIComponent(id)}`, picture = await get(address), recipe = picture.recipe ?? null;
  const note = h("textarea", { id: fresh("note"), rows: 3, maxLength: LONGEST_NOTE, value: picture.note ?? "" }), kept = h("span.soft", { role: "status" });
  let unkept = false;
  const write = handled(async () => {
    await put(`${address}/note`, { note: note.value });
    unkept = false;
    kept.textContent = [t("gallery.kept"), note.value.length >= LONGEST_NOTE ? t("gallery.noteFull", { n: LONGEST_NOTE }) : ""].join(" ").trim();
  });
  const soon = settled(write, 900);
  note.addEventListener("input", () => { kept.textContent = ""; unkept = true; soon(); });
  const trash = button(t("gallery.drop"), async () => {
    await post(`${address}/trash`);
    tell(t("gallery.dropped", { what: picture.name }), { link: { href: "#/trash", text: t("gallery.trash") } });
    location.hash = "#/pictures";
  });
  const isGrid = picture.kind === "grid", frame = isGrid ? framed(picture) : null;
  const shown = isGrid ? frame.element : picture.faulty ? h("p.plain", {}, t("gallery.faulty")) : isFilm(picture) ? player(picture) : picture.kind === "page"
    ? h("iframe.page", { src: `${address}/page`, title: picture.words || picture.name, sandbox: "allow-scripts" })
    : h("a", { href: `${address}/image`, target: "_blank", rel: "noopener", title: t("gallery.whole") }, h("img.large", { src: `${address}/image`, alt: picture.words || picture.name }));
  shown.style.setProperty("--ratio", picture.width ? picture.width / picture.height : 1);
  const again = recipe && !picture.faulty && recipe.command !== "see" ? [button(t("again.seed"), async () => {
    const found = await recall({ picture: id });
    await order({ command: found.command, subjects: found.subjects, choices: { ...found.choices, seed: anySeed() } });
  }, { className: "strong" }), h("a.button", { href: `#/make/${recipe.command ?? "dream"}?again=${encodeURIComponent(id)}` }, t("gallery.change"))] : [];
  const back = picture.grid ? h("a", { href: `#/picture/${encodeURIComponent(picture.grid.id)}` }, t("gallery.backToGrid", { what: picture.grid.name })) : h("a", { href: "#/pictures" }, t("gallery.back"));
  root.append(h("div.sight", {}, h("figure.stage", {}, shown)), h("div.hand", {},
    h("p.row.back", {}, back), h("h1", {}, calledOf(picture.name, picture.grid || isGrid)),
    h("p.soft", {}, [moment(picture.made), isGrid ? count("gallery.count", picture.holds) : "", picture.width ? `${picture.width} × ${picture.height}` : ""].filter(Boolean).join(" · ")),
    h("div.row", {}, again, isGrid ? h("a.button", { href: `#/pictures?grid=${encodeURIComponent(id)}` }, t("gallery.singly")) : null, isFilm(picture) || picture.kind !== "picture" ? null : h("a.button", { href: `#/make/dream?start=${encodeURIComponent(`picture:${id}`)}` }, t("gallery.start")),
      h("a.button", { href: `${address}/download`, download: "" }, t(isGrid ? "gallery.downloadAll" : "gallery.download")), trash),
    starsOf(picture), h("div.noted", {}, h("label", { htmlFor: note.id }, t("gallery.note")), note, kept)),
  ...[isGrid ? null : recipe ? h("details.every", {}, h("summary", {}, t("gallery.recipe")), h("p.soft", {}, picture.words), facts(flat(recipe))) : h("p.soft.every", {}, t(picture.kind === "page" ? "gallery.isPage" : "gallery.noRecipe"))].filter(Boolean));
  say("");
  const deaf = on("back", () => { if (unkept) write(); });
  return () => { deaf(); frame?.close(); };
};
