// What goes on at the server: the jobs and the queue, kept up to date by events; a page that was away reads the state, then what came after.
import { by } from "./dom.js";
import { get, isAway } from "./net.js";
import { t } from "./texts.js";

const KINDS = ["job", "queue", "preview", "picture"], LONGEST = 2000; // milliseconds between two tries to come back
const heard = new Map([...KINDS, "back"].map((kind) => [kind, new Set()]));
export const live = { jobs: new Map(), held: false, last: 0, heard: Date.now(), here: false, about: {} };

/** Calls `work` with the data of each event of a kind; gives back what ends that. `back`: the line is there again, and events may have been missed. */
export const on = (kind, work) => {
  heard.get(kind).add(work);
  return () => heard.get(kind).delete(work);
};
const call = (kind, data) => heard.get(kind).forEach((work) => work(data));

const DONE = ["done", "failed", "cancelled"];
/** Jobs of these states: those that wait in their order, others the newest first. */
export const jobs = (...states) => [...live.jobs.values()].filter((job) => states.includes(job.state))
  .sort((one, other) => (one.state === "waiting" && other.state === "waiting" ? one.place - other.place : other.id - one.id));
export const isDone = (job) => DONE.includes(job.state);

const take = (kind, data) => {
  if (kind === "job" && data.id !== undefined) {
    live.heard = Date.now();
    if (data.state === "cleared") live.jobs.delete(data.id);
    else live.jobs.set(data.id, { ...live.jobs.get(data.id), ...data });
  }
  if (kind === "queue") {
    if (data.missed) { refresh().catch(away); return; } // what happened meanwhile is no longer kept
    if (data.held !== undefined) live.held = data.held;
    data.order?.forEach((id, place) => { const job = live.jobs.get(id); if (job) job.place = place; });
  }
  call(kind, data);
};
/** A job as the server has it now, known to the page before its event comes. */
export const known = (job) => { if (job?.id !== undefined) take("job", job); return job; };

/** The state of everything, as it is now. */
export const refresh = async () => {
  const state = await get("/api/state");
  live.jobs = new Map(state.jobs.map((job) => [job.id, job]));
  live.held = state.held;
  live.last = state.event;
  live.heard = Date.now() - 1000 * (state.silent ?? 0);
  live.about = { device: state.device, network: state.network, version: state.version };
  call("queue", { held: state.held, whole: true });
};

let source = null, due = 0, tries = 0, wasAway = false;
const banner = (text) => {
  const shown = by("banner");
  if (shown.textContent !== text) shown.textContent = text;
  shown.hidden = !text;
};
const read = (kind) => (event) => {
  const id = Number(event.lastEventId);
  if (id && id <= live.last) return; // told before
  if (id) live.last = id;
  const told = JSON.parse(event.data);
  take(kind, told.data && told.kind ? told.data : told);
};
const away = () => {
  source?.close();
  source = null;
  live.here = false;
  wasAway = true;
  tries += 1;
  if (tries > 1) banner(t("lost.banner"));
  clearTimeout(due);
  due = setTimeout(connect, Math.min(250 * 2 ** tries, LONGEST));
};
/** Connects to the events, and again whenever the line is lost. */
export const connect = async () => {
  clearTimeout(due);
  try {
    await refresh();
  } catch (error) {
    if (error.status && isAway(error)) { wasAway = true; banner(t("lost.token")); due = setTimeout(connect, LONGEST); return; }
    away();
    return;
  }
  source?.close();
  source = new EventSource(`/api/events?after=${live.last}`);
  source.onopen = () => {
    tries = 0;
    live.here = true;
    banner("");
    if (wasAway) call("back");
    wasAway = false;
  };
  source.onerror = away;
  KINDS.forEach((kind) => source.addEventListener(kind, read(kind)));
};
/** Resolves when the studio answers again; at once where it does. */
export const back = async () => {
  if (await get("/api/state").then(() => true, (error) => !isAway(error))) return;
  await new Promise((done) => { const deaf = on("back", () => { deaf(); done(); }); });
};
addEventListener("online", connect);
document.addEventListener("visibilitychange", () => { if (!document.hidden && wasAway) connect(); });
addEventListener("offline", away);
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
