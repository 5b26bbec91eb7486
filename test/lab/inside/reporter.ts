/** A reporter of node:test that writes LabEvents. */
import type { TestEvent as NodeEvent } from "node:test/reporters";
import { inspect } from "node:util";
import type { LabEvent } from "../events.js";

/** `--test-reporter` takes the default export. */
export default async function* report(source: AsyncIterable<NodeEvent>): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const event of source) {
    switch (event.type) {
      case "test:start":
        names.splice(event.data.nesting, Infinity, event.data.name);
        break;
      case "test:pass": {
        if (event.data.details.type === "suite") break;
        const { skip, details } = event.data;
        const detail = typeof skip === "string" ? skip : "";
        yield line({
          event: skip === undefined ? "passed" : "skipped",
          name: full(event.data),
          durationMs: details.duration_ms,
          detail,
        });
        break;
      }
      case "test:fail": {
        if (event.data.details.type === "suite") break;
        const { error, duration_ms: durationMs } = event.data.details;
        yield line({ event: "failed", name: full(event.data), durationMs, detail: inspect(error.cause ?? error) });
        break;
      }
      // What node itself tells at the end, of all tests, has no line; but what went wrong beside all tests has none either.
      case "test:diagnostic":
        if (event.data.line !== undefined || /^(Warning|Error):/.test(event.data.message))
          yield line({ event: "told", text: event.data.message });
        break;
      default:
    }
  }

  function full({ nesting, name }: { nesting: number; name: string }): string {
    return [...names.slice(0, nesting), name].join(" > ");
  }
}

function line(event: LabEvent): string {
  return `${JSON.stringify(event)}\n`;
}
