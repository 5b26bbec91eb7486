import { hostilePlugins } from "./hostile-plugins.js";

const invalid = /^E_ANSWER_INVALID$/;

/** What the rest does to the host of a thread is not contained: docs/security.md has the list. */
hostilePlugins("writer", "thread", {
  "patches-everything": /^E_DEADLINE$/,
  "returns-gaps": invalid,
  "returns-gaps-in-facts": invalid,
  "returns-deep": invalid,
  "returns-circle": invalid,
  "returns-endless": invalid,
  "returns-escapes": invalid,
  "returns-thrower": /^E_PLUGIN_FAILED$/,
  "floods-parent-port": /^E_DEADLINE$/,
});
