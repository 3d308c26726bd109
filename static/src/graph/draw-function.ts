/** An operation: a circle with its symbol, PyTorch's name, and a drawer for each thing it saved. */

import { nothing, svg, type SVGTemplateResult } from "lit";
import type { DrawContext } from "./draw";
import { drawNode, type Stop } from "./draw-node";
import type { PlacedUnit } from "./layout";
import { CHIP_HEIGHT, CIRCLE } from "./metrics";
import { symbolOf } from "./symbols";

export function drawFunction(context: DrawContext, placed: PlacedUnit, stop: Stop): SVGTemplateResult {
  const id = placed.unit.function!;
  const node = context.model.functions.get(id)!;
  const view = context.state.functions.get(id)!;
  const symbol = symbolOf(node);
  const flags = [view.visited ? "is-visited" : "", view.failed ? "is-failed" : "", view.freed ? "is-freed" : ""];
  const locked = view.visited && !view.freed && (context.state.pass?.retain ?? false);
  const x = placed.cx - placed.x;
  const y = placed.cy - placed.y;
  const frame = {
    x: placed.x,
    y: placed.y,
    left: x - CIRCLE,
    top: y - CIRCLE,
    width: 2 * CIRCLE,
    height: 2 * CIRCLE,
    radius: CIRCLE,
  };
  const picture = svg`
    <g class="gl-shaker">
      <circle class="gl-box" cx=${x} cy=${y} r=${CIRCLE} />
      <text class="gl-symbol ${symbol.length > 5 ? "is-longer" : symbol.length > 3 ? "is-long" : ""}" x=${x} y=${y}>${symbol}</text>
      ${view.failed ? failure(x, y) : nothing}
    </g>
    ${
      placed.name
        ? svg`<text class="gl-function-name" x=${placed.name.x - placed.x} y=${placed.name.y - placed.y}
            text-anchor=${placed.name.anchor}>${placed.name.text}</text>`
        : nothing
    }
    ${placed.chips.map(
      (
        chip,
      ) => svg`<g class="gl-chip ${view.freed ? "is-freed" : ""}" transform="translate(${chip.x - placed.x} ${chip.y - placed.y})">
        <rect width=${chip.width} height=${CHIP_HEIGHT} rx="4" />
        <text class="gl-mono" x=${chip.width / 2} y="11">${chip.text}</text>
        ${locked ? lock(chip.width) : nothing}
      </g>`,
    )}`;
  return drawNode(`gl-function ${flags.filter(Boolean).join(" ")}`, frame, stop, picture);
}

function failure(x: number, y: number): SVGTemplateResult {
  const at = `translate(${x + CIRCLE * 0.72} ${y - CIRCLE * 0.72})`;
  return svg`<g class="gl-failure" transform=${at}><circle r="8" /><path d="M-3.2-3.2l6.4 6.4m0-6.4-6.4 6.4" /></g>`;
}

/** A small padlock on a drawer that retain_graph keeps shut. */
function lock(x: number): SVGTemplateResult {
  return svg`<g class="gl-lock" transform="translate(${x - 3} -4)"><path d="M-2 3V1a2 2 0 0 1 4 0v2" /><rect x="-3.2" y="3" width="6.4" height="4.6" rx="1" /></g>`;
}
