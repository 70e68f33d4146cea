// Everything that was made, none left out: the newest first, to be looked for by what made it, by stars, by words.
import { button, fresh, h, handled, say, settled } from "../core/dom.js";
import { on } from "../core/live.js";
import { get, seenAt } from "../core/net.js";
import { count, t } from "../core/texts.js";
import { calledOf } from "../core/words.js";
import { placeOf, takesDrops } from "../make/given.js";
import { isFilm } from "./player.js";
import { inStars } from "./stars.js";

const AT_ONCE = 60;
const kept = { sort: "new", command: "", words: "" }; // what was looked for last, in this tab

export const view = async (root, rest, asked) => {
  const within = asked.get("grid"), of = within ? await get(`/api/pictures/${encodeURIComponent(within)}`) : null; // a grid, whose pictures are meant
  const grid = h("ul.shots"), state = h("p.soft", { role: "status" }), marked = new Map();
  const words = h("input", { type: "search", id: fresh("words"), value: kept.words, autocomplete: "off" });
  const sort = h("select", { id: fresh("sort") }, ["new", "old", "stars", "name"].map((each) => h("option", { value: each, selected: each === kept.sort }, t(`gallery.sort.${each}`))));
  const command = h("select", { id: fresh("command") }, h("option", { value: "" }, t("gallery.all")),
    ["dream", "imagine", "feature", "see", "journey", "film", "ask", "grid"].map((each) => h("option", { value: each, selected: each === kept.command }, t(`commands.${each}.name`))));
  const compare = h("a.button", { hidden: true }), unmark = button(t("gallery.unmark"), () => { marked.clear(); load(); }, { hidden: true });
  const tray = () => {
    compare.hidden = marked.size !== 2;
    unmark.hidden = marked.size === 0;
    compare.textContent = t("gallery.compare");
    compare.href = `#/compare/${[...marked.keys()].map(encodeURIComponent).join("/")}`;
  };
  const card = (picture) => {
    const mark = h("input", { type: "checkbox", checked: marked.has(picture.id), "aria-label": t("gallery.mark", { what: picture.name }), on: { change: () => {
      if (mark.checked) marked.set(picture.id, picture); else marked.delete(picture.id);
      if (marked.size > 2) { const [first] = marked.keys(); marked.delete(first); grid.querySelector(`[data-id="${CSS.escape(first)}"] input`).checked = false; }
      if (marked.size === 1) say(t("gallery.oneMore"));
      tray();
    } } });
    const ways = (event) => { event.dataTransfer.setData("text/uri-list", `${location.origin}/api/pictures/${encodeURIComponent(picture.id)}/image`); };
    return h("li", { data: { id: picture.id, kind: picture.kind } }, h("a.shot", { href: `#/picture/${encodeURIComponent(picture.id)}`, on: { dragstart: ways } },
      picture.faulty || picture.kind === "page" ? h("span.soft.broken", {}, t(picture.faulty ? "gallery.faulty" : "gallery.page")) : h("img", { src: seenAt(`picture:${picture.id}`, 320), alt: "", loading: "lazy", decoding: "async" }),
      isFilm(picture) && h("span.sort", {}, t("gallery.film")), picture.kind === "grid" && h("span.sort", {}, count("gallery.grid", picture.holds)), h("span.line", { title: picture.words }, calledOf(picture.name, within || picture.kind === "grid"))),
    h("span.under", {}, h("span", { role: "img", "aria-label": count("gallery.given", picture.stars ?? 0) }, inStars(picture.stars)), picture.note && h("span.soft", { title: picture.note }, "✎"), picture.kind === "grid" ? null : h("label.compared", {}, t("gallery.compareMark"), mark)));
  };
  let offset = 0, turn = 0, total = 0;
  const more = button(t("gallery.more"), () => load(false));
  const load = async (anew = true) => {
    const focus = document.activeElement?.closest(".shots [data-id]")?.dataset.id, at = document.activeElement?.tagName;
    const mine = turn += 1;
    Object.assign(kept, { sort: sort.value, command: command.value, words: words.value.trim() });
    const found = await get("/api/pictures", { offset: anew ? 0 : offset, limit: anew ? Math.max(AT_ONCE, Math.min(offset, 300)) : AT_ONCE, ...kept, grid: within });
    if (mine !== turn) return;
    total = found.total;
    if (anew) { grid.replaceChildren(); offset = 0; }
    grid.append(...found.pictures.map(card));
    offset += found.pictures.length;
    more.hidden = offset >= total;
    state.textContent = total ? [total > found.grids && count("gallery.count", total - found.grids), found.grids && t(found.grids === 1 ? "gallery.grids.one" : "gallery.grids.many", { n: found.grids, held: found.held })].filter(Boolean).join(" · ") : t(kept.words || kept.command ? "gallery.nothing" : "gallery.empty");
    tray();
    if (focus && anew) grid.querySelector(`[data-id="${CSS.escape(focus)}"] ${at}`)?.focus({ preventScroll: true });
  };
  const look = handled(() => load()), soon = settled(look, 250);
  [words, sort, command].forEach((each) => each.addEventListener("input", soon));
  root.append(h("h1", {}, of ? t("gallery.within", { what: of.name }) : t("gallery.title")), of ? h("p.row.back", {}, h("a", { href: `#/picture/${encodeURIComponent(within)}` }, t("gallery.backToGrid", { what: of.name }))) : "", h("div.choices", {}, h("span", {}, h("label", { htmlFor: words.id }, t("gallery.words")), words), h("span", {}, h("label", { htmlFor: sort.id }, t("gallery.sorted")), sort),
    h("span", {}, h("label", { htmlFor: command.id }, t("gallery.by")), command), h("a.trashed", { href: "#/trash" }, t("gallery.trash"))), h("div.row.tray", {}, state, compare, unmark), grid, more);
  await load();
  const deaf = [on("picture", settled(look, 800)), on("back", look), takesDrops({
    take: (given) => { location.hash = placeOf(given); }, own: (id) => { location.hash = `#/make/dream?again=${encodeURIComponent(id)}`; } })];
  return () => { turn += 1; deaf.forEach((end) => end()); };
};
