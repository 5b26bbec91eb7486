import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Event } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";

/** Runs `holdstill create … --json=stream` and hands every event on as it comes. Answers the exit code. */
export function createStream(args: readonly string[], onEvent: (event: Event) => void): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, "create", ...args, "--json=stream"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => onEvent(JSON.parse(line) as Event));
    child.once("error", reject);
    child.once("close", resolve);
  });
}
