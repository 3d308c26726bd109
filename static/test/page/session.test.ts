import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ConnectionLost, type Client, type RunRequest } from "../../src/client";
import type { Output, RunEvent, RunStatus } from "../../src/protocol";
import { PageSession, type Runner } from "../../src/session";
import type { PageStorage, StoredSession } from "../../src/storage";

// The texts of failures look for the language of the page.
Object.assign(globalThis, { document: { documentElement: { dataset: { lang: "en" } } } });

const done = (status: RunStatus["status"]): RunEvent => ({
  event: "status",
  status: { status, elapsed_ms: 1, execution_count: 1 },
});

/** A server in a few lines: sessions by number, and what to do with each run. */
class FakeClient {
  requests: RunRequest[] = [];
  created = 0;
  answer: (request: RunRequest) => RunEvent[] | Error = () => [done("ok")];

  async createSession(): Promise<string> {
    return `s${++this.created}`;
  }

  async *run(_: string, request: RunRequest): AsyncGenerator<RunEvent> {
    this.requests.push(structuredClone(request));
    const answer = this.answer(request);
    if (answer instanceof Error) throw answer;
    yield* answer;
  }

  async interrupt(): Promise<void> {}
  async restart(): Promise<void> {}
}

class Cell implements Runner {
  log: string[] = [];
  retry: () => void = () => {};
  private rest!: () => void;
  readonly rested = new Promise<void>((resolve) => (this.rest = resolve));

  constructor(
    readonly cellId: string,
    readonly source = `run ${cellId}`,
    readonly expectsError = false,
  ) {}

  onQueued(waiting: boolean): void {
    this.log.push(waiting ? "queued" : "taken");
    if (!waiting && !this.log.includes("started")) queueMicrotask(() => this.log.includes("started") || this.rest());
  }
  onStart(): void {
    this.log.push("started");
  }
  onOutput(output: Output): void {
    this.log.push(output.output_type);
  }
  onFinish(status: RunStatus): void {
    this.log.push(status.status);
    this.rest();
  }
  onFailure(message: string, retry: () => void): void {
    this.log.push(`failed: ${message}`);
    this.retry = retry;
    this.rest();
  }
}

function page(stored: StoredSession = { id: null, history: [] }) {
  const client = new FakeClient();
  const kept = { session: stored };
  const storage = { readSession: () => stored, writeSession: (session: StoredSession) => (kept.session = session) };
  const session = new PageSession(client as unknown as Client, "03-autograd", storage as unknown as PageStorage);
  return { client, session, kept };
}

test("cells run in order, each with the history of those before it", async () => {
  const { client, session, kept } = page();
  const cells = [new Cell("a"), new Cell("b"), new Cell("c")];
  session.enqueue(...cells);
  await cells[2]!.rested;
  assert.deepEqual(
    client.requests.map((request) => request.history.map((past) => past.cell)),
    [[], ["a"], ["a", "b"]],
  );
  assert.equal(client.created, 1);
  assert.deepEqual(kept.session.history.map((past) => past.source), ["run a", "run b", "run c"]);
});

test("an error stops the queue unless the cell means to show one", async () => {
  const { client, session } = page();
  client.answer = (request) => [done(request.cell === "a" || request.cell === "b" ? "error" : "ok")];
  const cells = [new Cell("a", "x", true), new Cell("b"), new Cell("c")];
  session.enqueue(...cells);
  await cells[2]!.rested;
  assert.deepEqual(client.requests.map((request) => request.cell), ["a", "b"]);
  assert.deepEqual(cells[2]!.log, ["queued", "taken"]);
});

test("a lost session is replaced, and the history goes along", async () => {
  const { client, session } = page({ id: "old", history: [{ cell: "a", source: "x = 1" }] });
  let lost = true;
  client.answer = () => {
    if (!lost) return [done("ok")];
    lost = false;
    return new ApiError(404, "gone", null);
  };
  const cell = new Cell("b");
  session.enqueue(cell);
  await cell.rested;
  assert.deepEqual(cell.log.at(-1), "ok");
  assert.equal(client.created, 1);
  assert.deepEqual(client.requests[1]!.history, [{ cell: "a", source: "x = 1" }]);
});

test("a run that broke off is not repeated by itself, since it would run twice", async () => {
  const { client, session } = page();
  client.answer = () => new ConnectionLost(true);
  const cell = new Cell("a");
  session.enqueue(cell);
  await cell.rested;
  assert.equal(client.requests.length, 1);
  assert.match(cell.log.at(-1)!, /^failed: The connection/);
});

test("interrupted and killed runs are not replayed", async () => {
  for (const status of ["interrupted", "timeout", "killed"] as const) {
    const { client, session, kept } = page();
    client.answer = () => [done(status)];
    const cell = new Cell("a");
    session.enqueue(cell);
    await cell.rested;
    assert.deepEqual(kept.session.history, []);
  }
});

test("the history stays within what the server takes", async () => {
  const { session, kept } = page({ id: "s", history: Array.from({ length: 600 }, () => ({ cell: "a", source: "x" })) });
  const small = new Cell("b");
  session.enqueue(small);
  await small.rested;
  assert.equal(kept.session.history.length, 500);
  const large = new Cell("c", "y".repeat(299_990));
  session.enqueue(large);
  await large.rested;
  assert.equal(kept.session.history.at(-1)!.cell, "c");
  assert.ok(kept.session.history.length < 20);
});
