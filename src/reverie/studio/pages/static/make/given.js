// What a user gives: a file that is dropped, pasted or chosen, a photo, or a picture dragged out of the gallery.
import { fresh, h, handled, tell } from "../core/dom.js";
import { back } from "../core/live.js";
import { isAway, upload } from "../core/net.js";
import { t } from "../core/texts.js";

const OWN = /\/api\/pictures\/([^/?#]+)/;

/** What was dropped or pasted: `{ file }`, `{ picture }` (the id of one of the gallery's own), or nothing that can be used. */
const found = (carried) => {
  const address = carried?.getData("text/uri-list") || carried?.getData("text/plain") || "";
  const own = address.split("\n").map((line) => line.trim()).filter((line) => line.startsWith(location.origin)).map((line) => OWN.exec(line)?.[1]).find(Boolean);
  if (own) return { picture: decodeURIComponent(own) }; // first: browsers take what a picture says of itself away when it is dragged
  const files = [...(carried?.files ?? [])];
  return { file: files[0], more: files.length > 1 };
};

/** The address of the view that begins with what was given: a recipe fills the form of its own command. */
export const placeOf = ({ input, kind, recipe }) => {
  const wants = kind === "film" ? "film" : "dream";
  return recipe && recipe.command !== "see" ? `#/make/${recipe.command ?? wants}?recipe=${input}` : `#/make/${wants}?start=${encodeURIComponent(`input:${input}`)}`;
};

/** What the server finds a file to be. A file that was on its way when the line broke is sent once more when it is there again. */
const sent = (file) => upload(file).catch(async (error) => {
  if (!isAway(error)) throw error;
  await back();
  return upload(file);
});

/** Takes what is dropped on the page or pasted into it: `take({ input, … })` for a file, `own(id)` for a picture of the gallery. */
export const takesDrops = ({ take, own, begin = () => {}, failed = () => {} }) => {
  const given = handled(async ({ file, picture, more }) => {
    if (more) tell(t("given.first"));
    if (picture) await own(picture);
    else if (file) { begin(); await sent(file).then(take, (error) => { failed(); throw error; }); }
  });
  let depth = 0;
  const over = (change) => { depth = Math.max(0, depth + change); document.body.classList.toggle("over", depth > 0); };
  const listeners = {
    dragenter: () => over(1), dragleave: () => over(-1),
    drop: (event) => { event.preventDefault(); over(-depth); given(found(event.dataTransfer)); },
    paste: (event) => {
      if (event.target.closest?.("input, textarea")) return;
      const carried = found(event.clipboardData);
      if (carried.file || carried.picture) { event.preventDefault(); given(carried); }
    },
  };
  Object.entries(listeners).forEach(([name, work]) => addEventListener(name, work));
  return () => { over(-depth); Object.entries(listeners).forEach(([name, work]) => removeEventListener(name, work)); };
};

/** A button that opens the chooser of files; each file that is chosen is sent and told to `take`. */
export const chooser = (text, take, { accept = "image/*,.npy,.tif,.tiff,.heic,.avif", capture = null, begin = () => {}, failed = () => {}, several = false, look = "file" } = {}) => {
  const id = fresh("file");
  const input = h("input.unseen", { type: "file", id, accept, capture, multiple: several, on: { change: handled(async () => {
    const files = [...input.files];
    input.value = "";
    for (const file of files) {
      begin();
      await take(await sent(file).catch((error) => { failed(); throw error; }));
    }
  }) } });
  return h(`span.${look}`, {}, input, h("label.button", { htmlFor: id }, text));
};
export const photograph = (take, told) => chooser(t("given.photo"), take, { accept: "image/*", capture: "environment", look: "touch", ...told });
