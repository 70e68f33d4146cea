// What is wished for: a command, what it begins with, and the choices that differ from the usual ones. All parts of a view hear of a change.

/** A wish. `by` says to those who hear what changed: `subjects`, `choices` or `all`. */
export const wish = (command) => {
  const listeners = new Set();
  const self = {
    command, subjects: [], choices: {},
    heard: (work) => { listeners.add(work); },
    tell: (what) => listeners.forEach((work) => work(what)),
    begin: (...subjects) => { self.subjects = subjects; self.tell("subjects"); },
    /** Several choices at once; `undefined` takes one back to the usual. */
    choose: (given) => {
      const before = JSON.stringify(self.choices);
      if (given.target) delete self.choices.level; // each says what is climbed: the last that was said counts
      for (const [name, value] of Object.entries(given)) {
        if (value === undefined || value === null || value === "") delete self.choices[name];
        else self.choices[name] = value;
      }
      if (JSON.stringify(self.choices) !== before) self.tell("choices");
    },
    fill: ({ subjects, choices }) => { self.subjects = [...subjects]; self.choices = { ...choices }; self.tell("all"); },
    /** As it was left in this tab, but for what it names that is no longer here. */
    recall: async (isHere) => {
      const left = JSON.parse(sessionStorage.getItem(`wish:${command}`) ?? "{}"), there = new Map();
      const here = async (value) => {
        if (Array.isArray(value)) return (await Promise.all(value.map(here))).every(Boolean);
        if (!/^(input|picture):/.test(String(value))) return true;
        if (!there.has(value)) there.set(value, isHere(value));
        return there.get(value);
      };
      const kept = await Promise.all(Object.entries(left.choices ?? {}).map(async ([name, value]) => (await here(value) ? [name, value] : null)));
      self.choices = Object.fromEntries(kept.filter(Boolean));
      const subjects = await Promise.all((left.subjects ?? []).map(async (each) => (await here(each) ? each : null)));
      self.subjects = subjects.filter(Boolean);
    },
    keep: () => sessionStorage.setItem(`wish:${command}`, JSON.stringify({ subjects: self.subjects, choices: self.choices })),
    body: () => ({ command: self.command, subjects: [...self.subjects], choices: { ...self.choices } }),
  };
  return self;
};
