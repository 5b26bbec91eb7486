/** The command line. For --version, it loads nothing else. */
import { ownVersion } from "../installation.js";

// For those that start this file itself, with a Node.js whose thread pool has not started yet; see bin/holdstill.cjs.
process.env["UV_THREADPOOL_SIZE"] ??= "16";

const args = process.argv.slice(2);
if (args[0] === "--version") {
  process.stdout.write(`holdstill ${ownVersion()}\n`);
} else {
  const { runCommandLine } = await import("./dispatch.js");
  await runCommandLine(args);
}
