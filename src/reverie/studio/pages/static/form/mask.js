// A mask painted over the picture, with a pointer, a finger, or the arrow keys: white where to dream.
import { button, fresh, h } from "../core/dom.js";
import { seenAt, upload } from "../core/net.js";
import { t } from "../core/texts.js";

const SHOWN = "#f06a1d"; // seen on a sky and on a forest alike
const SIDE = 1024; // of the mask, which is brought to the picture's size

const loaded = (address) => new Promise((resolve, reject) => {
  const picture = new Image();
  picture.onload = () => resolve(picture);
  picture.onerror = () => reject(Object.assign(Error(), { fault: t("mask.unseen") }));
  picture.src = address;
});

/** Opens the painter over a picture; resolves to `input:SHA` of the mask, or null where it was left. */
export const paint = async (start) => {
  const picture = await loaded(seenAt(start, SIDE));
  const scale = SIDE / Math.max(picture.naturalWidth, picture.naturalHeight);
  const width = Math.max(1, Math.round(picture.naturalWidth * scale)), height = Math.max(1, Math.round(picture.naturalHeight * scale));
  const mask = h("canvas.mask", { tabIndex: 0, role: "application", "aria-label": t("mask.canvas") });
  [mask.width, mask.height] = [width, height];
  const pen = mask.getContext("2d"), cursor = h("span.cursor", { hidden: true });
  const size = h("input", { type: "range", min: 8, max: 320, value: 96, id: fresh("brush") });
  const rub = h("button", { type: "button", "aria-pressed": "false" }, t("mask.rub"));
  rub.addEventListener("click", () => rub.setAttribute("aria-pressed", String(rub.getAttribute("aria-pressed") !== "true")));
  let at = { x: width / 2, y: height / 2 }, from = null, touched = false, before = [];
  const keep = () => { before = [...before.slice(-19), pen.getImageData(0, 0, width, height)]; touched = true; };
  const stroke = (to) => {
    pen.globalCompositeOperation = rub.getAttribute("aria-pressed") === "true" ? "destination-out" : "source-over";
    pen.strokeStyle = SHOWN;
    pen.lineWidth = Number(size.value);
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo((from ?? to).x, (from ?? to).y);
    pen.lineTo(to.x + 0.01, to.y);
    pen.stroke();
    from = to;
  };
  const place = (event) => {
    const box = mask.getBoundingClientRect();
    return { x: (event.clientX - box.left) * width / box.width, y: (event.clientY - box.top) * height / box.height };
  };
  const show = () => {
    const box = mask.getBoundingClientRect(), side = Number(size.value) * box.width / width;
    Object.assign(cursor.style, { left: `${at.x * box.width / width}px`, top: `${at.y * box.height / height}px`, width: `${side}px`, height: `${side}px` });
    cursor.hidden = false;
  };
  mask.addEventListener("pointerdown", (event) => { mask.setPointerCapture(event.pointerId); keep(); from = null; at = place(event); stroke(at); event.preventDefault(); mask.focus(); });
  mask.addEventListener("pointermove", (event) => { at = place(event); show(); if (event.buttons) stroke(at); });
  mask.addEventListener("pointerleave", () => { cursor.hidden = true; });
  mask.addEventListener("keydown", (event) => {
    const far = Number(size.value) / 3, moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if (moves) {
      at = { x: Math.min(width, Math.max(0, at.x + moves[0])), y: Math.min(height, Math.max(0, at.y + moves[1])) };
      if (event.shiftKey) stroke(at);
    } else if (event.key === " ") { keep(); from = null; stroke(at); } else return;
    event.preventDefault();
    show();
  });
  const whole = () => { keep(); pen.globalCompositeOperation = "xor"; pen.fillStyle = SHOWN; pen.fillRect(0, 0, width, height); };
  const back = () => { const last = before.pop(); if (last) pen.putImageData(last, 0, 0); };
  const finished = () => new Promise((resolve) => {
    const flat = h("canvas"), ground = flat.getContext("2d");
    [flat.width, flat.height] = [width, height];
    ground.drawImage(mask, 0, 0);
    for (const [how, colour] of [["source-in", "#fff"], ["destination-over", "#000"]]) { // white where it is painted, black elsewhere
      ground.globalCompositeOperation = how;
      ground.fillStyle = colour;
      ground.fillRect(0, 0, width, height);
    }
    flat.toBlob(resolve, "image/png");
  });
  const title = fresh("painter");
  return new Promise((answer) => {
    let made = null;
    const board = h("div.board", {}, h("img", { src: picture.src, alt: "" }), mask, cursor);
    board.style.setProperty("--ratio", width / height);
    const dialog = h("dialog.painter", { "aria-labelledby": title, on: { close: () => { dialog.remove(); answer(made); } } },
      h("h2", { id: title }, t("mask.title")), h("p.soft", {}, t("mask.says")), board,
      h("div.row", {}, h("label", { htmlFor: size.id }, t("mask.brush")), size, rub, button(t("mask.invert"), whole), button(t("mask.back"), back)),
      h("div.row", {}, button(t("page.cancel"), () => dialog.close()), button(t("mask.done"), async () => {
        if (!touched) { dialog.close(); return; }
        made = `input:${(await upload(await finished(), "mask.png")).input}`;
        dialog.close();
      }, { className: "strong" })));
    document.body.append(dialog);
    dialog.showModal();
    mask.focus();
  });
};
