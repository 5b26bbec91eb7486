/** What is done to a set, in the order of a careful person and in two others. */
export const orders = {
  "as a person does it": [
    "create",
    "expose",
    "unexpose",
    "run",
    "verify",
    "restore in place",
    "restore elsewhere",
    "revert",
    "delete",
  ],
  "with the set exposed twice and all along": [
    "create",
    "expose",
    "expose",
    "restore elsewhere",
    "run",
    "restore in place",
    "expose",
    "unexpose",
    "verify",
    "delete",
  ],
  "the last things first": [
    "create",
    "verify",
    "restore in place",
    "run as cut",
    "restore elsewhere",
    "expose",
    "delete",
    "create",
    "revert",
    "delete",
  ],
} as const satisfies Record<string, readonly Step[]>;

export type Step =
  | "create"
  | "expose"
  | "unexpose"
  | "run"
  | "run as cut"
  | "verify"
  | "restore in place"
  | "restore elsewhere"
  | "revert"
  | "delete";

export type Order = keyof typeof orders;
export const orderNames = Object.keys(orders) as readonly Order[];
