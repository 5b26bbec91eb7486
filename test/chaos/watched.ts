import assert from "node:assert/strict";
import type { EndedEvent, OperationDocument } from "#core/base/schema/types.js";
import type { Service } from "../support/process/service.js";

/** A set that is being taken by way of the service, and what its requester hears of it. */
export class Watched {
  readonly id: string;
  readonly phases = new Set<string>();
  /** Settles when the events have ended: as they should, or because the service is gone. */
  readonly over: Promise<"told" | "cut off">;
  ended: EndedEvent | null = null;

  private constructor(service: Service, id: string) {
    this.id = id;
    this.over = this.#listen(service).then(
      () => (this.ended === null ? "cut off" : "told"),
      () => "cut off",
    );
  }

  static async create(service: Service, body: object): Promise<Watched> {
    return new Watched(service, (await service.create(body)).id);
  }

  /** What another service says of it is what was told before, if anything was; and the set is there, or not. */
  async judge(next: Service): Promise<void> {
    const { state } = (await next.ask("GET", `/v1/operations/${this.id}`)).json<OperationDocument>();
    assert.ok(state.type === "ended", `operation ${this.id} is ${state.type}`);
    const { outcome, error, set } = state.result;
    if (this.ended !== null) assert.equal(outcome, this.ended.outcome, "nobody is told two things");
    const record = (await next.ask("GET", `/v1/sets/${this.id}`)).status;
    if (outcome === "created") assert.deepEqual([set, record], [this.id, 200]);
    else {
      assert.equal(record, 404);
      if (this.ended === null) assert.equal(error?.code, "E_SERVICE_DIED");
    }
    const told = (await next.allEvents(this.id)).at(-1)?.event;
    assert.ok(told?.type === "ended" && told.outcome === outcome, "its events end as it did");
  }

  async outcomeAt(next: Service): Promise<string> {
    const { state } = (await next.ask("GET", `/v1/operations/${this.id}`)).json<OperationDocument>();
    return state.type === "ended" ? state.result.outcome : state.type;
  }

  async #listen(service: Service): Promise<void> {
    for await (const { event } of service.events(this.id)) {
      if (event.type === "phase") this.phases.add(event.phase);
      if (event.type === "ended") this.ended = event;
    }
  }
}
