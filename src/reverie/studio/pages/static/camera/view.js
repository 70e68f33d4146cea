// What the camera sees through a layer, frame by frame: the network deepens the dream while the scene is still. Full screen for an exhibition;
// a film of it can be kept.
import { clock } from "../core/clock.js";
import { button, h, say, settled, tell, tellFault } from "../core/dom.js";
import { on } from "../core/live.js";
import { upload } from "../core/net.js";
import { percent, t } from "../core/texts.js";
import { levels } from "../make/levels.js";
import { exhibition } from "./exhibition.js";
import { line } from "./line.js";
import { strongest } from "./strongest.js";

const SIDE = 256; // of the frames that are sent
const MOVED = 0.03, STIRRED = 0.06; // change of light, 0..1, that is a movement: in the mean, and where most has changed
const NOBODY = 60_000; // milliseconds without a movement after which the show begins, in full screen
const WATCHFUL = 500; // milliseconds between frames while the show runs
const QUICK = 200; // milliseconds from frame to frame, up to which there is time left for other pictures
const FAULTS = { NotAllowedError: "refused", NotFoundError: "missing", NotReadableError: "busy", AbortError: "busy" };

export const view = async (root) => {
  const seen = h("canvas.dream", { role: "img", "aria-label": t("camera.dream"), hidden: true }), bare = h("p.bare", {}, t("camera.before"));
  const show = exhibition(), note = h("p.note", { role: "status", hidden: true }), pen = seen.getContext("2d");
  const plate = h("div.plate", { tabIndex: 0, role: "group", "aria-label": t("camera.plate") }, bare, seen, show.element);
  const video = h("video", { muted: true, playsInline: true, hidden: true });
  const small = document.createElement("canvas"), out = small.getContext("2d");
  const labels = h("ol.labels"), channels = strongest(), sights = h("section.sees", { hidden: true }, h("h2", {}, t("sees.title")), labels, channels.element);
  const fading = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0.2 : 0.6; // of each frame into the last, which calms what differs between them
  let stream = null, link = null, moved = 0, raf = 0, encoding = false, sent = 0, last = 0, gap = Infinity, filming = false, ending = false, awaited = false, over = false;

  const tellNote = (text) => { note.textContent = text; note.hidden = !text; };
  const slider = levels(settled((level) => link?.choose({ level }), 200));
  const fit = () => {
    const scale = SIDE / Math.max(video.videoWidth, video.videoHeight);
    [small.width, small.height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    plate.style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  };
  const dreamt = (bitmap) => {
    if (seen.width !== 4 * bitmap.width || seen.height !== 4 * bitmap.height) [seen.width, seen.height] = [4 * bitmap.width, 4 * bitmap.height];
    pen.globalAlpha = fading;
    pen.drawImage(bitmap, 0, 0, seen.width, seen.height);
    bitmap.close();
    seen.dataset.frames = Number(seen.dataset.frames ?? 0) + 1;
    const now = clock.now();
    gap = Number.isFinite(gap) ? 0.8 * gap + 0.2 * (now - last) : now - last;
    last = now;
  };
  const sees = (what) => {
    if (what.moved > MOVED || what.stirred > STIRRED) wake(); else if (document.fullscreenElement && clock.now() - moved > NOBODY) show.start();
    if (!what.labels) return;
    labels.replaceChildren(...what.labels.map(({ label, probability }) => h("li", {}, h("span.label", {}, label), h("span.value", {}, percent(probability)))));
    channels.show(what.channels ?? [], gap < QUICK || show.shows());
  };
  const wake = () => { moved = clock.now(); show.stop(); };
  const filmed = ({ on: runs, fault, remedy }) => {
    if (fault) { tellFault({ fault, remedy }); awaited = false; }
    else if (filming && !runs && !ending) awaited = true; // it is as long as it may be
    filming = Boolean(runs);
    ending = false;
    say(t(filming ? "camera.films" : "camera.stopped"));
    shown();
  };
  const deaf = on("picture", ({ picture, job }) => { // a film that has ended, in whatever way, is told of when it is there
    if (!awaited || !picture || (job !== null && job !== undefined)) return;
    awaited = false;
    tell(t("camera.kept"), { link: { href: `#/picture/${encodeURIComponent(picture)}`, text: t("make.watch") } });
  });
  const frame = () => {
    raf = requestAnimationFrame(frame);
    if (!video.videoWidth || encoding || !link.ready() || (show.shows() && clock.now() - sent < WATCHFUL)) return;
    if (Math.abs(small.width / small.height - video.videoWidth / video.videoHeight) > 0.02) fit(); // it was turned
    encoding = true;
    out.drawImage(video, 0, 0, small.width, small.height);
    small.toBlob((blob) => { encoding = false; if (blob && !over) { sent = clock.now(); link?.send(blob); } }, "image/jpeg", 0.85);
  };
  const stop = () => {
    cancelAnimationFrame(raf);
    stream?.getTracks().forEach((track) => track.stop());
    link?.close();
    show.stop();
    if (stream) channels.rest();
    stream = link = null;
    awaited ||= filming; // the studio keeps what there is of it
    filming = ending = false;
    gap = Infinity;
  };
  const begin = button(t("camera.begin"), async () => {
    if (stream) { stop(); shown(); return; }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    } catch (error) {
      tellNote(t(`camera.${FAULTS[error.name] ?? "missing"}`));
      return;
    }
    if (over) { stop(); return; }
    stream.getVideoTracks().forEach((track) => track.addEventListener("ended", () => { if (stream) { stop(); shown(); tellNote(t("camera.unplugged")); } }));
    video.srcObject = stream;
    await video.play();
    fit();
    moved = last = clock.now();
    link = line({ level: slider.level() }, { dreamt, seen: sees, filmed, lost: ({ fault }) => { tellNote(fault || t("lost.now")); stop(); shown(); } });
    tellNote("");
    shown();
    plate.focus({ preventScroll: true });
    raf = requestAnimationFrame(frame);
  }, { className: "strong", "aria-keyshortcuts": "C" });
  const full = button(t("camera.full"), () => (document.fullscreenElement ? document.exitFullscreen() : plate.requestFullscreen()), { hidden: true, "aria-keyshortcuts": "F" });
  const keep = button(t("camera.keep"), () => {
    ending = awaited = filming;
    link?.film(!filming);
  }, { hidden: true, "aria-keyshortcuts": "R" });
  const take = button(t("camera.take"), async () => {
    const still = h("canvas");
    [still.width, still.height] = [video.videoWidth, video.videoHeight];
    still.getContext("2d").drawImage(video, 0, 0);
    const { input } = await upload(await new Promise((done) => { still.toBlob(done, "image/jpeg", 0.95); }), "camera.jpg");
    if (document.fullscreenElement) await document.exitFullscreen();
    location.hash = `#/make/dream?start=${encodeURIComponent(`input:${input}`)}`;
  }, { hidden: true, "aria-keyshortcuts": "D" });
  const shown = () => {
    const runs = Boolean(stream);
    begin.textContent = t(runs ? "camera.end" : "camera.begin");
    seen.hidden = !runs;
    bare.hidden = runs;
    sights.hidden = take.hidden = keep.hidden = !runs;
    full.hidden = !runs || !document.fullscreenEnabled;
    keep.textContent = t(filming ? "camera.stop" : "camera.keep");
    plate.classList.toggle("filming", filming);
  };
  // keys count where the picture has the focus, which it gets when the camera starts, and in full screen, where it is all there is
  plate.addEventListener("keydown", (event) => {
    wake();
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const pressed = { c: begin, f: full, r: keep, d: take }[event.key.toLowerCase()];
    if (pressed && !pressed.hidden && !pressed.disabled) { event.preventDefault(); pressed.click(); }
  });
  plate.addEventListener("pointermove", wake);
  root.append(h("div.sight", {}, h("figure.stage", {}, plate, h("figcaption.under", {}, note, h("span.soft.keys", {}, t("camera.keys")))), video, slider.element), h("div.hand", {},
    h("h1", {}, t("camera.title")), h("p.says", {}, t("camera.says")), h("p.row", {}, begin, take, full, keep), h("p.soft", {}, t("camera.private")), sights));
  if (!navigator.mediaDevices) { begin.disabled = true; tellNote(t("camera.insecure")); }
  return () => { over = true; deaf(); stop(); };
};
