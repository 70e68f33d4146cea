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
      for (const [name, value] of Object.entries(given)) {
        if (value === undefined || value === null || value === "") delete self.choices[name];
        else self.choices[name] = value;
      }
      if (JSON.stringify(self.choices) !== before) self.tell("choices");
    },
    fill: ({ subjects, choices }) => { self.subjects = [...subjects]; self.choices = { ...choices }; self.tell("all"); },
    body: () => ({ command: self.command, subjects: [...self.subjects], choices: { ...self.choices } }),
  };
  return self;
};
