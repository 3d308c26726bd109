/** Walking the picture with the arrow keys: along edges on the main axis, to the nearest neighbour across it. */

import type { Layout } from "./layout";
import type { Point } from "./curve";

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** The stops of a layout with their centres, in reading order: operations, tensors and stand-ins. */
export function stopsOf(layout: Layout): Map<string, Point> {
  const stops = new Map<string, Point>();
  for (const placed of layout.units) {
    const { unit } = placed;
    if (unit.kind === "alias") stops.set(unit.id, { x: placed.cx, y: placed.cy });
    if (unit.kind === "function") stops.set(unit.id, { x: placed.cx, y: placed.cy });
    for (const { id, x, y, box } of placed.tensors) stops.set(id, { x: x + box.width / 2, y: y + box.height / 2 });
  }
  return stops;
}

/** Where an arrow key leads from a stop, among the stops that exist; null when there is nothing that way. */
export function neighbour(layout: Layout, from: string, key: Arrow, exists: (stop: string) => boolean): string | null {
  const stops = stopsOf(layout);
  const here = stops.get(from);
  if (!here) return null;
  const forward = layout.vertical ? "ArrowDown" : "ArrowRight";
  const backward = layout.vertical ? "ArrowUp" : "ArrowLeft";
  const aliases = new Set(layout.units.filter(({ unit }) => unit.kind === "alias").map(({ unit }) => unit.id));
  const steps: [string, string][] = [
    ...layout.stems.map((stem): [string, string] => [stem.from, stem.to]),
    ...layout.links.map(({ link }): [string, string] => [aliases.has(link.from) ? link.from : link.tensor, link.to]),
  ];
  if (key === forward || key === backward) {
    const along = steps
      .filter(([a, b]) => (key === forward ? a === from : b === from))
      .map(([a, b]) => (key === forward ? b : a))
      .filter((id) => id !== from && stops.has(id) && exists(id));
    return nearest(stops, along, here);
  }
  const axis = layout.vertical ? "x" : "y";
  const sign = key === "ArrowDown" || key === "ArrowRight" ? 1 : -1;
  const beside = [...stops.keys()].filter(
    (id) => id !== from && exists(id) && (stops.get(id)![axis] - here[axis]) * sign > 4,
  );
  return nearest(stops, beside, here, axis);
}

/** The closest of `ids`; across an axis, straying sideways counts double. */
function nearest(stops: Map<string, Point>, ids: string[], here: Point, axis?: "x" | "y"): string | null {
  const cost = (id: string) => {
    const at = stops.get(id)!;
    const dx = Math.abs(at.x - here.x) * (axis === "y" ? 2 : 1);
    const dy = Math.abs(at.y - here.y) * (axis === "x" ? 2 : 1);
    return Math.hypot(dx, dy);
  };
  return [...new Set(ids)].sort((a, b) => cost(a) - cost(b))[0] ?? null;
}
