// The one button that makes it in full size, and what that will take.
import { button, h, say, settled, tell } from "../core/dom.js";
import { jobs, known } from "../core/live.js";
import { post } from "../core/net.js";
import { duration, t } from "../core/texts.js";

/** The button: `element`, `look()` when the wish changed. `refused(fault, open)` where the server names a choice that is wrong. */
export const go = (wish, refused) => {
  const takes = h("p.soft.takes", { role: "status" });
  const make = button(t(`make.go.${wish.command}`) === `make.go.${wish.command}` ? t("make.go.other") : t(`make.go.${wish.command}`), async () => {
    await order(wish.body(), refused);
  }, { className: "strong go" });
  const soon = settled(async () => {
    make.disabled = !ready();
    if (make.disabled) { takes.textContent = ""; return; }
    const mine = JSON.stringify(wish.body());
    try {
      const { seconds } = await post("/api/estimate", wish.body());
      if (mine === JSON.stringify(wish.body())) takes.textContent = seconds === null ? "" : t("make.takes", { time: duration(seconds) });
    } catch (error) {
      takes.textContent = [error.fault, error.remedy].filter(Boolean).join(" – ");
      if (error.field) refused(error, false);
    }
  }, 500);
  const look = () => { takes.textContent = ""; soon(); }; // what was said is of another wish
  const ready = () => wish.subjects.length > 0 && (wish.command !== "grid" || wish.choices.vary !== undefined);
  make.disabled = true;
  return { element: h("div.order", {}, make, takes), look };
};

const sorted = (choices = {}) => Object.entries(choices).sort(([one], [other]) => (one < other ? -1 : 1));
/** Puts a wish into the queue; one that is there already is not put there twice. */
export const order = async (body, refused = null) => {
  const same = (job) => JSON.stringify([job.command, job.subjects, sorted(job.choices)]) === JSON.stringify([body.command, body.subjects, sorted(body.choices)]);
  if (jobs("waiting", "running", "paused").some(same)) {
    tell(t("make.there"), { link: { href: "#/queue", text: t("make.watch") } });
    return null;
  }
  try {
    const job = known(await post("/api/jobs", body));
    tell(t("make.ordered"), { link: { href: "#/queue", text: t("make.watch") } });
    say(t("make.ordered"));
    return job;
  } catch (error) {
    if (error.field && refused) refused(error);
    throw error;
  }
};
/** A seed that nobody chose. */
export const anySeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
