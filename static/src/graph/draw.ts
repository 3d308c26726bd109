/** The picture as SVG: storeys, edges with their gradients, and every unit that exists at this step. */

import { nothing, svg, type SVGTemplateResult } from "lit";
import type { Id } from "./document";
import { drawFunction } from "./draw-function";
import { drawNode, type Stop } from "./draw-node";
import { drawTensor } from "./draw-tensor";
import { describe } from "./describe";
import type { Layout, PlacedLink, PlacedStem, PlacedUnit } from "./layout";
import { aliasText, edgeText, monoWidth } from "./metrics";
import type { GraphModel } from "./model";
import { FOLD_ID } from "./scene";
import { edgeOf, unitExists, type Picture } from "./stops";
import { text, type Lang } from "./strings";

export interface DrawContext extends Picture {
  model: GraphModel;
  lang: Lang;
  /** Id of this explorer, so that markers of several on a page do not meet. */
  uid: string;
  selected: Id | null;
  /** Nodes that the source, or a hovered node, points at. */
  lit: ReadonlySet<Id>;
  /** The one stop that the Tab key reaches. */
  stop: string | null;
}

export function drawGraph(context: DrawContext): SVGTemplateResult {
  const { layout } = context;
  return svg`
    <defs>
      ${marker(`${context.uid}-forward`, "gl-arrow")}
      ${marker(`${context.uid}-back`, "gl-arrow gl-arrow-back")}
    </defs>
    <g aria-hidden="true">${layout.bands.length > 1 ? layout.bands.map((band) => drawBand(context, band)) : nothing}</g>
    <g aria-hidden="true">
      ${layout.stems.map((stem) => drawStem(context, stem))}
      ${layout.links.map((link) => drawLink(context, link))}
    </g>
    ${layout.units.map((placed) => drawUnit(context, placed))}
    <g aria-hidden="true">${layout.links.map((link) => drawLinkLabel(context, link))}</g>`;
}

function marker(id: string, classes: string): SVGTemplateResult {
  return svg`<marker id=${id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
    markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class=${classes} d="M0 0.8 7.5 4 0 7.2z" /></marker>`;
}

function drawBand(context: DrawContext, band: Layout["bands"][number]): SVGTemplateResult {
  const label =
    band.storey === 1
      ? text(context.lang, "storeyGround")
      : band.storey === 2
        ? text(context.lang, "storeyBand")
        : text(context.lang, "storeyHigher", { n: band.storey, order: band.storey - 1 });
  return svg`<g>
    <rect class="gl-band ${band.storey > 1 ? "is-upper" : ""}" x="4" y=${band.y + 2} width=${context.layout.width - 8}
      height=${band.height - 4} rx="14" />
    <text class="gl-band-name" x="18" y=${band.y + 21}>${label}</text>
  </g>`;
}

function drawUnit(context: DrawContext, placed: PlacedUnit): SVGTemplateResult | typeof nothing {
  if (!unitExists(context, placed)) return nothing;
  const { unit } = placed;
  if (unit.kind === "alias") return drawAlias(context, placed);
  if (unit.kind === "fold") return drawFold(context, placed);
  return svg`
    ${unit.function === null ? nothing : drawFunction(context, placed, stopOf(context, unit.function, unit.function))}
    ${placed.tensors
      .filter(({ id }) => context.state.tensors.get(id)?.exists)
      .map((tensor) => drawTensor(context, tensor, stopOf(context, tensor.id, tensor.id)))}`;
}

function stopOf(context: DrawContext, stop: string, id: Id): Stop {
  const { state, selected, lit } = context;
  const flags = [
    state.active.has(id) ? "is-active" : "",
    selected === id ? "is-selected" : "",
    lit.has(id) ? "is-lit" : "",
  ];
  return {
    stop,
    node: id,
    classes: flags.filter(Boolean).join(" "),
    label: describe(context.model, state, id, context.lang),
    tabindex: context.stop === stop ? "0" : "-1",
  };
}

function drawAlias(context: DrawContext, placed: PlacedUnit): SVGTemplateResult {
  const id = placed.unit.tensors[0]!;
  const stop = stopOf(context, placed.unit.id, id);
  const needs = context.model.tensors.get(id)?.requires_grad ?? false;
  const { x, y, width, height } = placed;
  const picture = svg`
    <rect class="gl-box" width=${width} height=${height} rx="12" />
    <path class="gl-alias-mark" d="M10 8v5.5a2 2 0 0 0 2 2h3m-2.4-2.4 2.6 2.4-2.6 2.4" />
    <text class="gl-mono gl-name" x="20" y="16.5">${aliasText(context.model, placed.unit)}</text>`;
  return drawNode(`gl-alias ${needs ? "" : "is-constant"}`, { x, y, width, height, radius: 12 }, stop, picture);
}

function drawFold(context: DrawContext, placed: PlacedUnit): SVGTemplateResult {
  const { state, lang } = context;
  const { folded, runs } = placed.unit;
  const there = folded.filter((id) => state.functions.get(id)?.exists).length;
  const [a, b] = runs ?? [0, 0];
  const label = b > a ? text(lang, "foldedLoop", { n: there, a, b }) : text(lang, "folded", { n: there });
  const active = folded.some((id) => state.active.has(id));
  return svg`<g class="gl-node gl-fold ${active ? "is-active" : ""}" transform="translate(${placed.x} ${placed.y})" role="img" aria-label=${label}>
    <rect class="gl-box" x="8" y="8" width=${placed.width - 8} height=${placed.height - 8} rx="10" />
    <rect class="gl-box" x="4" y="4" width=${placed.width - 8} height=${placed.height - 8} rx="10" />
    <rect class="gl-box" width=${placed.width - 8} height=${placed.height - 8} rx="10" />
    <text class="gl-fold-count" x=${placed.width / 2 - 4} y="22">${text(lang, "folded", { n: there })}</text>
    <text class="gl-fold-runs" x=${placed.width / 2 - 4} y="38">${b > a ? `#${a} – #${b}` : "…"}</text>
  </g>`;
}

function drawStem(context: DrawContext, stem: PlacedStem): SVGTemplateResult | typeof nothing {
  const edge = context.state.edges[stem.edge]!;
  if (!edge.exists) return nothing;
  const active = context.state.activeEdges.has(stem.edge) ? "is-active" : "";
  const back = edge.gradient
    ? svg`<path class="gl-edge gl-back ${active}" d=${stem.path} marker-start="url(#${context.uid}-back)" />`
    : nothing;
  return svg`<path class="gl-edge ${edge.gradient ? "has-gradient" : active}" d=${stem.path}
    marker-end=${edge.gradient ? nothing : `url(#${context.uid}-forward)`} />${back}`;
}

function drawLink(context: DrawContext, { link, path }: PlacedLink): SVGTemplateResult | typeof nothing {
  const edge = edgeOf(context, link);
  if (!edge.exists) return nothing;
  const active = context.state.activeEdges.has(link.edge) ? "is-active" : "";
  const needs = context.model.tensors.get(link.tensor)?.requires_grad ? "" : "is-constant";
  const intoFold = link.to.startsWith(FOLD_ID) || link.from.startsWith(FOLD_ID) ? "is-fold" : "";
  if (!edge.gradient) {
    return svg`<path class="gl-edge ${active} ${needs} ${intoFold}" d=${path} marker-end="url(#${context.uid}-forward)" />`;
  }
  return svg`<path class="gl-edge has-gradient ${intoFold}" d=${path} />
    <path class="gl-edge gl-back ${active}" d=${path} marker-start="url(#${context.uid}-back)" />`;
}

function drawLinkLabel(context: DrawContext, { link, label }: PlacedLink): SVGTemplateResult | typeof nothing {
  const edge = edgeOf(context, link);
  if (!edge.exists || !edge.gradient) return nothing;
  const written = edgeText(edge);
  const width = monoWidth(written, 11) + 10;
  const active = context.state.activeEdges.has(link.edge) ? "is-active" : "";
  return svg`<g class="gl-flow ${active}" transform="translate(${label.x} ${label.y})">
    <rect x=${-width / 2} y="-8.5" width=${width} height="17" rx="8.5" />
    <text class="gl-mono" y="4">${written}</text>
  </g>`;
}
