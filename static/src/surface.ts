/** What a cell's editor can do, whichever of the two surfaces (plain, rich) shows it. */
import type { CompletionReply, InspectReply } from "./protocol";
import type { Stretch } from "./highlight";

export interface SurfaceEvents {
  onChange(source: string): void;
  onRun(then: "stay" | "next"): void;
  /** Escape was pressed: the keyboard wants out. */
  onLeave(): void;
  /** Pointer or caret is at this UTF-16 offset; null when it is on no source. */
  onPoint(offset: number | null): void;
  complete(source: string, cursor: number): Promise<CompletionReply | null>;
  inspect(source: string, cursor: number): Promise<InspectReply | null>;
}

export interface SurfaceOptions {
  source: string;
  label: string;
  /** Id of the element that says how to leave the editor. */
  describedBy: string;
  events: SurfaceEvents;
}

export interface Surface {
  readonly element: HTMLElement;
  readonly source: string;
  setSource(source: string): void;
  focus(): void;
  /** Marks a line, from 1, as the one that failed. */
  setErrorLine(line: number | null): void;
  setStretch(stretch: Stretch | null): void;
}
