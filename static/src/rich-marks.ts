/** Marks in the editor: the line that failed, and the stretch of source that a node of the graph came from. */
import { RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";
import type { Stretch } from "./highlight";

export const setErrorLine = StateEffect.define<number | null>();
export const setStretch = StateEffect.define<Stretch | null>();

interface Marks {
  /** Start offset of the failed line; it moves with the text. */
  error: number | null;
  stretch: Stretch | null;
}

export const markField = StateField.define<Marks>({
  create: () => ({ error: null, stretch: null }),
  update(marks, transaction) {
    let { error, stretch } = marks;
    if (transaction.docChanged) {
      if (error !== null) error = transaction.changes.mapPos(error);
      stretch = null;
    }
    for (const effect of transaction.effects) {
      if (effect.is(setErrorLine)) {
        const { doc } = transaction.state;
        error = effect.value !== null && effect.value >= 1 && effect.value <= doc.lines ? doc.line(effect.value).from : null;
      }
      if (effect.is(setStretch)) stretch = effect.value;
    }
    return error === marks.error && stretch === marks.stretch ? marks : { error, stretch };
  },
  provide: (field) => EditorView.decorations.compute([field, "doc"], (state) => decorate(state.field(field), state.doc)),
});

function decorate(marks: Marks, doc: EditorView["state"]["doc"]): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const line = marks.error === null ? null : doc.lineAt(Math.min(marks.error, doc.length)).from;
  const span = marks.stretch && {
    from: Math.min(marks.stretch.from, doc.length),
    to: Math.min(marks.stretch.to, doc.length),
  };
  const ranges: { from: number; to: number; mark: Decoration }[] = [];
  if (line !== null) ranges.push({ from: line, to: line, mark: Decoration.line({ class: "error-line" }) });
  if (span && span.from < span.to) ranges.push({ ...span, mark: Decoration.mark({ class: "span-mark" }) });
  ranges.sort((a, b) => a.from - b.from || a.mark.startSide - b.mark.startSide);
  for (const range of ranges) builder.add(range.from, range.to, range.mark);
  return builder.finish();
}
