"use strict";
// In a frame that may ask for nothing, the page around it hands over what is to be seen large, and keeps the stars.
{
  const { shards } = JSON.parse(document.getElementById("data").textContent), wanted = new Map();
  const tell = (what) => parent.postMessage(what, "*"); // who is around is for the policy of the frame to say
  const opening = document.getElementById("out");
  let shown = "";
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !wanted.has(data?.sha256)) return;
    wanted.get(data.sha256)(data.blob ? URL.createObjectURL(data.blob) : "");
    wanted.delete(data.sha256);
  });
  opening.addEventListener("click", () => tell({ open: shown }));
  globalThis.around = {
    load: async (name, gallery) => { const [kind, first, rows] = shards[name]; gallery[kind](first, rows); },
    keep: (sha256, stars) => tell({ sha256, stars }),
    show: async (image, picture, thumb) => { // the newest that was asked for counts
      image.dataset.of = picture.index;
      if (image.id === "large-image") { shown = picture.sha256; opening.hidden = !shown; }
      const small = await thumb(picture);
      if (image.dataset.of === String(picture.index) && small) image.src = small;
      const whole = await new Promise((done) => { wanted.set(picture.sha256, done); tell({ whole: picture.sha256 }); });
      if (image.dataset.of === String(picture.index) && whole) image.src = whole;
    },
  };
}
