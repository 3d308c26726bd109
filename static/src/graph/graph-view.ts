/**
 * `<gl-graph>`: the computation graph of a cell, as a film that can be stepped and opened node by node.
 *
 * Properties `document`, `lang`. Fires `gl-span-enter` (detail: a span) and `gl-span-leave`, both bubbling, when
 * a node is hovered or focused or a step runs; `highlightSpan` answers the other way.
 */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { caption, notes } from "./caption";
import { stepper, storeySwitches, zoomButtons } from "./controls";
import type { GraphDocument, Id, Span } from "./document";
import { drawGraph, type DrawContext } from "./draw";
import { inspector, typeset } from "./inspector";
import { neighbour, type Arrow } from "./keyboard";
import { layoutScene, type Layout } from "./layout";
import { legend } from "./legend";
import { buildModel, nodeOf, askedAt, nodesAt, spanOf, type GraphModel, spansIn } from "./model";
import { phases, play, type ViewState } from "./player";
import { buildScene, type Scene } from "./scene";
import { placeOf, stopExists, tabStop, unitOf } from "./stops";
import { text, type Lang } from "./strings";
import { tables } from "./table";
import { showCamera, Viewport } from "./viewport";

/** Below this width of the element, in pixels, the graph runs from top to bottom. */
const NARROW = 560;
/** A graph higher than this leaves no room for the stepper on a phone's screen. */
const TALL = 1000;
const STEP_MS = 1400;
let explorers = 0;

export class GraphView extends LitElement {
  static override properties = {
    document: { attribute: false },
    lang: { type: String },
    step: { state: true },
    playing: { state: true },
    speed: { state: true },
    selected: { state: true },
    lit: { state: true },
    hiddenStoreys: { state: true },
    width: { state: true },
    reading: { state: true },
    invited: { state: true },
  };

  declare document: GraphDocument | null;
  declare lang: Lang;
  declare private step: number;
  declare private playing: boolean;
  declare private speed: number;
  declare private selected: Id | null;
  declare private lit: ReadonlySet<Id>;
  declare private hiddenStoreys: ReadonlySet<number>;
  declare private width: number;
  declare private reading: boolean;
  /** The invitation to play is shown until the learner has stepped once. */
  declare private invited: boolean;

  private readonly uid = `gl-graph-${++explorers}`;
  private model: GraphModel | null = null;
  private phases: ReturnType<typeof phases> = [];
  private scene: Scene | null = null;
  private layout: Layout | null = null;
  private state: ViewState | null = null;
  private stop: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private opener: string | null = null;
  private spanShown = false;
  private readonly viewport = new Viewport(() => this.applyCamera());
  private readonly observer = new ResizeObserver(([entry]) => (this.width = Math.round(entry!.contentRect.width)));

  constructor() {
    super();
    this.document = null;
    this.lang = "en";
    this.step = 0;
    this.playing = false;
    this.speed = 1;
    this.selected = null;
    this.lit = new Set();
    this.hiddenStoreys = new Set();
    this.width = 0;
    this.reading = false;
    this.invited = true;
  }

  /** The spans present in the document, each once. */
  get spans(): Span[] {
    return this.document ? spansIn(this.document) : [];
  }

  /** Lights the nodes that the innermost expression around a position made; null puts the lights out. */
  highlightSpan(position: { cell: string; line: number; column: number } | null): void {
    this.lit = position && this.model ? nodesAt(this.model, position) : new Set();
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.classList.add("gl-graph");
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
    clearTimeout(this.timer);
    this.playing = false;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("document")) this.load();
    if (!this.model) return;
    const resized =
      changed.has("width") && shapeOf(this.width) !== shapeOf((changed.get("width") as number | undefined) ?? 0);
    if (changed.has("document") || changed.has("hiddenStoreys") || resized || !this.layout) {
      this.scene = buildScene(this.model, { hidden: this.hiddenStoreys });
      this.layout = layoutScene(this.model, this.scene, {
        vertical: this.width > 0 && this.width < NARROW,
        width: Math.max(this.width - 32, 320),
      });
    }
    if (!this.state || this.state.step !== this.step || changed.has("document"))
      this.state = play(this.model, this.step);
  }

  protected override updated(): void {
    this.measureStage();
    if (this.selected !== null) void typeset(this);
  }

  private load(): void {
    clearTimeout(this.timer);
    this.playing = false;
    this.selected = null;
    this.lit = new Set();
    this.stop = null;
    this.invited = true;
    this.layout = null;
    this.hiddenStoreys = new Set();
    this.model = this.document ? buildModel(this.document) : null;
    this.phases = this.model ? phases(this.model) : [];
    this.state = null;
    this.step = this.document?.events.length ?? 0;
  }

  protected override render(): TemplateResult {
    const { model, state, layout, scene } = this;
    if (!model || !state || !layout || !scene || layout.units.length === 0)
      return html`<p class="gl-note">${text(this.lang, "empty")}</p>`;
    return html`
      <div class="gl-frame">
        <div class="gl-bar">
          <span class="gl-title">${text(this.lang, "title")}</span>
          ${storeySwitches(this.lang, scene.storeys, this.hiddenStoreys, (storey) => this.toggleStorey(storey))}
          ${zoomButtons({
            lang: this.lang,
            zoom: (by) => this.viewport.zoom(by),
            fit: () => this.viewport.fit(),
            reset: () => this.viewport.reset(),
            enlarge: this.ownerDocument.fullscreenEnabled ? () => this.enlarge() : null,
          })}
        </div>
        ${this.stage({ model, state, layout, scene })}
        <div class="gl-deck ${layout.vertical && (!this.invited || layout.height > TALL) ? "is-sticky" : ""}">
        ${caption({ model, state, lang: this.lang, inviting: this.invited, start: (step) => this.start(step) })}
        ${stepper({
          lang: this.lang,
          step: this.step,
          total: state.total,
          playing: this.playing,
          speed: this.speed,
          phase: state.phase,
          phases: this.phases,
          goTo: (step) => this.goTo(step),
          toggle: () => (this.playing ? this.pause() : this.start(this.step === state.total ? 0 : this.step)),
          setSpeed: (speed) => (this.speed = speed),
        })}
        </div>
      </div>
      ${notes(scene, model.document.truncated, this.lang)}
      ${
        this.selected === null
          ? nothing
          : inspector({
              model,
              state,
              lang: this.lang,
              id: this.selected,
              close: () => this.closeInspector(),
              open: (id) => this.select(id),
            })
      }
      ${legend(this.lang)}
      ${tables({
        model,
        state,
        lang: this.lang,
        open: this.reading,
        toggled: (open) => (this.reading = open),
        goTo: (step) => this.goTo(step),
      })}`;
  }

  private stage(parts: Pick<DrawContext, "model" | "state" | "layout" | "scene">): TemplateResult {
    this.stop = tabStop(parts, this.stop);
    const context: DrawContext = {
      ...parts,
      lang: this.lang,
      uid: this.uid,
      selected: this.selected,
      lit: this.lit,
      stop: this.stop,
    };
    return html`<svg class="gl-stage" role="group" aria-label=${text(this.lang, "graphLabel")}
      @wheel=${(event: WheelEvent) => this.viewport.wheel(event, this.stageBox())}
      @pointerdown=${(event: PointerEvent) => this.viewport.down(event)}
      @pointermove=${(event: PointerEvent) => this.viewport.move(event, this.stageBox())}
      @pointerup=${(event: PointerEvent) => this.viewport.up(event)}
      @pointercancel=${(event: PointerEvent) => this.viewport.up(event)}
      @pointerover=${(event: PointerEvent) => this.hover(event)}
      @pointerout=${(event: PointerEvent) => this.leave(event)}
      @focusin=${(event: FocusEvent) => this.focused(event)}
      @focusout=${() => this.leaveSpan()}
      @click=${(event: MouseEvent) => this.clicked(event)}
      @keydown=${(event: KeyboardEvent) => this.key(event)}
    ><g class="gl-camera">${drawGraph(context)}</g></svg>`;
  }

  // The film.

  private goTo(step: number): void {
    this.pause();
    this.show(step);
  }

  private show(step: number): void {
    const total = this.document?.events.length ?? 0;
    this.step = Math.max(0, Math.min(step, total));
    this.invited = false;
    const event = this.document?.events[this.step - 1];
    if (event && "span" in event && event.span) this.enterSpan(event.span);
    else {
      // A pass that failed points at the line that asked for it.
      const asked = event?.type === "backward_end" && event.error !== null ? askedAt(this.document!, event.pass) : null;
      if (asked) this.enterSpan(asked);
      else this.leaveSpan();
    }
    void this.updateComplete.then(() => this.follow());
  }

  /** Keeps what the step is about in view: inside the stage, and on a phone above the stepper. */
  private follow(): void {
    const { layout, scene } = this;
    if (!layout || !scene || !this.state) return;
    const units = [...this.state.active].slice(0, 3).map((id) => placeOf({ layout, scene }, id));
    for (const unit of units) if (unit) this.viewport.reveal(unit);
    const stage = this.stageBox();
    if (!units[0] || stage.height < innerHeight * 0.6) return;
    const { y, scale } = this.viewport.camera;
    const top = stage.top + units[0].y * scale + y;
    const bottom = top + units[0].height * scale;
    const floor = Math.min(innerHeight, this.querySelector(".gl-deck")!.getBoundingClientRect().top);
    const below = bottom + 12 - floor;
    const by = below > 0 ? below : Math.min(0, top - 72);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (by !== 0) scrollBy({ top: by, behavior: calm ? "instant" : "smooth" });
  }

  private start(step: number): void {
    this.show(step);
    this.playing = true;
    this.schedule();
  }

  private pause(): void {
    this.playing = false;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.playing) return;
      this.show(this.step + 1);
      if (this.step >= (this.document?.events.length ?? 0)) this.pause();
      else this.schedule();
    }, STEP_MS / this.speed);
  }

  private enlarge(): void {
    const { ownerDocument } = this;
    void (ownerDocument.fullscreenElement === this ? ownerDocument.exitFullscreen() : this.requestFullscreen());
  }

  private toggleStorey(storey: number): void {
    const hidden = new Set(this.hiddenStoreys);
    if (!hidden.delete(storey)) hidden.add(storey);
    this.hiddenStoreys = hidden;
  }

  // Opening and walking.

  private select(id: Id): void {
    this.selected = id;
    const placed = this.layout && unitOf(this.layout, id);
    if (placed) this.viewport.reveal(placed);
    void this.updateComplete.then(() => {
      const panel = this.querySelector<HTMLElement>(".gl-inspector");
      if (!panel) return;
      panel.focus({ preventScroll: true });
      // Enough of the panel to read its head; the node stays in sight where both have room.
      const { top, height } = panel.getBoundingClientRect();
      const hidden = top + Math.min(height, 240) - innerHeight;
      if (hidden > 0) scrollBy({ top: hidden });
    });
  }

  private closeInspector(): void {
    this.selected = null;
    const back = this.opener;
    void this.updateComplete.then(() => {
      if (back !== null) this.nodeElement(back)?.focus();
    });
  }

  private nodeElement(stop: string): SVGElement | null {
    return this.querySelector<SVGElement>(`[data-stop="${CSS.escape(stop)}"] > .gl-hit`);
  }

  private clicked(event: MouseEvent): void {
    if (this.viewport.dragged) return;
    const node = stopElement(event.target);
    if (node) this.openFrom(node);
  }

  private openFrom(node: SVGElement): void {
    this.opener = node.dataset["stop"] ?? null;
    this.stop = this.opener;
    this.select(node.dataset["node"]!);
  }

  private key(event: KeyboardEvent): void {
    const node = stopElement(event.target);
    if (!node || !this.layout || !this.state || !this.scene) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.openFrom(node);
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const parts = { state: this.state, layout: this.layout, scene: this.scene };
      const to = neighbour(this.layout, node.dataset["stop"]!, event.key as Arrow, (stop) => stopExists(parts, stop));
      if (to !== null) this.nodeElement(to)?.focus();
    }
  }

  private focused(event: FocusEvent): void {
    const node = stopElement(event.target);
    if (!node || !this.layout) return;
    this.stop = node.dataset["stop"]!;
    this.requestUpdate();
    const placed = unitOf(this.layout, this.stop);
    if (placed && node.querySelector(".gl-hit:focus-visible")) this.viewport.reveal(placed);
    this.enterNode(node.dataset["node"]!);
  }

  private hover(event: PointerEvent): void {
    const node = stopElement(event.target);
    if (node) this.enterNode(node.dataset["node"]!);
  }

  private leave(event: PointerEvent): void {
    const node = stopElement(event.target);
    if (node && stopElement(event.relatedTarget) !== node) this.leaveSpan();
  }

  private enterNode(id: Id): void {
    const span = this.model && spanOf(nodeOf(this.model, id));
    if (span) this.enterSpan(span);
  }

  private enterSpan(span: Span): void {
    this.spanShown = true;
    this.dispatchEvent(new CustomEvent<Span>("gl-span-enter", { detail: { ...span }, bubbles: true }));
  }

  private leaveSpan(): void {
    if (!this.spanShown) return;
    this.spanShown = false;
    this.dispatchEvent(new CustomEvent("gl-span-leave", { bubbles: true }));
  }

  // The stage.

  private stageBox(): DOMRect {
    return this.querySelector(".gl-stage")!.getBoundingClientRect();
  }

  /** Gives the stage the height of the fitted graph, within bounds, and tells the viewport. */
  private measureStage(): void {
    const svg = this.querySelector<SVGSVGElement>(".gl-stage");
    if (!svg || !this.layout || this.width === 0) return;
    const { width, height, vertical } = this.layout;
    const full = this.ownerDocument.fullscreenElement === this;
    const most = full ? Math.max(240, innerHeight - 260) : vertical ? 2600 : 620;
    const room = svg.getBoundingClientRect().width;
    const fitted = Math.max(0.15, Math.min(room / width, most / height, full ? 2 : 1.15));
    const readable = Math.max(fitted, vertical ? 0.6 : 0.72);
    const tall = Math.max(120, Math.ceil(Math.min(height * readable, most)));
    svg.setAttribute("height", String(tall));
    this.viewport.resize({ width: room, height: tall }, { width, height }, { fitted, readable });
  }

  private applyCamera(): void {
    const stage = this.querySelector<SVGSVGElement>(".gl-stage");
    if (stage) showCamera(stage, this.viewport);
  }

  override firstUpdated(): void {
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.selected === null) return;
      event.stopPropagation();
      this.closeInspector();
    });
  }
}

/** Widths that share a layout: not measured yet, narrow, and steps of 200 pixels from there. */
function shapeOf(width: number): number {
  if (width === 0) return -1;
  return width < NARROW ? 0 : Math.ceil(width / 200);
}

function stopElement(target: EventTarget | null): SVGElement | null {
  return target instanceof Element ? target.closest<SVGElement>("[data-stop]") : null;
}

if (!customElements.get("gl-graph")) customElements.define("gl-graph", GraphView);

declare global {
  interface HTMLElementTagNameMap {
    "gl-graph": GraphView;
  }
}
