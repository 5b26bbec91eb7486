import { parseDuration } from "../../base/config/duration.js";
import { command, noOperands } from "../parse/command.js";
import { interruption } from "../live/interrupt.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument, printError } from "../terminal/output.js";
import { serviceUnits } from "../render/units-service.js";
import { ownProgram } from "../../installation.js";

export const serveCommand = command({
  about:
    "Serves HTTP and JSON on a Unix socket, by default /run/holdstill.sock. GET /v1/openapi.json describes each call. The config grants rights to users and groups in service.rights. At the start, it undoes what a service left that died. At SIGTERM, it undoes the operations that run, and exits.",
  operands: noOperands,
  options: {
    idle: { type: "text", value: "SPAN", about: "exit after this time without work: 10m" },
    page: {
      type: "flag",
      about: "also serve a page to watch, on a port of 127.0.0.1; prints its address, which works once, in one browser",
    },
    "print-unit": { type: "flag", about: "print units for systemd, which start the service on the first connection" },
  },
  examples: [
    { line: "holdstill serve", does: "runs until SIGTERM" },
    { line: "holdstill serve --page", does: "also a page with operations, sets, history, and writers" },
    { line: "holdstill serve --print-unit", does: "a socket and a service for /etc/systemd/system" },
    { line: "holdstill serve --idle 10m", does: "exits when it is idle, as under systemd" },
  ],
  async run(call) {
    const { idle, "print-unit": printUnit } = call.values;
    const idleMs = idle === undefined ? null : parseDuration(idle);
    if (idleMs === undefined)
      throw new UsageError(`--idle: \`${idle}\` is not a span of time.`, "Write --idle=10m, for example.");
    const engine = await call.open("workers", !printUnit);
    const { settings } = engine;
    if (printUnit) {
      const program = ownProgram();
      const files = serviceUnits({ program, config: settings.file, service: settings.service, env: process.env });
      if (call.form === "json") printDocument("serve", { files });
      else print(Object.entries(files).flatMap(([file, text]) => [`# ${file}`, ...text.trimEnd().split("\n"), ""]));
      return 0;
    }
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const onReady = (address: string, page: string | null): void => {
        if (page !== null) printError([`holdstill: the page is at ${page}`]);
        if (!call.quiet) printError([`holdstill: listening at ${address}, pid ${process.pid}`]);
      };
      const { startService } = await import("../../service/service.js");
      await startService(engine, { idleMs, page: call.values.page ? "once" : "none", signal, onReady });
      return 0;
    } finally {
      end();
    }
  },
});
