/** What the step says in words, the invitation to watch, and what the picture leaves out. */

import { html, nothing, type TemplateResult } from "lit";
import { phaseName } from "./controls";
import type { Truncated } from "./document";
import { messageOf } from "./messages";
import type { GraphModel } from "./model";
import { firstBackward, type ViewState } from "./player";
import type { Scene } from "./scene";
import { sentence } from "./sentence";
import { reasonText, text, type Lang } from "./strings";

export interface CaptionModel {
  model: GraphModel;
  state: ViewState;
  lang: Lang;
  /** Nothing has been stepped yet. */
  inviting: boolean;
  /** Plays from a step. */
  start(step: number): void;
}

export function caption({ model, state, lang, inviting, start }: CaptionModel): TemplateResult {
  const failed = state.pass?.error && state.event?.type === "backward_end" ? "is-failed" : "";
  return html`<div class="gl-caption ${failed}">
    <span class="gl-phase-name is-${state.phase.kind}">${phaseName(state.phase, lang)}</span>
    <p aria-live="polite">${sentence(messageOf(model, state, lang))}</p>
    ${inviting && state.step === state.total && state.total > 0 ? invitation(model, lang, start) : nothing}
  </div>`;
}

function invitation(model: GraphModel, lang: Lang, start: (step: number) => void): TemplateResult {
  const backward = firstBackward(model);
  return html`<div class="gl-invite">
    <span>${text(lang, question(model, backward !== null))}</span>
    <button type="button" class="gl-call-to" @click=${() => start(0)}>${text(lang, "watch")}</button>
    ${
      backward === null
        ? nothing
        : html`<button type="button" class="gl-call-to is-second" @click=${() => start(backward)}>${text(lang, "watchBackward")}</button>`
    }
  </div>`;
}

function question(model: GraphModel, passed: boolean): "invite" | "inviteNoBackward" | "inviteTruncated" {
  if (model.document.truncated) return "inviteTruncated";
  return passed ? "invite" : "inviteNoBackward";
}

export function notes(scene: Scene, truncated: Truncated | null, lang: Lang): TemplateResult | typeof nothing {
  if (!truncated && scene.folded.length === 0) return nothing;
  return html`<div class="gl-note">
    ${scene.folded.length > 0 ? html`<p>${text(lang, "foldedNote", { n: scene.folded.length })}</p>` : nothing}
    ${truncated ? html`<p>${leftOut(truncated, lang)}</p>` : nothing}
  </div>`;
}

function leftOut({ reason, nodes_left_out: nodes, events_left_out: events }: Truncated, lang: Lang): string {
  return text(lang, nodes > 0 ? "truncatedNodes" : "truncated", { reason: reasonText(lang, reason), nodes, events });
}
