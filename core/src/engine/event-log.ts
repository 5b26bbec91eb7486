import type { CoreLog, LogContext } from "../base/log/log.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import type { Event } from "../base/schema/types.js";

/** A listener that logs: each line names the transaction and the phase, and a plugin's line its instance and plugin. */
export function eventLog(log: CoreLog, plugins: readonly ResolvedPlugin[]): (event: Event) => void {
  const names = new Map(plugins.map(({ who }) => [who.instance, who.plugin]));
  let context: LogContext = {};
  const by = (actor: string): CoreLog => {
    const plugin = names.get(actor);
    return log.child({ ...context, instance: actor, ...(plugin === undefined ? {} : { plugin }) });
  };
  return (event) => {
    switch (event.type) {
      case "begun":
        context = { transaction: event.transaction };
        log.child(context).info("begun", { targets: event.targets, cut: event.cut });
        return;
      case "phase":
        context = { ...context, phase: event.phase };
        log.child(context).info(event.phase, { limitMs: event.limitMs });
        return;
      case "call":
        if (event.status === "begun") by(event.actor).debug(`${event.op} asked`, { limitMs: event.limitMs });
        else if (event.status === "ok") by(event.actor).info(`${event.op} ok`, { elapsedMs: event.elapsedMs });
        else by(event.actor).error(`${event.op} failed`, { elapsedMs: event.elapsedMs, error: event.error });
        return;
      case "log":
        by(event.actor)[event.level](event.message, event.fields);
        return;
      case "left-out":
        by(event.actor).warn("left out", { error: event.error });
        return;
      case "queued":
        log.child(context).info("queued", { volume: event.volume, owner: event.owner });
        return;
      case "warning":
        log.child(context).warn(event.message);
        return;
      case "ended":
        log.child(context).info(`ended: ${event.outcome}`, { exitCode: event.exitCode, error: event.error });
        return;
      case "progress":
        by(event.actor).debug(event.message, { done: event.done, total: event.total });
    }
  };
}
