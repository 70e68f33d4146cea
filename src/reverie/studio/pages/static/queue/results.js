// What came of a job: its pictures, each a way into the gallery.
import { h } from "../core/dom.js";
import { seenAt } from "../core/net.js";
import { t } from "../core/texts.js";
import { startOf } from "../core/words.js";

/** A picture small; of a page, which has none, a word. */
const thumbOf = (id) => {
  const image = h("img", { src: seenAt(`picture:${id}`, 160), alt: "", loading: "lazy", on: { error: () => image.replaceWith(h("span.broken.soft", {}, t("gallery.page"))) } });
  return image;
};

/** The results of a job by id where there are any, else what it begins with. */
export const made = (job) => {
  const ids = job.results;
  if (!ids.length) return h("span.frame.small", {}, startOf(job) ? h("img", { src: seenAt(startOf(job), 160), alt: "", loading: "lazy" }) : null);
  return h("span.made", {}, ids.slice(0, 6).map((id) => h("a", { href: `#/picture/${encodeURIComponent(id)}`, "aria-label": t("queue.look") },
    thumbOf(id))), ids.length > 6 ? h("a", { href: "#/pictures" }, `+${ids.length - 6}`) : null);
};
