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
    const status = await stat(file);
    ({ mode } = status);
    // Reading a pipe would wait for a writer.
    if (!status.isFile()) throw new Error("it is not a regular file");
    [password] = (await readFile(file, "utf8")).split("\n");
  } catch (error) {
    throw new PluginError(code, `${file} cannot be read`, hint, { cause: error });
  }
  if ((mode & 0o077) !== 0) throw new PluginError(code, `other users may read ${file}`, `chmod 600 ${file}`);
  if (password?.endsWith("\r") === true) {
    const remove = `Remove the CR: sed -i 's/\\r$//' ${file}`;
    throw new PluginError(code, `the first line of ${file} ends with CR LF, as those of Windows do`, remove);
  }
  return password ?? "";
}
