// The forms of the commands, as the table of commands has them: asked for once.
import { get } from "./net.js";

let asked = null;
/** All forms by command. */
export const forms = async () => {
  asked ??= get("/api/forms").catch((error) => { asked = null; throw error; });
  const { commands } = await asked;
  return new Map(commands.map((each) => [each.name, each]));
};
export const fieldsOf = (form) => (form?.groups ?? []).flatMap((group) => group.fields);
export const fieldOf = (form, name) => fieldsOf(form).find((field) => field.name === name);
/** A value as one reads it. */
export const readable = (value) => (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length) ? "–"
  : value === true ? "yes" : value === false ? "no" : Array.isArray(value) ? value.join(", ") : String(value));
