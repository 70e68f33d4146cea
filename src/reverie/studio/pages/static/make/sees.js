// What the network says of a picture, and whether it knows such pictures at all.
import { h } from "../core/dom.js";
import { isAway, post } from "../core/net.js";
import { percent, t } from "../core/texts.js";

/** The labels of a picture: `element`, `look(subject)`, `again()` where nobody answered. */
export const sees = () => {
  const list = h("ol.labels"), remark = h("p.soft", { role: "status" });
  const element = h("section.sees", { hidden: true, "aria-label": t("sees.title") }, h("h2", {}, t("sees.title")), remark, list);
  let asked = 0, missed = null;
  const self = {
    element,
    look: async (subject) => {
      const mine = asked += 1;
      missed = null;
      element.hidden = !/^(input|picture):/.test(subject ?? "");
      if (element.hidden) return;
      list.replaceChildren();
      remark.textContent = t("sees.looking");
      try {
        const { labels, known, remark: said } = await post("/api/recognise", { picture: subject });
        if (mine !== asked) return;
        remark.textContent = known === null ? "" : t(!known.is_known ? "sees.unknown" : said ? "sees.perhaps" : "sees.known");
        list.replaceChildren(...labels.map(({ label, probability }) => {
          const bar = h("span");
          bar.style.width = `${100 * probability}%`;
          return h("li", {}, h("span.label", {}, label), h("span.value", {}, percent(probability)), h("span.bar", { "aria-hidden": "true" }, bar));
        }));
      } catch (error) {
        if (mine !== asked) return;
        remark.textContent = error.fault ?? t("sees.failed");
        if (isAway(error)) missed = subject;
      }
    },
    again: () => { if (missed) self.look(missed); },
  };
  return self;
};
