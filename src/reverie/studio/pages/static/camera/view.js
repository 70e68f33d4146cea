// What the camera sees through a layer, frame by frame: the network deepens the dream while the scene is still. Full screen for an exhibition;
// a film of it can be kept.
import { button, h, settled, tell } from "../core/dom.js";
import { upload } from "../core/net.js";
import { percent, t } from "../core/texts.js";
import { levels } from "../make/levels.js";
import { exhibition } from "./exhibition.js";
import { line } from "./line.js";

const SIDE = 256; // of the frames that are sent
const MOVED = 0.03; // mean change of light, 0..1, that is a movement
const NOBODY = 60_000; // milliseconds without a movement after which the show begins, in full screen

export const view = async (root) => {
  const seen = h("canvas.dream", { role: "img", "aria-label": t("camera.dream"), hidden: true }), bare = h("p.bare", {}, t("camera.before"));
  const show = exhibition(), plate = h("div.plate", {}, bare, seen, show.element), note = h("p.note", { role: "status", hidden: true }), pen = seen.getContext("2d");
  const video = h("video", { muted: true, playsInline: true, hidden: true });
  const small = document.createElement("canvas"), out = small.getContext("2d");
  const labels = h("ol.labels"), channels = h("p.soft"), sights = h("section.sees", { hidden: true }, h("h2", {}, t("sees.title")), labels, channels);
  let stream = null, link = null, moved = 0, raf = 0, encoding = false, recorder = null, over = false;

  const tellNote = (text) => { note.textContent = text; note.hidden = !text; };
  const slider = levels(settled((level) => link?.choose({ level }), 200));
  const fit = () => {
    const scale = SIDE / Math.max(video.videoWidth, video.videoHeight);
    [small.width, small.height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    plate.style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  };
  const dreamt = (bitmap) => {
    if (seen.width !== 4 * bitmap.width || seen.height !== 4 * bitmap.height) [seen.width, seen.height] = [4 * bitmap.width, 4 * bitmap.height];
    pen.globalAlpha = 0.6; // one frame goes over into the next, which calms what differs between them
    pen.drawImage(bitmap, 0, 0, seen.width, seen.height);
    bitmap.close();
    seen.dataset.frames = Number(seen.dataset.frames ?? 0) + 1;
  };
  const sees = (what) => {
    if (what.moved > MOVED) { moved = performance.now(); show.stop(); } else if (document.fullscreenElement && performance.now() - moved > NOBODY) show.start();
    if (!what.labels) return;
    labels.replaceChildren(...what.labels.map(({ label, probability }) => h("li", {}, h("span.label", {}, label), h("span.value", {}, percent(probability)))));
    channels.textContent = what.channels?.length ? t("camera.channels", { which: what.channels.map(({ layer, channel }) => `${layer}:${channel}`).join(", ") }) : "";
  };
  const frame = () => {
    raf = requestAnimationFrame(frame);
    if (!video.videoWidth || encoding || !link.ready()) return;
    if (Math.abs(small.width / small.height - video.videoWidth / video.videoHeight) > 0.02) fit(); // it was turned
    encoding = true;
    out.drawImage(video, 0, 0, small.width, small.height);
    small.toBlob((blob) => { encoding = false; if (blob && !over) link?.send(blob); }, "image/jpeg", 0.85);
  };
  const stop = () => {
    cancelAnimationFrame(raf);
    if (recorder?.state === "recording") recorder.stop();
    stream?.getTracks().forEach((track) => track.stop());
    link?.close();
    show.stop();
    stream = link = null;
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
    moved = performance.now();
    link = line({ level: slider.level() }, { dreamt, seen: sees, lost: ({ fault }) => { tellNote(fault || t("lost.now")); stop(); shown(); } });
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
      const film = h("a", { href: URL.createObjectURL(new Blob(parts, { type })), download: `reverie-camera.${type.split("/")[1]}` });
      film.click();
      setTimeout(() => URL.revokeObjectURL(film.href), 60_000);
      tell(t("camera.kept"));
    };
    recorder.start(1000);
    shown();
  }, { hidden: true });
  const take = button(t("camera.take"), async () => {
    const still = h("canvas");
    [still.width, still.height] = [video.videoWidth, video.videoHeight];
    still.getContext("2d").drawImage(video, 0, 0);
    const { input } = await upload(await new Promise((done) => { still.toBlob(done, "image/jpeg", 0.95); }), "camera.jpg");
    location.hash = `#/make/dream?start=${encodeURIComponent(`input:${input}`)}`;
  }, { hidden: true });
  const shown = () => {
    const on = Boolean(stream);
    begin.textContent = t(on ? "camera.end" : "camera.begin");
    seen.hidden = !on;
    bare.hidden = on;
    sights.hidden = take.hidden = !on;
    full.hidden = !on || !document.fullscreenEnabled;
    keep.hidden = !on || typeof MediaRecorder === "undefined";
    keep.textContent = t(recorder?.state === "recording" ? "camera.stop" : "camera.keep");
  };
  root.append(h("div.sight", {}, h("figure.stage", {}, plate, h("figcaption.under", {}, note)), video, slider.element), h("div.hand", {}, h("h1", {}, t("camera.title")),
    h("p.says", {}, t("camera.says")), h("p.row", {}, begin, take, full, keep), h("p.soft", {}, t("camera.private")), sights));
  if (!navigator.mediaDevices) { begin.disabled = true; tellNote(t("camera.none")); }
  return () => { over = true; stop(); };
};
