// Files as a tar that lies nowhere: a Blob of headers and of the files themselves, which the browser reads when it sends.

const BLOCK = 512;
const encoder = new TextEncoder();

/** A tar of entries `{ path, file }`, in the order of their paths. */
export function makeTar(entries) {
  const parts = [];
  for (const { path, file } of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    parts.push(...heads(path, file.size), file, filler(file.size));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** The header of one file; before it, where the path does not fit, one that holds the path alone (POSIX pax). */
function heads(path, size) {
  const bytes = encoder.encode(path);
  if (bytes.length <= 100 && bytes.length === path.length) return [head(bytes, size, "0")];
  const record = paxRecord("path", path);
  return [head(encoder.encode("pax"), record.length, "x"), record, filler(record.length), head(bytes.slice(0, 100), size, "0")];
}

/** `LENGTH path=VALUE\n`, where the length counts itself. */
function paxRecord(key, value) {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (String(length).length + rest !== length) length = rest + String(length).length;
  return encoder.encode(`${length} ${key}=${value}\n`);
}

function head(name, size, type) {
  const block = new Uint8Array(BLOCK);
  const put = (text, at) => block.set(encoder.encode(text), at);
  block.set(name, 0);
  put("0000644\0" + "0000000\0" + "0000000\0", 100); // mode, and nobody's
  put(`${size.toString(8).padStart(11, "0")}\0` + "00000000000\0" + "        " + type, 124); // size, time, room for the sum
  put("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function filler(size) {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
