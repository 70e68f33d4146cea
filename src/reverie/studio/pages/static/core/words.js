// A job or a wish in a few words.
import { has, t } from "./texts.js";

/** `Dream · objects`, `Imagine · banana`. */
export const titleOf = ({ command, subjects = [], choices = {} }) => {
  const what = has(`commands.${command}.name`) ? t(`commands.${command}.name`) : command;
  const words = subjects.filter((each) => !/^(input|picture):/.test(each));
  return [what, ...words.slice(0, 3), choices.target ?? choices.level ?? choices.preset].filter(Boolean).join(" · ");
};
/** The first picture a wish begins with, or null. */
export const startOf = ({ subjects = [] }) => subjects.find((each) => /^(input|picture):/.test(each)) ?? null;
