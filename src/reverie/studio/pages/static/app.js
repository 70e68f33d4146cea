// The frame: which view the address names, the links to the others, and what is the same in all of them.
import { view as camera } from "./camera/view.js";
import { by, h, isJustTold, untell } from "./core/dom.js";
import { connect, on } from "./core/live.js";
import { isAway } from "./core/net.js";
import { group, t } from "./core/texts.js";
import { view as compare } from "./gallery/compare.js";
import { view as picture } from "./gallery/picture.js";
import { view as trash } from "./gallery/trash.js";
import { view as pictures } from "./gallery/view.js";
import { view as more } from "./make/more.js";
import { view as make } from "./make/view.js";
import { dock } from "./queue/dock.js";
import { view as queue } from "./queue/view.js";

const VIEWS = { "": make, make, more, pictures, picture, compare, trash, queue, camera };
const LINKS = { "": "", make: "", pictures: "pictures", picture: "pictures", compare: "pictures", trash: "pictures", queue: "queue", camera: "camera", more: "more" };
let close = null, before = null, turn = 0, missed = false;

/** The address after # in parts: `#/make/imagine?again=ID` is the view make, the rest [imagine], and what is asked. */
const route = () => {
  const [path, asked = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: name in VIEWS ? name : "", rest, asked: new URLSearchParams(asked) };
};

const show = async () => {
  if (location.hash === "#view") return; // the link that skips the head
  const { name, rest, asked } = route(), root = h(`div.view.${name || "make"}`), mine = turn += 1;
  close?.();
  if (!isJustTold()) untell();
  close = null;
  missed = false;
  by("view").replaceChildren(root); // a view that comes late fills what is no longer shown
  const link = LINKS[name] === "" && (rest[0] ?? "dream") !== "dream" ? "more" : LINKS[name];
  by("nav").querySelectorAll("a").forEach((each) => (each.dataset.to === link ? each.setAttribute("aria-current", "page") : each.removeAttribute("aria-current")));
  try {
    const leave = await VIEWS[name](root, rest, asked) ?? null;
    if (mine !== turn) { leave?.(); return; }
    close = leave;
  } catch (error) {
    if (mine !== turn) return;
    missed = isAway(error);
    root.className = "view";
    root.replaceChildren(h("h1", {}, t("page.failed")), h("p", { role: "alert" }, [error.fault ?? error.message, error.remedy].filter(Boolean).join(" – ")));
  }
  const head = root.querySelector("h1");
  document.title = [head?.textContent, "Reverie"].filter(Boolean).join(" · ");
  if (before !== null && head) { head.tabIndex = -1; head.focus({ preventScroll: true }); scrollTo(0, 0); }
  before = location.hash;
};

by("nav").append(...Object.entries(group("nav")).map(([name, text]) => h("a", { href: `#/${name === "dream" ? "" : name}`, data: { to: name === "dream" ? "" : name } }, text)));
addEventListener("hashchange", show);
// the browser must not leave the page for a file that misses its place
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => event.preventDefault());
on("back", () => { if (missed) show(); });
connect();
dock(by("dock"));
show();
