// A film: before it plays one is told how it flashes, measured on its frames, and where it is not measured that it is not.
import { fresh, h } from "../core/dom.js";
import { t } from "../core/texts.js";

const FILM = /\.(mp4|m4v|mov|webm|mkv|gif)$/i;
export const isFilm = (picture) => picture.kind === "film" || FILM.test(picture.name ?? "");

/** What the server says of flashes, in words: { words, calm }. */
const flashing = (picture) => {
  const told = picture.flashes ?? picture.flash ?? null;
  if (told === null) return { words: t("film.unmeasured"), calm: false };
  const most = typeof told === "number" ? told : told.most ?? told.per_second ?? 0;
  return most > 3 ? { words: t("film.flashes", { n: most }), calm: false } : { words: t("film.calm", { n: most }), calm: true };
};
/** The player: the film itself is not asked for before one agrees, unless it is known to be calm. */
export const player = (picture) => {
  const id = fresh("flash"), { words, calm } = flashing(picture), address = `/api/pictures/${encodeURIComponent(picture.id)}`;
  const gif = /\.gif$/i.test(picture.name ?? "");
  const film = () => (gif ? h("img", { src: `${address}/image`, alt: picture.words ?? picture.name })
    : h("video", { src: `${address}/image`, controls: true, loop: true, playsInline: true, preload: "metadata", poster: `${address}/thumb`, "aria-label": picture.words ?? picture.name, "aria-describedby": id }));
  const place = h("div.film", {});
  const open = () => {
    const made = film();
    place.replaceChildren(made);
    if (!gif) { made.focus(); made.play().catch(() => {}); }
  };
  place.append(calm && !gif ? film() : h("div.before", {}, h("img", { src: `${address}/thumb`, alt: "" }), h("button.strong", { type: "button", "aria-describedby": id, on: { click: open } }, t("film.play"))));
  return h("div", {}, place, h("p", { className: calm ? "soft" : "warning", id }, words));
};
