/**
 * How large each thing is on the picture, in SVG units at scale 1. Sizes are taken over the whole film, so that
 * nothing grows or moves while it plays. Text is measured by character counts: layout needs no DOM.
 */

import type { Id, Preview } from "./document";
import { labelOf, type GraphModel } from "./model";
import { gridOf, isScalar, shapeText, shortNumber, shortValue } from "./numbers";
import { walk, type EdgeView, type TensorView } from "./player";
import { sumText } from "./messages";
import type { Unit } from "./scene";

export const CIRCLE = 21;
export const ROW = 19;
export const LEDGER_ROW = 15;
export const PAD = 9;
export const CHIP_HEIGHT = 15;
/** From the operation's column to its result. */
export const STEM = 26;
export const MOST_LEDGER_ROWS = 5;
/** Largest grid drawn inside a node. */
export const MOST_CELLS = 8;
/** Up to this many numbers are written out, more are drawn. */
const MOST_NUMBERS = 9;

/** Width of a text in the monospace face. */
export function monoWidth(text: string, size: number): number {
  let units = 0;
  for (const c of text) units += c.codePointAt(0)! > 0x2e7f ? 1 : 0.61;
  return units * size;
}

/** Width of a text in the page's face: a little generous, so that nothing is cut. */
export function sansWidth(text: string, size: number): number {
  let units = 0;
  for (const c of text)
    units += c.codePointAt(0)! > 0x2e7f ? 1 : /[ilj.,:'|!()[\]]/.test(c) ? 0.34 : /[A-Zmw@]/.test(c) ? 0.72 : 0.57;
  return units * size;
}

/** The name as drawn: long ones are cut, the whole one is in the tooltip and the inspector. */
export function shownName(name: string, limit = 16): string {
  const letters = [...name];
  return letters.length <= limit ? name : letters.slice(0, limit - 1).join("") + "…";
}

/** Numbers where there are few, else a picture of their sizes. */
export interface Grid {
  rows: number;
  columns: number;
  cellWidth: number;
  cellHeight: number;
  numbers: boolean;
}

export interface TensorBox {
  width: number;
  height: number;
  name: string;
  /** A grid for the value and one of the same size for the gradient; null for scalars and for large tensors. */
  grid: Grid | null;
  hasSlot: boolean;
  slotTop: number;
  ledgerRows: number;
  ledgerTop: number;
}

/** What the whole film will write into each tensor and along each edge. */
export interface FilmExtent {
  slotText: Map<Id, number>;
  ledgerRows: Map<Id, number>;
  ledgerText: Map<Id, number>;
  valueText: Map<Id, number>;
  /** Widest single number of a tensor's value and gradients. */
  cellText: Map<Id, number>;
  edgeText: Map<number, number>;
}

export function filmExtent(model: GraphModel): FilmExtent {
  const extent: FilmExtent = {
    slotText: new Map(),
    ledgerRows: new Map(),
    ledgerText: new Map(),
    valueText: new Map(),
    cellText: new Map(),
    edgeText: new Map(),
  };
  const widen = <K>(map: Map<K, number>, key: K, width: number) => map.set(key, Math.max(map.get(key) ?? 0, width));
  walk(model, (state) => {
    for (const index of state.activeEdges) {
      const edge = state.edges[index]!;
      if (edge.gradient) widen(extent.edgeText, index, monoWidth(edgeText(edge), 11));
      const operand = model.document.edges[index]!.from;
      const view = state.tensors.get(operand);
      if (view && view.arrivals.length > 0) widen(extent.slotText, operand, monoWidth(slotText(view), 12));
    }
    for (const id of state.active) {
      const view = state.tensors.get(id);
      if (!view) continue;
      widen(extent.slotText, id, monoWidth(slotText(view), 12));
      widen(extent.valueText, id, monoWidth(boxValue(view.value), 13));
      for (const preview of [view.value, slotGradient(view)]) {
        if (preview && preview.numbers.length <= MOST_NUMBERS) widen(extent.cellText, id, widestNumber(preview));
      }
      widen(extent.ledgerRows, id, Math.min(view.ledger.length, MOST_LEDGER_ROWS));
      const last = view.ledger.at(-1);
      if (last?.kind === "add") widen(extent.ledgerText, id, monoWidth(ledgerText(last.added), 11) + 18);
      else if (last) widen(extent.ledgerText, id, 62);
    }
  });
  return extent;
}

function widestNumber(preview: Preview): number {
  return Math.max(0, ...preview.numbers.map((n) => monoWidth(cellNumber(n), 11)));
}

/** A number in a cell of a grid. */
export function cellNumber(value: Preview["numbers"][number]): string {
  return shortNumber(value, 3);
}

function gridFor(extent: FilmExtent, id: Id, value: Preview): Grid | null {
  const size = gridOf(value, MOST_CELLS);
  if (!size) return null;
  const { rows, columns } = size;
  if (rows * columns <= MOST_NUMBERS && columns <= 3 && rows <= 4) {
    const widest = Math.max(extent.cellText.get(id) ?? 0, widestNumber(value));
    return { ...size, cellWidth: Math.ceil(widest) + 8, cellHeight: 15, numbers: true };
  }
  const cell = Math.max(rows, columns) <= 4 ? 13 : 9;
  return { ...size, cellWidth: cell, cellHeight: cell, numbers: false };
}

/** A value as its box writes it when there is no grid. */
export function boxValue(value: Preview): string {
  return isScalar(value) ? shortValue(value) : shapeText(value.shape);
}

/** A gradient as an edge writes it; Σ tells that a broadcast was summed away. */
export function edgeText(edge: EdgeView): string {
  if (!edge.gradient) return "";
  return (edge.summed ? "Σ " : "") + shortValue(edge.gradient, 12);
}

export function ledgerText(added: Preview): string {
  const text = shortValue(added, 12);
  return text.startsWith("−") ? text : `+${text}`;
}

/** What the slot shows: `.grad`, else the sum that passes through, else the only part that has arrived. */
export function slotGradient(view: Slot): Preview | null {
  return view.grad ?? view.passing ?? (view.arrivals.length === 1 ? view.arrivals[0]!.grad : null);
}

/** The slot in words: a gradient, the few parts of one that is still being gathered, or how many parts there are. */
export function slotText(view: Slot): string {
  const shown = slotGradient(view);
  if (shown) return boxValue(shown);
  const { arrivals } = view;
  if (arrivals.length === 0) return "";
  const few = arrivals.length <= 3 && arrivals.every(({ grad }) => isScalar(grad));
  return few ? sumText(arrivals.map(({ grad }) => boxValue(grad))) : `Σ (${arrivals.length})`;
}

type Slot = Pick<TensorView, "grad" | "passing" | "arrivals">;

export function tensorBox(model: GraphModel, extent: FilmExtent, id: Id): TensorBox {
  const node = model.tensors.get(id)!;
  const name = node.name === null ? "" : shownName(node.name);
  const grid = gridFor(extent, id, node.value);
  const nameWidth = monoWidth(name, 13) + (name ? 8 : 0);
  const gridWidth = grid ? grid.columns * grid.cellWidth : 0;
  const valueWidth = grid
    ? monoWidth(shapeText(node.shape), 10)
    : (extent.valueText.get(id) ?? monoWidth(boxValue(node.value), 13));
  const slotWidth = node.requires_grad ? 16 + (grid ? gridWidth : (extent.slotText.get(id) ?? 0)) : 0;
  const rows = extent.ledgerRows.get(id) ?? 0;
  const ledgerWidth = rows > 0 ? (extent.ledgerText.get(id) ?? 0) : 0;
  const head = ROW + 4;
  const body = grid ? grid.rows * grid.cellHeight + 6 : 0;
  const slotTop = head + body;
  const slot = node.requires_grad ? (grid ? grid.rows * grid.cellHeight + 10 : ROW + 2) : 0;
  const ledgerTop = slotTop + slot;
  return {
    width: Math.ceil(Math.max(nameWidth + valueWidth, slotWidth, ledgerWidth, gridWidth, 28) + 2 * PAD),
    height: Math.ceil(ledgerTop + (rows > 0 ? rows * LEDGER_ROW + 5 : 0) + (node.requires_grad ? 2 : 0)),
    name,
    grid,
    hasSlot: node.requires_grad,
    slotTop,
    ledgerRows: rows,
    ledgerTop,
  };
}

/** A drawer: something an operation saved, called by its variable, else by its number, else by the operand's name. */
export interface Chip {
  text: string;
  width: number;
}

export function chipsOf(model: GraphModel, id: Id): Chip[] {
  return model.functions
    .get(id)!
    .saved.slice(0, 3)
    .map((saved) => {
      const label = saved.tensor === null ? null : (model.tensors.get(saved.tensor)?.name ?? null);
      const inside = saved.value && isScalar(saved.value) ? shortValue(saved.value) : null;
      const text = shownName(label ?? inside ?? saved.name, 8);
      return { text, width: Math.ceil(monoWidth(text, 10) + 10) };
    });
}

export function functionName(model: GraphModel, id: Id): string {
  return shownName(model.functions.get(id)!.name, 24);
}

/** The text of a stand-in. */
export function aliasText(model: GraphModel, unit: Unit): string {
  return shownName(labelOf(model, unit.tensors[0]!), 12);
}
