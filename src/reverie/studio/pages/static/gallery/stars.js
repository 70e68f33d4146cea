// Stars, 0 to 5, as a group of choices that keys move in.
import { fresh, h, handled, say } from "../core/dom.js";
import { put } from "../core/net.js";
import { count, t } from "../core/texts.js";

export const starsOf = (picture, changed = () => {}) => {
  const name = fresh("stars");
  const group = h("fieldset.stars", {}, h("legend", {}, t("gallery.stars")), [0, 1, 2, 3, 4, 5].map((number) => h("label", {},
    h("input.unseen", { type: "radio", name, value: number, checked: (picture.stars ?? 0) === number, on: { change: handled(async () => {
      await put(`/api/pictures/${encodeURIComponent(picture.id)}/stars`, { stars: number }).catch((error) => {
        group.querySelector(`[value="${picture.stars ?? 0}"]`).checked = true; // as they are kept
        throw error;
      });
      picture.stars = number;
      say(count("gallery.given", number));
      changed(number);
    }) } }), h("span", { "aria-hidden": "true" }, number ? "★" : t("gallery.noStars")), h("span.unseen", {}, count("gallery.given", number)))));
  return group;
};
export const inStars = (number) => (number ? "★".repeat(number) : "");
