/** A text whose lines were broken to fit: what is indented goes on with the line before. */
export const unbroken = (text: string): string => text.replaceAll(/\n +/g, " ");
