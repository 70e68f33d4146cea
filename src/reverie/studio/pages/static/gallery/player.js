// A film: before it plays one is told how it flashes, measured on its frames by the server.
import { fresh, h } from "../core/dom.js";
import { get } from "../core/net.js";
import { count, t } from "../core/texts.js";

const FILM = /\.(mp4|m4v|mov|webm|mkv|gif)$/i;
export const isFilm = (picture) => picture.kind === "film" || FILM.test(picture.name ?? "");

/** The player: the film itself is not asked for before one agrees, unless it is known to be calm. */
export const player = (picture) => {
  const id = fresh("flash"), address = `/api/pictures/${encodeURIComponent(picture.id)}`, words = picture.words || picture.name;
  const place = h("div.film"), told = h("p.warning", { id, role: "status" }, t("film.measuring"));
  const film = () => h("video", { src: `${address}/image`, controls: true, loop: true, playsInline: true, preload: "metadata", "aria-label": words, "aria-describedby": id });
  const open = () => {
    const made = film();
    place.replaceChildren(made);
    made.addEventListener("error", () => place.replaceChildren(h("img", { src: `${address}/image`, alt: words }))); // a film of a kind that is shown as a picture (GIF)
    made.focus();
    made.play().catch(() => {});
  };
  const before = h("div.before", {}, h("img", { src: `${address}/thumb`, alt: "" }), h("button.strong", { type: "button", "aria-describedby": id, on: { click: open } }, t("film.play")));
  place.append(before);
  get(`${address}/flashes`).then(({ most, safe }) => {
    told.textContent = safe ? (most ? count("film.calm", most) : t("film.still")) : t("film.flashes", { n: most });
    told.className = safe ? "soft" : "warning";
    if (safe) before.querySelector("img").className = "calm";
  }).catch(() => { told.textContent = t("film.unmeasured"); });
  return h("div", {}, place, told);
};
