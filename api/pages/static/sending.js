// Sending a Blob to the yard in parts; a part that got lost is sent again from where the yard stands.

import { get, Refused, send } from "./yard.js";

const PART = 4 << 20;
const TRIES = 8;
const PASSING = new Set([0, 409, 429, 500, 502, 503, 504]); // 0: not reached

/** Send all of it; returns the id of the upload. `tell(done, of)` hears how far it is, `signal` stops it. */
export async function sendBlob(blob, name, { tell, signal }) {
  const body = JSON.stringify({ name, size_bytes: blob.size });
  const reply = await send("/api/v1/uploads", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal });
  const { id, address } = await reply.json();
  try {
    await sendParts(blob, address, { tell, signal });
  } catch (error) {
    if (signal.aborted) send(address, { method: "DELETE" }).catch(() => {});
    throw error;
  }
  return id;
}

async function sendParts(blob, address, { tell, signal }) {
  let offset = 0;
  for (let failures = 0; offset < blob.size; ) {
    tell(offset, blob.size);
    try {
      if (failures) offset = (await get(address)).offset;
      if (offset < blob.size) offset = await sendPart(blob, address, offset, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted || !(error instanceof Refused) || !PASSING.has(error.status) || ++failures >= TRIES) throw error;
      await new Promise((done) => setTimeout(done, Math.max(error.retryAfter * 1000, 200 * 2 ** failures)));
    }
  }
  tell(offset, blob.size);
}

async function sendPart(blob, address, offset, signal) {
  const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
  const reply = await send(address, { method: "PATCH", body: blob.slice(offset, offset + PART), headers, signal });
  return Number(reply.headers.get("Upload-Offset"));
}
