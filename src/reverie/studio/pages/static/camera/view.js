// What the camera sees through a layer: frame by frame, deeper while the scene is still; full screen for an exhibition; a film of it can be kept.
import { button, h, settled, tell } from "../core/dom.js";
import { t } from "../core/texts.js";
import { levels } from "../make/levels.js";
import { exhibition } from "./exhibition.js";
import { line } from "./line.js";
import { gate, meter } from "./stillness.js";

const SIDE = 256; // of the frames that are sent
const CARRIED = 0.8; // how much of the last dream a still scene is dreamt on
const NOBODY = 60; // seconds without a movement after which the show begins, in full screen

export const view = async (root) => {
  const seen = h("canvas.dream", { role: "img", "aria-label": t("camera.dream"), hidden: true }), bare = h("p.bare", {}, t("camera.before"));
  const show = exhibition(), plate = h("div.plate", {}, bare, seen, show.element), note = h("p.note", { role: "status", hidden: true }), pen = seen.getContext("2d");
  const video = h("video", { muted: true, playsInline: true, hidden: true });
  const small = document.createElement("canvas"), out = small.getContext("2d");
  let stream = null, link = null, dream = null, scene = null, measure = null, last = 0, raf = 0, encoding = false, recorder = null, over = false;

  const tellNote = (text) => { note.textContent = text; note.hidden = !text; };
  const slider = levels(settled((level) => link?.choose({ level }), 200));
  const fit = () => {
    const scale = SIDE / Math.max(video.videoWidth, video.videoHeight);
    [small.width, small.height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    const large = Math.min(1, 960 / Math.max(video.videoWidth, video.videoHeight));
    [seen.width, seen.height] = [Math.round(video.videoWidth * large), Math.round(video.videoHeight * large)];
    plate.style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  };
  const frame = async (now) => {
    raf = requestAnimationFrame(frame);
    if (!video.videoWidth) return;
    if (Math.abs(small.width / small.height - video.videoWidth / video.videoHeight) > 0.02) fit(); // it was turned
    const depth = now - last > 100 ? scene.step(measure(video), (now - last) / 1000) : scene.depth;
    if (now - last > 100) last = now;
    pen.globalAlpha = 1;
    pen.drawImage(video, 0, 0, seen.width, seen.height);
    if (dream) {
      pen.globalAlpha = 0.45 + 0.55 * depth;
      pen.drawImage(dream, 0, 0, seen.width, seen.height);
    }
    if (document.fullscreenElement && scene.quiet > NOBODY) show.start();
    else if (show.on && scene.quiet < 1) show.stop();
    if (!link.ready() || encoding) return;
    encoding = true;
    out.globalAlpha = 1;
    out.drawImage(video, 0, 0, small.width, small.height);
    if (dream) { // a still scene is dreamt on from its own dream
      out.globalAlpha = CARRIED * depth;
      out.drawImage(dream, 0, 0, small.width, small.height);
    }
    small.toBlob((blob) => { encoding = false; if (blob && !over) link?.send(blob); }, "image/jpeg", 0.85);
  };
  const stop = () => {
    cancelAnimationFrame(raf);
    recorder?.state === "recording" && recorder.stop();
    stream?.getTracks().forEach((track) => track.stop());
    link?.close();
    show.stop();
    dream?.close();
    stream = link = dream = null;
  };
  const begin = button(t("camera.begin"), async () => {
    if (stream) { stop(); shown(); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    } catch (error) {
      tellNote(t(error.name === "NotAllowedError" ? "camera.refused" : "camera.none"));
      return;
    }
    if (over) { stop(); return; }
    video.srcObject = stream;
    await video.play();
    fit();
    [scene, measure, last] = [gate(), meter(), performance.now()];
    link = line({ level: slider.level() }, {
      dreamt: (bitmap) => { dream?.close(); dream = bitmap; seen.dataset.frames = Number(seen.dataset.frames ?? 0) + 1; },
      lost: ({ fault }) => { tellNote(fault || t("lost.now")); stop(); shown(); },
    });
    tellNote("");
    shown();
    raf = requestAnimationFrame(frame);
  }, { className: "strong" });
  const full = button(t("camera.full"), () => plate.requestFullscreen(), { hidden: true });
  const keep = button(t("camera.keep"), () => {
    if (recorder?.state === "recording") { recorder.stop(); return; }
    const parts = [], type = ["video/mp4", "video/webm"].find((each) => MediaRecorder.isTypeSupported(each));
    recorder = new MediaRecorder(seen.captureStream(25), { mimeType: type, videoBitsPerSecond: 6e6 });
    recorder.ondataavailable = ({ data }) => { if (data.size) parts.push(data); };
    recorder.onstop = () => {
      shown();
      const link = h("a", { href: URL.createObjectURL(new Blob(parts, { type })), download: `reverie-camera.${type.split("/")[1]}` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      tell(t("camera.kept"));
    };
    recorder.start(1000);
    shown();
  }, { hidden: true });
  const shown = () => {
    const on = Boolean(stream);
    begin.textContent = t(on ? "camera.end" : "camera.begin");
    seen.hidden = !on;
    bare.hidden = on;
    full.hidden = !on || !document.fullscreenEnabled;
    keep.hidden = !on || typeof MediaRecorder === "undefined";
    keep.textContent = t(recorder?.state === "recording" ? "camera.stop" : "camera.keep");
  };
  root.append(h("div.sight", {}, h("figure.stage", {}, plate, h("figcaption.under", {}, note)), video), h("div.hand", {}, h("h1", {}, t("camera.title")), h("p.says", {}, t("camera.says")),
    slider.element, h("p.row", {}, begin, full, keep), h("p.soft", {}, t("camera.private"))));
  if (!navigator.mediaDevices) { begin.disabled = true; tellNote(t("camera.none")); }
  return () => { over = true; stop(); };
};
