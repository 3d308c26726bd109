/**
 * The frame of every node that can be opened: its picture, hidden from screen readers, under one transparent shape
 * that is the button. Kept apart so that the button's name is a sentence and not the numbers drawn inside.
 */

import { svg, type SVGTemplateResult } from "lit";
import type { Id } from "./document";

/** A button of the picture, as the keyboard and the screen reader meet it. */
export interface Stop {
  stop: string;
  node: Id;
  /** `is-active`, `is-selected`, `is-lit`. */
  classes: string;
  label: string;
  tabindex: "0" | "-1";
}

export interface Frame {
  x: number;
  y: number;
  /** The shape of the button, from the node's corner. */
  width: number;
  height: number;
  radius: number;
  /** Where the shape begins, when it is not at the corner. */
  left?: number;
  top?: number;
}

export function drawNode(classes: string, frame: Frame, stop: Stop, picture: SVGTemplateResult): SVGTemplateResult {
  const { x, y, width, height, radius, left = 0, top = 0 } = frame;
  return svg`<g class="gl-node ${classes} ${stop.classes}" transform="translate(${x} ${y})" data-stop=${stop.stop} data-node=${stop.node}>
    <g class="gl-drawing" aria-hidden="true">${picture}</g>
    <rect class="gl-hit" role="button" tabindex=${stop.tabindex} aria-label=${stop.label}
      x=${left} y=${top} width=${width} height=${height} rx=${radius} />
    <rect class="gl-ring" aria-hidden="true" x=${left - 4} y=${top - 4} width=${width + 8} height=${height + 8} rx=${radius + 4} />
  </g>`;
}
