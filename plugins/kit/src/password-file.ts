import { readFile, stat } from "node:fs/promises";
import { PluginError } from "./plugin-error.js";

/**
 * The first line of a file that only its owner may read, as libpq requires of its password file (manual, "The Password File").
 *
 * @throws PluginError with the given code.
 */
export async function readPassword(file: string, code: string): Promise<string> {
  const hint = `Make it a file of one line: install -m 600 /dev/null ${file}, then write the password into it.`;
  let password: string | undefined;
  let mode: number;
  try {
    ({ mode } = await stat(file));
    [password] = (await readFile(file, "utf8")).split("\n");
  } catch (error) {
    throw new PluginError(code, `${file} cannot be read`, hint, { cause: error });
  }
  if ((mode & 0o077) !== 0) throw new PluginError(code, `other users may read ${file}`, `chmod 600 ${file}`);
  return password ?? "";
}
