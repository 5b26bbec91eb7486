import { openSync } from "node:fs";
import { type Logger, pino } from "pino";
import { HoldstillError } from "../errors/error.js";
import { KEPT, Sink } from "./sink.js";

export interface LogOptions {
  level: "debug" | "info" | "warn" | "error" | "silent";
  /** JSON lines are appended. It must not be on a volume that is captured. Without a file and without stderr, nothing is logged. */
  file?: string;
  /** Beside the file. */
  stderr?: boolean;
}

/** The fields of every line of a child. */
export interface LogContext {
  plugin?: string;
  instance?: string;
  phase?: string;
  transaction?: string;
}

export interface CoreLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  child(context: LogContext): CoreLog;
}

/** The log of this process. Writing never blocks: what the disk does not accept in time is dropped and counted. */
export interface RootLog extends CoreLog {
  /** Lines are kept in memory from now on. Resolves when all earlier lines are written, or after 1 s. */
  pause(): Promise<void>;
  /** Writes what was kept. */
  resume(): void;
  /** Lines that were lost. */
  dropped(): number;
  /** Writes what is left, for at most 1 s. */
  close(): Promise<void>;
}

/** @throws HoldstillError E_USAGE if the file cannot be opened. */
export function createLog({ level, file, stderr = false }: LogOptions): RootLog {
  const sinks: Sink[] = [];
  if (level !== "silent") {
    if (file !== undefined) sinks.push(sinkTo(open(file)));
    if (stderr) sinks.push(sinkTo(2));
  }
  const root = pino(
    {
      level: sinks.length === 0 ? "silent" : level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => sinks.forEach((sink) => sink.write(line)) },
  );
  return {
    ...logOf(root),
    async pause() {
      await Promise.all(sinks.map((sink) => sink.pause()));
    },
    resume: () => sinks.forEach((sink) => sink.resume()),
    dropped: () => sinks.reduce((sum, sink) => sum + sink.dropped, 0),
    async close() {
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}

/** Asynchronous: a write to a frozen file system would stop the whole process. From one byte on, so that flush() waits. */
function sinkTo(fd: number): Sink {
  return new Sink(pino.destination({ fd, sync: false, minLength: 1, maxLength: KEPT.bytes }));
}

function logOf(logger: Logger): CoreLog {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (context) => logOf(logger.child(context)),
  };
}

/** Opened here and not by pino, so that a wrong path is an error now and not an event later. */
function open(file: string): number {
  try {
    return openSync(file, "a", 0o640);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HoldstillError("E_USAGE", {
      problem: `The log file ${file} cannot be opened: ${reason}.`,
      hint: "Name a file in a folder that exists and that you may write to: log.file in the config.",
    });
  }
}
