/** The editor of a cell: a plain surface that becomes a rich one when it is first focused. */
import { PlainSurface } from "./plain-surface";
import type { Stretch } from "./highlight";
import type { Surface, SurfaceOptions } from "./surface";

export class CellEditor {
  readonly element = document.createElement("div");
  private surface: Surface;
  private loading = false;
  private errorLine: number | null = null;
  private stretch: Stretch | null = null;

  constructor(private readonly options: SurfaceOptions) {
    this.element.className = "cell-editor";
    const plain = new PlainSurface(options);
    this.surface = plain;
    this.element.append(plain.element);
    plain.area.addEventListener("focus", () => void this.enrich(plain));
    // A browser may put the focus back by itself before scripts run.
    if (document.activeElement === plain.area) void this.enrich(plain);
  }

  get source(): string {
    return this.surface.source;
  }

  set source(source: string) {
    this.surface.setSource(source);
  }

  focus(): void {
    this.surface.focus();
  }

  setErrorLine(line: number | null): void {
    if (line === null && this.errorLine === null) return;
    this.errorLine = line;
    this.surface.setErrorLine(line);
  }

  setStretch(stretch: Stretch | null): void {
    if (stretch === null && this.stretch === null) return;
    this.stretch = stretch;
    this.surface.setStretch(stretch);
  }

  private async enrich(plain: PlainSurface): Promise<void> {
    if (this.loading || this.surface !== plain) return;
    this.loading = true;
    let module: typeof import("./rich-surface");
    try {
      module = await import("./rich-surface");
    } catch {
      // The text area goes on working; the next focus tries again.
      this.loading = false;
      return;
    }
    await endOfComposition(plain.area);
    const { area } = plain;
    const focused = document.activeElement === area;
    const backwards = area.selectionDirection === "backward";
    const [anchor, head] = backwards ? [area.selectionEnd, area.selectionStart] : [area.selectionStart, area.selectionEnd];
    const rich = module.createRichSurface({ ...this.options, source: plain.source }, anchor, head);
    this.surface = rich;
    this.element.replaceChildren(rich.element);
    if (focused) rich.focus();
    rich.setErrorLine(this.errorLine);
    rich.setStretch(this.stretch);
  }
}

/** Resolves at once, or when the input method that is composing in `area` is done. */
function endOfComposition(area: HTMLTextAreaElement): Promise<void> {
  if (!composing.has(area)) return Promise.resolve();
  return new Promise((resolve) => area.addEventListener("compositionend", () => resolve(), { once: true }));
}

const composing = new WeakSet<EventTarget>();
document.addEventListener("compositionstart", (event) => event.target && composing.add(event.target), true);
document.addEventListener("compositionend", (event) => event.target && composing.delete(event.target), true);
