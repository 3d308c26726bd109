/** <gl-cell>: a piece of the lesson's code that can be edited and run. Takes over server-rendered markup. */
import { LitElement, html, nothing, type TemplateResult } from "lit";
import { CellEditor } from "./cell-editor";
import { helpFor, reasonIn } from "./error-help";
import { icon } from "./icons";
import { pageLang, text } from "./i18n";
import { OutputArea } from "./outputs";
import { lessonPage } from "./page";
import { fromOffset, toStretch } from "./position";
import type { ErrorOutput, Output, RunStatus, SourcePosition, SourceSpan } from "./protocol";
import type { Runner } from "./session";

type Phase = "rest" | "queued" | "running";

export class LessonCell extends LitElement implements Runner {
  cellId = "";
  expectsError = false;
  private original = "";
  private editor: CellEditor | null = null;
  private readonly outputs = new OutputArea();
  private recorded: HTMLElement | null = null;
  /** Outputs of the run that is shown, kept for a reload. */
  private shown: Output[] = [];
  private hasRun = false;
  private phase: Phase = "rest";
  private count: number | null = null;
  private elapsed: number | null = null;
  private clock: ReturnType<typeof setInterval> | undefined;
  private undoSource: string | null = null;
  private resetting = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    if (!this.editor) this.takeOver();
    super.connectedCallback();
  }

  get source(): string {
    return this.editor?.source ?? this.original;
  }

  get edited(): boolean {
    return this.source !== this.original;
  }

  focusEditor(): void {
    this.editor?.focus();
  }

  /** Marks the stretch of source that a node of the graph came from, unless the source has changed since. */
  showSpan(span: SourceSpan | null): void {
    this.editor?.setStretch(span ? toStretch(this.source, span) : null);
  }

  /** The lesson's own source and outputs are read from what the server rendered, then give way to the live cell. */
  private takeOver(): void {
    const { storage, session } = lessonPage();
    this.cellId = this.dataset["cell"] ?? "";
    this.expectsError = this.dataset["expectsError"] !== undefined;
    this.original = this.querySelector(".cell-source")?.textContent ?? "";
    this.recorded = this.querySelector<HTMLElement>(".cell-recorded");
    const edit = storage.readEdit(this.cellId);
    this.editor = new CellEditor({
      source: edit ?? this.original,
      label: text().editorLabel(this.cellId),
      describedBy: "editor-hint",
      events: {
        onChange: (source) => this.onEdit(source),
        onRun: (then) => this.runAnd(then),
        onLeave: () => this.querySelector<HTMLElement>(".cell-run")?.focus(),
        onPoint: (offset) => this.point(offset),
        complete: (source, cursor) => session.complete(source, cursor),
        inspect: (source, cursor) => session.inspect(source, cursor),
      },
    });
    const run = storage.readRuns()[this.cellId];
    if (run) this.restore(run.count, run.outputs);
    else if (edit === null) this.editor.setErrorLine(this.recordedErrorLine());
    session.addEventListener("restarted", () => this.forgetCount());
    this.replaceChildren();
  }

  private recordedErrorLine(): number | null {
    return Number(this.recorded?.querySelector<HTMLElement>("[data-line]")?.dataset["line"]) || null;
  }

  private restore(count: number | null, outputs: Output[]): void {
    this.hasRun = true;
    this.count = count;
    this.shown = outputs;
    for (const output of outputs) this.show(output);
  }

  private onEdit(source: string): void {
    if (!this.resetting) this.undoSource = null;
    lessonPage().storage.writeEdit(this.cellId, source === this.original ? null : source);
    this.requestUpdate();
  }

  private runAnd(then: "stay" | "next"): void {
    lessonPage().session.enqueue(this);
    if (then === "stay") return;
    const cells = [...document.querySelectorAll<LessonCell>("gl-cell")];
    const next = cells[cells.indexOf(this) + 1];
    if (!next) return;
    next.focusEditor();
    next.scrollIntoView({ block: "nearest" });
  }

  private toggleRun(): void {
    const { session } = lessonPage();
    if (this.phase === "running") session.stop();
    else if (this.phase === "queued") session.cancel(this);
    else session.enqueue(this);
  }

  private reset(): void {
    if (!this.editor) return;
    const restored = this.undoSource ?? this.original;
    const undo = this.undoSource === null ? this.editor.source : null;
    this.resetting = true;
    this.editor.source = restored;
    this.editor.setErrorLine(null);
    this.resetting = false;
    this.undoSource = undo;
    // The plain surface reports only what a person types.
    lessonPage().storage.writeEdit(this.cellId, restored === this.original ? null : restored);
    this.requestUpdate();
  }

  private point(offset: number | null): void {
    const detail: SourcePosition | null =
      offset === null ? null : { cell: this.cellId, ...fromOffset(this.source, offset) };
    this.dispatchEvent(new CustomEvent<SourcePosition | null>("gl-source-point", { bubbles: true, detail }));
  }

  onQueued(waiting: boolean): void {
    if (this.phase !== "running") this.phase = waiting ? "queued" : "rest";
    this.requestUpdate();
  }

  onStart(): void {
    this.phase = "running";
    this.shown = [];
    this.outputs.begin();
    this.editor?.setErrorLine(null);
    const began = performance.now();
    this.elapsed = 0;
    this.clock = setInterval(() => {
      this.elapsed = performance.now() - began;
      this.requestUpdate();
    }, 100);
    this.requestUpdate();
  }

  onOutput(output: Output): void {
    this.shown.push(output);
    this.hasRun = true;
    this.show(output);
    this.requestUpdate();
  }

  onFinish(status: RunStatus): void {
    const t = text();
    this.rest();
    this.hasRun = true;
    this.outputs.end();
    this.count = status.execution_count;
    this.elapsed = status.elapsed_ms;
    if (status.status === "interrupted") this.outputs.note(t.interrupted);
    else if (status.status === "timeout") this.outputs.note(withReason(t.timeout, status), "danger");
    else if (status.status === "killed") this.outputs.note(withReason(t.killed, status), "danger");
    lessonPage().storage.writeRun(this.cellId, { count: this.count, outputs: this.shown });
    const failure = this.shown.find((output) => output.output_type === "error");
    if (failure && status.status === "error") this.offerHelp(failure);
    this.announce(failure ? t.doneWithError(this.cellId, `${failure.ename}: ${failure.evalue}`) : t.done(this.cellId));
    this.requestUpdate();
  }

  private offerHelp(failure: ErrorOutput): void {
    const cells = [...document.querySelectorAll<LessonCell>("gl-cell")];
    const above = cells.slice(0, cells.indexOf(this)).filter((cell) => cell.count === null);
    const sources = above.map((cell) => cell.source);
    const help = helpFor(failure, sources, pageLang());
    if (!help) return;
    const act = () => lessonPage().session.enqueue(...above, this);
    this.outputs.note(help.message, "info", help.runAbove ? { label: text().runAbove, act } : undefined);
  }

  onFailure(message: string, retry: () => void): void {
    this.rest();
    this.elapsed = null;
    this.outputs.revive();
    this.outputs.note(message, "danger", { label: text().retry, act: retry });
    this.announce(message);
    this.requestUpdate();
  }

  private rest(): void {
    clearInterval(this.clock);
    this.phase = "rest";
  }

  private show(output: Output): void {
    this.outputs.append(output);
    if (output.output_type === "error" && output.metadata?.line) this.editor?.setErrorLine(output.metadata.line);
  }

  private forgetCount(): void {
    this.count = null;
    this.elapsed = null;
    lessonPage().storage.forgetRuns();
    this.requestUpdate();
  }

  private announce(message: string): void {
    this.dispatchEvent(new CustomEvent<string>("gl-announce", { bubbles: true, detail: message }));
  }

  protected override render(): TemplateResult {
    return html`${this.editor?.element} ${this.renderBar()}
      <div class="cell-output" ?hidden=${!this.hasRun && this.outputs.element.childElementCount === 0 && !this.recorded}>
        ${this.hasRun ? nothing : this.recorded} ${this.outputs.element}
      </div>`;
  }

  private renderBar(): TemplateResult {
    const t = text();
    const busy = this.phase !== "rest";
    return html`<div class="cell-bar">
      <button
        type="button"
        class="button cell-run ${busy ? "danger" : "run"}"
        title=${busy ? t.stopTitle : t.runTitle}
        aria-label=${busy ? t.stopCell(this.cellId) : t.runCell(this.cellId)}
        @click=${() => this.toggleRun()}
      >
        ${icon(busy ? "stop" : "run")}<span>${busy ? t.stop : t.run}</span>
      </button>
      ${this.renderReset()}
      <span class="cell-keys" aria-hidden="true">${t.keysHint}</span>
      <span class="cell-state">${this.renderState()}</span>
    </div>`;
  }

  private renderReset(): TemplateResult | typeof nothing {
    const t = text();
    const undo = this.undoSource !== null;
    if (!undo && !this.edited) return nothing;
    return html`<button
      type="button"
      class="button plain cell-reset"
      title=${undo ? t.undoTitle : t.resetTitle}
      aria-label=${undo ? t.undoCell(this.cellId) : t.resetCell(this.cellId)}
      @click=${() => this.reset()}
    >
      ${icon("reset")}<span>${undo ? t.undo : t.reset}</span>
    </button>`;
  }

  private renderState(): TemplateResult {
    const t = text();
    if (this.phase === "queued") return html`${t.queued}`;
    if (this.phase === "running") {
      const long = this.elapsed !== null && this.elapsed >= 1000;
      return html`<span class="spinner" aria-hidden="true"></span>${t.running}${long ? html` ${seconds(this.elapsed!)}` : nothing}
        <span class="cell-count" aria-hidden="true">[*]</span>`;
    }
    const took = this.elapsed !== null && this.elapsed >= 1000 ? html`<span>${seconds(this.elapsed)}</span>` : nothing;
    if (this.count === null) return html`${took}`;
    return html`${took}<span class="cell-count" title=${t.count(this.count)}
        ><span class="visually-hidden">${t.count(this.count)}</span><span aria-hidden="true">[${this.count}]</span></span
      >`;
  }
}

function withReason(ending: string, { reason }: RunStatus): string {
  return reason ? `${ending} ${reasonIn(pageLang(), reason)}` : ending;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

customElements.define("gl-cell", LessonCell);

declare global {
  interface HTMLElementTagNameMap {
    "gl-cell": LessonCell;
  }
}
