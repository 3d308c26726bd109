/** The CodeMirror editor of a cell: the lazy chunk that is loaded when a cell is first focused. */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  startCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { python, localCompletionSource, globalCompletion } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorSelection, EditorState, Prec, type Extension } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers, type KeyBinding } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { closeExplanation, explainAt, explanation } from "./rich-explain";
import { markField, setErrorLine, setStretch } from "./rich-marks";
import { richTheme } from "./rich-theme";
import { codePoints, unitsOf } from "./position";
import type { Stretch } from "./highlight";
import type { Surface, SurfaceOptions } from "./surface";

export class RichSurface implements Surface {
  readonly element = document.createElement("div");
  private readonly view: EditorView;

  constructor(
    private readonly options: SurfaceOptions,
    selection: { anchor: number; head: number },
  ) {
    this.element.className = "rich-editor";
    // CodeMirror writes its rules into a <style> element, which our content policy forbids; inside a shadow root it
    // uses constructed style sheets instead.
    const root = this.element.attachShadow({ mode: "open" });
    this.view = new EditorView({
      state: EditorState.create({ doc: options.source, selection, extensions: this.extensions() }),
      parent: root,
      root,
    });
    this.element.addEventListener("pointermove", (event) => {
      options.events.onPoint(this.view.posAtCoords({ x: event.clientX, y: event.clientY }));
    });
    this.element.addEventListener("pointerleave", () => options.events.onPoint(null));
  }

  get source(): string {
    return this.view.state.doc.toString();
  }

  setSource(source: string): void {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: source } });
  }

  focus(): void {
    this.view.focus();
  }

  setErrorLine(line: number | null): void {
    this.view.dispatch({ effects: setErrorLine.of(line) });
  }

  setStretch(stretch: Stretch | null): void {
    this.view.dispatch({ effects: setStretch.of(stretch) });
  }

  private extensions(): Extension {
    const { events, label, describedBy } = this.options;
    return [
      lineNumbers(),
      history(),
      python(),
      syntaxHighlighting(classHighlighter),
      indentUnit.of("    "),
      EditorState.tabSize.of(4),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      autocompletion({ override: [(context) => this.completions(context)], icons: false }),
      explanation((source, cursor) => events.inspect(source, cursor)),
      markField,
      richTheme,
      EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": describedBy, tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) events.onChange(this.source);
        if (update.selectionSet && this.view.hasFocus) events.onPoint(update.state.selection.main.head);
      }),
      Prec.highest(keymap.of(this.ownKeys())),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
    ];
  }

  private ownKeys(): KeyBinding[] {
    const { events } = this.options;
    const run = (then: "stay" | "next") => (view: EditorView) => {
      closeCompletion(view);
      events.onRun(then);
      return true;
    };
    return [
      { key: "Shift-Enter", run: run("next") },
      { key: "Mod-Enter", run: run("stay") },
      { key: "Ctrl-Enter", run: run("stay") },
      { key: "Tab", run: (view) => tab(view) },
      { key: "Shift-Tab", run: (view) => (atIndentation(view) ? indentLess(view) : explainAt(view)) },
      {
        key: "Escape",
        run: (view) => {
          // The first Escape closes what is open over the text, the next one leaves.
          if (completionStatus(view.state) !== null) return closeCompletion(view);
          if (closeExplanation(view)) return true;
          events.onLeave();
          return true;
        },
      },
    ];
  }

  private async completions(context: CompletionContext): Promise<CompletionResult | null> {
    const before = context.matchBefore(/[\w.]+$/u);
    if (!before && !context.explicit) return null;
    const source = this.source;
    const reply = await this.options.events.complete(source, codePoints(source.slice(0, context.pos)));
    if (!reply || context.aborted) return localCompletionSource(context) ?? globalCompletion(context);
    const options = reply.matches.map((match): Completion => ({
      label: match.text,
      ...(match.type && telling.has(match.type) ? { detail: match.type } : {}),
    }));
    return { from: unitsOf(source, reply.start), to: unitsOf(source, reply.end), options, validFor: /^[\p{L}\p{N}_]*$/u };
  }
}

/** Kinds of names worth saying; "attribute" or "variable" tells nobody anything. */
const telling = new Set(["function", "class", "module", "keyword"]);

/** Tab accepts an open completion, completes after a word or a dot as notebooks do, and else indents. */
function tab(view: EditorView): boolean {
  if (completionStatus(view.state) === "active" && acceptCompletion(view)) return true;
  const { main } = view.state.selection;
  if (main.empty && /[\w.]$/u.test(view.state.sliceDoc(Math.max(0, main.head - 1), main.head))) return startCompletion(view);
  if (!main.empty) return indentMore(view);
  view.dispatch(view.state.replaceSelection("    "), { scrollIntoView: true, userEvent: "input" });
  return true;
}

function atIndentation(view: EditorView): boolean {
  const { main } = view.state.selection;
  const line = view.state.doc.lineAt(main.head);
  return !main.empty || /^\s*$/.test(line.text.slice(0, main.head - line.from));
}

/** The editor that takes the place of a plain text area, caret and selection included. */
export function createRichSurface(options: SurfaceOptions, anchor: number, head: number): RichSurface {
  const end = options.source.length;
  const range = EditorSelection.range(Math.min(anchor, end), Math.min(head, end));
  return new RichSurface(options, { anchor: range.anchor, head: range.head });
}
