import type { Who } from "../../base/errors/details.js";
import type { Context } from "../contract/context.js";
import type { Provider } from "../contract/provider.js";
import type { Writer } from "../contract/writer.js";
import type {
  Components,
  CriticalSection,
  Difference,
  Exposed,
  FreezeToken,
  Listed,
  Place,
  Report,
  Sidecar,
  Snapshot,
  Support,
  ThawReport,
  VerifyReport,
  Volume,
} from "../../base/schema/types.js";

/** The contract of each kind of plugin. Every type below is derived from it, so that the two sides cannot drift apart. */
interface Contract {
  writer: Required<Writer>;
  provider: Required<AnyProvider>;
}
/** Of volumes of each kind: the host asks it only for those that its manifest names. */
type AnyProvider = Provider<Record<string, unknown>, Volume>;
export type Role = Who["role"];

/** A method of the contract. `OpOf<Role>` is any method of any kind. */
export type OpOf<R extends Role> = R extends Role ? keyof Contract[R] : never;
export type PluginOp = OpOf<Role>;

type Method<R extends Role, O> = R extends Role ? (O extends keyof Contract[R] ? Contract[R][O] : never) : never;
type WithoutContext<F> = F extends (...args: [...infer A, Context]) => unknown ? A : never;
type Answer<F> = F extends (...args: never[]) => Promise<infer A> ? A : never;

/** What the host passes to a method: its parameters without the context. */
export type ArgsOf<R extends Role, O> = WithoutContext<Method<R, O>>;
export type AnswerOf<R extends Role, O> = Answer<Method<R, O>>;

export type WriterOp = OpOf<"writer">;
export type WriterArgs<O extends WriterOp> = ArgsOf<"writer", O>;
export type WriterAnswer<O extends WriterOp> = AnswerOf<"writer", O>;
export type ProviderOp = OpOf<"provider">;
export type ProviderArgs<O extends ProviderOp> = ArgsOf<"provider", O>;
export type ProviderAnswer<O extends ProviderOp> = AnswerOf<"provider", O>;

/** The schemas of results: definitions of contract.v1, and `components` for the whole of components.v1. */
interface Shapes {
  components: Components;
  support: Support;
  criticalSection: CriticalSection;
  freezeToken: FreezeToken;
  thawReport: ThawReport;
  sidecar: Sidecar;
  snapshot: Snapshot;
  snapshots: Snapshot[];
  listed: Listed;
  exposed: Exposed;
  difference: Difference;
  places: Place[];
  report: Report;
  verifyReport: VerifyReport;
  nothing: void;
}
export type OpShape = keyof Shapes;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type ShapeOf<A> = { [S in OpShape]: Same<Shapes[S], A> extends true ? S : never }[OpShape];
type Needed<T, O extends keyof T> = undefined extends T[O] ? false : true;
type Names<A> = { [K in keyof A]: string };
type Table<T, R extends Role> = {
  [O in OpOf<R> & keyof T]-?: {
    params: Names<ArgsOf<R, O>>;
    answer: ShapeOf<AnswerOf<R, O>>;
    needed: Needed<T, O>;
  };
};

const writer: Table<Writer, "writer"> = {
  identify: { params: [], answer: "components", needed: true },
  prepare: { params: ["tx"], answer: "nothing", needed: false },
  freeze: { params: ["tx"], answer: "freezeToken", needed: true },
  thaw: { params: ["tx", "token"], answer: "thawReport", needed: true },
  seal: { params: ["tx"], answer: "sidecar", needed: false },
  complete: { params: ["set", "outcome"], answer: "nothing", needed: false },
  abort: { params: ["tx", "token"], answer: "nothing", needed: true },
  beforeRestore: { params: ["set"], answer: "nothing", needed: false },
  afterRestore: { params: ["set"], answer: "nothing", needed: false },
  repair: { params: ["tx", "exposed"], answer: "report", needed: false },
  verify: { params: ["tx", "exposed"], answer: "verifyReport", needed: false },
};

const provider: Table<AnyProvider, "provider"> = {
  match: { params: ["volume"], answer: "support", needed: true },
  prepare: { params: ["tx", "volumes"], answer: "criticalSection", needed: true },
  commit: { params: ["tx"], answer: "nothing", needed: false },
  seal: { params: ["tx"], answer: "snapshots", needed: true },
  abort: { params: ["tx"], answer: "nothing", needed: true },
  list: { params: [], answer: "listed", needed: true },
  expose: { params: ["snapshot", "view"], answer: "exposed", needed: true },
  unexpose: { params: ["snapshot"], answer: "nothing", needed: true },
  remove: { params: ["snapshot"], answer: "nothing", needed: true },
  fork: { params: ["snapshot"], answer: "snapshot", needed: false },
  preserve: { params: ["snapshot", "tx"], answer: "snapshot", needed: false },
  revert: { params: ["snapshot"], answer: "nothing", needed: false },
  diff: { params: ["from", "to"], answer: "difference", needed: false },
  receive: { params: ["tx", "volumes"], answer: "places", needed: false },
};

/** A method: the names of its parameters, its result, and whether a plugin must have it. */
export interface ContractMethod {
  readonly params: readonly string[];
  readonly answer: OpShape;
  readonly needed: boolean;
}

/** The methods of each kind. The compiler checks the columns against the contract, and the generator the names of the parameters. */
export const operations: { readonly [R in Role]: Readonly<Record<string, ContractMethod>> } = {
  writer,
  provider,
};
