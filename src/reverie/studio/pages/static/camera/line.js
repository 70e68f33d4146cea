// The line to the network: frames out, dreamt frames back. One is on its way at a time, so the newest wins and old ones are never sent.

const PATIENCE = 2000; // milliseconds for an answer, before the next frame is sent all the same

/** A line: `ready()`, `send(blob)`, `choose(choices)`, `close()`. `dreamt(bitmap)` for each answer, `lost()` when it breaks. */
export const line = (choices, { dreamt, lost }) => {
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/camera`;
  let socket = null, open = false, sent = 0, over = false;
  const connect = () => {
    socket = new WebSocket(address);
    socket.binaryType = "blob";
    socket.onopen = () => { socket.send(JSON.stringify({ choices })); open = true; sent = 0; };
    socket.onmessage = async ({ data }) => {
      sent = 0;
      if (typeof data === "string") { const told = JSON.parse(data); if (told.fault) lost(told); return; }
      try { dreamt(await createImageBitmap(data)); } catch { /* half a frame: the next one comes */ }
    };
    socket.onclose = ({ reason }) => { open = false; if (!over) lost({ fault: reason }); };
  };
  connect();
  const shut = () => { over = true; socket.close(); };
  return {
    ready: () => open && performance.now() - sent > (sent ? PATIENCE : -1),
    send: (blob) => { if (open && socket.readyState === WebSocket.OPEN) { sent = performance.now(); socket.send(blob); } },
    choose: (given) => { choices = given; socket.onclose = null; socket.close(); open = false; connect(); },
    close: shut,
  };
};
