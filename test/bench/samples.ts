import path from "node:path";

/** Where the scripts lie that we are compared with. */
export const scripts = path.resolve(import.meta.dirname, "../../bench");

/** What was measured of one way of doing one case; ms unless the unit says otherwise. */
export interface Row {
  /** What is compared within: `4 file systems`. */
  case: string;
  way: string;
  unit: string;
  samples: number[];
}

export interface Result {
  bench: string;
  about: string;
  /** The way that is ours: ratios are the others' medians ÷ its median. */
  ours: string;
  rows: Row[];
}

/** The file with its plot. */
export const plotOf = ({ bench }: Result): string => `${bench.replaceAll(" ", "-")}.svg`;

export interface Options {
  /** Fewer rounds and smaller cases: to see that everything works. */
  quick: boolean;
  readonly say: (text: string) => void;
}

/** One comparison. Everything in it is measured in one run, in turn, so that the machine's load strikes all alike. */
export interface Bench {
  name: string;
  run(options: Options): Promise<Result[]>;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** The nearest rank: of few samples p99 is the largest. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Three digits are as many as the noise leaves. */
export const short = (figure: number): string => (Math.abs(figure) >= 100 ? figure.toFixed(0) : figure.toPrecision(3));

/** Collects samples by case and way. */
export class Samples {
  readonly #rows: Row[] = [];

  add(of: string, way: string, sample: number, unit = "ms"): void {
    const known = this.#rows.find((row) => row.case === of && row.way === way && row.unit === unit);
    if (known !== undefined) known.samples.push(sample);
    else this.#rows.push({ case: of, way, unit, samples: [sample] });
  }

  get rows(): Row[] {
    return this.#rows;
  }
}
