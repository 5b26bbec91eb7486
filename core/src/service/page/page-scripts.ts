/** The modules of the page: its own, and those that it shares with the command line. By their paths below the modules of the core. */
export const pageScripts: readonly string[] = [
  ...["main", "element", "live", "bars", "sets", "history", "writers"].map((name) => `service/page/browser/${name}.js`),
  ...["freeze-method", "spans", "units", "verdict", "visible"].map((name) => `base/display/${name}.js`),
  "transaction/phases.js",
];
