/** What the browser keeps: edits for good, the session and the last outputs while the tab lives. */
import type { HistoryCell, Output } from "./protocol";

/** Outputs of one page that are kept across a reload, in characters of JSON; graphs are large. */
const outputsLimit = 2_000_000;

/** One run whose outputs are shown again after a reload. */
export interface StoredRun {
  count: number | null;
  outputs: Output[];
}

export interface StoredSession {
  id: string | null;
  history: HistoryCell[];
}

/** Null when absent or when storage is forbidden. */
export function readText(storage: Storage, key: string): string | null {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

/** Writes, or removes for null; a full or forbidden storage is no error, the page works without. */
export function writeText(storage: Storage, key: string, value: string | null): boolean {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

function readJson<T>(storage: Storage, key: string): T | null {
  const stored = readText(storage, key);
  if (stored === null) return null;
  try {
    return JSON.parse(stored) as T;
  } catch {
    return null;
  }
}

/** Everything kept for one lesson in one language; the session is shared by its languages. */
export class PageStorage {
  constructor(
    private readonly lesson: string,
    private readonly lang: string,
  ) {}

  readEdit(cell: string): string | null {
    return readText(localStorage, this.editKey(cell));
  }

  /** Null forgets the edit: the cell is the lesson's own again. */
  writeEdit(cell: string, source: string | null): void {
    writeText(localStorage, this.editKey(cell), source);
  }

  readSession(): StoredSession {
    const stored = readJson<StoredSession>(sessionStorage, this.sessionKey());
    return stored && Array.isArray(stored.history) ? stored : { id: null, history: [] };
  }

  writeSession(session: StoredSession): void {
    writeText(sessionStorage, this.sessionKey(), JSON.stringify(session));
  }

  readRuns(): Record<string, StoredRun> {
    return readJson<Record<string, StoredRun>>(sessionStorage, this.runsKey()) ?? {};
  }

  /** Keeps a cell's last run; the oldest runs give way when there is no room. */
  writeRun(cell: string, run: StoredRun | null): void {
    const runs = this.readRuns();
    delete runs[cell];
    if (run) runs[cell] = run;
    let packed = JSON.stringify(runs);
    while (packed.length > outputsLimit || !writeText(sessionStorage, this.runsKey(), packed)) {
      const oldest = Object.keys(runs)[0];
      if (oldest === undefined) return;
      delete runs[oldest];
      packed = JSON.stringify(runs);
    }
  }

  forgetRuns(): void {
    writeText(sessionStorage, this.runsKey(), null);
  }

  private editKey(cell: string): string {
    return `gradlens:edit:${this.lesson}:${this.lang}:${cell}`;
  }

  private sessionKey(): string {
    return `gradlens:session:${this.lesson}`;
  }

  private runsKey(): string {
    return `gradlens:runs:${this.lesson}:${this.lang}`;
  }
}
