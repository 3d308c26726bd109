/** An index over a graph document: who made what, who uses what, and what to call it. No DOM. */

import type { AccumulateNode, Edge, FunctionNode, GraphDocument, Id, Span, TensorNode } from "./document";

export type GraphNode = TensorNode | FunctionNode | AccumulateNode;

/** An edge with its place in `document.edges`, which is its identity everywhere else. */
export interface IndexedEdge extends Edge {
  index: number;
}

export interface GraphModel {
  document: GraphDocument;
  tensors: Map<Id, TensorNode>;
  functions: Map<Id, FunctionNode>;
  accumulates: Map<Id, AccumulateNode>;
  /** Leaf → its accumulate node. */
  accumulateOf: Map<Id, Id>;
  /** Result tensor → the edge from the function that made it. */
  producer: Map<Id, IndexedEdge>;
  /** Function → edges to its results, by slot. */
  results: Map<Id, IndexedEdge[]>;
  /** Function → edges from its operands, by slot. */
  operands: Map<Id, IndexedEdge[]>;
  /** Tensor → edges to the functions that use it. */
  uses: Map<Id, IndexedEdge[]>;
  /** The engine's source by `file:line`; of several nodes with the same one, only the first carries the text. */
  sources: Map<string, string>;
}

/** Builds the index. Edges whose ends the document does not hold are left out. */
export function buildModel(document: GraphDocument): GraphModel {
  const model: GraphModel = {
    document,
    tensors: new Map(),
    functions: new Map(),
    accumulates: new Map(),
    accumulateOf: new Map(),
    producer: new Map(),
    results: new Map(),
    operands: new Map(),
    uses: new Map(),
    sources: new Map(),
  };
  for (const node of document.nodes) {
    if (node.kind !== "tensor" && node.source?.text)
      model.sources.set(`${node.source.file}:${node.source.line}`, node.source.text);
    if (node.kind === "tensor") model.tensors.set(node.id, node);
    else if (node.kind === "function") model.functions.set(node.id, node);
    else {
      model.accumulates.set(node.id, node);
      model.accumulateOf.set(node.tensor, node.id);
    }
  }
  document.edges.forEach((edge, index) => {
    const indexed = { ...edge, index };
    if (model.tensors.has(edge.from) && model.functions.has(edge.to)) {
      append(model.uses, edge.from, indexed);
      append(model.operands, edge.to, indexed);
    } else if (model.functions.has(edge.from) && model.tensors.has(edge.to)) {
      model.producer.set(edge.to, indexed);
      append(model.results, edge.from, indexed);
    }
  });
  for (const list of [...model.results.values(), ...model.operands.values()]) list.sort((a, b) => a.slot - b.slot);
  return model;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

export function nodeOf(model: GraphModel, id: Id): GraphNode | undefined {
  return model.tensors.get(id) ?? model.functions.get(id) ?? model.accumulates.get(id);
}

/** The recorder films the first runs of a line; of operations in later ones it keeps a node, but no edges. */
export function isOnlyCounted(model: GraphModel, id: Id): boolean {
  return model.functions.has(id) && !model.operands.has(id) && !model.results.has(id);
}

/**
 * Made in a run that was only counted: the film brings such nodes with what is older than the cell, since it does not
 * know when they were made. They are taken to appear when an event first speaks of them.
 */
export function isUndated(model: GraphModel, id: Id): boolean {
  const tensor = model.tensors.get(id);
  if (!tensor) return isOnlyCounted(model, id);
  return !tensor.is_leaf && tensor.requires_grad && !model.producer.has(id);
}

/** The node's source span, or null when it was made outside the learner's code. */
export function spanOf(node: GraphNode | undefined): Span | null {
  if (!node || node.cell === null || node.line === null || node.column === null) return null;
  if (node.end_line === null || node.end_column === null) return null;
  return {
    cell: node.cell,
    line: node.line,
    end_line: node.end_line,
    column: node.column,
    end_column: node.end_column,
  };
}

/** The learner's text inside a span (columns count code points), on one line and at most `limit` characters. */
export function spanText(document: GraphDocument, span: Span | null, limit = 28): string | null {
  const source = span && document.sources[span.cell];
  if (!span || source === undefined || source === null) return null;
  const lines = source
    .split("\n")
    .slice(span.line - 1, span.end_line)
    .map((line) => [...line]);
  if (lines.length === 0) return null;
  const last = lines.length - 1;
  lines[last] = lines[last]!.slice(0, span.end_column);
  lines[0] = lines[0]!.slice(span.column);
  const text = [
    ...lines
      .map((line) => line.join(""))
      .join(" ")
      .replace(/\s+/g, " ")
      .trim(),
  ];
  if (text.length === 0) return null;
  return text.length <= limit ? text.join("") : text.slice(0, limit - 1).join("") + "…";
}

/** What people call a node: the variable's name, else the expression that made it, else PyTorch's name for it. */
export function labelOf(model: GraphModel, id: Id): string {
  const tensor = model.tensors.get(id);
  if (tensor) {
    if (tensor.name) return tensor.name;
    const maker = model.functions.get(model.producer.get(id)?.from ?? "");
    if (maker) return expression(model, maker) ?? `${maker.name}(…)`;
    return tensor.value.text.slice(0, 16);
  }
  const made = model.functions.get(id);
  if (made) return expression(model, made) ?? made.name;
  const accumulate = model.accumulates.get(id);
  return accumulate ? labelOf(model, accumulate.tensor) : id;
}

/** The text that made an operation. That of a gradient's own graph has none: its span is the whole call for a gradient. */
function expression(model: GraphModel, made: FunctionNode): string | null {
  return made.order > 1 ? null : spanText(model.document, spanOf(made));
}

/** True when position (line from 1, column from 0) lies inside the span; the end counts as inside, as a caret would. */
export function contains(span: Span, at: { cell: string; line: number; column: number }): boolean {
  if (span.cell !== at.cell || at.line < span.line || at.line > span.end_line) return false;
  if (at.line === span.line && at.column < span.column) return false;
  return !(at.line === span.end_line && at.column > span.end_column);
}

/** Ids of the nodes whose span is the innermost one around a position. */
export function nodesAt(model: GraphModel, at: { cell: string; line: number; column: number }): Set<Id> {
  let best = Infinity;
  let found = new Set<Id>();
  for (const node of model.document.nodes) {
    const span = spanOf(node);
    if (!span || !contains(span, at)) continue;
    const size = (span.end_line - span.line) * 10000 + span.end_column - span.column;
    if (size < best) {
      best = size;
      found = new Set();
    }
    if (size === best) found.add(node.id);
  }
  return found;
}

/** The spans of a document, each once. */
export function spansIn(document: GraphDocument): Span[] {
  const found = new Map<string, Span>();
  for (const node of document.nodes) {
    const span = spanOf(node);
    if (span) found.set(JSON.stringify(span), span);
  }
  return [...found.values()];
}

/** The expression that asked for a backward pass. */
export function askedAt(document: GraphDocument, pass: number): Span | null {
  const begun = document.events.find((event) => event.type === "backward_begin" && event.pass === pass);
  return begun?.type === "backward_begin" ? begun.span : null;
}
