// Is this C code a network function on libVig? The extension is loaded when a C file is opened, and does nothing at all (no
// process, no status bar item) until this says yes for an open file or for a file beside it.

/** The entry point every NF defines, a call of libVig's containers, or an include of its headers. */
const NF_CODE =
  /\bnf_process\s*\(|^[ \t]*#[ \t]*include[ \t]*["<](?:[^">]*\/)?libvig\/|\b(?:map_(?:get|put|erase|allocate)|dchain_(?:allocate_new_index|rejuvenate_index|is_index_allocated)|vector_borrow|sketch_(?:fetch|touch_buckets))\s*\(/m;

/** Files that are read beside an opened one, at most: enough for any NF's folder, and soon done in the Linux kernel's. */
const MOST_FILES = 40;
const MOST_BYTES = 1 << 20;

export function isNfCode(text: string): boolean {
  return NF_CODE.test(text);
}

export interface Folder {
  /** Names of the files in a folder. */
  list(folder: string): Promise<string[]>;
  read(folder: string, name: string, mostBytes: number): Promise<string>;
}

/** Whether a folder holds an NF: a settings file of ours, or a C file that looks like one. */
export async function folderHoldsNf(folder: string, files: Folder): Promise<boolean> {
  const names = await files.list(folder);
  if (names.includes('maestro.toml')) return true;
  const sources = names.filter((name) => /\.[ch]$/.test(name)).slice(0, MOST_FILES);
  for (const name of sources) {
    if (isNfCode(await files.read(folder, name, MOST_BYTES))) return true;
  }
  return false;
}
