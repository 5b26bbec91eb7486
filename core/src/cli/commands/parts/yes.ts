/** Of commands that remove or overwrite data. */
export const yesOption = { type: "flag", short: "y", about: "do not ask for confirmation" } as const;
