/** Options of a test that takes minutes: `npm test` leaves it out, unless HOLDSTILL_LAB is 1. `npm run lab` runs it. */
export const thorough = {
  skip: process.env["HOLDSTILL_LAB_BRIEF"] === "yes" && "HOLDSTILL_LAB=1 and npm run lab run it",
};
