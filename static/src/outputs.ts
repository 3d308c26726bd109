/** Shows the outputs of a run. Everything from a kernel is text or a picture, never markup. */
import { pageLang, text } from "./i18n";
import { graphMime, joined, type DataOutput, type ErrorOutput, type Output, type StreamOutput } from "./protocol";
import { StreamText } from "./stream-text";

/** The part of <gl-graph> that a page uses. */
export interface GraphElement extends HTMLElement {
  document: unknown;
  lang: string;
}

export class OutputArea {
  readonly element = document.createElement("div");
  /** The stream that the next piece of the same name goes on with. */
  private stream: StreamText | null = null;
  /** A graph that stays in place, so that its nodes do not jump when the cell runs again. */
  private keptGraph: GraphElement | null = null;
  private stale = false;

  constructor() {
    this.element.className = "out-list";
  }

  /** The next output replaces what is shown; until then the old outputs stay, dimmed. */
  begin(): void {
    this.stale = true;
    this.endStream();
    // A failure that asked to be tried again has been.
    for (const note of this.element.querySelectorAll(".out-note:has(button)")) note.remove();
    this.element.classList.add("stale");
  }

  /** Ends a run: what it did not replace is gone. */
  end(): void {
    this.clearStale();
    this.endStream();
    this.keptGraph = null;
  }

  /** Shows the outputs as before the run that never was. */
  revive(): void {
    this.stale = false;
    this.element.classList.remove("stale");
  }

  append(output: Output): void {
    this.clearStale();
    if (output.output_type === "stream") this.appendStream(output);
    else {
      this.endStream();
      const node = output.output_type === "error" ? errorNode(output) : this.dataNode(output);
      if (node && node.parentElement !== this.element) this.element.append(node);
    }
  }

  /** A line in the page's own words, such as why a run ended. */
  note(message: string, kind: "info" | "danger" = "info", action?: { label: string; act: () => void }): void {
    this.clearStale();
    const note = document.createElement("p");
    note.className = `out-note ${kind}`;
    note.append(message);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = action.label;
      button.addEventListener("click", () => {
        note.remove();
        action.act();
      });
      note.append(" ", button);
    }
    this.element.append(note);
  }

  private clearStale(): void {
    if (!this.stale) return;
    this.revive();
    this.keptGraph = this.element.querySelector<GraphElement>("gl-graph");
    this.element.replaceChildren();
  }

  private appendStream(output: StreamOutput): void {
    if (this.stream?.name !== output.name) {
      this.endStream();
      const label = output.name === "stderr" ? text().warnings : text().output;
      const node = textNode("", `out out-${output.name === "stderr" ? "stderr" : "stdout"}`, label);
      this.element.append(node);
      this.stream = new StreamText(output.name, node);
    }
    this.stream.add(withoutColours(joined(output.text)));
  }

  private endStream(): void {
    this.stream?.write();
    this.stream = null;
  }

  private dataNode(output: DataOutput): HTMLElement | null {
    const graph = output.data[graphMime];
    if (graph) return this.graphNode(graph);
    for (const mime of ["image/png", "image/jpeg", "image/svg+xml"]) {
      const picture = output.data[mime];
      if (typeof picture === "string" || Array.isArray(picture)) return imageNode(mime, joined(picture), output);
    }
    const plain = output.data["text/plain"];
    if (typeof plain !== "string" && !Array.isArray(plain)) return null;
    return textNode(withoutColours(joined(plain)), "out out-result", text().output);
  }

  private graphNode(graph: unknown): HTMLElement {
    const element = this.keptGraph ?? (document.createElement("gl-graph") as GraphElement);
    this.keptGraph = null;
    element.classList.add("out-graph");
    void import("./graph/graph-view")
      .catch(() => null)
      .then((module) => {
        if (!module) return this.note(text().graphFailed, "danger");
        element.lang = pageLang();
        element.document = graph;
      });
    return element;
  }
}

function textNode(content: string, className: string, label: string): HTMLElement {
  const node = document.createElement("pre");
  node.className = className;
  node.tabIndex = 0;
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", label);
  node.textContent = content;
  return node;
}

function imageNode(mime: string, data: string, output: DataOutput): HTMLElement {
  const image = document.createElement("img");
  image.className = "out out-image";
  const plain = output.data["text/plain"];
  image.alt = typeof plain === "string" ? plain : text().figure;
  image.src = mime === "image/svg+xml" ? `data:${mime};utf8,${encodeURIComponent(data)}` : `data:${mime};base64,${data.replace(/\s/g, "")}`;
  return image;
}

function errorNode(output: ErrorOutput): HTMLElement {
  const t = text();
  const node = document.createElement("div");
  node.className = "out out-error";
  const head = document.createElement("p");
  head.className = "out-error-head";
  const name = document.createElement("strong");
  name.textContent = output.ename;
  const value = document.createElement("span");
  value.textContent = output.evalue;
  head.append(name, output.evalue ? ": " : "", value);
  if (output.metadata?.line) {
    const where = document.createElement("span");
    where.className = "out-error-line";
    where.textContent = t.errorAtLine(output.metadata.line);
    head.append(" ", where);
  }
  node.append(head);
  const trace = withoutColours(output.traceback.join("\n")).trim();
  if (trace) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = t.traceback;
    details.append(summary, textNode(trace, "out-traceback", t.traceback));
    node.append(details);
  }
  return node;
}

/** Without terminal colours. */
function withoutColours(content: string): string {
  return content.replace(/\u001b\[[\d;?]*[A-Za-z]/g, "");
}
