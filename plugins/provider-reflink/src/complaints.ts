/** What one line of cp's messages means for the copy. */
export type CpMessage =
  | { kind: "vanished" }
  | { kind: "replaced" | "unclonable"; source: string }
  /** An extended attribute that the copy does not have. cp 9.1 prints its name in the place of the file's as well. */
  | { kind: "attribute"; name: string; reason: string }
  /** `cp` without -r makes the parents of the directory and reports that it leaves out the directory, as intended. */
  | { kind: "omitted" }
  | { kind: "error"; message: string };

/** A name as GNU quotes it for a shell (quoteaf): 'a b', "it's", 'two'$'\n''lines'. */
const QUOTED = /(?:'[^']*'|"[^"]*"|\$'(?:[^'\\]|\\.)*'|\\')+/.source;

const replaced = new RegExp(`^cp: skipping file (${QUOTED}), as it was replaced while being copied$`);
const unclonable = new RegExp(`^cp: failed to clone ${QUOTED} from (${QUOTED}): .+$`);
const attribute = new RegExp(`^cp: setting attribute (${QUOTED}) for ${QUOTED}: (.+)$`);
const omitted = new RegExp(`^cp: -r not specified; omitting directory ${QUOTED}$`);
/** cp reports this in a dozen ways. Sources are relative, and the target is absolute: an ENOENT of the target is an error. */
const vanished = /^cp: [a-z ]*["'](?!\/).*["'](?: for reading)?: No such file or directory$/;

/** Reads what GNU cp wrote to stderr with LC_ALL=C (src/copy.c). A message that is not known is an error. */
export function readCpMessages(stderr: string): CpMessage[] {
  return stderr
    .split("\n")
    .filter((line) => line !== "")
    .map(readLine);
}

function readLine(line: string): CpMessage {
  const again = replaced.exec(line)?.[1];
  if (again !== undefined) return { kind: "replaced", source: unquote(again) };
  const whole = unclonable.exec(line)?.[1];
  if (whole !== undefined) return { kind: "unclonable", source: unquote(whole) };
  const [, name, reason] = attribute.exec(line) ?? [];
  if (name !== undefined && reason !== undefined) return { kind: "attribute", name: unquote(name), reason };
  if (vanished.test(line)) return { kind: "vanished" };
  return omitted.test(line) ? { kind: "omitted" } : { kind: "error", message: line.replace(/^cp: /, "") };
}

const escapes: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** The name behind a shell's quotes. Bytes beyond ASCII come as octal escapes in the C locale, and are put together again. */
export function unquote(quoted: string): string {
  const bytes = quoted.replace(
    /\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"([^"]*)"|\\'/g,
    (_, escaped?: string, single?: string, double?: string) =>
      escaped === undefined ? (single ?? double ?? "'") : unescape(escaped),
  );
  return Buffer.from(bytes, "latin1").toString();
}

function unescape(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
  );
}
