// The line to the network: frames out, dreamt frames back. One is on its way at a time, so the newest wins and old ones are never sent.
import { clock } from "../core/clock.js";

const PATIENCE = 2000; // milliseconds for an answer, before the next frame is sent all the same

/** A line: `ready()`, `send(blob)`, `choose(choices)`, `film(on)`, `close()`. `dreamt(bitmap)` and `seen(what)` for each answer, `filmed(told)` where a film begins, ends or fails, `lost(told)` when it breaks. */
export const line = (choices, { dreamt, seen, filmed, lost }) => {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/camera`);
  let sent = 0, told = {};
  const say = (what) => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what)); };
  socket.binaryType = "blob";
  socket.onopen = () => say({ choices });
  socket.onmessage = async ({ data }) => {
    if (typeof data === "string") {
      const read = JSON.parse(data);
      if (read.film) filmed(read.film);
      else if (read.seen?.fault || read.fault) { told = read.seen ?? read; sent = 0; lost(told); } else seen(read.seen ?? {});
      return;
    }
    sent = 0;
    try { dreamt(await createImageBitmap(data)); } catch { /* half a frame: the next one comes */ }
  };
  socket.onclose = ({ reason }) => lost({ fault: told.fault ?? reason });
  return {
    ready: () => socket.readyState === WebSocket.OPEN && (!sent || clock.now() - sent > PATIENCE),
    send: (blob) => { if (socket.readyState === WebSocket.OPEN) { sent = clock.now(); socket.send(blob); } },
    choose: (given) => { choices = given; say({ choices }); },
    film: (on) => say({ film: on }),
    close: () => { socket.onclose = socket.onmessage = null; socket.close(); },
  };
};
