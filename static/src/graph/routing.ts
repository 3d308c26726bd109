/** Lines between placed units: where they leave and enter, how they bend, where their labels stand. */

import { curve, type Point } from "./curve";
import type { Id } from "./document";
import type { PlacedLink, PlacedStem, PlacedUnit } from "./layout";
import { CIRCLE, type FilmExtent } from "./metrics";
import type { GraphModel } from "./model";
import type { Link } from "./scene";

/** A link with the bends that dagre gave it, before its ends are fixed. */
export interface Routed {
  link: Link;
  from: PlacedUnit;
  to: PlacedUnit;
  bends: Point[];
  label: Point;
  /** Place among the links that enter the same operation, and among those that leave the same tensor, −1 … 1. */
  entering: number;
  leaving: number;
}

/** Links that meet at one unit keep the order in which they come, so that they do not cross there. */
export function spreadEnds(routed: Routed[], vertical: boolean): void {
  const across = (p: Point) => (vertical ? p.x : p.y);
  const spread = (
    key: (one: Routed) => string,
    bend: (one: Routed) => Point,
    put: (one: Routed, at: number) => void,
  ) => {
    const groups = new Map<string, Routed[]>();
    for (const one of routed) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
    for (const list of groups.values()) {
      list.sort((a, b) => across(bend(a)) - across(bend(b)) || a.link.slot - b.link.slot);
      list.forEach((one, i) => put(one, list.length === 1 ? 0 : (2 * i) / (list.length - 1) - 1));
    }
  };
  spread(
    ({ link }) => link.to,
    (one) => one.bends.at(-1) ?? one.label,
    (one, at) => (one.entering = at),
  );
  spread(
    ({ link }) => `${link.from} ${link.tensor}`,
    (one) => one.bends[0] ?? one.label,
    (one, at) => (one.leaving = at),
  );
}

export function route(routed: Routed, dx: number, dy: number, vertical: boolean): PlacedLink {
  const { from, to, link } = routed;
  // dagre aims at the middle of a unit; going down, an operation's circle stands left of it, beside its name.
  const off = (placed: PlacedUnit) => (vertical ? placed.cx - (placed.x + placed.width / 2) : 0);
  const aside = (off(from) + off(to)) / 2;
  const shift = ({ x, y }: Point): Point => ({ x: x + dx + aside, y: y + dy });
  const start = exit(from, link.tensor, routed.leaving, vertical);
  const end = entry(to, routed.entering, vertical);
  const bends = routed.bends.map(shift);
  return {
    link,
    start,
    end,
    bends: bends.length,
    label: shift(routed.label),
    path: curve([start, ...bends, end], vertical),
  };
}

/**
 * A link to the next layer needs no bend if the plain curve, with its label in the middle, touches nothing.
 * The bend that dagre gave stays where it does.
 */
export function straighten(
  links: PlacedLink[],
  part: PlacedUnit[],
  extent: FilmExtent,
  vertical: boolean,
): PlacedLink[] {
  const boxOf = (link: PlacedLink, at: Point): Box => {
    const wide = extent.edgeText.get(link.link.edge);
    return wide === undefined
      ? { x: at.x, y: at.y, width: 0, height: 0 }
      : { x: at.x - wide / 2 - 7, y: at.y - 10, width: wide + 14, height: 20 };
  };
  const labels = links.map((link) => boxOf(link, link.label));
  return links.map((link, i) => {
    if (link.bends !== 1) return link;
    const { start, end } = link;
    const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
    const box = boxOf(link, middle);
    const others = part.filter(({ unit }) => unit.id !== link.link.from && unit.id !== link.link.to);
    const between = samples(start, end, vertical).some((p) => others.some((unit) => inside(p, unit, 4)));
    const covers =
      part.some((unit) => overlap(box, unit)) ||
      labels.some((label, j) => j !== i && label.width > 0 && overlap(box, label));
    if (between || covers) return link;
    labels[i] = box;
    return { ...link, label: middle, path: curve([start, end], vertical) };
  });
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function inside(p: Point, box: Box, margin: number): boolean {
  return (
    p.x > box.x - margin &&
    p.x < box.x + box.width + margin &&
    p.y > box.y - margin &&
    p.y < box.y + box.height + margin
  );
}

/** Points of the plain curve from `start` to `end`, which leaves and arrives along the main axis. */
function samples(start: Point, end: Point, vertical: boolean): Point[] {
  return Array.from({ length: 9 }, (_, i) => {
    const t = (i + 1) / 10;
    const along = 1.5 * t * (1 - t) + t ** 3;
    const across = t * t * (3 - 2 * t);
    const mix = (a: number, b: number, part: number) => a + (b - a) * part;
    return { x: mix(start.x, end.x, vertical ? across : along), y: mix(start.y, end.y, vertical ? along : across) };
  });
}

function exit(from: PlacedUnit, tensor: Id, spread: number, vertical: boolean): Point {
  const drawn = from.tensors.find(({ id }) => id === tensor);
  const box = drawn ? { ...drawn.box, x: drawn.x, y: drawn.y } : from;
  const shift = spread * Math.min(11, (vertical ? box.width : box.height) / 2 - 8);
  return vertical
    ? { x: box.x + box.width / 2 + shift, y: box.y + box.height }
    : { x: box.x + box.width, y: box.y + box.height / 2 + shift };
}

function entry(to: PlacedUnit, spread: number, vertical: boolean): Point {
  if (to.unit.kind !== "function") return vertical ? { x: to.cx, y: to.y } : { x: to.x, y: to.cy };
  const angle = spread * 0.7;
  const along = CIRCLE * Math.cos(angle);
  const across = CIRCLE * Math.sin(angle);
  return vertical ? { x: to.cx + across, y: to.cy - along } : { x: to.cx - along, y: to.cy + across };
}

/** The short lines from each operation to its results. */
export function stems(model: GraphModel, units: PlacedUnit[], vertical: boolean): PlacedStem[] {
  const found: PlacedStem[] = [];
  for (const placed of units) {
    if (placed.unit.function === null) continue;
    for (const edge of model.results.get(placed.unit.function) ?? []) {
      const result = placed.tensors.find(({ id }) => id === edge.to);
      if (!result) continue;
      const start = vertical ? { x: placed.cx, y: placed.cy + CIRCLE } : { x: placed.cx + CIRCLE, y: placed.cy };
      const end = vertical
        ? { x: result.x + result.box.width / 2, y: result.y }
        : { x: result.x, y: result.y + result.box.height / 2 };
      found.push({ edge: edge.index, from: edge.from, to: edge.to, start, end, path: curve([start, end], vertical) });
    }
  }
  return found;
}
