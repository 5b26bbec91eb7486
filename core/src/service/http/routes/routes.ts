import type { Route } from "../route.js";
import { operationRoutes } from "./operations.js";
import { setRoutes } from "./sets.js";
import { stateRoutes } from "./state.js";

/** The whole API. */
export const routes: readonly Route[] = [...stateRoutes, ...operationRoutes, ...setRoutes];
