/** A process that uses a keeper and is there to be killed. Arguments: mounts and device-mapper devices. Says where it is, and goes on when told to. */
import { createInterface } from "node:readline/promises";
import { Keeper } from "#core/keeper/client/client.js";
import { sectionOf } from "../storage/freezable.js";

const keeper = await Keeper.arm(sectionOf(process.argv.slice(2), 8000));
console.log(`armed ${keeper.pid}`);
for await (const word of createInterface({ input: process.stdin })) {
  if (word === "hold") {
    const held = keeper.hold();
    console.log("holding");
    await held;
    console.log("held");
  }
  if (word === "release") {
    void keeper.release();
    console.log("releasing");
  }
}
