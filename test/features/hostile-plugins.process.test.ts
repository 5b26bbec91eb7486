import { hostilePlugins } from "./hostile-plugins.js";

const died = /^E_PLUGIN_DIED$/;
const late = /^E_DEADLINE$/;
const invalid = /^E_ANSWER_INVALID$/;

hostilePlugins("writer", "process", {
  "answers-undefined-raw": invalid,
  "answers-null-raw": invalid,
  "answers-deep-raw": died,
  "answers-deeper-raw": died,
  "fails-with-null-raw": died,
  "fails-with-deep-cause-raw": died,
  "logs-nonsense-raw": died,
  "runs-nonsense-raw": died,
  "writes-bytes-raw": died,
  "writes-without-end-raw": died,
  "floods-raw": died,
  "floods-with-commands-raw": died,
  "closes-descriptors": died,
  "fills-memory": /^E_(?:PLUGIN_FAILED|PLUGIN_DIED|DEADLINE)$/,
  "patches-everything": late,
  "returns-gaps": invalid,
  "returns-gaps-in-facts": invalid,
  "returns-deep": invalid,
  "returns-circle": invalid,
  "returns-endless": invalid,
  "returns-escapes": invalid,
  "returns-thrower": /^E_PLUGIN_FAILED$/,
  // These are contained only by a pid namespace, which root can make.
  ...(process.getuid?.() === 0 && {
    "stops-parent": late,
    "kills-parent": late,
    "kills-group": died,
    "kills-everything": late,
    "limits-parent": late,
  }),
});
