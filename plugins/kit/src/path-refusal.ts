import { codeOf, messageOf, PluginError } from "./plugin-error.js";

/** What was attempted, as the subject of a sentence. */
export type PathAction =
  | "Opening"
  | "Reading"
  | "Creating"
  | "Removing"
  | "Renaming"
  | "Changing"
  | "Flushing"
  | "Copying";

/** Codes of the errors of handles. A plugin that uses them has both in its README. */
export type PathErrorCode = "PATH_FAILED" | "PATH_UNSAFE";

/** A path by which another user could lead this process astray. @param owner Of what is at the path; null: unknown. */
export function pathUnsafe(
  path: string,
  owner: number | null,
  reason: string,
  hint: string,
): PluginError<PathErrorCode> {
  const details = { path, owner };
  return new PluginError("PATH_UNSAFE", `${path} is not used because ${reason}.`, `${hint}.`, { details });
}

/** A call of the kernel that failed, in its words. errno(3). */
export function pathFailed(action: PathAction, path: string, cause: unknown): PluginError<PathErrorCode> {
  const errno = codeOf(cause) ?? "EIO";
  const [, words = messageOf(cause)] = /^[A-Z0-9]+: ([^,]*)/.exec(messageOf(cause)) ?? [];
  return new PluginError(
    "PATH_FAILED",
    `${action} ${path} failed: ${words} (${errno}).`,
    `To see the cause, run: namei -l ${path}`,
    { cause, details: { path, errno } },
  );
}

/** Makes a call. @throws PluginError PATH_FAILED */
export function attempt<T>(action: PathAction, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof PluginError ? error : pathFailed(action, path, error);
  }
}

/** The errno of a failed call, as `ENOENT`; undefined: it is another error. */
export function errnoOf(error: unknown): string | undefined {
  const errno = error instanceof PluginError ? error.details?.["errno"] : codeOf(error);
  return typeof errno === "string" ? errno : undefined;
}

/** Whether a call failed because nothing is there. */
export const isAbsence = (error: unknown): boolean => errnoOf(error) === "ENOENT";
