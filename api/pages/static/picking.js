// What people drop or choose: folders are walked, and every file gets its path within what was chosen.

const ARCHIVE = /\.(zip|tar|tgz|tar\.(gz|bz2|xz))$/i;
const JUNK = /(^|\/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini)(\/|$)/i;

/** The files of a drop, folders walked: `[{ path, file }]`. Call it at once: a drop's items vanish with its event. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return tidy([...transfer.files].map((file) => ({ path: file.name, file }))); // files that lie on no disk
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return tidy(found);
}

/** The files of an input. */
export function chosen(input) {
  return tidy([...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** The one archive, if that is all there is. */
export function archiveOf(files) {
  return files.length === 1 && ARCHIVE.test(files[0].path) ? files[0].file : null;
}

/** A dataset's name made of a folder's or an archive's. */
export function nameOf(root) {
  return root.replace(ARCHIVE, "").toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+|[-_]+$/g, "").slice(0, 63);
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives a hundred entries at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const inner of some) await walk(inner, found);
  }
}

/** Without hidden files, and without the one folder that all lie in; `root` is its name. */
function tidy(found) {
  const files = found.filter(({ path }) => !JUNK.test(path));
  const root = files.length ? files[0].path.split("/")[0] : "";
  const inOne = files.length && files.every(({ path }) => path.startsWith(`${root}/`));
  return { root, files: inOne ? files.map(({ path, file }) => ({ path: path.slice(root.length + 1), file })) : files };
}
