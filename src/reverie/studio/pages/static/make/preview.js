// A picture that dreams while one looks: the newest wish wins, frames are fetched when the server says that there is a newer one.
import { on } from "../core/live.js";
import { image, post, remove } from "../core/net.js";

const SOONEST = 250, LATEST = 4000; // milliseconds between looks, where no event says that there is a frame

const over = new Map(); // of the last previews that ended: an end may be told before the number of the preview is known here
on("preview", (data) => {
  if (!data.ended && !data.fault) return;
  over.set(data.preview, data);
  if (over.size > 40) over.delete(over.keys().next().value);
});

/** A preview of its own session: `frame(bitmap, share)` for each newer frame, which is so far done, 0..1, `ended()` after the last, `failed(error)` where it is refused. */
export const preview = (session, { frame, ended = () => {}, failed = () => {} }) => {
  let share = 0, wanted = null, asking = false, current = null, tag = "", due = 0, wait = SOONEST, looking = null, next = null;
  const once = async () => {
    const of = current, found = of === null ? null : await image(`/api/previews/${of}`, tag);
    if (of !== current) { found?.bitmap.close(); return; }
    if (found) { tag = found.tag; wait = SOONEST; frame(found.bitmap, share); } else wait = Math.min(wait * 1.5, LATEST);
  };
  /** One look at a time: who asks during one is answered by the next. */
  const look = () => {
    if (!looking) return (looking = once().finally(() => { looking = null; }));
    return (next ??= looking.then(() => { next = null; return look(); }));
  };
  const tick = () => { clearTimeout(due); due = setTimeout(async () => { await look(); if (current !== null) tick(); }, wait); };
  const send = async () => {
    if (asking) return;
    asking = true;
    while (wanted) {
      const now = wanted;
      wanted = null;
      try {
        const { preview: id } = await post("/api/previews", { session, ...now });
        if (wanted) continue;
        current = id;
        tag = "";
        share = 0;
        wait = SOONEST;
        if (over.has(id)) finish(over.get(id));
        else tick();
      } catch (error) {
        if (!wanted) failed(error);
      }
    }
    asking = false;
  };
  const finish = async (data) => {
    const of = current;
    share = 1;
    await look();
    if (current !== of) return;
    current = null;
    clearTimeout(due);
    if (data.fault) failed(typeof data.fault === "object" ? data.fault : data);
    else ended();
  };
  const deaf = on("preview", (data) => {
    if (current === null || data.preview !== current) return;
    share = data.done ?? share;
    if (data.ended || data.fault) finish(data);
    else look();
  });
  return {
    /** The newest wish; with `patient` nobody waits for it, and jobs go on meanwhile. */
    ask: (body, side, patient = false) => { wanted = { ...body, side, patient }; current = null; clearTimeout(due); send(); },
    stop: () => {
      wanted = null;
      if (current !== null) remove(`/api/previews/${current}`).catch(() => {});
      current = null;
      clearTimeout(due);
    },
    close() { this.stop(); deaf(); },
  };
};
