/** The editor's looks, from the page's own tokens, equal in measure to the plain surface (styles/editor.css). */
import { EditorView } from "@codemirror/view";

export const richTheme = EditorView.theme({
  "&": {
    color: "var(--code-ink)",
    backgroundColor: "transparent",
    fontSize: "var(--code-size)",
  },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-code)", lineHeight: "var(--code-leading)" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 1rem 0 0.75rem" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    border: "none",
    color: "var(--ink-faint)",
  },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "var(--gutter)", padding: "0 0.25rem 0 0", textAlign: "right" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground, ::selection": {
    backgroundColor: "color-mix(in srgb, var(--accent) 25%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--danger-soft)" },
  ".tok-keyword, .tok-bool": { color: "var(--code-keyword)" },
  ".tok-string, .tok-string2": { color: "var(--code-string)" },
  ".tok-number": { color: "var(--code-number)" },
  ".tok-comment": { color: "var(--code-comment)" },
  ".tok-operator": { color: "var(--code-operator)" },
  ".tok-definition": { color: "var(--code-name)" },
  ".error-line": {
    backgroundColor: "var(--danger-soft) !important",
    boxShadow: "inset 3px 0 0 var(--danger)",
  },
  ".span-mark": {
    backgroundColor: "var(--mark)",
    boxShadow: "0 2px 0 var(--accent)",
  },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "8px",
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-code)", fontSize: "0.8125rem", maxHeight: "14rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.6rem", lineHeight: "1.5" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", fontStyle: "normal" },
  ".explanation": {
    margin: "0",
    padding: "0.6rem 0.8rem",
    maxWidth: "min(40rem, 90vw)",
    maxHeight: "18rem",
    overflow: "auto",
    whiteSpace: "pre-wrap",
    fontFamily: "var(--font-code)",
    fontSize: "0.8125rem",
    lineHeight: "1.5",
  },
});
