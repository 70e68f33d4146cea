// What is shown of a job in the dock and in the queue: its frame as it grows, how far it is, how long it takes.
import { h } from "../core/dom.js";
import { image, seenAt } from "../core/net.js";
import { duration, t } from "../core/texts.js";
import { startOf } from "../core/words.js";

const frames = new Map(); // the newest of each running job, so that a list that is drawn anew has them at once

/** The live picture of a job: `element`, `look()` for a newer frame. */
export const frameOf = (job, side = 480) => {
  const canvas = h("canvas", { role: "img", "aria-label": t("queue.frame"), hidden: true }), start = startOf(job);
  const below = start ? h("img", { src: seenAt(start, side), alt: "" }) : null;
  let looking = false;
  const paint = (bitmap) => {
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.hidden = false;
    if (below) below.hidden = true;
  };
  const kept = frames.get(job.id);
  if (kept) paint(kept.bitmap);
  return {
    element: h("span.frame", {}, below, canvas),
    look: async () => {
      if (looking) return;
      looking = true;
      const found = await image(`/api/jobs/${job.id}/preview`, frames.get(job.id)?.tag);
      looking = false;
      if (!found) return;
      frames.get(job.id)?.bitmap.close();
      frames.set(job.id, found);
      paint(found.bitmap);
    },
  };
};
export const forget = (id) => { frames.get(id)?.bitmap.close(); frames.delete(id); };

/** What is being done, without the words of those who built it. */
const inPlain = (doing) => doing.replace(/ score .*$/, "").replace(/octave (\d+)\/(\d+)\s+step \d+\/\d+/, (_, pass, of) => t("queue.pass", { pass, of }));

/** How far a job is: `element`, `show(job)`. */
export const progressOf = (job, label) => {
  const bar = h("progress", { max: 1, value: job.done, "aria-label": label }), words = h("span.soft");
  const show = (now) => {
    bar.value = now.done;
    words.textContent = [`${Math.floor(100 * now.done)} %`, inPlain(now.doing), now.left === null ? "" : t("queue.left", { time: duration(now.left) })].filter(Boolean).join(" · ");
  };
  show(job);
  return { element: h("span.progress", {}, bar, words), show };
};
