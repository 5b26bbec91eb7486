import type { Who } from "../../base/errors/details.js";
import type { Context } from "../contract/context.js";
import type { Provider } from "../contract/provider.js";
import type { Writer } from "../contract/writer.js";
import type {
  Components,
  CriticalSection,
  Exposed,
  FreezeToken,
  Report,
  Sidecar,
  Snapshot,
  Snapshots,
  Support,
  ThawReport,
} from "../../base/schema/types.js";

/** The contract of each kind of plugin. Every type below is derived from it, so that the two sides cannot drift apart. */
interface Contract {
  writer: Required<Writer>;
  provider: Required<Provider>;
}
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
  snapshots: Snapshots;
  exposed: Exposed;
  report: Report;
  nothing: void;
}
export type OpShape = keyof Shapes;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type ShapeOf<A> = { [S in OpShape]: Same<Shapes[S], A> extends true ? S : never }[OpShape];
type Needed<T, O extends keyof T> = undefined extends T[O] ? false : true;
type Table<T, R extends Role> = {
  [O in OpOf<R> & keyof T]-?: { answer: ShapeOf<AnswerOf<R, O>>; needed: Needed<T, O> };
};

const writer: Table<Writer, "writer"> = {
  identify: { answer: "components", needed: true },
  prepare: { answer: "nothing", needed: false },
  freeze: { answer: "freezeToken", needed: true },
  thaw: { answer: "thawReport", needed: true },
  seal: { answer: "sidecar", needed: false },
  complete: { answer: "nothing", needed: false },
  abort: { answer: "nothing", needed: true },
  beforeRestore: { answer: "nothing", needed: false },
  afterRestore: { answer: "nothing", needed: false },
  repair: { answer: "report", needed: false },
  verify: { answer: "report", needed: false },
};

const provider: Table<Provider, "provider"> = {
  match: { answer: "support", needed: true },
  prepare: { answer: "criticalSection", needed: true },
  commit: { answer: "nothing", needed: false },
  seal: { answer: "snapshots", needed: true },
  abort: { answer: "nothing", needed: true },
  list: { answer: "snapshots", needed: true },
  expose: { answer: "exposed", needed: true },
  unexpose: { answer: "nothing", needed: true },
  remove: { answer: "nothing", needed: true },
  fork: { answer: "snapshot", needed: false },
  preserve: { answer: "snapshot", needed: false },
  revert: { answer: "nothing", needed: false },
};

/** The result of each method, and whether a plugin must have the method. The compiler checks both columns against the contract. */
export const operations: { readonly [R in Role]: Readonly<Record<string, { answer: OpShape; needed: boolean }>> } = {
  writer,
  provider,
};
