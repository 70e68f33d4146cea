// What a command begins with: pictures, noise, a film, classes, or targets.
import { button, h } from "../core/dom.js";
import { seenAt } from "../core/net.js";
import { t } from "../core/texts.js";
import { search } from "../form/search.js";
import { targets } from "../form/target.js";
import { chooser, photograph } from "./given.js";

const KINDS = { imagine: "classes", feature: "targets", film: "film", ask: "several" };

/** What stands above the choices: `element`, `take(subject)`, `show()`; `told` has `begin()` for before a file is sent, `failed()` for one that is refused; `takes`: whether a picture or a film can begin it. */
export const beginnings = (form, wish, given, told) => {
  const kind = KINDS[wish.command] ?? "picture";
  const chips = h("ul.chips");
  const drop = (subject) => wish.begin(...wish.subjects.filter((each) => each !== subject));
  const show = () => {
    const listed = kind === "classes" || kind === "targets" || (kind === "several" && wish.subjects.length > 1) ? wish.subjects : [];
    chips.hidden = !listed.length;
    chips.replaceChildren(...listed.map((subject) => h("li", {}, /^(input|picture):/.test(subject)
      ? h("img", { src: seenAt(subject, 96), alt: t("stage.start") }) : h("span", {}, subject.replace(/^class:/, "")),
    button("×", () => drop(subject), { "aria-label": t("given.without", { what: subject }), className: "plain" }))));
  };
  const several = kind === "several" || kind === "classes" || kind === "targets";
  /** One more of several; but the picture that it opened on, which nobody chose, makes way. */
  const take = (subject) => wish.begin(...wish.subjects.filter((each) => several && each !== subject && each !== wish.opened), subject);
  const parts = {
    picture: () => [chooser(t("given.choose"), given, told), photograph(given, told),
      wish.command === "dream" || wish.command === "journey"
        ? h("details.noise", {}, h("summary", {}, t("given.noise")), h("p.row", {}, ["pink", "grey", "white"].map((each) => button(t(`given.${each}`), () => wish.begin(`noise:${each}`)))))
        : null, h("p.soft.dropping", {}, t("given.drop"))],
    several: () => [chooser(t("given.chooseSeveral"), given, { several: true, ...told }), photograph(given, told), h("p.soft.dropping", {}, t("given.drop"))],
    film: () => [chooser(t("given.chooseFilm"), given, { accept: "video/*,image/gif", ...told }), h("p.soft.dropping", {}, t("given.dropFilm"))],
    classes: () => [search({ label: t("given.class"), kind: "classes", choose: (found) => take(found.label ?? found.name), clears: true }).element],
    targets: () => [targets({ label: t("given.target"), changed: (text, before) => wish.begin(...wish.subjects.filter((each) => each !== before && each !== text), ...(text ? [text] : [])) }).element],
  };
  return { element: h("div.begin", {}, parts[kind](), chips), take, show, takes: ["picture", "several", "film"].includes(kind) };
};
