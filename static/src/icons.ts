/** The few signs of the controls, drawn for this page. */
import { html, svg, type TemplateResult } from "lit";

const shapes = {
  run: svg`<path d="M4 2.600v10.800a.8.8 0 0 0 1.200.7l8.800-5.400a.8.8 0 0 0 0-1.400L5.200 1.900A.8.8 0 0 0 4 2.600Z"/>`,
  runAll: svg`<path d="M1.500 3v10a.7.7 0 0 0 1.100.6L8 9.700V13a.7.7 0 0 0 1.100.6l6.400-5a.7.7 0 0 0 0-1.200l-6.400-5A.7.7 0 0 0 8 3v3.300L2.600 2.400A.7.7 0 0 0 1.500 3Z"/>`,
  stop: svg`<rect x="3" y="3" width="10" height="10" rx="1.500"/>`,
  reset: svg`<path d="M8 2.500a5.500 5.500 0 1 1-5.200 7.300l1.500-.5A3.900 3.900 0 1 0 5 5.300l1.700 1.700H2V2.300l1.900 1.900A5.500 5.500 0 0 1 8 2.500Z"/>`,
  restart: svg`<path d="M8 2.500a5.500 5.500 0 1 0 5.200 7.300l-1.500-.5A3.900 3.900 0 1 1 11 5.300L9.300 7H14V2.300l-1.900 1.900A5.500 5.500 0 0 0 8 2.500Z"/>`,
};

export function icon(name: keyof typeof shapes): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${shapes[name]}</svg>`;
}
