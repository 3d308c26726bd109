/** What travels between page and server: nbformat 4.5 outputs, run events, spans of source. */

export type MultilineText = string | string[];

export interface StreamOutput {
  output_type: "stream";
  name: "stdout" | "stderr";
  text: MultilineText;
}

export interface DataOutput {
  output_type: "execute_result" | "display_data";
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  execution_count?: number | null;
}

export interface ErrorOutput {
  output_type: "error";
  ename: string;
  evalue: string;
  traceback: string[];
  /** Ours: the line of the cell, from 1, that failed. */
  metadata?: { line?: number };
}

export type Output = StreamOutput | DataOutput | ErrorOutput;

export interface RunStatus {
  status: "ok" | "error" | "interrupted" | "timeout" | "killed";
  reason?: string | null;
  elapsed_ms: number;
  execution_count: number | null;
}

export type RunEvent = { event: "output"; output: Output } | { event: "status"; status: RunStatus };

export interface HistoryCell {
  cell: string;
  source: string;
}

export interface Completion {
  text: string;
  type: string | null;
}

/** `start` and `end` count code points, as Python does. */
export interface CompletionReply {
  matches: Completion[];
  start: number;
  end: number;
}

export interface InspectReply {
  found: boolean;
  data: Record<string, string>;
}

/** A stretch of a cell's source: lines from 1, columns from 0 in code points, end exclusive. */
export interface SourceSpan {
  cell: string;
  line: number;
  end_line: number;
  column: number;
  end_column: number;
}

export interface SourcePosition {
  cell: string;
  line: number;
  column: number;
}

export const graphMime = "application/vnd.gradlens.graph.v1+json";

export function joined(text: MultilineText): string {
  return typeof text === "string" ? text : text.join("");
}
