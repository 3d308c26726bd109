/**
 * Operations that the recorder only counted: it films the first runs of a line, and of later ones keeps no more than
 * a backward pass needs. They have no edges, only `next_functions`. Each connected group of them becomes one box.
 */

import type { Id } from "./document";
import type { GraphModel } from "./model";

export interface Counted {
  /** Operation → the group it belongs to, named after the group's first operation. */
  groups: Map<Id, Id>;
  /** Group → tensors that it used and that are known. */
  uses: Map<Id, Set<Id>>;
  /** Tensors without a maker on the picture → the group that made them. */
  makers: Map<Id, Id>;
}

export function groupCounted(model: GraphModel, ids: Id[]): Counted {
  const groups = grouped(model, ids);
  const uses = new Map<Id, Set<Id>>();
  const makers = new Map<Id, Id>();
  for (const id of ids) {
    const group = groups.get(id)!;
    const used = uses.get(group) ?? new Set();
    uses.set(group, used);
    for (const { next, next_slot: slot } of model.functions.get(id)!.inputs) {
      const leaf = model.accumulates.get(next ?? "")?.tensor;
      const result = model.results.get(next ?? "")?.find((edge) => edge.slot === slot)?.to;
      const source = leaf ?? result;
      if (source !== undefined && model.tensors.has(source)) used.add(source);
    }
  }
  const made = (tensor: Id | null, by: Id | null) => {
    const group = by === null ? undefined : groups.get(by);
    if (tensor !== null && group !== undefined && model.tensors.has(tensor) && !model.producer.has(tensor))
      makers.set(tensor, group);
  };
  for (const { inputs } of model.functions.values()) for (const { tensor, next } of inputs) made(tensor, next);
  // A result that nothing uses is known as the root of a pass, whose first stop made it.
  model.document.events.forEach((event, at) => {
    const first = model.document.events[at + 1];
    if (event.type === "backward_begin" && event.roots.length === 1 && first?.type === "visit")
      made(event.roots[0]!, first.node);
  });
  return { groups, uses, makers };
}

function grouped(model: GraphModel, ids: Id[]): Map<Id, Id> {
  const parent = new Map(ids.map((id) => [id, id]));
  const find = (id: Id): Id => {
    let at = id;
    while (parent.get(at) !== at) at = parent.get(at)!;
    parent.set(id, at);
    return at;
  };
  for (const id of ids) {
    for (const { next } of model.functions.get(id)!.inputs) {
      if (next !== null && parent.has(next)) parent.set(find(id), find(next));
    }
  }
  return new Map(ids.map((id) => [id, find(id)]));
}
