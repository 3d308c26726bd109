/* Generated from app/schemas/graph.v1.json by `npm run types`; change the schema, not this file. */

/**
 * t… a tensor, f… a function, a… an accumulate node.
 */
export type Id = string;
export type MaybeString = null | string;
export type MaybeInteger = null | number;
/**
 * @maxItems 64
 */
export type Shape = number[];
/**
 * JSON has no NaN or infinity: those, and complex numbers, come as text. Booleans come as themselves.
 */
export type Number = number | boolean | string;
export type MaybePreview = null | Preview;
export type MaybeId = null | Id;
/**
 * Where the operation and its derivative stand in engine/.
 */
export type MaybeSourceRef = null | SourceRef;
export type Event =
  | CreateEvent
  | MutateEvent
  | BackwardBeginEvent
  | VisitEvent
  | AccumulateEvent
  | FreeEvent
  | BackwardEndEvent
  | ZeroGradEvent
  | StepEvent;
export type MaybeSpan = null | Span;

/**
 * What autograd did while cells ran: tensors, functions, and the film of events in the order they happened.
 */
export interface GraphDocument {
  version: 1;
  /**
   * The source of every cell that a span names, by cell id.
   */
  sources: {
    [k: string]: string;
  };
  /**
   * @maxItems 4000
   */
  nodes: (TensorNode | FunctionNode | AccumulateNode)[];
  /**
   * Along the forward flow: operand tensor to function (slot: which operand), function to result tensor (slot: which output), accumulate node to its leaf (slot 0). A gradient flows along each edge backwards.
   *
   * @maxItems 12000
   */
  edges: Edge[];
  /**
   * @maxItems 8000
   */
  events: Event[];
  truncated: null | Truncated;
}
export interface TensorNode {
  id: Id;
  kind: "tensor";
  cell: MaybeString;
  line: MaybeInteger;
  end_line: MaybeInteger;
  column: MaybeInteger;
  end_column: MaybeInteger;
  /**
   * The how-manieth time that span ran, from 1.
   */
  instance: number;
  name: MaybeString;
  role: "leaf" | "parameter" | "intermediate" | "output" | "constant";
  dtype: string;
  shape: Shape;
  requires_grad: boolean;
  is_leaf: boolean;
  version: number;
  value: Preview;
  grad: MaybePreview;
  storage: StorageInfo;
}
/**
 * A value: exact while it is small, a summary and its first numbers when it is large.
 */
export interface Preview {
  shape: Shape;
  /**
   * torch.float32, …
   */
  dtype: string;
  /**
   * As PyTorch prints it inside tensor(…), one line, at most 80 characters.
   */
  text: string;
  /**
   * The first numbers in row-major order.
   *
   * @maxItems 1024
   */
  numbers: Number[];
  /**
   * numbers holds all of them.
   */
  complete: boolean;
  min: Number | null;
  max: Number | null;
  mean: Number | null;
}
export interface StorageInfo {
  /**
   * Shared by aliases.
   */
  id: number;
  /**
   * In elements.
   */
  offset: number;
  /**
   * In elements.
   *
   * @maxItems 64
   */
  strides: number[];
  nbytes: number;
}
export interface FunctionNode {
  id: Id;
  kind: "function";
  cell: MaybeString;
  line: MaybeInteger;
  end_line: MaybeInteger;
  column: MaybeInteger;
  end_column: MaybeInteger;
  instance: number;
  /**
   * mul, pow, …
   */
  op: string;
  /**
   * PyTorch's name: MulBackward0.
   */
  name: string;
  /**
   * What is not a tensor: exponent, alpha, dim, a Python number operand, …, as Python writes it.
   */
  attributes: {
    [k: string]: string;
  };
  /**
   * One entry for each operand, in order, also those that are not tensors.
   *
   * @maxItems 64
   */
  inputs: FunctionInput[];
  /**
   * How each operand's gradient is computed.
   *
   * @maxItems 16
   */
  formula: Formula[];
  source: MaybeSourceRef;
  /**
   * @maxItems 64
   */
  saved: SavedTensor[];
  /**
   * Whether what it saved was gone when the cell had ended.
   */
  freed: boolean;
  /**
   * 1: made in an ordinary forward; 2: made while a gradient was itself being recorded; and so on.
   */
  order: number;
}
export interface FunctionInput {
  /**
   * self, other, …
   */
  name: string;
  tensor: MaybeId;
  text: MaybeString;
  next: MaybeId;
  next_slot: number;
}
export interface Formula {
  input: string;
  slot: number;
  /**
   * Whether this run needed it.
   */
  needed: boolean;
  /**
   * The expression in engine/: grad * other.
   */
  text: string;
  latex: null | string;
}
export interface SourceRef {
  /**
   * engine/ops/arithmetic.py
   */
  file: string;
  line: number;
  /**
   * The declaration, forward and derivative.
   */
  text: string;
}
export interface SavedTensor {
  /**
   * self, other, result, …: PyTorch's _saved_ name without the prefix.
   */
  name: string;
  tensor: MaybeId;
  value: MaybePreview;
  nbytes: number;
}
export interface AccumulateNode {
  id: Id;
  kind: "accumulate";
  cell: MaybeString;
  line: MaybeInteger;
  end_line: MaybeInteger;
  column: MaybeInteger;
  end_column: MaybeInteger;
  instance: number;
  tensor: Id;
  source: MaybeSourceRef;
}
export interface Edge {
  from: Id;
  to: Id;
  slot: number;
}
/**
 * Nodes that appear together: a leaf alone, or a function with its new constants and its results. One that was made in an earlier cell appears at the start, with span null.
 */
export interface CreateEvent {
  type: "create";
  /**
   * @maxItems 4000
   */
  nodes: Id[];
  span: MaybeSpan;
}
/**
 * The source expression that did it; lines from 1, columns from 0 in code points, end exclusive. Null when it lies outside the learner's code.
 */
export interface Span {
  cell: string;
  line: number;
  end_line: number;
  column: number;
  end_column: number;
}
/**
 * An in-place write. When it put a function into the tensor's history, the tensor's new self is another node (by, node).
 */
export interface MutateEvent {
  type: "mutate";
  node: Id;
  was: MaybeId;
  by: MaybeId;
  version: number;
  value: Preview;
  span: MaybeSpan;
}
export interface BackwardBeginEvent {
  type: "backward_begin";
  /**
   * Number of this pass, from 1.
   */
  pass: number;
  call: "backward" | "grad";
  /**
   * @maxItems 64
   */
  roots: MaybeId[];
  /**
   * @maxItems 64
   */
  gradients: MaybePreview[];
  retain_graph: boolean;
  create_graph: boolean;
  span: MaybeSpan;
}
export interface VisitEvent {
  type: "visit";
  pass: number;
  node: Id;
  /**
   * The gradient of each of its outputs.
   *
   * @maxItems 64
   */
  grad_in: MaybePreview[];
  /**
   * One entry for each operand.
   *
   * @maxItems 64
   */
  grad_out: GradOut[];
}
export interface GradOut {
  to: MaybeId;
  slot: number;
  grad: MaybePreview;
  /**
   * The dimensions that broadcasting had stretched and that were summed away, with the shape before.
   */
  summed: null | Summed;
}
export interface Summed {
  from_shape: Shape;
  /**
   * @maxItems 64
   */
  dims: number[];
}
export interface AccumulateEvent {
  type: "accumulate";
  pass: number;
  node: Id;
  tensor: Id;
  before: MaybePreview;
  added: Preview;
  after: Preview;
}
export interface FreeEvent {
  type: "free";
  pass: number;
  node: Id;
  /**
   * @maxItems 64
   */
  names: string[];
  nbytes: number;
}
export interface BackwardEndEvent {
  type: "backward_end";
  pass: number;
  /**
   * What autograd.grad returned: the input's node and its gradient. Empty for backward.
   *
   * @maxItems 64
   */
  results: GradResult[];
  /**
   * The message, when the pass failed.
   */
  error: null | string;
  node: MaybeId;
}
export interface GradResult {
  tensor: MaybeId;
  grad: MaybePreview;
  result: MaybeId;
}
export interface ZeroGradEvent {
  type: "zero_grad";
  /**
   * @maxItems 1000
   */
  tensors: Id[];
  set_to_none: boolean;
  span: MaybeSpan;
}
export interface StepEvent {
  type: "step";
  optimizer: string;
  /**
   * @maxItems 1000
   */
  changes: StepChange[];
  span: MaybeSpan;
}
export interface StepChange {
  tensor: Id;
  before: Preview;
  after: Preview;
}
export interface Truncated {
  reason: string;
  nodes_left_out: number;
  events_left_out: number;
}
