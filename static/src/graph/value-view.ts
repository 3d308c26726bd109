/** A preview in full: a number, a table up to 8 × 8 with shaded cells, else its statistics and first numbers. */

import { html, nothing, type TemplateResult } from "lit";
import type { Preview } from "./document";
import { gridOf, shapeText, shortNumber, weights } from "./numbers";
import { text, type Lang } from "./strings";

export function valueView(preview: Preview, lang: Lang): TemplateResult {
  if (preview.shape.length === 0) {
    const number = preview.numbers[0];
    return html`<span class="gl-scalar">${number === undefined ? preview.text : shortNumber(number, 8)}</span>`;
  }
  const grid = gridOf(preview);
  if (grid) return table(preview, grid);
  const total = preview.shape.reduce((product, n) => product * n, 1);
  const shown = preview.numbers.slice(0, 12);
  const show = (n: Preview["min"]) => (n === null ? "—" : shortNumber(n));
  return html`<div class="gl-summary">
    <span class="gl-mono">${shapeText(preview.shape)}</span>
    <span>${text(lang, "statistics", { min: show(preview.min), max: show(preview.max), mean: show(preview.mean) })}</span>
    ${
      shown.length > 0
        ? html`<code>${shown.map((n) => shortNumber(n)).join("  ")}${total > shown.length ? " …" : ""}</code>
            ${total > shown.length ? html`<small>${text(lang, "firstOf", { n: shown.length, total })}</small>` : nothing}`
        : nothing
    }
  </div>`;
}

function table(preview: Preview, { rows, columns }: { rows: number; columns: number }): TemplateResult {
  const shades = weights(preview);
  const cell = (row: number, column: number) => {
    const at = row * columns + column;
    const weight = shades[at] ?? 0;
    const shade = Math.round(Math.abs(weight) * 4);
    return html`<td class="gl-shade-${weight < 0 ? "minus" : "plus"}-${shade}">${shortNumber(preview.numbers[at]!)}</td>`;
  };
  return html`<table class="gl-values">
    <tbody>
      ${Array.from({ length: rows }, (_, row) => html`<tr>${Array.from({ length: columns }, (_, column) => cell(row, column))}</tr>`)}
    </tbody>
  </table>`;
}
