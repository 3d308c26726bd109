/** Documentation of the name at the caret (Shift+Tab) or under a resting pointer, in a box over the text. */
import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { EditorView, hoverTooltip, showTooltip, type Tooltip } from "@codemirror/view";
import { codePoints } from "./position";
import type { InspectReply } from "./protocol";

type Inspect = (source: string, cursor: number) => Promise<InspectReply | null>;

const showExplanation = StateEffect.define<Tooltip | null>();

const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(tooltip, transaction) {
    for (const effect of transaction.effects) if (effect.is(showExplanation)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : tooltip;
  },
  provide: (field) => showTooltip.from(field),
});

/** Asks with the editor's own question; set by `explanation`. */
const inspectors = new WeakMap<EditorView, Inspect>();

export function explanation(inspect: Inspect): Extension {
  return [
    shown,
    EditorView.updateListener.of((update) => inspectors.set(update.view, inspect)),
    hoverTooltip((view, pos) => fetchTooltip(view, pos, inspect), { hoverTime: 700 }),
  ];
}

/** Opens the documentation at the caret; true, for the key is used up whether or not there is any. */
export function explainAt(view: EditorView): boolean {
  const inspect = inspectors.get(view);
  const { head } = view.state.selection.main;
  if (inspect) {
    void fetchTooltip(view, head, inspect).then((tooltip) => {
      if (tooltip && view.state.selection.main.head === head) view.dispatch({ effects: showExplanation.of(tooltip) });
    });
  }
  return true;
}

/** @returns whether there was one to close */
export function closeExplanation(view: EditorView): boolean {
  if (!view.state.field(shown)) return false;
  view.dispatch({ effects: showExplanation.of(null) });
  return true;
}

async function fetchTooltip(view: EditorView, pos: number, inspect: Inspect): Promise<Tooltip | null> {
  const word = view.state.wordAt(pos);
  if (!word && !/[\w)\].]/u.test(view.state.sliceDoc(Math.max(0, pos - 1), pos))) return null;
  const source = view.state.doc.toString();
  const reply = await inspect(source, codePoints(source.slice(0, pos)));
  const content = reply?.found ? reply.data["text/plain"] : undefined;
  if (!content) return null;
  return {
    pos: word?.from ?? pos,
    above: true,
    create: () => {
      const dom = document.createElement("pre");
      dom.className = "explanation";
      dom.textContent = plain(content);
      return { dom };
    },
  };
}

/** Without the colour codes that terminals read. */
function plain(content: string): string {
  return content.replace(/\u001b\[[\d;]*m/g, "").trim();
}
