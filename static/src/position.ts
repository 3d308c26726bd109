/** Between Python's places (line from 1, column in code points) and JavaScript's (UTF-16 offsets). */
import type { SourceSpan } from "./protocol";
import type { Stretch } from "./highlight";

/** UTF-16 offset of a Python position; beyond the end of a line or of the text it is cut to that end. */
export function toOffset(source: string, line: number, column: number): number {
  const lines = source.split("\n");
  const index = Math.min(Math.max(line, 1), lines.length) - 1;
  const before = lines.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
  return before + [...(lines[index] ?? "")].slice(0, Math.max(column, 0)).join("").length;
}

export function fromOffset(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset).split("\n");
  return { line: before.length, column: [...(before.at(-1) ?? "")].length };
}

export function toStretch(source: string, span: SourceSpan): Stretch {
  return { from: toOffset(source, span.line, span.column), to: toOffset(source, span.end_line, span.end_column) };
}

export function codePoints(text: string): number {
  return [...text].length;
}

/** UTF-16 offset of a code-point offset. */
export function unitsOf(text: string, points: number): number {
  return [...text].slice(0, points).join("").length;
}

export function contains(span: SourceSpan, line: number, column: number): boolean {
  const after = line > span.line || (line === span.line && column >= span.column);
  const before = line < span.end_line || (line === span.end_line && column < span.end_column);
  return after && before;
}

/** Orders spans from the innermost to the outermost. */
export function byExtent(a: SourceSpan, b: SourceSpan): number {
  return a.end_line - a.line - (b.end_line - b.line) || a.end_column - a.column - (b.end_column - b.column);
}
