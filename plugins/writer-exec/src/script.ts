import { existsSync } from "node:fs";
import { open } from "node:fs/promises";

/** Why a script cannot be run although it is there, and what to do. */
export interface ScriptProblem {
  readonly message: string;
  readonly hint: string;
}

/** The kernel reads as much for the line that names the interpreter, bytes (execve(2)). */
const read = 256;

/** A shell reports each of these by exit code 127 alone, or by a name that does not show what is wrong. undefined: neither. */
export async function scriptProblem(program: string): Promise<ScriptProblem | undefined> {
  const text = await beginningOf(program);
  if (!text.startsWith("#!")) return undefined;
  const [line = ""] = text.split("\n");
  if (line.endsWith("\r")) {
    const hint = `Remove the CR: sed -i 's/\\r$//' ${program}`;
    return { message: "its first line ends with CR LF, as those of Windows do", hint };
  }
  const [, interpreter] = /^#!\s*(\/\S+)/.exec(line) ?? [];
  if (interpreter === undefined || existsSync(interpreter)) return undefined;
  return { message: `its interpreter ${interpreter} does not exist`, hint: "Install it, or correct the first line." };
}

async function beginningOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(read), 0, read, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
