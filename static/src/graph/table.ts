/** The same graph as tables, for those who cannot see the picture or would rather read. */

import { html, nothing, type TemplateResult } from "lit";
import type { Id } from "./document";
import { phaseName } from "./controls";
import { kindOf } from "./describe";
import { allMessages } from "./messages";
import { labelOf, type GraphModel } from "./model";
import { bytesText, shapeText, shortValue } from "./numbers";
import { phases, type ViewState } from "./player";
import { sentence } from "./sentence";
import { text, type Lang } from "./strings";

export interface TableModel {
  model: GraphModel;
  state: ViewState;
  lang: Lang;
  open: boolean;
  toggled(open: boolean): void;
  goTo(step: number): void;
}

export function tables(context: TableModel): TemplateResult {
  const { lang } = context;
  return html`<details class="gl-tables" ?open=${context.open} @toggle=${(event: Event) => context.toggled((event.target as HTMLDetailsElement).open)}>
    <summary>${text(lang, "textAlternative")}</summary>
    ${context.open ? html`${nodesTable(context)}${eventsTable(context)}` : nothing}
  </details>`;
}

function nodesTable({ model, state, lang }: TableModel): TemplateResult {
  const columns = [
    text(lang, "name"),
    text(lang, "kind"),
    text(lang, "shape"),
    text(lang, "value"),
    ".grad",
    text(lang, "saved"),
  ];
  const ids = [...model.tensors.keys(), ...model.functions.keys()].filter(
    (id) => state.tensors.get(id)?.exists ?? state.functions.get(id)?.exists,
  );
  return html`<div class="gl-table-scroll" tabindex="0" role="group" aria-label=${text(lang, "nodesTable")}>
    <table>
      <caption>${text(lang, "nodesTable")}</caption>
      <thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${ids.map((id) => nodeRow(model, state, id, lang))}</tbody>
    </table>
  </div>`;
}

function nodeRow(model: GraphModel, state: ViewState, id: Id, lang: Lang): TemplateResult {
  const made = model.functions.get(id);
  if (made) {
    const freed = state.functions.get(id)!.freed;
    const saved = made.saved.map(
      (s) => `${s.name} (${bytesText(s.nbytes)}, ${text(lang, freed ? "savedFreed" : "savedKept")})`,
    );
    return html`<tr><th scope="row"><code>${labelOf(model, id)}</code></th><td>${made.name}</td><td></td><td></td><td></td><td>${saved.join(", ") || "—"}</td></tr>`;
  }
  const tensor = model.tensors.get(id)!;
  const view = state.tensors.get(id)!;
  return html`<tr><th scope="row"><code>${labelOf(model, id)}</code></th><td>${kindOf(model, id, lang)}</td><td>${shapeText(tensor.shape)}</td>
    <td>${shortValue(view.value, 60)}</td><td>${view.grad ? shortValue(view.grad, 60) : "None"}</td><td></td></tr>`;
}

function eventsTable({ model, state, lang, goTo }: TableModel): TemplateResult {
  const runs = phases(model);
  const phaseAt = (step: number) => runs.find(({ from, to }) => step > from && step <= to)!.phase;
  const messages = allMessages(model, lang);
  return html`<div class="gl-table-scroll" tabindex="0" role="group" aria-label=${text(lang, "eventsTable")}>
    <table>
      <caption>${text(lang, "eventsTable")}</caption>
      <thead><tr><th scope="col">${text(lang, "stepNumber")}</th><th scope="col">${text(lang, "kind")}</th><th scope="col">${text(lang, "event")}</th></tr></thead>
      <tbody>
        ${messages.map((message, at) => {
          const step = at + 1;
          return html`<tr aria-current=${step === state.step ? "step" : nothing}>
            <td><button type="button" class="gl-link" @click=${() => goTo(step)}>${step}</button></td>
            <td>${phaseName(phaseAt(step), lang)}</td><td>${sentence(message)}</td></tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}
