/**
 * A process of its own that takes what it is told to and keeps it until it is ended. Says on stdout what happens, a line each.
 * Arguments: `journal ROOT ID`, or `volumes ROOT TRANSACTION VOLUME…`.
 */
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { Journal } from "#core/store/journal.js";
import { lockVolumes } from "#core/store/volume-lock.js";

const [what, root = "", name = "", ...volumes] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const state = stateDir(root);
makeStateDir(state);

if (what === "journal") {
  const journal = Journal.open(state, name);
  say(journal === null ? "refused" : "mine");
} else {
  const queued = (volume: string, owner: { transaction: string; pid: number }): void =>
    say(`queued for ${volume} after ${owner.transaction} of ${owner.pid}`);
  await lockVolumes(state, volumes, name, 30_000, queued, new AbortController().signal);
  say("mine");
}
// Ends by itself if the test forgets it.
setTimeout(() => undefined, 60_000);
