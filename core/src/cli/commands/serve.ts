import path from "node:path";
import { parseDuration } from "../../base/config/duration.js";
import { command, noOperands } from "../parse/command.js";
import { interruption } from "../live/interrupt.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument, printError } from "../terminal/output.js";
import { serviceUnits } from "../render/units-service.js";

export const serveCommand = command({
  usage: "[--idle SPAN] [--page]",
  about:
    "HTTP and JSON on a Unix socket, /run/holdstill.sock if the config does not name another; GET /v1/openapi.json describes it. Who may do what is in the config: service.rights. First undoes what a service that died has left. Ends in order at SIGTERM: what is under way is undone.",
  operands: noOperands,
  options: {
    idle: { type: "text", value: "SPAN", about: "end when there was nothing to do for so long: 10m" },
    page: {
      type: "flag",
      about: "also a page to watch, on a port of 127.0.0.1; it says the address, which works once, in one browser",
    },
    "print-unit": { type: "flag", about: "only print the units for systemd, which start it when it is needed" },
  },
  examples: [
    { line: "holdstill serve", does: "until it is told to end" },
    { line: "holdstill serve --page", does: "and says where the page is: what runs, sets, history, writers" },
    { line: "holdstill serve --print-unit", does: "a socket and a service for /etc/systemd/system" },
    { line: "holdstill serve --idle 10m", does: "as systemd starts it" },
  ],
  async run(call) {
    const { idle, "print-unit": printUnit } = call.values;
    const idleMs = idle === undefined ? null : parseDuration(idle);
    if (idleMs === undefined) throw new UsageError(`\`${idle}\` is no span.`, "Write --idle=10m, for example.");
    const requester = await call.open("workers", !printUnit);
    const { settings } = requester;
    if (printUnit) {
      const program = [process.execPath, path.resolve(process.argv[1] ?? "holdstill")];
      const files = serviceUnits({ program, config: settings.file, service: settings.service });
      if (call.form === "json") printDocument("serve", { files });
      else print(Object.entries(files).flatMap(([file, text]) => [`# ${file}`, ...text.trimEnd().split("\n"), ""]));
      return 0;
    }
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const onReady = (where: string, page: string | null): void => {
        if (page !== null) printError([`holdstill: the page is at ${page}`]);
        if (!call.quiet) printError([`holdstill: listening at ${where}, pid ${process.pid}`]);
      };
      const { startService: run } = await import("../../service/service.js");
      await run(requester, { idleMs, page: call.values.page ? "once" : "none", signal, onReady });
      return 0;
    } finally {
      end();
    }
  },
});
