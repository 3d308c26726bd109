/**
 * Which things are drawn, before anyone knows where: units (an operation with its results, a tensor that
 * nobody made, a stand-in for a tensor used far away, a box of folded operations) and links between them.
 */

import { groupCounted, type Counted } from "./counted";
import type { Id } from "./document";
import { isOnlyCounted, isUndated, type GraphModel } from "./model";

export interface Unit {
  id: string;
  kind: "function" | "tensor" | "alias" | "fold";
  /** 1 for the graph of the function, 2 for the graph of its gradient, and so on. */
  storey: number;
  /** The operation, when it is one. */
  function: Id | null;
  /** The tensors drawn in this unit: an operation's results, the tensor itself, or the one it stands for. */
  tensors: Id[];
  /** The operations in a box. */
  folded: Id[];
  /** Lowest and highest run of the folded lines, where they are known. */
  runs: [number, number] | null;
}

export interface Link {
  id: string;
  /** Unit and tensor it starts from, unit it ends at. */
  from: string;
  tensor: Id;
  to: string;
  /**
   * Place in `document.edges`; a link into or out of a box stands for several edges and shows the first.
   * −1 where the document has no edge: to and from operations that were only counted.
   */
  edge: number;
  slot: number;
}

export interface Scene {
  units: Unit[];
  links: Link[];
  /** Operations that are folded into boxes, in order; empty when everything is drawn. */
  folded: Id[];
  /** Operation → the unit of its box. */
  boxOf: Map<Id, string>;
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
/** The box of a long middle; boxes of counted operations add their group. */
export const FOLD_ID = "fold";

export function buildScene(model: GraphModel, options: SceneOptions = {}): Scene {
  const storeyOf = storeys(model);
  const all = [...new Set(storeyOf.values())].sort((a, b) => a - b);
  const shown = creationOrder(model).filter((id) => !options.hidden?.has(storeyOf.get(id) ?? 1));
  const functions = shown.filter((id) => model.functions.has(id));
  const counted = groupCounted(
    model,
    functions.filter((id) => isOnlyCounted(model, id)),
  );
  const filmed = functions.filter((id) => !counted.groups.has(id));
  const boxOf = new Map<Id, string>();
  for (const id of foldMiddle(model, filmed, options.limit ?? VISIBLE_NODES)) boxOf.set(id, FOLD_ID);
  for (const [id, group] of counted.groups) boxOf.set(id, `${FOLD_ID}-${group}`);
  const scene: Scene = {
    units: [],
    links: [],
    folded: functions.filter((id) => boxOf.has(id)),
    boxOf,
    storeys: all.length > 0 ? all : [1],
  };

  const home = new Map<Id, string>();
  const add = (unit: Unit) => {
    scene.units.push(unit);
    for (const id of unit.tensors) home.set(id, unit.id);
  };
  for (const id of shown) {
    const storey = storeyOf.get(id) ?? 1;
    const box = boxOf.get(id);
    const tensors = (model.results.get(id) ?? []).map((edge) => edge.to);
    if (box !== undefined) {
      for (const tensor of tensors) home.set(tensor, box);
      if (!scene.units.some((unit) => unit.id === box)) add(boxUnit(model, box, storey, scene));
    } else if (model.functions.has(id)) {
      add({ id, kind: "function", storey, function: id, tensors, folded: [], runs: null });
    } else if (model.tensors.has(id) && !model.producer.has(id) && isWorthDrawing(model, id, boxOf)) {
      add({ id, kind: "tensor", storey, function: null, tensors: [id], folded: [], runs: null });
    }
  }
  connect(scene, model, allUses(model, scene, filmed, counted, storeyOf), home, storeyOf);
  for (const [tensor, group] of counted.makers) {
    const from = `${FOLD_ID}-${group}`;
    if (home.get(tensor) !== tensor || storeyOf.get(tensor) !== storeyOf.get(group)) continue;
    scene.links.push({ id: `out-${tensor}`, from, tensor, to: tensor, edge: -1, slot: 0 });
  }
  return scene;
}

function boxUnit(model: GraphModel, box: string, storey: number, { folded, boxOf }: Scene): Unit {
  const inside = folded.filter((id) => boxOf.get(id) === box);
  const runs = inside
    .map((id) => model.functions.get(id)!)
    .filter((made) => made.line !== null)
    .map((made) => made.instance);
  const range: [number, number] | null = runs.length > 0 ? [Math.min(...runs), Math.max(...runs)] : null;
  return { id: box, kind: "fold", storey, function: null, tensors: [], folded: inside, runs: range };
}

/** A tensor used by an operation on the picture or by one in a box. */
interface Use {
  tensor: Id;
  /** The unit that uses it. */
  target: string;
  storey: number;
  /** The how-manieth run of its line uses it; each box of counted operations is a run of its own. */
  run: number | string;
  edge: number;
  slot: number;
}

function allUses(
  model: GraphModel,
  { boxOf }: Scene,
  filmed: Id[],
  counted: Counted,
  storeyOf: Map<Id, number>,
): Use[] {
  const found: Use[] = [];
  for (const id of filmed) {
    const storey = storeyOf.get(id) ?? 1;
    const run = model.functions.get(id)!.instance;
    for (const { from, index, slot } of model.operands.get(id) ?? []) {
      found.push({ tensor: from, target: boxOf.get(id) ?? id, storey, run, edge: index, slot });
    }
  }
  for (const [group, tensors] of counted.uses) {
    const target = `${FOLD_ID}-${group}`;
    for (const tensor of tensors) {
      found.push({ tensor, target, storey: storeyOf.get(group) ?? 1, run: target, edge: -1, slot: 0 });
    }
  }
  return found;
}

/** Draws every use of a tensor as a link, directly or from a stand-in beside the operation. */
function connect(scene: Scene, model: GraphModel, uses: Use[], home: Map<Id, string>, storeyOf: Map<Id, number>): void {
  const often = usedOften(model, uses);
  const seen = new Set<string>();
  for (const { tensor, target, storey, edge, slot } of uses) {
    const source = home.get(tensor);
    if (source === target) continue;
    const key = `${tensor}@${storey}`;
    let from = source;
    if (from === undefined || storeyOf.get(tensor) !== storey || often.has(key)) {
      from = `alias-${tensor}@${often.has(key) ? target : `storey${storey}`}`;
      if (!seen.has(from))
        scene.units.push({
          id: from,
          kind: "alias",
          storey,
          function: null,
          tensors: [tensor],
          folded: [],
          runs: null,
        });
      seen.add(from);
    }
    // One line into or out of a box is enough for each tensor or operation at its other end.
    const line = from.startsWith(FOLD_ID)
      ? `${from}→${target}.${slot}`
      : `${tensor}→${target}${target.startsWith(FOLD_ID) ? "" : `.${slot}`}`;
    if (seen.has(line)) continue;
    seen.add(line);
    scene.links.push({ id: edge < 0 ? `in-${tensor}-${target}` : `e${edge}`, from, tensor, to: target, edge, slot });
  }
}

/**
 * `tensor@storey` of what nobody made and is used more than a few times there, or in more than one run of a loop:
 * lines from one place would tie the runs together.
 */
function usedOften(model: GraphModel, uses: Use[]): Set<string> {
  const users = new Map<string, { targets: Set<string>; runs: Set<number | string> }>();
  for (const { tensor, target, storey, run } of uses) {
    if (model.producer.has(tensor)) continue;
    const key = `${tensor}@${storey}`;
    const known = users.get(key) ?? { targets: new Set(), runs: new Set() };
    users.set(key, known);
    known.targets.add(target);
    known.runs.add(run);
  }
  return new Set(
    [...users].filter(([, { targets, runs }]) => targets.size > MOST_DIRECT_USES || runs.size > 1).map(([key]) => key),
  );
}

/** Constants without a name that nothing drawn uses would only be dust on the picture. */
function isWorthDrawing(model: GraphModel, id: Id, folded: Map<Id, string>): boolean {
  const node = model.tensors.get(id)!;
  const uses = model.uses.get(id) ?? [];
  if (uses.length === 0) return node.name !== null || node.requires_grad;
  return node.name !== null || node.requires_grad || uses.some((edge) => !folded.has(edge.to));
}

/** Nodes in the order in which the film makes or first mentions them, then the rest in the document's order. */
function creationOrder(model: GraphModel): Id[] {
  const order = new Set<Id>();
  const make = (id: Id | null) => {
    if (id === null) return;
    for (const edge of model.operands.get(id) ?? []) order.add(edge.from);
    order.add(id);
  };
  for (const event of model.document.events) {
    if (event.type === "create") event.nodes.filter((id) => event.span !== null || !isUndated(model, id)).forEach(make);
    else if (event.type === "mutate") [event.by, event.node].forEach(make);
    else if (event.type === "backward_begin") event.roots.forEach(make);
    else if (event.type === "visit") make(event.node);
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
    1 +
    (model.results.get(id)?.length ?? 0) +
    (model.operands.get(id) ?? []).filter((e) => !model.producer.has(e.from)).length;
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
