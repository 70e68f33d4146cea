// The running job, small, at the foot of every view but the queue's own.
import { h, say } from "../core/dom.js";
import { isDone, jobs, live, on } from "../core/live.js";
import { count, t } from "../core/texts.js";
import { titleOf } from "../core/words.js";
import { forget, frameOf, progressOf } from "./parts.js";

export const dock = (root) => {
  let shown = null, parts = null;
  const draw = () => {
    const [running] = jobs("running"), waiting = jobs("waiting").length;
    const here = !location.hash.startsWith("#/queue");
    root.hidden = !running || !here;
    if (!running) { shown = parts = null; root.replaceChildren(); return; }
    if (shown !== running.id) {
      shown = running.id;
      const frame = frameOf(running, 160), progress = progressOf(running, titleOf(running)), more = h("span.soft");
      parts = { frame, progress, more };
      root.replaceChildren(h("a", { href: "#/queue" }, frame.element, h("span.what", {}, h("b", {}, titleOf(running)), progress.element), more));
    }
    parts.progress.show(running);
    parts.more.textContent = waiting ? count("queue.waiting", waiting) : "";
    if (here) parts.frame.look();
  };
  const said = new Map();
  on("job", (data) => {
    const job = live.jobs.get(data.id);
    if (job && said.get(job.id) !== job.state) {
      if (said.has(job.id) && (isDone(job) || job.state === "aside")) { say(t(`queue.said.${job.state}`, { what: titleOf(job) })); forget(job.id); }
      said.set(job.id, job.state);
    }
    draw();
  });
  on("queue", draw);
  addEventListener("hashchange", draw);
};
