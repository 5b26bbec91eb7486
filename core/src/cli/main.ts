/** The command line. Loads no more than the version until it is known what is asked for. */
import { ownVersion } from "../installation.js";

// For whoever starts this file itself, on a Node that has not started the pool by now; see bin/holdstill.cjs.
process.env["UV_THREADPOOL_SIZE"] ??= "16";

const args = process.argv.slice(2);
if (args.length === 1 && args[0] === "--version") {
  process.stdout.write(`holdstill ${ownVersion()}\n`);
} else {
  const { runCommandLine: run } = await import("./dispatch.js");
  await run(args);
}
