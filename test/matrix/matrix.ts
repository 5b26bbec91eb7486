/** Every application on every storage, each with an order of commands: whole, or in a form that fits the time of a test run. */
import test from "node:test";
import { applications } from "./applications.js";
import { Journey } from "./journey.js";
import { orderNames, orders } from "./orders.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import type { Storage } from "./storage.js";

/** `npm run matrix` goes every way; otherwise every other pair of storage and application goes one, and all orders have their turn. */

/** `turn`: of the first storage; the next ones follow. */
export function matrix(storages: readonly Storage[], turn = 0): void {
  const root = process.getuid?.() === 0;
  for (const [row, storage] of storages.entries()) {
    for (const [column, application] of applications.entries()) {
      if (!wholeMatrix && (row + column) % 2 === 1) continue;
      const skip = root ? application.missing() : "mounting needs root";
      if (storage.cut === "fuzzy" && application.tolerates === "atomic") {
        test(`${application.name} on ${storage.name} is refused, and nothing is left`, { skip }, async (t) => {
          await (await Journey.begin(t, storage, application))?.isRefused();
        });
        continue;
      }
      const one = (turn + row + column) % orderNames.length;
      for (const order of orderNames.filter((_, index) => wholeMatrix || index === one)) {
        test(`${application.name} on ${storage.name}, ${order}`, { skip }, async (t) => {
          const journey = await Journey.begin(t, storage, application);
          for (const step of journey === undefined ? [] : orders[order]) {
            t.diagnostic(step);
            await journey?.take(step);
          }
        });
      }
    }
  }
}
