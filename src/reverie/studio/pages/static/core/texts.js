// Every text of the page comes from one place: texts/LANGUAGE.json, which lies in the document as data.
const all = JSON.parse(document.getElementById("texts").textContent);

/** The text of this key, such as `make.go`, with what stands in {braces} put in; the key itself where there is none. */
export const t = (key, values = {}) => {
  const found = key.split(".").reduce((part, name) => part?.[name], all);
  return typeof found === "string" ? found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole) : key;
};
/** Whether there is a text of this key. */
export const has = (key) => typeof key.split(".").reduce((part, name) => part?.[name], all) === "string";
/** One of two texts by number: `key.one`, `key.many` with {n}. */
export const count = (key, n) => t(`${key}.${n === 1 ? "one" : "many"}`, { n });
/** A group of texts, as an object. */
export const group = (key) => key.split(".").reduce((part, name) => part?.[name], all) ?? {};

/** Seconds in words: `about 2 minutes`. */
export const duration = (seconds) => {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 1.5) return t("time.now");
  if (seconds < 90) return count("time.seconds", Math.round(seconds));
  if (seconds < 5400) return count("time.minutes", Math.round(seconds / 60));
  return count("time.hours", Math.round(seconds / 360) / 10);
};
export const percent = (share) => (share > 0 && share < 0.01 ? t("time.under") : share < 1 && share > 0.995 ? t("time.over") : `${Math.round(100 * share)} %`);
/** A moment, given in seconds since 1970, as people of this place write it. */
export const moment = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "");
