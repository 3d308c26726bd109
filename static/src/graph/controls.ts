/** The stepper: buttons, slider with the film's phases under it, speed; and the picture's zoom buttons. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import type { Phase } from "./player";
import { text, type Lang, type StringKey } from "./strings";

export interface StepperModel {
  lang: Lang;
  step: number;
  total: number;
  playing: boolean;
  speed: number;
  phase: Phase;
  phases: { from: number; to: number; phase: Phase }[];
  goTo(step: number): void;
  toggle(): void;
  setSpeed(speed: number): void;
}

export const SPEEDS = [0.5, 1, 2, 4];

const ICONS = {
  first: "M5 4v12M16 4 8 10l8 6z",
  previous: "M14 4 6 10l8 6z",
  play: "M6 3.5 16 10 6 16.5z",
  pause: "M6 4h3v12H6zM11.5 4h3v12h-3z",
  next: "M6 4l8 6-8 6z",
  last: "M15 4v12M4 4l8 6-8 6z",
  zoomIn: "M4 10h12M10 4v12",
  zoomOut: "M4 10h12",
  fit: "M3 6V3h3M14 3h3v3M17 14v3h-3M6 17H3v-3M7 7h6v6H7z",
  enlarge: "M11 3h6v6M17 3l-6 6M9 17H3v-6M3 17l6-6",
  close: "M5 5l10 10M15 5 5 15",
};

export function icon(name: keyof typeof ICONS): TemplateResult {
  return html`<svg class="gl-icon" viewBox="0 0 20 20" aria-hidden="true">${svg`<path d=${ICONS[name]} />`}</svg>`;
}

export function phaseName(phase: Phase, lang: Lang): string {
  return phase.kind === "backward" ? text(lang, "backward", { n: phase.pass }) : text(lang, phase.kind);
}

export function stepper(model: StepperModel): TemplateResult {
  const { lang, step, total } = model;
  const button = (name: "first" | "previous" | "next" | "last", to: number, off: boolean) => html`
    <button type="button" class="gl-button gl-step-${name}" aria-label=${text(lang, name as StringKey)} title=${text(lang, name as StringKey)}
      aria-disabled=${off ? "true" : "false"} @click=${() => !off && model.goTo(to)}>${icon(name)}</button>`;
  const playName = text(lang, model.playing ? "pause" : "play");
  const valueText = `${text(lang, "position")} ${step} / ${total}, ${phaseName(model.phase, lang)}`;
  return html`<div class="gl-stepper" role="group" aria-label=${text(lang, "stepper")} @keydown=${(event: KeyboardEvent) => keys(event, model)}>
    <div class="gl-buttons">
      ${button("first", 0, step === 0)}${button("previous", step - 1, step === 0)}
      <button type="button" class="gl-button gl-play" aria-label=${playName} title=${playName} @click=${() => model.toggle()}>
        ${icon(model.playing ? "pause" : "play")}
      </button>
      ${button("next", step + 1, step === total)}${button("last", total, step === total)}
    </div>
    <div class="gl-track">
      <input type="range" min="0" max=${total} step="1" .value=${String(step)} aria-label=${text(lang, "position")} aria-valuetext=${valueText}
        @input=${(event: Event) => model.goTo(Number((event.target as HTMLInputElement).value))} />
      ${phaseBar(model)}
    </div>
    <span class="gl-count"><b>${step}</b> / ${total}</span>
    <label class="gl-speed"><span class="gl-hidden">${text(lang, "speed")}</span>
      <select @change=${(event: Event) => model.setSpeed(Number((event.target as HTMLSelectElement).value))}>
        ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === model.speed}>${speed}×</option>`)}
      </select>
    </label>
  </div>`;
}

/** The phases as a ruler under the slider: building is a thin line, the rest thick, so that colour alone tells nothing. */
function phaseBar({ phases, total }: StepperModel): TemplateResult | typeof nothing {
  if (total === 0) return nothing;
  return html`<svg class="gl-phases" viewBox="0 0 ${total} 4" preserveAspectRatio="none" aria-hidden="true">
    ${guard([phases], () =>
      phases.map(
        ({ from, to, phase }) =>
          svg`<rect class="gl-phase is-${phase.kind}" x=${from} width=${to - from} y=${phase.kind === "building" ? 1.5 : 0} height=${phase.kind === "building" ? 1 : 4} />`,
      ),
    )}
  </svg>`;
}

/** Arrow keys step while the stepper has the focus; the slider and the speed menu keep their own keys. */
function keys(event: KeyboardEvent, model: StepperModel): void {
  const target = event.target;
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
  const to: Partial<Record<string, number>> = {
    ArrowRight: model.step + 1,
    ArrowDown: model.step + 1,
    ArrowLeft: model.step - 1,
    ArrowUp: model.step - 1,
    Home: 0,
    End: model.total,
  };
  const step = to[event.key];
  if (step === undefined) return;
  event.preventDefault();
  model.goTo(step);
}

export interface ZoomModel {
  lang: Lang;
  zoom(by: number): void;
  fit(): void;
  reset(): void;
  /** Switches the whole screen on and off; null where the browser cannot. */
  enlarge: (() => void) | null;
}

export function zoomButtons({ lang, zoom, fit, reset, enlarge }: ZoomModel): TemplateResult {
  return html`<div class="gl-zoom" role="group" aria-label=${text(lang, "zoom")}>
    <button type="button" class="gl-button" aria-label=${text(lang, "zoomOut")} title=${text(lang, "zoomOut")} @click=${() => zoom(1 / 1.25)}>${icon("zoomOut")}</button>
    <button type="button" class="gl-button" aria-label=${text(lang, "zoomIn")} title=${text(lang, "zoomIn")} @click=${() => zoom(1.25)}>${icon("zoomIn")}</button>
    <button type="button" class="gl-button" aria-label=${text(lang, "fitLabel")} title=${text(lang, "fitLabel")} @click=${fit}>${icon("fit")}</button>
    <button type="button" class="gl-button gl-one" aria-label="1:1 ${text(lang, "reset")}" title=${text(lang, "reset")} @click=${reset}>1:1</button>
    ${enlarge ? html`<button type="button" class="gl-button" aria-label=${text(lang, "enlarge")} title=${text(lang, "enlarge")} @click=${enlarge}>${icon("enlarge")}</button>` : nothing}
  </div>`;
}

/** One switch for each storey of the document, when there is more than one. */
export function storeySwitches(
  lang: Lang,
  storeys: number[],
  hidden: ReadonlySet<number>,
  toggle: (storey: number) => void,
) {
  if (storeys.length < 2) return nothing;
  return html`<div class="gl-storeys" role="group" aria-label=${text(lang, "storeys")}>
    ${storeys.map((storey) => {
      const on = !hidden.has(storey);
      const last = on && storeys.filter((s) => !hidden.has(s)).length === 1;
      const name =
        storey > 2 ? text(lang, "storeyN", { n: storey - 1 }) : text(lang, storey === 1 ? "storey1" : "storey2");
      return html`<button type="button" class="gl-switch" aria-pressed=${on} aria-disabled=${last} @click=${() => !last && toggle(storey)}>${name}</button>`;
    })}
  </div>`;
}
