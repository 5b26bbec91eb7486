#!/usr/bin/env node
// Not built, because npm links only what is there when it installs. CommonJS, because the size is read when libuv's pool starts,
// and Node 20 starts it to load the first ES module. With the default of 4, four plugins that hang in file calls would stop
// everybody's.
process.env["UV_THREADPOOL_SIZE"] ??= "16";

const { existsSync, statSync } = require("node:fs");
const path = require("node:path");

const at = (file) => path.join(__dirname, "..", file);
const builtAt = (file) => statSync(at(file), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// The bundle loads faster. In a clone, what was compiled after the bundle was made is newer than it.
const folder = builtAt("bundle/cli/main.js") > builtAt("dist/.tsbuildinfo") ? "bundle" : "dist";
const main = at(`${folder}/cli/main.js`);
if (existsSync(main)) {
  import(`../${folder}/cli/main.js`).catch(({ message }) => {
    process.stderr.write(
      `holdstill: It could not be loaded: ${message}.\n→ Check \`ulimit -n\`, and the installation.\n`,
    );
    process.exitCode = 2;
  });
} else {
  process.stderr.write(`holdstill: It was not built: there is no ${main}.\n→ Run \`npm run build\` in the clone.\n`);
  process.exitCode = 2;
}
