// How still the scene is: the dream deepens while nothing moves, and fades back when something does.

const CELLS = 32; // a side of what frames are compared at
const MOVED = 0.02, NOTHING = 0.006; // mean difference of light: more than this is a movement; less is a camera's own noise

/** Measures frames one after another: the mean difference of light to the last, 0..1; 0 of the first. */
export const meter = () => {
  const small = new OffscreenCanvas(CELLS, CELLS), pen = small.getContext("2d", { willReadFrequently: true });
  let last = null;
  return (source) => {
    pen.drawImage(source, 0, 0, CELLS, CELLS);
    const { data } = pen.getImageData(0, 0, CELLS, CELLS), light = new Float32Array(CELLS * CELLS);
    for (let at = 0; at < light.length; at += 1) light[at] = (0.2126 * data[4 * at] + 0.7152 * data[4 * at + 1] + 0.0722 * data[4 * at + 2]) / 255;
    let sum = 0;
    if (last) for (let at = 0; at < light.length; at += 1) sum += Math.abs(light[at] - last[at]);
    last = light;
    return sum / light.length;
  };
};

/** A gate: `step(difference, seconds)` → depth 0..1; `quiet`: for how many seconds nothing moved. */
export const gate = ({ deepen = 8, fade = 0.7 } = {}) => {
  const self = {
    depth: 0, quiet: 0,
    step: (difference, seconds) => {
      const moves = Math.min(1, Math.max(0, (difference - NOTHING) / (MOVED - NOTHING)));
      self.quiet = difference < MOVED ? self.quiet + seconds : 0;
      self.depth += moves > 0.5 ? -self.depth * Math.min(1, seconds / fade * moves) : (1 - moves) * seconds / deepen;
      self.depth = Math.min(1, Math.max(0, self.depth));
      return self.depth;
    },
  };
  return self;
};
