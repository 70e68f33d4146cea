// Search among classes (by the words people use for them) or among layers: a field with a list, by pointer or by keys.
import { fresh, h, say, settled } from "../core/dom.js";
import { get } from "../core/net.js";
import { count, t } from "../core/texts.js";

const MOST = 60;
let classes = null, layers = null;
/** The layers of the usual network, asked for once. */
export const allLayers = () => (layers ??= get("/api/layers").then((found) => found.layers).catch((error) => { layers = null; throw error; }));
const allClasses = () => (classes ??= get("/api/classes").then((found) => found.classes).catch((error) => { classes = null; throw error; }));

/** How well a class fits what was typed: whole names and the words that people use before parts of them; 0 of one that does not. */
const fits = ({ label, names, words }, typed) => {
  const begins = (each) => each.toLowerCase().startsWith(typed) || each.toLowerCase().includes(` ${typed}`);
  const is = (each) => each.toLowerCase() === typed;
  return names.some(is) ? 5 : words.includes(typed) ? 4 : begins(label) ? 3 : names.some(begins) ? 2 : words.some(begins) ? 1 : 0;
};
const SOURCES = {
  classes: async (given) => {
    const typed = given.toLowerCase(), found = (typed ? await allClasses() : []).map((each) => [fits(each, typed), each]).filter(([fit]) => fit).sort(([one], [other]) => other - one);
    const meant = found.filter(([, { words }]) => words.includes(typed)).length;
    return [...(meant > 1 ? [{ name: typed, label: typed, about: t("search.any", { n: meant }) }] : []),
      ...found.slice(0, MOST).map(([, each]) => ({ ...each, name: each.label, about: [...each.names.slice(1, 3), ...each.words.slice(0, 2)].join(", ") }))];
  },
  layers: async (words) => {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    const nearness = ({ name, level }) => (name === words || level === words ? 0 : name.startsWith(words) ? 1 : 2); // a name that is whole goes first
    return (await allLayers()).filter((each) => parts.every((part) => `${each.name} ${each.kind} ${each.level ?? ""}`.toLowerCase().includes(part)))
      .sort((one, other) => nearness(one) - nearness(other)).slice(0, MOST)
      .map((each) => ({ ...each, about: [each.level, each.kind, t("search.channels", { n: each.channels })].filter(Boolean).join(" · ") }));
  },
};

/** A field with a list of what is found: `choose(found)`. With `clears` it is empty again after each. `element`, `read()`, `write(text)`. */
export const search = ({ label, kind, choose, id = fresh("search"), clears = false }) => {
  const listId = fresh("list"), list = h("ul.found", { id: listId, role: "listbox", "aria-label": label ?? t(`search.${kind}`), hidden: true });
  const input = h("input", { type: "text", id, role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", autocomplete: "off",
    spellcheck: false, placeholder: t(`search.${kind}`), data: { own: "" } });
  const none = h("span.soft.nothing", { hidden: true });
  let found = [], at = -1, turn = 0, typed = "", entered = null; // what the list is of, and for what Enter was pressed before there was a list
  const close = () => { list.hidden = none.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = (next) => {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = next;
    const here = list.children[at];
    if (!here) { input.removeAttribute("aria-activedescendant"); return; }
    here.setAttribute("aria-selected", "true");
    here.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", here.id);
  };
  const take = (each) => { turn += 1; typed = clears ? "" : each.name; input.value = clears ? "" : each.name; close(); choose(each); };
  const ask = async () => {
    const mine = turn += 1, words = input.value.trim();
    try { found = await SOURCES[kind](words); } catch (error) { found = []; say(error.fault ?? ""); }
    if (mine !== turn || document.activeElement !== input) return; // nobody waits for it any more
    list.replaceChildren(...found.map((each) => h("li", { role: "option", id: fresh("option"), "aria-selected": "false", on: { pointerdown: (event) => { event.preventDefault(); take(each); } } },
      h("span", {}, each.name), each.about ? h("span.soft", {}, each.about) : null)));
    at = -1;
    typed = words;
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    none.hidden = Boolean(found.length) || !words;
    none.textContent = none.hidden ? "" : t("search.nothing", { words });
    say(none.textContent || count("search.found", found.length));
    if (entered === words && found.length) take(found[0]);
    entered = null;
  };
  const soon = settled(() => { if (input.value.trim() !== typed || !list.hidden) ask(); }, 150); // one may have been taken meanwhile
  input.addEventListener("input", () => { entered = null; soon(); });
  input.addEventListener("focus", () => { if (input.value || kind === "layers") ask(); });
  input.addEventListener("blur", () => { entered = null; close(); });
  input.addEventListener("change", () => { if (!clears) choose({ name: input.value.trim() }); });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.hidden) ask();
    else if (step) mark((at + step + found.length) % found.length);
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Enter" && input.value.trim() !== typed) { entered = input.value.trim(); ask(); } // quicker than the list
    else if (event.key === "Enter" && !list.hidden) take(found[Math.max(at, 0)]);
    else return;
    event.preventDefault();
  });
  return {
    element: h("span.search", {}, label && h("label", { htmlFor: id }, label), input, list, none), input,
    read: () => input.value.trim() || undefined,
    write: (value) => { if (document.activeElement !== input) input.value = value ?? ""; },
  };
};
