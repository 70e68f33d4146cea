// When nobody is there: what was dreamt before, one picture after another.
import { get } from "../core/net.js";
import { h } from "../core/dom.js";
import { isFilm } from "../gallery/player.js";

const EACH = 12_000; // milliseconds a picture stays

/** The show, so many milliseconds a picture: `element`, `start()`, `stop()`, `on`: whether it runs, `shows()`: whether it has something to show. */
export const exhibition = (each = EACH) => {
  const element = h("div.show", { hidden: true, "aria-hidden": "true" });
  let due = 0, at = 0, pictures = [];
  const next = () => {
    if (!self.on) return;
    const picture = pictures[at % pictures.length];
    at += 1;
    const image = h("img", { alt: "", src: `/api/pictures/${encodeURIComponent(picture.id)}/image`, on: { load: () => {
      if (!self.on) return;
      element.append(image);
      requestAnimationFrame(() => image.classList.add("here"));
      while (element.children.length > 2) element.firstChild.remove();
    } } });
    due = setTimeout(next, each);
  };
  const self = {
    element, on: false, shows: () => !element.hidden,
    start: async () => {
      if (self.on) return;
      self.on = true;
      const found = await get("/api/pictures", { limit: 200, sort: "stars" }).catch(() => ({ pictures: [] }));
      pictures = found.pictures.filter((picture) => !picture.faulty && picture.kind !== "page" && !isFilm(picture));
      if (!self.on || !pictures.length) return;
      element.hidden = false;
      next();
    },
    stop: () => { self.on = false; clearTimeout(due); element.hidden = true; element.replaceChildren(); },
  };
  return self;
};
