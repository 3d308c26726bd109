/**
 * The film as a pure function: (model, step) → what is to be seen after that many events. No DOM, no clock.
 *
 * Step 0 is the empty stage; step n shows the state after the n-th event. Every call starts from the
 * document, so stepping back and forth always gives the same states.
 */

import type { Event, GradResult, Id, Preview, Summed } from "./document";
import { isUndated, type GraphModel } from "./model";

/** One line of a leaf's account: a gradient added, or the page ruled off by `zero_grad`. */
export type LedgerEntry =
  | { kind: "add"; pass: number; before: Preview | null; added: Preview; after: Preview }
  | { kind: "zero"; toNone: boolean };

/** One part of a tensor's gradient, from one use of it. */
export interface Arrival {
  /** The function that sent it; null for the gradient a pass starts with. */
  from: Id | null;
  slot: number;
  grad: Preview;
}

export interface TensorView {
  exists: boolean;
  value: Preview;
  version: number;
  /** `.grad` as the learner would read it now. */
  grad: Preview | null;
  ledger: LedgerEntry[];
  /** Parts that arrived in this pass. */
  arrivals: Arrival[];
  /** Their sum, once the pass has formed it. It is not kept in `.grad` unless the tensor is a leaf or retains it. */
  passing: Preview | null;
}

export interface FunctionView {
  exists: boolean;
  /** What it saved is gone. */
  freed: boolean;
  /** Reached in the current pass. */
  visited: boolean;
  /** The pass failed here. */
  failed: boolean;
  /** What its operands held when it ran, by edge order. */
  operands: Preview[];
}

export interface EdgeView {
  exists: boolean;
  /** The gradient that flowed back along it in the current pass. */
  gradient: Preview | null;
  summed: Summed | null;
  /** Its function was visited, and this operand needed no gradient. */
  skipped: boolean;
}

export interface Pass {
  number: number;
  call: "backward" | "grad";
  retain: boolean;
  create: boolean;
  /** Still running. */
  open: boolean;
  error: string | null;
  results: GradResult[];
}

export interface Phase {
  kind: "start" | "building" | "backward" | "update";
  /** Number of the pass when `kind` is backward, else 0. */
  pass: number;
}

export interface ViewState {
  step: number;
  total: number;
  event: Event | null;
  phase: Phase;
  pass: Pass | null;
  tensors: Map<Id, TensorView>;
  functions: Map<Id, FunctionView>;
  /** In the order of `document.edges`. */
  edges: EdgeView[];
  /** The nodes that this event is about. */
  active: Set<Id>;
  /** The edges, by place in `document.edges`, that it runs along. */
  activeEdges: Set<number>;
}

/** The state after `step` events; `step` is clamped to the film. */
export function play(model: GraphModel, step: number): ViewState {
  const { events } = model.document;
  const end = Math.max(0, Math.min(Math.trunc(step), events.length));
  const state = emptyStage(model);
  for (let at = 0; at < end; at++) {
    apply(model, state, events[at]!, at);
  }
  state.step = end;
  state.total = events.length;
  return state;
}

/** Calls `each` with the state after every event in turn; the state is reused, so it is only good inside the call. */
export function walk(model: GraphModel, each: (state: ViewState) => void): void {
  const state = emptyStage(model);
  state.total = model.document.events.length;
  model.document.events.forEach((event, at) => {
    apply(model, state, event, at);
    state.step = at + 1;
    each(state);
  });
}

/** Runs of steps in the same phase: `from` exclusive, `to` inclusive, so that the slider can be marked. */
export function phases(model: GraphModel): { from: number; to: number; phase: Phase }[] {
  const runs: { from: number; to: number; phase: Phase }[] = [];
  let open = 0;
  model.document.events.forEach((event, at) => {
    const phase = phaseOf(event, open);
    open = openAfter(event, open);
    const last = runs.at(-1);
    if (last && last.phase.kind === phase.kind && last.phase.pass === phase.pass) last.to = at + 1;
    else runs.push({ from: at, to: at + 1, phase });
  });
  return runs;
}

/** A film in which a backward pass follows is worth starting at its first one; this is the step before it. */
export function firstBackward(model: GraphModel): number | null {
  const at = model.document.events.findIndex((event) => "pass" in event);
  return at < 0 ? null : at;
}

function phaseOf(event: Event, openPass: number): Phase {
  if ("pass" in event) return { kind: "backward", pass: event.pass };
  if (openPass > 0) return { kind: "backward", pass: openPass };
  const updates = event.type === "step" || event.type === "zero_grad" || event.type === "mutate";
  return { kind: updates ? "update" : "building", pass: 0 };
}

function openAfter(event: Event, openPass: number): number {
  if (event.type === "backward_begin") return event.pass;
  return event.type === "backward_end" ? 0 : openPass;
}

function emptyStage(model: GraphModel): ViewState {
  const state: ViewState = {
    step: 0,
    total: 0,
    event: null,
    phase: { kind: "start", pass: 0 },
    pass: null,
    tensors: new Map(),
    functions: new Map(),
    edges: model.document.edges.map(() => ({ exists: false, gradient: null, summed: null, skipped: false })),
    active: new Set(),
    activeEdges: new Set(),
  };
  for (const [id, node] of model.tensors) {
    state.tensors.set(id, {
      exists: false,
      value: node.value,
      version: node.version,
      grad: gradBefore(model, id),
      ledger: [],
      arrivals: [],
      passing: null,
    });
  }
  for (const id of model.functions.keys()) {
    const freed = freedBefore(model, id);
    state.functions.set(id, { exists: false, freed, visited: false, failed: false, operands: [] });
  }
  const made = madeInFilm(model);
  for (const id of [...model.tensors.keys(), ...model.functions.keys()]) {
    if (!made.has(id) && isConnected(model, id)) reveal(model, state, id);
  }
  state.active = new Set();
  state.activeEdges = new Set();
  return state;
}

/** The `.grad` that a leaf of an earlier cell brings along; null for tensors that this film makes. */
function gradBefore(model: GraphModel, id: Id): Preview | null {
  const { events, truncated } = model.document;
  const node = model.tensors.get(id)!;
  const brought = events.some((event) => event.type === "create" && event.span === null && event.nodes.includes(id));
  if (!brought || !node.is_leaf) return null;
  for (const event of events) {
    if (event.type === "accumulate" && event.tensor === id) return event.before;
    if (event.type === "zero_grad" && event.tensors.includes(id)) return null;
  }
  return truncated ? null : node.grad;
}

/** An operation of an earlier cell, which let go of what it had saved before this film began. */
function freedBefore(model: GraphModel, id: Id): boolean {
  const { events, truncated } = model.document;
  if (truncated || !model.functions.get(id)!.freed) return false;
  return !events.some((event) => event.type === "free" && event.node === id);
}

/** What some event brings on stage. In a truncated film the making of the rest is missing. */
function madeInFilm(model: GraphModel): Set<Id> {
  const made = new Set<Id>();
  for (const event of model.document.events) {
    if (event.type === "create") for (const id of event.nodes) made.add(id);
    else if (event.type === "mutate") for (const id of [event.node, event.by]) if (id) made.add(id);
  }
  return made;
}

/** What stands alone appears when an event first speaks of it. */
function isConnected(model: GraphModel, id: Id): boolean {
  return model.operands.has(id) || model.results.has(id) || model.uses.has(id) || model.producer.has(id);
}

function apply(model: GraphModel, state: ViewState, event: Event, at: number): void {
  state.event = event;
  state.phase = phaseOf(event, state.pass?.open ? state.pass.number : 0);
  // The beginning of a pass can lie in the part that a truncated film leaves out.
  if ("pass" in event && event.type !== "backward_begin" && state.pass?.number !== event.pass)
    clearPass(state, event.pass);
  state.active = new Set();
  state.activeEdges = new Set();
  switch (event.type) {
    case "create":
      for (const id of event.nodes) if (event.span !== null || !isUndated(model, id)) reveal(model, state, id);
      break;
    case "mutate": {
      reveal(model, state, event.node);
      if (event.by) reveal(model, state, event.by);
      const tensor = state.tensors.get(event.node);
      if (tensor) Object.assign(tensor, { value: event.value, version: event.version });
      break;
    }
    case "backward_begin":
      beginPass(state, event);
      break;
    case "visit":
      visit(model, state, event, at);
      break;
    case "accumulate": {
      const tensor = state.tensors.get(event.tensor);
      state.active.add(event.tensor);
      if (!tensor) break;
      tensor.exists = true;
      tensor.grad = event.after;
      tensor.passing = event.added;
      const { pass, before, added, after } = event;
      tensor.ledger.push({ kind: "add", pass, before, added, after });
      break;
    }
    case "free": {
      const freed = state.functions.get(event.node);
      if (freed) freed.freed = true;
      state.active.add(event.node);
      break;
    }
    case "backward_end":
      endPass(state, event);
      break;
    case "zero_grad":
      for (const id of event.tensors) {
        const tensor = state.tensors.get(id);
        if (!tensor) continue;
        state.active.add(id);
        tensor.grad = event.set_to_none || !tensor.grad ? null : zeros(tensor.grad);
        tensor.arrivals = [];
        tensor.passing = null;
        if (tensor.ledger.length > 0) tensor.ledger.push({ kind: "zero", toNone: event.set_to_none });
      }
      break;
    case "step":
      for (const { tensor: id, after } of event.changes) {
        const tensor = state.tensors.get(id);
        if (!tensor) continue;
        state.active.add(id);
        Object.assign(tensor, { value: after, version: tensor.version + 1 });
      }
  }
  if (model.document.truncated && at === model.document.events.length - 1) settle(model, state);
}

/** The passes that a truncated film leaves out have changed `.grad` too; the document tells how it ended. */
function settle(model: GraphModel, state: ViewState): void {
  for (const [id, node] of model.tensors) {
    const view = state.tensors.get(id)!;
    if (node.is_leaf && view.exists) view.grad = node.grad;
  }
}

function reveal(model: GraphModel, state: ViewState, id: Id): void {
  state.active.add(id);
  const tensor = state.tensors.get(id);
  if (tensor) {
    tensor.exists = true;
    return;
  }
  const made = state.functions.get(id);
  if (!made) return;
  made.exists = true;
  const operands = model.operands.get(id) ?? [];
  for (const edge of operands) state.tensors.get(edge.from)!.exists = true;
  made.operands = operands.map((edge) => state.tensors.get(edge.from)!.value);
  for (const edge of [...operands, ...(model.results.get(id) ?? [])]) {
    state.edges[edge.index]!.exists = true;
    state.activeEdges.add(edge.index);
  }
}

/** A new pass: what the last one left on edges and in passing is gone. */
function clearPass(state: ViewState, number: number): Pass {
  for (const edge of state.edges) Object.assign(edge, { gradient: null, summed: null, skipped: false });
  for (const view of state.functions.values()) Object.assign(view, { visited: false, failed: false });
  for (const tensor of state.tensors.values()) {
    tensor.arrivals = [];
    tensor.passing = null;
  }
  state.pass = { number, call: "backward", retain: false, create: false, open: true, error: null, results: [] };
  return state.pass;
}

function beginPass(state: ViewState, event: Extract<Event, { type: "backward_begin" }>): void {
  const { call, retain_graph: retain, create_graph: create } = event;
  Object.assign(clearPass(state, event.pass), { call, retain, create });
  event.roots.forEach((root, i) => {
    const tensor = root === null ? undefined : state.tensors.get(root);
    if (!tensor) return;
    state.active.add(root!);
    tensor.exists = true;
    const grad = event.gradients[i];
    if (grad) tensor.arrivals.push({ from: null, slot: 0, grad });
    tensor.passing = grad ?? null;
  });
}

function visit(model: GraphModel, state: ViewState, event: Extract<Event, { type: "visit" }>, at: number): void {
  state.active.add(event.node);
  const made = state.functions.get(event.node);
  if (made) Object.assign(made, { exists: true, visited: true });
  for (const edge of model.results.get(event.node) ?? []) {
    const grad = event.grad_in[edge.slot] ?? null;
    const result = state.tensors.get(edge.to);
    if (!grad || !result) continue;
    state.edges[edge.index]!.gradient = grad;
    state.activeEdges.add(edge.index);
    result.passing = grad;
    retain(model, state, edge.to, grad, at);
  }
  for (const edge of model.operands.get(event.node) ?? []) {
    const out = event.grad_out[edge.slot];
    const view = state.edges[edge.index]!;
    if (!out?.grad) {
      view.skipped = true;
      continue;
    }
    Object.assign(view, { gradient: out.grad, summed: out.summed });
    state.activeEdges.add(edge.index);
    state.tensors.get(edge.from)?.arrivals.push({ from: event.node, slot: edge.slot, grad: out.grad });
  }
}

/** `retain_grad()` keeps the gradient of a tensor that is no leaf; the document tells it only by `.grad` at the end. */
function retain(model: GraphModel, state: ViewState, id: Id, grad: Preview, at: number): void {
  const node = model.tensors.get(id)!;
  if (node.is_leaf || node.grad === null) return;
  const producer = model.producer.get(id)!.from;
  const last = model.document.events.findLastIndex((event) => event.type === "visit" && event.node === producer);
  const view = state.tensors.get(id)!;
  if (at === last) view.grad = node.grad;
  else if (view.grad === null) view.grad = grad;
}

function endPass(state: ViewState, event: Extract<Event, { type: "backward_end" }>): void {
  if (state.pass) Object.assign(state.pass, { open: false, error: event.error, results: event.results });
  for (const result of event.results) {
    const tensor = result.tensor === null ? undefined : state.tensors.get(result.tensor);
    if (!tensor) continue;
    state.active.add(result.tensor!);
    tensor.passing = result.grad;
  }
  if (event.error === null || event.node === null) return;
  state.active.add(event.node);
  const failed = state.functions.get(event.node);
  if (failed) failed.failed = true;
}

function zeros(like: Preview): Preview {
  const printed = like.shape.length === 0 ? "0." : "[0., …]";
  return { ...like, numbers: like.numbers.map(() => 0), min: 0, max: 0, mean: 0, text: printed };
}
