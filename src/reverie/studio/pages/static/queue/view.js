// The queue: what runs, what waits and in which order, what was made and what failed. Closing the page changes nothing of it.
import { button, confirmed, h, say } from "../core/dom.js";
import { jobs, known, live, on } from "../core/live.js";
import { get, post } from "../core/net.js";
import { count, duration, moment, t } from "../core/texts.js";
import { titleOf } from "../core/words.js";
import { frameOf, progressOf } from "./parts.js";
import { made } from "./results.js";

const AT_ONCE = 50; // done jobs that the state tells of
const QUIET = 60; // seconds without a word of what runs, after which that is told
const FINISHED = ["done", "failed", "cancelled", "aside"];
const act = (job, what, body) => async () => { known(await post(`/api/jobs/${job.id}/${what}`, body)); };

const buttons = (job, at, last) => {
  const name = { what: titleOf(job) }, labelled = (text, work, key) => button(text, work, { "aria-label": `${text}: ${titleOf(job)}`, data: { key: `${job.id}-${key}` } });
  return h("span.row", {},
    job.state === "waiting" && at > 0 ? button("↑", act(job, "move", { place: at - 1 }), { "aria-label": t("queue.sooner", name), data: { key: `${job.id}-up` } }) : null,
    job.state === "waiting" && at < last ? button("↓", act(job, "move", { place: at + 1 }), { "aria-label": t("queue.later", name), data: { key: `${job.id}-down` } }) : null,
    ["running", "waiting"].includes(job.state) ? labelled(t("queue.pause"), act(job, "pause"), "pause") : null,
    job.state === "paused" ? labelled(t("queue.resume"), act(job, "resume"), "resume") : null,
    ["running", "waiting", "paused"].includes(job.state) ? labelled(t(job.state === "running" ? "queue.stop" : "queue.cancel"), act(job, "cancel"), "cancel") : null,
    ["failed", "cancelled", "aside"].includes(job.state) ? labelled(t("queue.retry"), act(job, "retry"), "retry") : null);
};

/** The page of a `see` as far as it is: `element`, `look()` for a newer one where it is open and nobody reads in it, since that begins at its top. */
const growing = (job) => {
  const frame = h("iframe.page", { title: t("queue.page"), sandbox: "allow-scripts" });
  let doing = null, due = 0;
  const look = () => {
    const now = live.jobs.get(job.id)?.doing;
    if (!element.open || now === doing || Date.now() < due || (doing !== null && frame.matches(":hover, :focus"))) return;
    [doing, due] = [now, Date.now() + 3000];
    frame.src = `/api/jobs/${job.id}/page`;
  };
  const element = h("details", { on: { toggle: () => { doing = null; due = 0; look(); } } }, h("summary", {}, t("queue.page")), frame);
  return { element, look };
};

export const view = async (root) => {
  const hold = button("", async () => {
    const held = !live.held; // the event may be heard before the answer
    await post(held ? "/api/queue/hold" : "/api/queue/go");
    live.held = held;
    draw();
  });
  const clear = button(t("queue.clear"), async () => {
    if (!await confirmed(t("queue.clearSure"), t("queue.clear"))) return;
    await post("/api/jobs/clear");
    jobs("done", "failed", "cancelled").forEach(({ id }) => live.jobs.delete(id));
    draw();
  });
  const state = h("p.soft", { role: "status" });
  const parts = Object.fromEntries(["now", "paused", "next", "over"].map((name) => [name, h("ol.jobs", { className: `jobs ${name}` })]));
  const sections = Object.fromEntries(Object.entries(parts).map(([name, list]) => [name, h("section", {}, h("h2", {}, t(`queue.${name}`)), list)]));
  const older = button(t("queue.older"), async () => {
    const first = Math.min(...jobs(...FINISHED).map(({ id }) => id));
    const { jobs: found = [] } = Object(await get("/api/jobs", { before: first }).then((each) => (Array.isArray(each) ? { jobs: each } : each)));
    found.forEach((job) => { if (!live.jobs.has(job.id)) live.jobs.set(job.id, job); });
    draw();
    if (!found.length) older.hidden = true;
  });
  sections.over.append(h("p.row", {}, older, clear));
  root.append(h("h1", {}, t("queue.title")), h("p.row", {}, hold, state), ...Object.values(sections));

  let drawn = "", running = new Map();
  const card = (job, at, last) => {
    const big = ["running", "paused"].includes(job.state);
    if (!big) return h("li.job", { data: { state: job.state, id: job.id } }, made(job), h("div.what", {}, h("h3", {}, titleOf(job)),
      job.fault ? h("p.fault", {}, job.fault) : null,
      h("p.soft", {}, [job.state === "waiting" ? "" : job.state === "cancelled" ? t(job.results.length ? "queue.keptBest" : "queue.is.cancelled") : t(`queue.is.${job.state}`), moment(job.ended ?? job.made),
        job.ended && job.started && job.state === "done" ? t("queue.took", { time: duration(job.ended - job.started) }) : ""].filter(Boolean).join(" · "))), buttons(job, at, last));
    const frame = frameOf(job), progress = progressOf(job, titleOf(job));
    const page = job.command === "see" ? growing(job) : null, quiet = h("p.fault", { role: "status", hidden: true });
    running.set(job.id, { frame, progress, page, quiet });
    frame.look();
    return h("li.job.big", { data: { state: job.state, id: job.id } }, frame.element, h("div.what", {}, h("h3", {}, titleOf(job)), progress.element,
      quiet, page?.element, job.state === "paused" ? h("p.soft", {}, t("queue.is.paused")) : null, job.fault ? h("p.fault", {}, job.fault) : null, buttons(job, at, last)));
  };
  const draw = () => {
    const lists = { now: jobs("running"), paused: jobs("paused"), next: jobs("waiting"), over: jobs(...FINISHED) };
    hold.textContent = t(live.held ? "queue.go" : "queue.hold");
    const left = lists.now.reduce((sum, job) => sum + (job.left ?? 0), 0);
    state.textContent = live.held ? t("queue.held") : [lists.next.length ? count("queue.waiting", lists.next.length) : "", left ? t("queue.left", { time: duration(left) }) : ""].filter(Boolean).join(" · ");
    older.hidden = lists.over.length < AT_ONCE;
    const form = JSON.stringify(Object.values(lists).map((list) => list.map((job) => [job.id, job.state, job.results, job.fault])));
    if (form !== drawn) { // otherwise only how far the running ones are has changed, and what has the focus keeps it
      const focus = document.activeElement?.dataset?.key;
      drawn = form;
      running = new Map();
      for (const [name, list] of Object.entries(lists)) {
        parts[name].replaceChildren(...list.map((job, at) => card(job, at, list.length - 1)));
        sections[name].hidden = !list.length;
      }
      if (!lists.now.length && !lists.next.length) { sections.next.hidden = false; parts.next.replaceChildren(h("li.soft", {}, t("queue.nothing"))); }
      if (focus) (root.querySelector(`[data-key="${focus}"]`) ?? root.querySelector(`[data-id="${focus.split("-")[0]}"] button`))?.focus();
    }
    running.forEach((part, id) => { const job = live.jobs.get(id); if (job) { part.progress.show(job); part.frame.look(); } });
    hush();
  };
  /** What time alone changes: a newer page, and that nothing was heard of what runs for long. */
  const hush = () => running.forEach(({ quiet, page }, id) => {
    page?.look();
    const seconds = (Date.now() - live.heard) / 1000, silent = live.jobs.get(id)?.state === "running" && live.here && !live.held && seconds > QUIET;
    const text = silent ? t("queue.silent", { time: duration(seconds) }) : "";
    if (quiet.textContent !== text) quiet.textContent = text;
    quiet.hidden = !silent;
  });
  draw();
  const deaf = [on("job", draw), on("queue", draw)];
  say(state.textContent);
  const listening = setInterval(hush, 2000);
  return () => { clearInterval(listening); deaf.forEach((end) => end()); };
};
