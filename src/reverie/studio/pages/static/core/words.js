// A job or a wish in a few words.
import { has, t } from "./texts.js";

/** `Dream · cat · objects`, `Imagine · banana`. */
export const titleOf = ({ command, subjects = [], named = [], choices = {} }) => {
  const what = has(`commands.${command}.name`) ? t(`commands.${command}.name`) : command;
  const words = [...named, ...subjects.filter((each) => !/^(input|picture):/.test(each))];
  return [what, ...words.slice(0, 3), choices.target ?? choices.level ?? choices.preset].filter(Boolean).join(" · ");
};
/** What a result is called, from the name of its file: `cat-garden-7` is `cat · garden · seed 7`. */
export const calledOf = (name, ofGrid = false) => {
  if (ofGrid) return name; // what it is made of is another with each grid
  const plain = (text) => text.replaceAll("_", " ");
  const [, start, what, seed, again] = /^(.+)-([^-]+)-(\d+)(?:-(\d+))?$/.exec(name) ?? /^(.+?)()-(\d+)$/.exec(name) ?? [null, name];
  return [plain(start), what && plain(what), Number(seed) ? t("gallery.seed", { n: seed }) : "", again ? `(${again})` : ""].filter(Boolean).join(" · ");
};
/** The first picture a wish begins with, or null. */
export const startOf = ({ subjects = [] }) => subjects.find((each) => /^(input|picture):/.test(each)) ?? null;
