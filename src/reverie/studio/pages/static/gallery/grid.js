// The page of a grid, in a frame that may ask for nothing: what it wants to show large, and the stars given in it, go through here.
import { h, tellFault } from "../core/dom.js";
import { get, put } from "../core/net.js";
import { t } from "../core/texts.js";

const AT_ONCE = 500;

/** The frame: `element`, and `close()` which ends listening to it. */
export const framed = (grid) => {
  const address = `/api/pictures/${encodeURIComponent(grid.id)}`, frame = h("iframe.page", { src: `${address}/page`, title: t("gallery.gridOf", { what: grid.name }), sandbox: "allow-scripts" });
  let asked = null;
  /** The ids of what the grid holds, by the content that the page in the frame knows it by. */
  const ids = () => (asked ??= (async () => {
    const found = new Map();
    for (let offset = 0, total = 1; offset < total; offset += AT_ONCE) {
      const part = await get("/api/pictures", { grid: grid.id, offset, limit: AT_ONCE });
      part.pictures.forEach((each) => found.set(each.sha256, each.id));
      total = part.total;
    }
    return found;
  })().catch((error) => { asked = null; throw error; }));
  const hear = async ({ source, data }) => {
    if (source !== frame.contentWindow || typeof data !== "object" || data === null) return;
    try {
      const id = (await ids()).get(data.whole ?? data.open ?? data.sha256);
      if (id === undefined) return;
      const picture = `/api/pictures/${encodeURIComponent(id)}`;
      if (data.open) location.hash = `#/picture/${encodeURIComponent(id)}`;
      else if (data.whole) {
        const found = await fetch(`${picture}/image`, { credentials: "same-origin" });
        frame.contentWindow?.postMessage({ sha256: data.whole, blob: found.ok ? await found.blob() : null }, "*"); // its origin has no name
      } else await put(`${picture}/stars`, { stars: Number(data.stars) });
    } catch (error) { tellFault(error); }
  };
  addEventListener("message", hear);
  return { element: frame, close: () => removeEventListener("message", hear) };
};
