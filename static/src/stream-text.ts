/**
 * The text of one output stream while it grows. However fast a cell prints, the page writes at most every
 * `pause` milliseconds and only the end of the text, so that Stop can always be pressed.
 */

/** Between two writings, in milliseconds. */
const pause = 80;
/** A finished stretch of this many characters becomes a block of its own, which the browser need not lay out again. */
const blockLength = 16_384;

export class StreamText {
  /** What may still change: the last line, and lines before it that fill no block yet. */
  private open = "";
  private readonly end = document.createTextNode("");
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private written = -Infinity;

  constructor(
    readonly name: string,
    node: HTMLElement,
  ) {
    node.append(this.end);
  }

  add(piece: string): void {
    this.open += piece;
    if (this.waiting !== undefined) return;
    const wait = this.written + pause - performance.now();
    if (wait <= 0) this.write();
    else this.waiting = setTimeout(() => this.write(), wait);
  }

  /** Shows all that came. */
  write(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.open = overwritten(this.open);
    const finished = this.open.length > blockLength ? this.open.lastIndexOf("\n") + 1 : 0;
    for (let from = 0; from < finished; ) {
      const next = this.open.indexOf("\n", Math.min(from + blockLength, finished - 1)) + 1;
      this.end.before(block(this.open.slice(from, next)));
      from = next;
    }
    this.open = this.open.slice(finished);
    this.end.data = this.open;
    this.written = performance.now();
  }
}

function block(content: string): HTMLElement {
  const node = document.createElement("span");
  node.className = "out-block";
  node.textContent = content;
  return node;
}

/** A carriage return begins the line anew, as progress bars expect. */
export function overwritten(content: string): string {
  return content.includes("\r") ? content.replace(/\r\n/g, "\n").replace(/[^\n]*\r(?!$)/g, "") : content;
}
