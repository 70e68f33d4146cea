// Elements are made, never written as markup: what a stranger wrote into a file name stays text.
import { t } from "./texts.js";

/** An element: `h("p.soft", { id: "x", on: { click } }, "text", child, …)`. `null` and `false` among children are left out. */
export const h = (what, props = {}, ...children) => {
  const [tag, ...classes] = what.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") Object.entries(value).forEach(([event, heard]) => made.addEventListener(event, heard));
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name in made && !["list", "form", "width", "height"].includes(name)) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return made;
};
export const by = (id) => document.getElementById(id);
let made = 0;
/** An id that no other element has. */
export const fresh = (name) => `${name}-${(made += 1)}`;

/** Said to a screen reader, seen by nobody. */
export const say = (text) => { by("spoken").textContent = text; };

let fading = 0, told = 0;
/** Whether what is told is so new that it belongs to what is shown next. */
export const isJustTold = () => performance.now() - told < 1500;
/** Takes away what was told: something else is done now. */
export const untell = () => { by("toast").hidden = true; };
/** A short message for all, with a link or something to do (`act`: its text, its work) where there is one; a fault until it is closed, or something else is done. */
export const tell = (text, { link = null, act = null, fault = false } = {}) => {
  const toast = by("toast");
  clearTimeout(fading);
  toast.replaceChildren(...[h("span", {}, text), link && h("a", { href: link.href, on: { click: untell } }, link.text),
    act && h("button.plain", { type: "button", on: { click: () => { untell(); act.work(); } } }, act.text),
    h("button.plain", { type: "button", on: { click: untell } }, t("page.close"))].filter(Boolean));
  told = performance.now();
  toast.classList.toggle("fault", fault);
  toast.hidden = false;
  if (!fault) fading = setTimeout(() => { toast.hidden = true; }, 9000);
};
/** A fault of the server or of the line, told to the user. */
export const tellFault = (error) => tell([error.fault ?? error.message, error.remedy].filter(Boolean).join(" – "), { fault: true });

/** A handler that tells what went wrong, and holds its button while it runs. */
export const handled = (work) => async (event) => {
  const button = event?.currentTarget instanceof HTMLButtonElement ? event.currentTarget : null;
  if (button) button.setAttribute("aria-busy", "true");
  try { await work(event); } catch (error) { tellFault(error); } finally { button?.removeAttribute("aria-busy"); }
};

export const button = (text, work, props = {}) => h("button", { type: "button", ...props, on: { click: handled(work) } }, text);

/** Calls `work` once, so many milliseconds after the last call. */
export const settled = (work, wait) => {
  let due = 0;
  return (...given) => { clearTimeout(due); due = setTimeout(() => work(...given), wait); };
};

/** A question that must be answered before something is lost: resolves to whether it was agreed to. */
export const confirmed = (question, agree) => new Promise((answer) => {
  const id = fresh("question");
  const dialog = h("dialog.question", { "aria-labelledby": id, on: { close: () => { dialog.remove(); answer(dialog.returnValue === "yes"); } } },
    h("p", { id }, question),
    h("p.row", {}, h("button", { type: "button", on: { click: () => dialog.close("") } }, t("page.cancel")),
      h("button.strong", { type: "button", on: { click: () => dialog.close("yes") } }, agree)));
  document.body.append(dialog);
  dialog.showModal();
});
