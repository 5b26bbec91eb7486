/** The names of the files in an export. */
export const headerFile = "holdstill.json";

export const sidecarName = (writer: string, file: string): string => `sidecar/${writer}/${file}`;

/** Of the parts of one captured path. */
export const contentsFolder = (number: number): string => `contents/${number}`;

/** The number of the captured path and that of the part; null: it is another file. */
export function partOf(name: string): { readonly contents: number; readonly part: number } | null {
  const [, contents, part] = /^contents\/(\d+)\/(\d{8,})$/.exec(name) ?? [];
  return contents === undefined || part === undefined ? null : { contents: Number(contents), part: Number(part) };
}
