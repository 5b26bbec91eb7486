import assert from "node:assert/strict";
import test from "node:test";
import { Emitter, roundMs, type Untimed } from "#core/base/events/emit.js";
import type { Event } from "#core/base/schema/types.js";

const phase = (name: string): Untimed => ({ type: "phase", phase: name }) as Untimed;
const phases = (events: readonly Event[]): unknown[] => events.map((event) => ("phase" in event ? event.phase : null));

const broken = (): never => {
  throw new Error("EPIPE");
};

test("an event gets the time of day and the time since the start", () => {
  const heard: Event[] = [];
  const emitter = new Emitter([(event) => heard.push(event)]);
  emitter.emit(phase("freezing"));
  emitter.emit(phase("holding"));
  const [first, second] = heard;
  assert.ok(first && second && first.ms >= 0 && second.ms >= first.ms);
  assert.ok(Math.abs(Date.parse(first.at) - Date.now()) < 60_000, first.at);
  assert.equal(roundMs(1.234_567), 1.235);
});

test("no listener hears anything while events are kept, and all hear them later, in order, as they were stamped", () => {
  const heard: Event[] = [];
  const emitter = new Emitter([(event) => heard.push(event)]);
  emitter.emit(phase("freezing"));
  emitter.suspend();
  emitter.emit(phase("holding"));
  emitter.suspend();
  emitter.emit(phase("releasing"));
  assert.deepEqual(phases(heard), ["freezing"]);
  const kept = performance.now();
  emitter.resume();
  emitter.emit(phase("thawing"));
  assert.deepEqual(phases(heard), ["freezing", "holding", "releasing", "thawing"]);
  assert.ok((heard[1]?.ms ?? Infinity) <= kept);
});

test("a listener that throws loses its event, and the others hear it", () => {
  const heard: Event[] = [];
  new Emitter([broken, (event) => heard.push(event)]).emit(phase("sealing"));
  assert.deepEqual(phases(heard), ["sealing"]);
});
