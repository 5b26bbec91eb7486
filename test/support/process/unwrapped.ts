/** A text whose lines were broken to fit: what is indented goes on with the line before. */
export const unwrapped = (text: string): string => text.replaceAll(/\n +/g, " ");
