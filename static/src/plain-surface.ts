/** A text area over its own coloured source: what every cell is until it is first focused. */
import { renderLines, type Stretch } from "./highlight";
import type { Surface, SurfaceOptions } from "./surface";

export class PlainSurface implements Surface {
  readonly element = document.createElement("div");
  readonly area = document.createElement("textarea");
  private readonly code = document.createElement("pre");
  private errorLine: number | null = null;
  private stretch: Stretch | null = null;

  constructor(private readonly options: SurfaceOptions) {
    this.element.className = "plain-editor";
    const sheet = document.createElement("div");
    sheet.className = "plain-sheet";
    this.code.setAttribute("aria-hidden", "true");
    this.area.value = options.source;
    this.area.wrap = "off";
    this.area.spellcheck = false;
    this.area.autocapitalize = "off";
    this.area.setAttribute("autocorrect", "off");
    this.area.setAttribute("aria-label", options.label);
    this.area.setAttribute("aria-describedby", options.describedBy);
    sheet.append(this.code, this.area);
    this.element.append(sheet);
    this.listen();
    this.draw();
  }

  get source(): string {
    return this.area.value;
  }

  setSource(source: string): void {
    this.area.value = source;
    this.draw();
  }

  focus(): void {
    this.area.focus({ preventScroll: true });
  }

  setErrorLine(line: number | null): void {
    this.errorLine = line;
    this.draw();
  }

  setStretch(stretch: Stretch | null): void {
    this.stretch = stretch;
    this.draw();
  }

  private draw(): void {
    const lines = renderLines(this.source, this.stretch);
    lines.forEach((line, index) => line.classList.toggle("error-line", index + 1 === this.errorLine));
    this.code.replaceChildren(...lines);
    this.area.rows = lines.length;
  }

  private listen(): void {
    const { events } = this.options;
    this.area.addEventListener("input", () => {
      this.draw();
      events.onChange(this.source);
    });
    this.area.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") events.onLeave();
      else if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        events.onRun(event.shiftKey ? "next" : "stay");
      }
    });
    this.element.addEventListener("pointermove", (event) => events.onPoint(this.offsetAt(event)));
    this.element.addEventListener("pointerleave", () => events.onPoint(null));
  }

  /** The offset under the pointer: the line by its box, the column by measuring the text before it. */
  private offsetAt(event: PointerEvent): number | null {
    const lines = [...this.code.children] as HTMLElement[];
    const index = lines.findIndex((line) => {
      const box = line.getBoundingClientRect();
      return event.clientY >= box.top && event.clientY < box.bottom;
    });
    const line = lines[index];
    if (!line) return null;
    const range = document.createRange();
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    let before = lines.slice(0, index).reduce((sum, other) => sum + (other.textContent ?? "").length + 1, 0);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      const length = (text.textContent ?? "").length;
      for (let i = 0; i < length; i += 1) {
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const box = range.getBoundingClientRect();
        if (event.clientX >= box.left && event.clientX < box.right) return before + i;
      }
      before += length;
    }
    return null;
  }
}
