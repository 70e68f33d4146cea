// All that can be made, each with a sentence: for those who want more than a dream.
import { h } from "../core/dom.js";
import { forms } from "../core/forms.js";
import { live, on, refresh } from "../core/live.js";
import { t } from "../core/texts.js";

const ORDER = ["dream", "imagine", "feature", "see", "journey", "film", "ask", "grid"];

export const view = async (root) => {
  const known = await forms();
  const about = h("p.soft");
  const tell = () => { about.textContent = live.about.version ? t(live.about.device ? "more.about" : "more.ready", live.about) : ""; };
  tell();
  const asking = setInterval(() => { if (live.about.device) clearInterval(asking); else if (live.here) refresh().catch(() => {}); }, 1500); // where it works is known once it is ready
  root.append(h("h1", {}, t("more.title")), h("ul.cards", {}, ORDER.filter((name) => known.has(name)).map((name) => h("li", {}, h("a.card", { href: `#/make/${name}` },
    h("h2", {}, t(`commands.${name}.title`)), h("p", {}, t(`commands.${name}.says`)))))), about);
  const deaf = on("queue", tell);
  return () => { clearInterval(asking); deaf(); };
};
