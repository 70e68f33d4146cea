// What is asked of the server: JSON both ways, with the header that only this page sends, and its errors as faults.
import { t } from "./texts.js";

/** What the server refused, or that it could not be reached: `fault`, `remedy`, `field`, `status` (0: no answer). */
export class Fault extends Error {
  constructor({ fault, remedy = "", field = null }, status) {
    super(fault);
    Object.assign(this, { fault, remedy, field, status });
  }
}

/** Whether nobody answered, or a studio that was started anew and does not know this page yet. */
export const isAway = (error) => [0, 401, 403].includes(error.status);

const answer = async (method, path, { body, headers = {}, signal } = {}) => {
  let found;
  try {
    found = await fetch(path, { method, body, signal, headers: { "X-Reverie": "1", ...headers }, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault({ fault: t("lost.now"), remedy: t("lost.again") }, 0);
  }
  if (found.ok) return found;
  let told = {};
  try { told = await found.json(); } catch { /* no JSON: the status is all there is */ }
  if (typeof told.detail === "object" && told.detail !== null) told = told.detail;
  throw new Fault({ fault: told.fault ?? t("lost.status", { status: found.status }), remedy: told.remedy ?? "", field: told.field ?? null }, found.status);
};
const data = async (found) => (found.status === 204 ? null : found.json());
const sent = (given) => (given === undefined ? {} : { body: JSON.stringify(given), headers: { "Content-Type": "application/json" } });
const query = (given) => {
  const kept = Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
};

export const get = async (path, given, options) => data(await answer("GET", path + query(given), options));
/** A file of the studio. */
export const file = async (path) => (await answer("GET", path)).blob();
export const post = async (path, given = {}) => data(await answer("POST", path, sent(given)));
export const put = async (path, given) => data(await answer("PUT", path, sent(given)));
export const remove = async (path) => data(await answer("DELETE", path));

/** A file for the server: what it found it to be. */
export const upload = async (content, name = content.name) => {
  const form = new FormData();
  form.append("file", content, name || "picture.png");
  return data(await answer("POST", "/api/inputs", { body: form }));
};
/** An image that may not be there yet: { bitmap, tag }, or null where there is none, or none newer than `tag`. */
export const image = async (path, tag = "") => {
  const found = await fetch(path, { headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin", cache: "no-store" }).catch(() => null);
  if (!found || found.status !== 200) return null;
  try {
    return { bitmap: await createImageBitmap(await found.blob()), tag: found.headers.get("ETag") ?? "" };
  } catch {
    return null;
  }
};

/** Where a picture of a wish (`input:SHA` or `picture:ID`) can be seen. */
export const seenAt = (subject, side = 1024) => {
  const [kind, name] = subject.split(/:(.*)/);
  return kind === "input" ? `/api/inputs/${encodeURIComponent(name)}?side=${side}` : `/api/pictures/${encodeURIComponent(name)}/${side <= 320 ? "thumb" : "image"}`;
};
