/** holdstill/conformance: the suite that every plugin is checked with, `holdstill plugins check` as a function. */
export { checkPlugin, type CheckOptions } from "./suite.js";
export type { CheckResult, ConformanceReport, Fixture, Runtime } from "../base/schema/types.js";
