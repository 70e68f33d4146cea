// What is made: the picture first, beside it what begins it, the six steps, the looks, and one button.
import { h, tell, untell } from "../core/dom.js";
import { fieldOf, forms } from "../core/forms.js";
import { on } from "../core/live.js";
import { file, isAway, seenAt, upload } from "../core/net.js";
import { t } from "../core/texts.js";
import { form as formOf } from "../form/form.js";
import { allLayers } from "../form/search.js";
import { beginnings } from "./beginnings.js";
import { recall, recalled } from "./again.js";
import { placeOf, takesDrops } from "./given.js";
import { go } from "./go.js";
import { levels } from "./levels.js";
import { presets } from "./presets.js";
import { preview } from "./preview.js";
import { sees } from "./sees.js";
import { stage as stageOf } from "./stage.js";
import { wish as wishOf } from "./wish.js";

const LIVE = new Set(["dream", "imagine", "feature", "journey", "film"]); // what can be looked at while it is chosen
const APART = { grid: ["vary"], journey: ["seconds", "motion"], film: ["frames"] }; // choices that stand beside the picture
const FIRST_SIDE = 320, MOST_SIDE = 768;
const session = crypto.randomUUID();
let last = sessionStorage.getItem("start"); // the picture that was given last

export const view = async (root, [command = "dream"], asked) => {
  const form = (await forms()).get(command), reading = { begin: () => { untell(); stage.note(t("given.sending")); }, failed: () => stage.note("") };
  if (!form) throw Error(t("make.unknown", { command }));
  const wish = wishOf(command), stage = stageOf(), labels = sees(), begin = beginnings(form, wish, given, reading);
  const takes = (name) => Boolean(fieldOf(form, name));
  let side = FIRST_SIDE, note = null, rests = true;

  // ── what is seen while one chooses ──
  const shot = preview(session, {
    frame: stage.frame,
    ended: () => {
      if (side < MOST_SIDE) { side = MOST_SIDE; stage.keep(); shot.ask(wish.body(), side, true); return; }
      stage.working(false);
      rests = true;
      const start = wish.subjects[0];
      if (start) looks?.fill(start);
    },
    failed: (error) => {
      stage.working(false);
      rests = !isAway(error);
      if (rests) refused(error, false); // otherwise all views say so
    },
  });
  const dream = () => {
    looks?.hold();
    if (!LIVE.has(command) || !wish.subjects.length) { rests = true; shot.stop(); return; }
    side = FIRST_SIDE;
    stage.anew();
    stage.note("");
    stage.working(true);
    rests = false;
    shot.ask(wish.body(), side);
  };
  const refused = (error, open = true) => {
    if (error.field && fields.fault(error.field, error, open) && open) return;
    stage.note([error.fault, error.remedy].filter(Boolean).join(" – "));
  };

  // ── what is chosen ──
  /** Chooses what is climbed in another way; a target that was built makes way, and can be had back. */
  const instead = (given) => {
    const { target } = wish.choices;
    wish.choose({ ...given, target: undefined });
    if (target) tell(t("make.aside"), { act: { text: t("make.hadBack"), work: () => wish.choose({ target }) } });
  };
  const slider = takes("level") && LIVE.has(command) ? levels((level) => instead({ level })) : null;
  const named = form.presets ?? [];
  const looks = named.length && command === "dream" ? presets(session, command, named, (preset) => instead({ preset, level: undefined })) : null;
  const fields = formOf(form, wish, { simple: new Set([slider && "level", looks && "preset"]), apart: APART[command], start: () => wish.subjects[0] });
  const button = go(wish, refused);
  const shown = () => {
    const { target, level, preset = form.usual_preset } = wish.choices, own = named.find(({ name }) => name === preset)?.level ?? "objects";
    looks?.show(target || (level && level !== own) ? null : preset);
    slider?.show(target ? null : level ?? own, target);
    if (target) allLayers().then((layers) => layers.find(({ name, level: of }) => name === target && of)).then((found) => found && wish.choices.target === target && slider?.show(found.level)).catch(() => {});
  };
  wish.heard((what) => {
    if (what !== "choices") {
      const start = wish.subjects[0];
      if (start && /^(input|picture):/.test(start)) {
        stage.start(seenAt(start), t("stage.start"));
        if (command !== "film") labels.look(start);
        if (command !== "film" && start !== wish.opened) sessionStorage.setItem("start", last = start);
        looks?.begin(start);
      } else stage.empty(t(wish.subjects.length ? "stage.noise" : `commands.${command}.empty`));
    }
    wish.keep();
    shown();
    fields.show();
    fields.clean();
    begin.show();
    button.look();
    dream();
  });

  // ── what is given ──
  function given(found) {
    const isFilm = found.kind === "film" || (command === "film" && /\.gif$/i.test(found.name ?? "")); // a GIF is either
    if ((found.recipe && found.recipe.command !== "see") || isFilm !== (command === "film") || !begin.takes) {
      if (command === "film" && !found.recipe) tell(t("given.noFilm", { what: found.name }));
      location.hash = placeOf(found);
      return;
    }
    note?.remove();
    stage.note("");
    begin.take(`input:${found.input}`);
  }
  const own = (id) => { location.hash = `#/make/dream?again=${encodeURIComponent(id)}`; };
  const deaf = [takesDrops({ take: given, own, ...reading }), on("back", () => {
    if (!rests) wish.tell("subjects"); // what was under way there is no more
    else { button.look(); labels.again(); }
  })];

  root.append(h("div.sight", {}, stage.element, slider?.element, looks?.element), h("div.hand", {},
    h("h1", {}, t(`commands.${command}.title`)), h("p.says", {}, t(`commands.${command}.says`)), begin.element, fields.aside,
    button.element, labels.element), fields.element);
  shown();

  const recipe = asked.get("recipe"), again = asked.get("again"), start = asked.get("start");
  if (recipe || again) {
    const found = await recall(recipe ? { input: recipe } : { picture: again });
    if (found.command !== command) { location.hash = `#/make/${found.command}?${asked}`; return () => leave(); }
    note = recalled({ again: found, form, wish, useAsStart: () => { location.hash = `#/make/dream?start=${encodeURIComponent(recipe ? `input:${recipe}` : `picture:${again}`)}`; } });
    root.querySelector(".hand").insertBefore(note, begin.element);
    wish.fill(found);
    fields.open();
  } else {
    await wish.recall(isHere);
    if (start) begin.take(start);
    else if (begin.takes && command !== "film" && !["ask", "grid"].includes(command) && last && await isHere(last)) begin.take(last); // what was given last, in whichever view
    else if (!begin.takes || command === "film" || wish.subjects.length) wish.tell("all");
    else {
      const sky = last && await isHere(last) ? last : await first();
      if (!wish.subjects.length) { wish.opened = sky; begin.take(sky); } // nobody was quicker
    }
  }
  function leave() { deaf.forEach((end) => end()); shot.close(); looks?.close(); fields.close?.(); }
  return leave;
};

/** Whether a picture is of this studio; its home may be another than yesterday's. */
const isHere = (subject) => file(seenAt(subject, 16)).then(() => true, (error) => { if (isAway(error)) throw error; return false; });
/** The picture that the studio opens on, where nobody gave one yet. */
const first = async () => {
  const sky = await file("/static/first.jpg");
  return `input:${(await upload(sky, "sky.jpg")).input}`;
};
