/**
 * Which things are drawn, before anyone knows where: units (an operation with its results, a tensor that
 * nobody made, a stand-in for a tensor used far away, a box of folded operations) and links between them.
 */

import type { Id } from "./document";
import type { GraphModel, IndexedEdge } from "./model";

export interface Unit {
  id: string;
  kind: "function" | "tensor" | "alias" | "fold";
  /** 1 for the graph of the function, 2 for the graph of its gradient, and so on. */
  storey: number;
  /** The operation, when it is one. */
  function: Id | null;
  /** The tensors drawn in this unit: an operation's results, the tensor itself, or the one it stands for. */
  tensors: Id[];
  /** The operation that an alias stands beside. */
  beside: Id | null;
}

export interface Link {
  id: string;
  /** Unit and tensor it starts from, unit it ends at. */
  from: string;
  tensor: Id;
  to: string;
  /**
   * Place in `document.edges`; a link into or out of a fold box stands for several edges and shows the first.
   * −1 where the document has no edge: to and from operations that were only counted.
   */
  edge: number;
  slot: number;
}

export interface Scene {
  units: Unit[];
  links: Link[];
  /** Operations that are folded into the box, in order; empty when everything is drawn. */
  folded: Id[];
  /** Lowest and highest run of the folded lines. */
  foldedRuns: [number, number];
  /** All storeys of the document, hidden ones too. */
  storeys: number[];
}

export interface SceneOptions {
  /** Storeys that are switched off. */
  hidden?: ReadonlySet<number>;
  /** Most nodes (operations, tensors, stand-ins) to draw. */
  limit?: number;
}

/** A tensor that nobody made and that is used more often than this is drawn for itself and again beside each use. */
const MOST_DIRECT_USES = 3;
export const VISIBLE_NODES = 300;
export const FOLD_ID = "fold";

export function buildScene(model: GraphModel, options: SceneOptions = {}): Scene {
  const order = creationOrder(model);
  const storeyOf = storeys(model);
  const all = [...new Set(storeyOf.values())].sort((a, b) => a - b);
  const shown = order.filter((id) => !options.hidden?.has(storeyOf.get(id) ?? 1));
  const functions = shown.filter((id) => model.functions.has(id));
  const counted = new Set(functions.filter((id) => isOnlyCounted(model, id)));
  const filmed = functions.filter((id) => !counted.has(id));
  const folded = new Set([...foldMiddle(model, filmed, options.limit ?? VISIBLE_NODES), ...counted]);
  const scene: Scene = {
    units: [],
    links: [],
    folded: functions.filter((id) => folded.has(id)),
    foldedRuns: [Infinity, 0],
    storeys: all.length > 0 ? all : [1],
  };
  for (const id of folded) {
    if (counted.has(id)) continue;
    const { instance } = model.functions.get(id)!;
    scene.foldedRuns = [Math.min(scene.foldedRuns[0], instance), Math.max(scene.foldedRuns[1], instance)];
  }

  const home = new Map<Id, string>();
  const add = (unit: Unit) => {
    scene.units.push(unit);
    for (const id of unit.tensors) if (unit.kind !== "alias") home.set(id, unit.id);
  };
  for (const id of shown) {
    const storey = storeyOf.get(id) ?? 1;
    if (model.functions.has(id)) {
      const tensors = (model.results.get(id) ?? []).map((edge) => edge.to);
      if (!folded.has(id)) {
        add({ id, kind: "function", storey, function: id, tensors, beside: null });
        continue;
      }
      for (const tensor of tensors) home.set(tensor, FOLD_ID);
      if (!scene.units.some((unit) => unit.id === FOLD_ID)) {
        scene.units.push({ id: FOLD_ID, kind: "fold", storey, function: null, tensors: [], beside: null });
      }
    } else if (model.tensors.has(id) && !model.producer.has(id) && isWorthDrawing(model, id, folded)) {
      add({ id, kind: "tensor", storey, function: null, tensors: [id], beside: null });
    }
  }
  const homes = { home, storeyOf, folded, functions: new Set(functions) };
  link(model, scene, homes);
  linkCounted(model, scene, homes, counted);
  return scene;
}

interface Homes {
  home: Map<Id, string>;
  storeyOf: Map<Id, number>;
  folded: Set<Id>;
  functions: Set<Id>;
}

/** Draws every use of a tensor as a link, directly or from a stand-in beside the operation. */
function link(model: GraphModel, scene: Scene, { home, storeyOf, folded, functions }: Homes): void {
  const aliases = new Map<string, Unit>();
  const linked = new Set<string>();
  const connect = (edge: IndexedEdge, from: string, to: string) => {
    // One line into or out of the fold box is enough for each tensor or operation at its other end.
    const key = from === FOLD_ID ? `${from}→${to}.${edge.slot}` : to === FOLD_ID ? `${from}.${edge.from}→${to}` : String(edge.index);
    if (linked.has(key)) return;
    linked.add(key);
    scene.links.push({ id: `e${edge.index}`, from, tensor: edge.from, to, edge: edge.index, slot: edge.slot });
  };
  for (const id of functions) {
    for (const edge of model.operands.get(id) ?? []) {
      const target = folded.has(id) ? FOLD_ID : id;
      const source = home.get(edge.from);
      const storey = storeyOf.get(id) ?? 1;
      const far = (storeyOf.get(edge.from) ?? 1) !== storey || source === undefined;
      const often = !model.producer.has(edge.from) && isUsedOften(model, edge.from, (user) => functions.has(user) && storeyOf.get(user) === storey);
      if (source === target) continue;
      if (!far && !often) {
        connect(edge, source, target);
        continue;
      }
      const key = `${edge.from}@${often ? target : `storey${storey}`}`;
      let alias = aliases.get(key);
      if (!alias) {
        alias = { id: `alias-${key}`, kind: "alias", storey, function: null, tensors: [edge.from], beside: id };
        aliases.set(key, alias);
        scene.units.push(alias);
      }
      connect(edge, alias.id, target);
    }
  }
}

/** The recorder films the first runs of a line; of later ones it keeps no more than a backward pass needs: no edges. */
function isOnlyCounted(model: GraphModel, id: Id): boolean {
  return !model.operands.has(id) && !model.results.has(id);
}

/**
 * Operations that were only counted hang on the rest by `next_functions` alone: a line leads from what they used to
 * their box, and from the box to the results whose maker is among them.
 */
function linkCounted(model: GraphModel, scene: Scene, { home }: Homes, counted: Set<Id>): void {
  const sources = new Set<Id>();
  for (const id of counted) {
    for (const { next, next_slot: slot } of model.functions.get(id)!.inputs) {
      const leaf = model.accumulates.get(next ?? "")?.tensor;
      const result = model.results.get(next ?? "")?.find((edge) => edge.slot === slot)?.to;
      const source = leaf ?? result;
      if (source !== undefined) sources.add(source);
    }
  }
  for (const tensor of sources) {
    const from = home.get(tensor);
    const known = scene.links.some((link) => link.to === FOLD_ID && link.tensor === tensor);
    if (from === undefined || from === FOLD_ID || known) continue;
    scene.links.push({ id: `into-${tensor}`, from, tensor, to: FOLD_ID, edge: -1, slot: 0 });
  }
  if (counted.size === 0) return;
  for (const [tensor, { is_leaf: leaf, requires_grad: needs }] of model.tensors) {
    if (leaf || !needs || model.producer.has(tensor) || home.get(tensor) !== tensor) continue;
    scene.links.push({ id: `out-${tensor}`, from: FOLD_ID, tensor, to: tensor, edge: -1, slot: 0 });
  }
}

/** Used more than a few times, or in more than one run of a loop: lines from one place would tie the runs together. */
function isUsedOften(model: GraphModel, tensor: Id, here: (user: Id) => boolean): boolean {
  const users = new Set((model.uses.get(tensor) ?? []).map((edge) => edge.to).filter(here));
  const runs = new Set([...users].map((id) => model.functions.get(id)!.instance));
  return users.size > MOST_DIRECT_USES || runs.size > 1;
}

/** Constants without a name that nothing drawn uses would only be dust on the picture. */
function isWorthDrawing(model: GraphModel, id: Id, folded: Set<Id>): boolean {
  const node = model.tensors.get(id)!;
  const uses = model.uses.get(id) ?? [];
  if (uses.length === 0) return node.name !== null || node.requires_grad;
  return node.name !== null || node.requires_grad || uses.some((edge) => !folded.has(edge.to));
}

/** Nodes in the order in which the film makes them, then the rest in the document's order. */
function creationOrder(model: GraphModel): Id[] {
  const order = new Set<Id>();
  for (const event of model.document.events) {
    if (event.type === "create") for (const id of event.nodes) order.add(id);
    else if (event.type === "mutate") for (const id of [event.by, event.node]) if (id) order.add(id);
  }
  for (const node of model.document.nodes) order.add(node.id);
  return [...order];
}

/** An operation's storey is its order; a tensor stands where it was made, else with the lowest of its uses. */
function storeys(model: GraphModel): Map<Id, number> {
  const found = new Map<Id, number>();
  for (const [id, node] of model.functions) found.set(id, Math.max(1, node.order));
  for (const id of model.tensors.keys()) {
    const maker = model.producer.get(id)?.from;
    const uses = (model.uses.get(id) ?? []).map((edge) => found.get(edge.to) ?? 1);
    found.set(id, maker !== undefined ? (found.get(maker) ?? 1) : uses.length > 0 ? Math.min(...uses) : 1);
  }
  return found;
}

/**
 * Too many to draw: the middle is folded. Of loops the first runs and the last stay, so that the box
 * begins and ends between two runs; of straight code the first and last operations stay.
 */
function foldMiddle(model: GraphModel, functions: Id[], limit: number): Set<Id> {
  const cost = (id: Id) =>
    1 + (model.results.get(id)?.length ?? 0) + (model.operands.get(id) ?? []).filter((e) => !model.producer.has(e.from)).length;
  const total = functions.reduce((sum, id) => sum + cost(id), 0);
  if (total <= limit) return new Set();
  const runs = functions.map((id) => model.functions.get(id)!.instance);
  const lastRun = Math.max(...runs);
  let room = limit - 1;
  const keep = new Set<Id>();
  const take = (ids: Id[]): boolean => {
    const fresh = ids.filter((id) => !keep.has(id));
    const price = fresh.reduce((sum, id) => sum + cost(id), 0);
    if (price > room) return false;
    room -= price;
    for (const id of fresh) keep.add(id);
    return true;
  };
  const inRun = (run: number) => functions.filter((_, i) => runs[i] === run);
  // A few runs tell a loop's story; three at the start and one at the end leave the picture readable.
  if (lastRun > 4 && take(inRun(1)) && take(inRun(lastRun)) && take(inRun(2)) && take(inRun(3))) {
    return new Set(functions.filter((id) => !keep.has(id)));
  }
  keep.clear();
  room = limit - 1;
  for (let i = 0; i < functions.length; i++) {
    const at = i % 2 === 0 ? i / 2 : functions.length - 1 - (i - 1) / 2;
    if (!take([functions[at]!])) break;
  }
  return new Set(functions.filter((id) => !keep.has(id)));
}
