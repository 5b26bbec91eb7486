import type { ProtectedPath } from "../keeper/policy/system-tables.js";
import type { EngineContext } from "./types.js";

/** What the host writes to on its way, and may not be made to wait for. The log is not among it: it is kept back while volumes are held. */
export const protectedPaths = ({ state }: Pick<EngineContext, "state">): ProtectedPath[] => [
  { what: "holdstill's state directory", path: state.root },
];
