import type { Rows } from "./hostile-plugins.js";

const died = /^E_PLUGIN_DIED$/;
const late = /^E_DEADLINE$/;
const invalid = /^E_ANSWER_INVALID$/;

/** What a program does to its host. The bytes that it writes past its protocol are rows of the failure matrix. */
export const ofPrograms: Rows = {
  "answers-null-raw": invalid,
  "answers-deep-raw": died,
  "fails-with-null-raw": died,
  "logs-nonsense-raw": late,
  "runs-nonsense-raw": late,
  "writes-bytes-raw": died,
  "floods-with-commands-raw": died,
  "fills-memory": /^E_(?:PLUGIN_FAILED|PLUGIN_DIED|DEADLINE)$/,
  "returns-deep": invalid,
  "returns-escapes": died,
  "returns-no-number": died,
  // These are contained only by a pid namespace, which root can make.
  ...(process.getuid?.() === 0 && {
    "stops-parent": late,
    "kills-parent": late,
    "kills-group": died,
    "kills-everything": late,
    "limits-parent": late,
  }),
};
