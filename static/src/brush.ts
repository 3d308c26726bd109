/** Source ↔ graph: what is pointed at on one side lights up on the other. */
import type { LessonCell } from "./cell";
import { byExtent, contains } from "./position";
import type { SourcePosition, SourceSpan } from "./protocol";

/** What brushing needs of <gl-graph>; before its script has come the properties are not there. */
interface BrushedGraph extends HTMLElement {
  document?: { sources: Record<string, string> };
  spans?: readonly SourceSpan[];
  highlightSpan?(position: SourcePosition | null): void;
}

export function connectBrushing(): void {
  document.addEventListener("gl-span-enter", (event) => {
    const span = (event as CustomEvent<SourceSpan>).detail;
    clearCells();
    const cell = cellOf(span.cell);
    if (cell && isCurrent(cell, event.target as BrushedGraph)) cell.showSpan(span);
  });
  document.addEventListener("gl-span-leave", clearCells);
  document.addEventListener("gl-source-point", (event) => point((event as CustomEvent<SourcePosition | null>).detail));
}

function point(position: SourcePosition | null): void {
  clearCells();
  const cell = position && cellOf(position.cell);
  let innermost: SourceSpan | undefined;
  for (const graph of document.querySelectorAll<BrushedGraph>("gl-graph")) {
    const known = position && cell && isCurrent(cell, graph) ? (graph.spans ?? []) : [];
    const hits = known.filter((span) => span.cell === position?.cell && contains(span, position.line, position.column));
    innermost ??= hits.sort(byExtent)[0];
    graph.highlightSpan?.(hits.length > 0 ? position : null);
  }
  if (cell && innermost) cell.showSpan(innermost);
}

function cellOf(id: string): LessonCell | null {
  return document.querySelector<LessonCell>(`gl-cell[data-cell="${CSS.escape(id)}"]`);
}

/** Whether the graph's spans still fit the cell's text. */
function isCurrent(cell: LessonCell, graph: BrushedGraph): boolean {
  return graph.document?.sources[cell.cellId] === cell.source;
}

function clearCells(): void {
  for (const cell of document.querySelectorAll<LessonCell>("gl-cell")) cell.showSpan(null);
}
