/**
 * The one session of a page: runs cells one after another, remembers what ran so that a lost
 * kernel can be rebuilt, and survives restarts of the server and gaps in the network.
 */
import { ApiError, Client, ConnectionLost } from "./client";
import { text } from "./i18n";
import type { CompletionReply, HistoryCell, InspectReply, Output, RunStatus } from "./protocol";
import type { PageStorage } from "./storage";

/** A cell, as the session sees it. */
export interface Runner {
  readonly cellId: string;
  readonly source: string;
  /** An error is what this cell is meant to show, so Run all goes on after it. */
  readonly expectsError: boolean;
  onQueued(waiting: boolean): void;
  onStart(): void;
  onOutput(output: Output): void;
  onFinish(status: RunStatus): void;
  /** The run did not happen or its end is unknown; `retry` asks for it again. */
  onFailure(message: string, retry: () => void): void;
}

export type SessionState = "idle" | "ready" | "running" | "restarting" | "reconnecting" | "offline";

/** Pauses before asking again when the server cannot be reached, in milliseconds. */
const retryPauses = [400, 1200, 3000];

/** Runs remembered for replay and their text in all, in characters: what the server takes, with room to spare. */
const historyLimit = { runs: 500, characters: 300_000 };

export class PageSession extends EventTarget {
  state: SessionState;
  current: Runner | null = null;
  private readonly queue: Runner[] = [];
  private id: string | null;
  private history: HistoryCell[];
  private stopping = false;
  private wake: (() => void) | null = null;

  constructor(
    private readonly client: Client,
    private readonly lesson: string,
    private readonly storage: PageStorage,
  ) {
    super();
    const stored = storage.readSession();
    this.id = stored.id;
    this.history = stored.history;
    this.state = stored.id ? "ready" : "idle";
  }

  /** Whether a kernel may already be there, so that asking it something starts none. */
  get started(): boolean {
    return this.id !== null;
  }

  enqueue(...runners: Runner[]): void {
    for (const runner of runners) {
      if (runner === this.current || this.queue.includes(runner)) continue;
      this.queue.push(runner);
      runner.onQueued(true);
    }
    if (!this.current) void this.drain();
  }

  /** Stops the running cell and forgets the waiting ones. */
  stop(): void {
    this.clearQueue();
    if (!this.current) return;
    this.stopping = true;
    this.wake?.();
    if (this.id) void this.client.interrupt(this.id).catch(ignoreLoss);
  }

  /** Takes one waiting cell out of the queue. */
  cancel(runner: Runner): void {
    const index = this.queue.indexOf(runner);
    if (index < 0) return;
    this.queue.splice(index, 1);
    runner.onQueued(false);
  }

  /** Empties the namespace. @throws ApiError, ConnectionLost */
  async restart(): Promise<void> {
    this.stop();
    this.setState("restarting");
    try {
      if (this.id) await this.client.restart(this.id);
    } catch (error) {
      if (!(error instanceof ApiError && error.sessionLost)) {
        this.setState("ready");
        throw error;
      }
      this.id = null;
    }
    this.history = [];
    this.save();
    this.setState(this.id ? "ready" : "idle");
    this.dispatchEvent(new Event("restarted"));
  }

  /** Null when no kernel is there to ask or the question failed: completion must never disturb. */
  async complete(source: string, cursor: number): Promise<CompletionReply | null> {
    if (!this.id) return null;
    return this.client.complete(this.id, source, cursor).catch(() => null);
  }

  async inspect(source: string, cursor: number): Promise<InspectReply | null> {
    if (!this.id) return null;
    return this.client.inspect(this.id, source, cursor).catch(() => null);
  }

  private async drain(): Promise<void> {
    for (let runner = this.queue.shift(); runner; runner = this.queue.shift()) {
      this.current = runner;
      this.stopping = false;
      runner.onQueued(false);
      runner.onStart();
      this.setState("running");
      const goOn = await this.runOne(runner);
      if (!goOn) this.clearQueue();
    }
    this.current = null;
    if (this.state !== "offline") this.setState(this.id ? "ready" : "idle");
  }

  /** @returns whether the cells that wait should still run */
  private async runOne(runner: Runner): Promise<boolean> {
    const source = runner.source;
    try {
      const status = await this.attempt(runner, source);
      if (status.status === "ok" || status.status === "error") {
        this.remember({ cell: runner.cellId, source });
      }
      runner.onFinish(status);
      return status.status === "ok" || (status.status === "error" && runner.expectsError);
    } catch (error) {
      if (error instanceof ConnectionLost) this.setState("offline");
      runner.onFailure(explain(error), () => this.enqueue(runner));
      return false;
    }
  }

  private async attempt(runner: Runner, source: string): Promise<RunStatus> {
    let renewed = false;
    for (let tries = 0; ; ) {
      if (this.stopping) return { status: "interrupted", elapsed_ms: 0, execution_count: null };
      try {
        return await this.stream(runner, source);
      } catch (error) {
        if (error instanceof ApiError && error.sessionLost && !renewed) {
          renewed = true;
          this.id = null;
          continue;
        }
        const pause = retryPauses[tries];
        if (!(error instanceof ConnectionLost) || error.started || pause === undefined) throw error;
        tries += 1;
        this.setState("reconnecting");
        await this.pause(pause);
        this.setState("running");
      }
    }
  }

  private async stream(runner: Runner, source: string): Promise<RunStatus> {
    if (!this.id) {
      this.id = await this.client.createSession();
      this.save();
    }
    const request = { cell: runner.cellId, source, lesson: this.lesson, history: this.history };
    for await (const event of this.client.run(this.id, request)) {
      if (event.event === "status") return event.status;
      runner.onOutput(event.output);
    }
    throw new ConnectionLost(true);
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Adds a run to the history; the oldest are forgotten where there would be too many. */
  private remember(run: HistoryCell): void {
    this.history.push(run);
    let room = historyLimit.characters;
    const kept = this.history.slice(-historyLimit.runs).reverse();
    const end = kept.findIndex((past) => (room -= past.source.length) < 0);
    this.history = (end < 0 ? kept : kept.slice(0, end)).reverse();
    this.save();
  }

  private clearQueue(): void {
    for (const runner of this.queue.splice(0)) runner.onQueued(false);
  }

  private save(): void {
    this.storage.writeSession({ id: this.id, history: this.history });
  }

  private setState(state: SessionState): void {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

function ignoreLoss(error: unknown): void {
  // The run's own stream reports a lost session or connection; a second message would help nobody.
  if (!(error instanceof ApiError || error instanceof ConnectionLost)) throw error;
}

function explain(error: unknown): string {
  const t = text();
  if (error instanceof ConnectionLost) return t.connectionLost;
  if (error instanceof ApiError) {
    const wait = error.retryAfter ? ` ${t.waitAndRetry(error.retryAfter)}` : "";
    return t.failed(error.message) + wait;
  }
  // A fault of ours, such as an event that cannot be read: the cell must come to rest, and the console must hear of it.
  reportError(error);
  return t.failed(String(error));
}
