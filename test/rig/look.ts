import type { Look } from "#core/cli/terminal/style.js";

/** A terminal of 80 columns, without colour. */
export const plainLook: Look = { columns: 80, paint: (_, text) => text };
