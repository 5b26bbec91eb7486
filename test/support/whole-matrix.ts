/** Whether all combinations are to be tried: `npm run matrix`. Otherwise those that fit into the time of a test run, always the same. */
export const wholeMatrix = process.env["HOLDSTILL_MATRIX"] === "whole";
