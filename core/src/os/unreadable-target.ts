import { HoldstillError } from "../base/errors/error.js";

const reasons: Record<string, string> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "its symbolic links form a loop",
};

/** Throws E_TARGET_UNREADABLE, with a system error's code in words. */
export function throwUnreadable(target: string, cause: unknown): never {
  if (typeof cause === "string") throw new HoldstillError("E_TARGET_UNREADABLE", { target, reason: cause });
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reason = reasons[code] ?? (cause instanceof Error ? cause.message : String(cause));
  throw new HoldstillError("E_TARGET_UNREADABLE", { target, reason }, { cause });
}
