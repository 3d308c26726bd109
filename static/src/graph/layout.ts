/**
 * Places the whole final graph once, in layers: operands before operations, results after them. Left to right, or
 * top to bottom where the page is narrow. Pure and deterministic; dagre orders the layers and leaves room for labels.
 */

import { Graph, layout as runDagre } from "@dagrejs/dagre";
import type { Id } from "./document";
import type { GraphModel } from "./model";
import {
  aliasText,
  chipsOf,
  CHIP_HEIGHT,
  CIRCLE,
  filmExtent,
  functionName,
  monoWidth,
  sansWidth,
  STEM,
  tensorBox,
  type Chip,
  type FilmExtent,
  type TensorBox,
} from "./metrics";
import type { Point } from "./curve";
import { route, spreadEnds, stems, straighten, type Routed } from "./routing";
import type { Link, Scene, Unit } from "./scene";

export interface PlacedTensor {
  id: Id;
  x: number;
  y: number;
  box: TensorBox;
}

export interface PlacedUnit {
  unit: Unit;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Centre of the circle of an operation; of the whole unit otherwise. */
  cx: number;
  cy: number;
  tensors: PlacedTensor[];
  chips: (Chip & { x: number; y: number })[];
  /** Where PyTorch's name is written, for operations. */
  name: { x: number; y: number; anchor: "middle" | "start"; text: string } | null;
}

export interface PlacedLink {
  link: Link;
  path: string;
  start: Point;
  end: Point;
  label: Point;
  /** How many bends dagre gave it; one when it leads to the next layer. */
  bends: number;
}

/** The short line from an operation to a result. */
export interface PlacedStem {
  edge: number;
  from: Id;
  to: Id;
  path: string;
  start: Point;
  end: Point;
}

export interface Layout {
  width: number;
  height: number;
  vertical: boolean;
  units: PlacedUnit[];
  links: PlacedLink[];
  stems: PlacedStem[];
  /** One band for each storey, top first. */
  bands: { storey: number; y: number; height: number }[];
}

export interface LayoutOptions {
  vertical: boolean;
  /** Width to fill with independent parts before a new row is begun. */
  width: number;
}

const MARGIN = 18;
const BETWEEN_PARTS = 26;
/** Parts with fewer units than this have no room to drift. */
const SMALL_PART = 12;
const BAND_HEADER = 26;
/** A band is wide enough for its name. */
const BAND_WIDTH = 330;

export function layoutScene(model: GraphModel, scene: Scene, options: LayoutOptions): Layout {
  const extent = filmExtent(model);
  const placed = new Map<string, PlacedUnit>();
  for (const unit of scene.units) placed.set(unit.id, measure(model, extent, unit, options.vertical));
  const links: PlacedLink[] = [];
  const bands: Layout["bands"] = [];
  const storeys = [...new Set(scene.units.map((unit) => unit.storey))].sort((a, b) => b - a);
  let top = 0;
  let width = storeys.length > 1 ? BAND_WIDTH : 0;
  for (const storey of storeys) {
    const header = storeys.length > 1 ? BAND_HEADER : 0;
    const units = scene.units.filter((unit) => unit.storey === storey).map((unit) => placed.get(unit.id)!);
    const size = placeStorey(extent, scene, units, links, options, top + header);
    bands.push({ storey, y: top, height: size.height + header });
    top += size.height + header + (storeys.length > 1 ? 12 : 0);
    width = Math.max(width, size.width);
  }
  const units = [...placed.values()];
  return {
    width,
    height: top,
    vertical: options.vertical,
    units,
    links,
    stems: stems(model, units, options.vertical),
    bands,
  };
}

/** Sizes a unit and places its parts relative to its own top left corner. */
function measure(model: GraphModel, extent: FilmExtent, unit: Unit, vertical: boolean): PlacedUnit {
  const base = { unit, x: 0, y: 0, chips: [], name: null, tensors: [] };
  if (unit.kind === "alias") {
    const width = Math.ceil(monoWidth(aliasText(model, unit), 12) + 26);
    return { ...base, width, height: 24, cx: width / 2, cy: 12 };
  }
  if (unit.kind === "fold") return { ...base, width: 190, height: 56, cx: 95, cy: 28 };
  const boxes = unit.tensors.map((id) => ({ id, box: tensorBox(model, extent, id) }));
  if (unit.kind === "tensor") {
    const { box, id } = boxes[0]!;
    return {
      ...base,
      width: box.width,
      height: box.height,
      cx: box.width / 2,
      cy: box.height / 2,
      tensors: [{ id, box, x: 0, y: 0 }],
    };
  }
  return vertical ? measureDown(model, base, boxes) : measureAcross(model, base, boxes);
}

type Base = Omit<PlacedUnit, "width" | "height" | "cx" | "cy">;
type Boxes = { id: Id; box: TensorBox }[];

function measureAcross(model: GraphModel, base: Base, boxes: Boxes): PlacedUnit {
  const id = base.unit.function!;
  const text = functionName(model, id);
  const chips = chipsOf(model, id);
  const chipsWidth = chips.reduce((sum, chip) => sum + chip.width + 3, -3);
  const column = Math.max(2 * CIRCLE, sansWidth(text, 10), chipsWidth);
  const stacked = boxes.reduce((sum, { box }) => sum + box.height + 8, -8);
  const above = CIRCLE + (chips.length > 0 ? CHIP_HEIGHT + 5 : 0);
  const half = Math.max(above, CIRCLE + 16, stacked / 2);
  const tall = stacked / 2 > CIRCLE + 4;
  const left = Math.max(column / 2 + CIRCLE + STEM, tall ? column + 6 : 0);
  let y = half - stacked / 2;
  const tensors = boxes.map(({ id: tensor, box }) => {
    const at = { id: tensor, box, x: left, y };
    y += box.height + 8;
    return at;
  });
  const widest = Math.max(0, ...boxes.map(({ box }) => box.width));
  let x = column / 2 - chipsWidth / 2;
  return {
    ...base,
    width: boxes.length > 0 ? left + widest : column,
    height: 2 * half,
    cx: column / 2,
    cy: half,
    tensors,
    chips: chips.map((chip) => {
      const at = { ...chip, x, y: half - CIRCLE - 5 - CHIP_HEIGHT };
      x += chip.width + 3;
      return at;
    }),
    name: { x: column / 2, y: half + CIRCLE + 12, anchor: "middle", text },
  };
}

function measureDown(model: GraphModel, base: Base, boxes: Boxes): PlacedUnit {
  const id = base.unit.function!;
  const text = functionName(model, id);
  const chips = chipsOf(model, id);
  const row = boxes.reduce((sum, { box }) => sum + box.width + 8, -8);
  const cx = Math.max(CIRCLE, row / 2);
  const chipsWidth = chips.reduce((sum, chip) => sum + chip.width + 3, 0);
  let x = cx - row / 2;
  const y = 2 * CIRCLE + 16;
  const tensors = boxes.map(({ id: tensor, box }) => {
    const at = { id: tensor, box, x, y };
    x += box.width + 8;
    return at;
  });
  const tallest = Math.max(0, ...boxes.map(({ box }) => box.height));
  let chipX = cx + CIRCLE + 6;
  return {
    ...base,
    width: Math.max(cx + CIRCLE + 6 + Math.max(sansWidth(text, 10), chipsWidth), cx + row / 2),
    height: boxes.length > 0 ? y + tallest : 2 * CIRCLE,
    cx,
    cy: CIRCLE,
    tensors,
    chips: chips.map((chip) => {
      const at = { ...chip, x: chipX, y: CIRCLE + 3 };
      chipX += chip.width + 3;
      return at;
    }),
    name: { x: cx + CIRCLE + 6, y: CIRCLE - 4, anchor: "start", text },
  };
}

/** Lays out each connected part on its own; single boxes share rows, larger parts stand below one another. */
function placeStorey(
  extent: FilmExtent,
  scene: Scene,
  units: PlacedUnit[],
  out: PlacedLink[],
  options: LayoutOptions,
  top: number,
): { width: number; height: number } {
  const ids = new Set(units.map(({ unit }) => unit.id));
  const links = scene.links.filter((link) => ids.has(link.from) && ids.has(link.to));
  let x = MARGIN;
  let y = top + MARGIN;
  let rowHeight = 0;
  let width = 0;
  for (const part of connectedParts(units, links)) {
    const inPart = new Set(part.map(({ unit }) => unit.id));
    const partLinks = links.filter((link) => inPart.has(link.from));
    const size = placePart(extent, part, partLinks, options.vertical);
    if (x > MARGIN && (partLinks.length > 0 || x + size.width > options.width)) {
      x = MARGIN;
      y += rowHeight + BETWEEN_PARTS;
      rowHeight = 0;
    }
    for (const unit of part) move(unit, x, y);
    out.push(
      ...straighten(
        size.links.map((routed) => route(routed, x, y, options.vertical)),
        part,
        extent,
        options.vertical,
      ),
    );
    width = Math.max(width, x + size.width + MARGIN);
    rowHeight = Math.max(rowHeight, size.height);
    x += size.width + BETWEEN_PARTS;
    if (partLinks.length > 0) x = Infinity;
  }
  return { width, height: y - top + rowHeight + MARGIN };
}

function connectedParts(units: PlacedUnit[], links: Link[]): PlacedUnit[][] {
  const root = new Map(units.map(({ unit }) => [unit.id, unit.id]));
  const find = (id: string): string => {
    let at = id;
    while (root.get(at) !== at) at = root.get(at)!;
    root.set(id, at);
    return at;
  };
  for (const link of links) root.set(find(link.from), find(link.to));
  const parts = new Map<string, PlacedUnit[]>();
  for (const placed of units) {
    const key = find(placed.unit.id);
    const part = parts.get(key);
    if (part) part.push(placed);
    else parts.set(key, [placed]);
  }
  // Lone boxes first: the leaves whose uses are drawn by stand-ins. Then parts in the order of their first operation.
  const place = new Map(units.map((placed, i) => [placed, i]));
  const begins = (part: PlacedUnit[]) =>
    Math.min(...part.filter(({ unit }) => unit.kind !== "tensor").map((placed) => place.get(placed)!));
  const all = [...parts.values()];
  const linked = all.filter((part) => part.length > 1).sort((a, b) => begins(a) - begins(b));
  return [...all.filter((part) => part.length === 1), ...linked];
}

function placePart(extent: FilmExtent, part: PlacedUnit[], links: Link[], vertical: boolean) {
  const graph = arrange(extent, part, links, vertical);
  for (const placed of part) {
    const node = graph.node(placed.unit.id) as Point;
    move(placed, node.x - placed.width / 2, node.y - placed.height / 2);
  }
  const byId = new Map(part.map((placed) => [placed.unit.id, placed]));
  const routed: Routed[] = links.map((link) => {
    const edge = graph.edge({ v: link.from, w: link.to, name: link.id }) as { points: Point[]; x?: number; y?: number };
    const inner = edge.points.slice(1, -1);
    // A long edge may begin and end its swing where it likes: only the bends between other units hold it in place.
    const bends = inner.length >= 3 ? inner.slice(1, -1) : inner;
    const middle = edge.points[Math.floor(edge.points.length / 2)]!;
    const label = edge.x !== undefined && edge.y !== undefined ? { x: edge.x, y: edge.y } : middle;
    return { link, from: byId.get(link.from)!, to: byId.get(link.to)!, bends, label, entering: 0, leaving: 0 };
  });
  spreadEnds(routed, vertical);
  return { ...sizeOf(graph, part), links: routed };
}

/**
 * dagre's balanced placement is the calmest, but lets a long chain with something joining at every layer drift
 * sideways. Where aligning to one side saves a quarter of the room, that side is taken.
 */
function arrange(extent: FilmExtent, part: PlacedUnit[], links: Link[], vertical: boolean): Graph {
  const balanced = runOn(extent, part, links, vertical);
  if (part.length < SMALL_PART) return balanced;
  const across = (graph: Graph) => sizeOf(graph, part)[vertical ? "width" : "height"];
  let best = balanced;
  for (const align of ["UL", "UR"] as const) {
    const graph = runOn(extent, part, links, vertical, align);
    if (across(graph) < 0.75 * across(balanced) && across(graph) < across(best)) best = graph;
  }
  return best;
}

function runOn(extent: FilmExtent, part: PlacedUnit[], links: Link[], vertical: boolean, align?: "UL" | "UR"): Graph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: vertical ? "TB" : "LR",
    nodesep: vertical ? 18 : 22,
    edgesep: 12,
    ranksep: vertical ? 26 : 42,
    ranker: part.length > 120 ? "tight-tree" : "network-simplex",
    ...(align ? { align } : {}),
  });
  const made = new Set(part.filter(({ unit }) => unit.kind === "function").map(({ unit }) => unit.id));
  for (const { unit, width, height } of part) graph.setNode(unit.id, { width, height });
  for (const link of links) {
    const wide = extent.edgeText.get(link.edge) ?? 0;
    const label = wide > 0 ? { width: wide + 12, height: 18 } : { width: 0, height: 0 };
    // Results that are used again make the long straight line of the picture; constants join from the side.
    graph.setEdge(link.from, link.to, { ...label, labelpos: "c", weight: made.has(link.from) ? 3 : 1 }, link.id);
  }
  runDagre(graph);
  return graph;
}

function sizeOf(graph: Graph, part: PlacedUnit[]): { width: number; height: number } {
  const { width = part[0]!.width, height = part[0]!.height } = graph.graph() as { width?: number; height?: number };
  return { width, height };
}

function move(placed: PlacedUnit, dx: number, dy: number): void {
  placed.x += dx;
  placed.y += dy;
  placed.cx += dx;
  placed.cy += dy;
  for (const part of [...placed.tensors, ...placed.chips]) {
    part.x += dx;
    part.y += dy;
  }
  if (placed.name) {
    placed.name.x += dx;
    placed.name.y += dy;
  }
}
