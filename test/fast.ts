/** What `npm run test:fast` runs: tests that need no server, no right of root and no kernel, and are done in a minute together. */

const rooms = ["test/core/", "test/plugins/", "test/docs/"];

/** Of other rooms. Each takes a few seconds. */
export const fastFiles: readonly string[] = [
  "test/selection.test.ts",
  "test/features/bad-input.test.ts",
  "test/features/command-line.test.ts",
  "test/features/log.test.ts",
  "test/features/looking.test.ts",
  "test/features/plugins-lock.test.ts",
];

const needsRoot = (file: string): boolean => file.endsWith(".root.test.ts");

export const isFast = (file: string): boolean =>
  fastFiles.includes(file) || (!needsRoot(file) && rooms.some((room) => file.startsWith(room)));
