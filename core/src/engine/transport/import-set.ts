import type { Readable } from "node:stream";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { ExportHeader, JournalEntry, RecordedSnapshot, Residue, SnapshotSet } from "../../base/schema/types.js";
import type { Transaction } from "../../host/contract/context.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import { captures } from "../../plan/match.js";
import { checkReceiveAnswer } from "../../transaction/check-receive-answer.js";
import { checkSealAnswer } from "../../transaction/check-seal-answer.js";
import type { Operation } from "../operation.js";
import { recoverAll } from "../recover/recover.js";
import type { EngineContext } from "../types.js";
import { ArchiveReader } from "./archive.js";
import { recordOfImport } from "./imported-record.js";
import { readHeader, unpackExport } from "./read-export.js";
import { repairImported } from "./repair-imported.js";
import { keepSidecars } from "./received-sidecars.js";

/** An export, and what is to be done with it. */
export interface ImportSource {
  /** For messages. */
  readonly file: string;
  readonly stream: Readable;
  /** repaired: the writers of this host repair it, each in a fork. as-cut: none does. */
  readonly contents: "repaired" | "as-cut";
}

/**
 * Makes a set of another host one of this host. It is a transaction with one provider, which holds the contents: whatever becomes of it, the set
 * is there as a whole, or `recover` and the next import undo it.
 *
 * @throws HoldstillError E_EXPORT_DAMAGED, E_TOO_NEW, E_SET_EXISTS, E_NO_RECEIVER, E_SET_BUSY, E_RESIDUE; what the provider reports
 */
export async function importSet(
  context: EngineContext,
  operation: Operation,
  source: ImportSource,
): Promise<SnapshotSet> {
  const { file, stream } = source;
  const archive = new ArchiveReader(stream);
  const { signal } = operation;
  const stop = (): void => void archive.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const header = await readHeader(archive, file);
    const { id } = header.set;
    const { catalog, journals, audit } = context.store;
    if (catalog.has(id)) throw new HoldstillError("E_SET_EXISTS", { set: id });
    const receiver = await receiverOf(operation, header.set);
    await clearEarlier(context, operation, id);
    const journal = await journals.open(id);
    try {
      if (catalog.has(id)) throw new HoldstillError("E_SET_EXISTS", { set: id });
      await audit.note(context.requester, "import", header.set, `of host ${header.set.host}`);
      const write = (entry: JournalEntry): Promise<void> => journal.write(entry);
      await write(begunBy(receiver, header.set));
      const importing = new Import(context, operation, receiver, write, header);
      return await importing.run(archive, source);
    } finally {
      journal.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    await archive.stop();
  }
}

class Import {
  readonly #context: EngineContext;
  readonly #operation: Operation;
  readonly #receiver: Session<"provider">;
  readonly #write: (entry: JournalEntry) => Promise<void>;
  readonly #header: ExportHeader;
  readonly #tx: Transaction;

  constructor(
    context: EngineContext,
    operation: Operation,
    receiver: Session<"provider">,
    write: (entry: JournalEntry) => Promise<void>,
    header: ExportHeader,
  ) {
    const { set } = header;
    this.#context = context;
    this.#operation = operation;
    this.#receiver = receiver;
    this.#write = write;
    this.#header = header;
    this.#tx = {
      id: set.id,
      cut: set.cut,
      label: { hostname: set.host, ...(set.name === undefined ? {} : { name: set.name }), tags: set.tags },
    };
  }

  async run(archive: ArchiveReader, source: ImportSource): Promise<SnapshotSet> {
    const { catalog } = this.#context.store;
    try {
      const set = await catalog.add(await this.#make(archive, source));
      await this.#write({ entry: "ended", outcome: "created", residue: [] });
      return set;
    } catch (error) {
      if (catalog.has(this.#tx.id)) throw error;
      const residue = await this.#undo();
      await this.#write({
        entry: "ended",
        outcome: "aborted",
        residue: residue.map((left) => ({ actor: left.actor, fault: left.error })),
      }).catch(() => undefined);
      throw error;
    }
  }

  async #make(archive: ArchiveReader, { file, contents }: ImportSource): Promise<SnapshotSet> {
    const { store, settings } = this.#context;
    const { set } = this.#header;
    const { signal, workers } = this.#operation;
    const { who } = this.#receiver;
    const places = await this.#called("prepare", () =>
      this.#receiver.call("receive", [this.#tx, set.volumes], settings.limits.prepare),
    );
    checkReceiveAnswer(who, places, set.volumes);
    await store.catalog.makeSidecarDirs(
      set.id,
      set.writers.map(({ by }) => by.instance),
    );
    const folders = new Map(places.map(({ volumeId, folder }) => [volumeId, folder]));
    const sha256 = await unpackExport(archive, file, this.#header, {
      places: folders,
      sidecars: store.sidecars,
      signal,
    });
    const writers = await keepSidecars(store.sidecars, set, file, signal);
    const snapshots = await this.#called("seal", () => this.#receiver.call("seal", [this.#tx], settings.limits.seal));
    checkSealAnswer(who, snapshots, set.id, set.volumes);
    const { instance, plugin, version } = who;
    const cuts = snapshots.map((snapshot): RecordedSnapshot => ({ by: { instance, plugin, version }, snapshot }));
    const draft = recordOfImport({ ...set, writers }, cuts, sha256);
    if (contents === "as-cut") return draft;
    await this.#write({ entry: "asked", actor: instance, op: "repair" });
    return repairImported(this.#context, workers, who, draft);
  }

  async #called<T>(op: "prepare" | "seal", call: () => Promise<T>): Promise<T> {
    const actor = this.#receiver.who.instance;
    await this.#write({ entry: "asked", actor, op });
    const result = await call();
    await this.#write({ entry: "answered", actor, op });
    return result;
  }

  /** In a new worker: the old one may be in any state. */
  async #undo(): Promise<Residue[]> {
    const { store, settings } = this.#context;
    const actor = this.#receiver.who.instance;
    const residue: Residue[] = [];
    try {
      const session = await this.#operation.workers.replace(actor);
      if (isProvider(session)) await session.call("abort", [this.#tx], settings.limits.abort);
    } catch (error) {
      residue.push({ actor, op: "abort", error: toFault(error) });
    }
    if (residue.length === 0) {
      await store.exposures.removeAllOf(this.#tx.id);
      await store.catalog.remove(this.#tx.id);
    }
    return residue;
  }
}

function begunBy({ who }: Session<"provider">, { id, cut, targets }: SnapshotSet): JournalEntry {
  const at = new Date().toISOString();
  return { entry: "begun", version: 1, id, pid: process.pid, at, cut, targets, enlisted: [{ who }] };
}

/** The first provider of the config that can take the contents of every volume. */
async function receiverOf({ workers }: Operation, { id, volumes }: SnapshotSet): Promise<Session<"provider">> {
  const asked: string[] = [];
  for (const { who, manifest } of workers.plugins.values()) {
    if (who.role !== "provider") continue;
    asked.push(who.instance);
    if (!volumes.every((volume) => captures(manifest, volume))) continue;
    const session = await workers.session(who.instance);
    if (isProvider(session) && session.offers("receive")) return session;
  }
  throw new HoldstillError("E_NO_RECEIVER", { set: id, asked });
}

/** What an import of the same set has left whose process died. */
async function clearEarlier(context: EngineContext, { workers }: Operation, id: string): Promise<void> {
  const { journals } = context.store;
  const left = journals.read(id);
  if (left === null || "findings" in left) return;
  if (journals.isHeld(id)) throw new HoldstillError("E_SET_BUSY", { set: id });
  const { begun, owed } = left;
  const about = { owed: owed.map(({ enlisted }) => ({ who: enlisted.who })), held: [] };
  const { residue } = await recoverAll(context, workers, [{ type: "transaction", id, begunAt: begun.at, ...about }]);
  if (residue.length > 0) throw new HoldstillError("E_RESIDUE", { transaction: id, residue });
  await journals.forget(id);
}
