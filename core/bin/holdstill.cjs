#!/usr/bin/env node
// Not built, because npm links only what is there when it installs. CommonJS, because the size is read when libuv's pool starts,
// and Node 20 starts it to load the first ES module. With the default of 4, four plugins that hang in file calls would stop
// everybody's.
process.env["UV_THREADPOOL_SIZE"] ??= "16";

const main = require("node:path").join(__dirname, "../dist/cli/main.js");
if (require("node:fs").existsSync(main)) {
  void import("../dist/cli/main.js");
} else {
  process.stderr.write(`holdstill: It was not built: there is no ${main}.\n→ Run \`npm run build\` in the clone.\n`);
  process.exitCode = 2;
}
