/** A tensor: its name and value, its gradient slot (empty from the start), and, on leaves, the account of .grad. */

import { nothing, svg, type SVGTemplateResult } from "lit";
import type { Preview } from "./document";
import type { DrawContext } from "./draw";
import { drawNode, type Stop } from "./draw-node";
import type { PlacedTensor } from "./layout";
import {
  boxValue,
  cellNumber,
  LEDGER_ROW,
  ledgerText,
  MOST_LEDGER_ROWS,
  PAD,
  ROW,
  slotGradient,
  slotText,
  type Grid,
  type TensorBox,
} from "./metrics";
import { shapeText, weights } from "./numbers";
import type { LedgerEntry, TensorView } from "./player";

export function drawTensor(context: DrawContext, placed: PlacedTensor, stop: Stop): SVGTemplateResult {
  const { box, id } = placed;
  const node = context.model.tensors.get(id)!;
  const view = context.state.tensors.get(id)!;
  const kind = node.is_leaf && node.requires_grad ? "is-leaf" : node.requires_grad ? "" : "is-constant";
  const picture = svg`
    <rect class="gl-box" width=${box.width} height=${box.height} rx="10" />
    ${head(box, view.value)}
    ${box.grid ? svg`<g transform="translate(${(box.width - box.grid.columns * box.grid.cellWidth) / 2} ${ROW + 4})">${cells(view.value, box.grid)}</g>` : nothing}
    ${box.hasSlot ? slot(box, view) : nothing}
    ${box.ledgerRows > 0 ? ledger(box, view.ledger) : nothing}
    ${view.version > 0 ? svg`<text class="gl-version" x=${box.width} y="-5">v${view.version}</text>` : nothing}`;
  return drawNode(
    `gl-tensor ${kind}`,
    { x: placed.x, y: placed.y, width: box.width, height: box.height, radius: 10 },
    stop,
    picture,
  );
}

function head(box: TensorBox, value: Preview): SVGTemplateResult {
  const shape = box.grid !== null;
  const written = shape ? shapeText(value.shape) : boxValue(value);
  const alone = box.name === "";
  return svg`
    ${alone ? nothing : svg`<text class="gl-mono gl-name" x=${PAD} y="16">${box.name}</text>`}
    <text class="gl-mono ${shape ? "gl-shape" : "gl-value"}" x=${alone ? box.width / 2 : box.width - PAD} y="16"
      text-anchor=${alone ? "middle" : "end"}>${written}</text>`;
}

/**
 * Few numbers are written. More are drawn as squares whose area is the magnitude: full ones positive, hollow ones
 * negative, a dot for zero, a cross where there is no number.
 */
function cells(preview: Preview, grid: Grid): SVGTemplateResult {
  const { cellWidth, cellHeight, columns, rows } = grid;
  const centre = (i: number) => ({
    x: ((i % columns) + 0.5) * cellWidth,
    y: (Math.floor(i / columns) + 0.5) * cellHeight,
  });
  return svg`<rect class="gl-grid" width=${columns * cellWidth} height=${rows * cellHeight} rx="2" />
    ${
      grid.numbers
        ? preview.numbers.map(
            (n, i) => svg`<text class="gl-mono gl-cell" x=${centre(i).x} y=${centre(i).y + 4}>${cellNumber(n)}</text>`,
          )
        : weights(preview).map((weight, i) => square(weight, centre(i), Math.min(cellWidth, cellHeight)))
    }`;
}

function square(weight: number | null, { x, y }: { x: number; y: number }, cell: number): SVGTemplateResult {
  if (weight === null) return svg`<path class="gl-cell-nan" d="M${x - 3} ${y - 3}l6 6m0-6-6 6" />`;
  if (weight === 0) return svg`<circle class="gl-cell-zero" cx=${x} cy=${y} r="1" />`;
  const side = Math.max(2.5, (cell - 2) * Math.sqrt(Math.abs(weight)));
  const inset = weight < 0 ? 0.6 : 0;
  return svg`<rect class=${weight < 0 ? "gl-cell-minus" : "gl-cell-plus"} x=${x - side / 2 + inset} y=${y - side / 2 + inset}
    width=${side - 2 * inset} height=${side - 2 * inset} rx="1" />`;
}

function slot(box: TensorBox, view: TensorView): SVGTemplateResult {
  const shown = slotGradient(view);
  const state = view.grad
    ? "is-kept"
    : view.passing
      ? "is-passing"
      : view.arrivals.length > 0
        ? "is-arriving"
        : "is-empty";
  const height = box.grid ? box.grid.rows * box.grid.cellHeight + 6 : ROW - 1;
  const content =
    box.grid && shown
      ? svg`<g class="gl-slot-grid" transform="translate(${(box.width + 14 - box.grid.columns * box.grid.cellWidth) / 2} 3)">${cells(shown, box.grid)}</g>`
      : svg`<text class="gl-mono" x=${box.width - PAD - 1} y=${height / 2 + 4} text-anchor="end">${slotText(view)}</text>`;
  return svg`<g class="gl-slot ${state}" transform="translate(0 ${box.slotTop})">
    <rect x="4" width=${box.width - 8} height=${height} rx="6" />
    <text class="gl-nabla" x=${PAD} y=${height / 2 + 4}>∇</text>
    ${content}
  </g>`;
}

/** The last entries of the account; the sum itself stands in the slot above. */
function ledger(box: TensorBox, entries: LedgerEntry[]): SVGTemplateResult {
  const shown = entries.slice(-MOST_LEDGER_ROWS);
  return svg`<g class="gl-ledger" transform="translate(0 ${box.ledgerTop})">
    ${shown.map((entry, i) => {
      const y = i * LEDGER_ROW + 12;
      if (entry.kind === "zero") {
        return svg`<g class="gl-ruled"><line x1=${PAD} x2=${box.width - PAD} y1=${y - 3} y2=${y - 3} />
          <text x=${box.width / 2} y=${y}>zero</text></g>`;
      }
      return svg`<text class="gl-call" x=${PAD} y=${y}>${circled(entry.pass)}</text>
        <text class="gl-mono" x=${box.width - PAD} y=${y} text-anchor="end">${ledgerText(entry.added)}</text>`;
    })}
  </g>`;
}

/** ① ② …: the number of the pass that added. */
function circled(pass: number): string {
  return pass <= 20 ? String.fromCodePoint(0x245f + pass) : `#${pass}`;
}
