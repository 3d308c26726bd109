/** How to read the picture: one small sample of each sign, with its words. */

import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import { text, type Lang, type StringKey } from "./strings";

const box = (classes: string, inner: SVGTemplateResult = svg``) =>
  svg`<g class=${classes}><rect class="gl-box" x="2" y="3" width="40" height="20" rx="7" />${inner}</g>`;
const slot = (state: string) => svg`<g class="gl-slot ${state}"><rect x="3" y="5" width="38" height="16" rx="6" /></g>`;
const drawer = (state: string) =>
  svg`<g class="gl-chip ${state}"><rect x="9" y="6" width="26" height="14" rx="4" /></g>`;

const SAMPLES: [StringKey, SVGTemplateResult][] = [
  ["legendLeaf", box("gl-tensor is-leaf")],
  ["legendResult", box("gl-tensor")],
  ["legendConstant", box("gl-tensor is-constant")],
  ["legendAlias", box("gl-alias")],
  ["legendFunction", svg`<g class="gl-function"><circle class="gl-box" cx="22" cy="13" r="11" /></g>`],
  ["legendSaved", drawer("")],
  ["legendFreed", drawer("is-freed")],
  [
    "legendGradient",
    svg`<path class="gl-edge has-gradient" d="M2 13H42" /><path class="gl-edge gl-back" d="M2 13H42" />`,
  ],
  ["legendEmpty", slot("is-empty")],
  ["legendPassing", slot("is-passing")],
  ["legendKept", slot("is-kept")],
];

export function legend(lang: Lang): TemplateResult {
  return html`<details class="gl-legend">
    <summary>${text(lang, "legend")}</summary>
    <ul>
      ${SAMPLES.map(
        ([key, sample]) =>
          html`<li><svg class="gl-sample" viewBox="0 0 44 26" width="44" height="26" aria-hidden="true">${sample}</svg>${text(lang, key)}</li>`,
      )}
    </ul>
    <p>${text(lang, "hint")}</p>
  </details>`;
}
