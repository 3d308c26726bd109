/** Which nodes the keyboard can reach at a step, and which one the Tab key enters. */

import type { Layout, PlacedUnit } from "./layout";
import type { EdgeView, ViewState } from "./player";
import type { Link, Scene } from "./scene";

/** What is drawn at one step. */
export interface Picture {
  state: ViewState;
  scene: Scene;
  layout: Layout;
}

/** Whether a unit is on stage: made, or standing for something that an operation on stage uses. */
export function unitExists({ state, scene, layout }: Picture, { unit }: PlacedUnit): boolean {
  if (unit.kind === "function") return state.functions.get(unit.function!)?.exists ?? false;
  if (unit.kind === "tensor") return state.tensors.get(unit.tensors[0]!)?.exists ?? false;
  if (unit.kind === "fold") return unit.folded.some((id) => state.functions.get(id)?.exists);
  return layout.links.some(({ link }) => link.from === unit.id && edgeOf({ state, scene, layout }, link).exists);
}

/** What flows along a link; of operations that were only counted no more is known than that they ran. */
export function edgeOf({ state, scene }: Picture, link: Link): EdgeView {
  const edge = state.edges[link.edge];
  if (edge) return edge;
  const box = scene.units.find((unit) => unit.kind === "fold" && (unit.id === link.from || unit.id === link.to));
  const ran = box?.folded.some((id) => state.functions.get(id)?.exists) ?? false;
  const exists = ran && (state.tensors.get(link.tensor)?.exists ?? false);
  return { exists, gradient: null, summed: null, skipped: false };
}

/** The unit in which something happens: where a node is drawn, or the box that it is folded into. */
export function placeOf({ scene, layout }: Omit<Picture, "state">, id: string): PlacedUnit | undefined {
  return unitOf(layout, scene.boxOf.get(id) ?? id);
}

/** The unit that draws a node or stand-in. */
export function unitOf(layout: Layout, stop: string): PlacedUnit | undefined {
  return layout.units.find(({ unit, tensors }) => unit.id === stop || tensors.some(({ id }) => id === stop));
}

export function stopExists(picture: Picture, stop: string): boolean {
  const placed = unitOf(picture.layout, stop);
  if (!placed) return false;
  const known = picture.state.tensors.get(stop) ?? picture.state.functions.get(stop);
  return known ? known.exists : unitExists(picture, placed);
}

/** The last stop while it is there, else the first one on stage. */
export function tabStop(picture: Picture, last: string | null): string | null {
  if (last !== null && stopExists(picture, last)) return last;
  return (
    picture.layout.units.find((placed) => placed.unit.kind !== "fold" && unitExists(picture, placed))?.unit.id ?? null
  );
}
