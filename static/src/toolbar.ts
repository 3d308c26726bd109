/** <gl-toolbar>: run all cells, stop, restart; says what the kernel is doing, also to a screen reader. */
import { LitElement, html, type TemplateResult } from "lit";
import type { LessonCell } from "./cell";
import { ApiError, ConnectionLost } from "./client";
import { icon } from "./icons";
import { text } from "./i18n";
import { lessonPage } from "./page";

export class RunToolbar extends LitElement {
  private message = "";
  private announcement = "";

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    lessonPage().session.addEventListener("state", this.onState);
    document.addEventListener("gl-announce", this.onAnnounce);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    lessonPage().session.removeEventListener("state", this.onState);
    document.removeEventListener("gl-announce", this.onAnnounce);
  }

  private readonly onState = (): void => {
    this.message = "";
    this.requestUpdate();
  };

  private readonly onAnnounce = (event: Event): void => {
    this.announcement = (event as CustomEvent<string>).detail;
    this.requestUpdate();
  };

  private runAll(): void {
    lessonPage().session.enqueue(...document.querySelectorAll<LessonCell>("gl-cell"));
  }

  private async restart(): Promise<void> {
    const t = text();
    try {
      await lessonPage().session.restart();
      this.message = t.restarted;
      this.announcement = t.restarted;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ConnectionLost)) throw error;
      this.message = error instanceof ApiError ? error.message : t.connectionLost;
    }
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const t = text();
    const { state, current } = lessonPage().session;
    const busy = state === "running" || state === "reconnecting";
    const status = this.message || (busy && current && state === "running" ? `${t.running} ${current.cellId}` : t[state]);
    return html`<div class="toolbar" role="group" aria-label=${t.toolbar}>
        <button type="button" class="button primary" data-act="run-all" ?disabled=${state === "restarting"} @click=${() => this.runAll()}>
          ${icon("runAll")}<span>${t.runAll}</span>
        </button>
        <button type="button" class="button" data-act="stop" title=${t.stopTitle} ?disabled=${!busy} @click=${() => lessonPage().session.stop()}>
          ${icon("stop")}<span>${t.stop}</span>
        </button>
        <button type="button" class="button" data-act="restart" title=${t.restartTitle} ?disabled=${state === "idle" || state === "restarting"} @click=${() => void this.restart()}>
          ${icon("restart")}<span>${t.restart}</span>
        </button>
        <span class="toolbar-state" data-state=${state}><span class="dot" aria-hidden="true"></span>${status}</span>
      </div>
      <p class="visually-hidden" role="status">${this.announcement}</p>
      <p class="visually-hidden" id="editor-hint">${t.editorHint}</p>`;
  }
}

customElements.define("gl-toolbar", RunToolbar);
