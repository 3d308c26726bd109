/** The HTTP API of the server, typed. Knows nothing of cells or pages. */
import type { CompletionReply, HistoryCell, InspectReply, Output, RunEvent, RunStatus } from "./protocol";

/** The server answered, but not with what was asked: a problem document (RFC 9457). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Seconds to wait before asking again, where the server says so. */
    readonly retryAfter: number | null,
  ) {
    super(message);
  }

  /** The session is gone or not ours: a new one, with the history, puts it right. */
  get sessionLost(): boolean {
    return this.status === 404 || this.status === 403;
  }
}

/** The server could not be reached, or the connection broke before the run ended. */
export class ConnectionLost extends Error {
  constructor(
    /** Whether part of the answer had come: asking again would run the cell twice. */
    readonly started: boolean,
  ) {
    super("connection lost");
  }
}

export interface RunRequest {
  cell: string;
  source: string;
  lesson: string;
  history: HistoryCell[];
}

/** @throws ApiError, ConnectionLost from every call */
export class Client {
  async createSession(): Promise<string> {
    const reply = await this.post("/api/sessions", {});
    return ((await reply.json()) as { session: string }).session;
  }

  async *run(session: string, request: RunRequest): AsyncGenerator<RunEvent> {
    const reply = await this.post(`/api/sessions/${session}/run`, request, "text/event-stream");
    if (!reply.body) throw new ConnectionLost(true);
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new ConnectionLost(true);
      });
      for (const event of parser.feed(value ?? "")) {
        yield event;
        if (event.event === "status") return;
      }
      if (done) throw new ConnectionLost(true);
    }
  }

  async interrupt(session: string): Promise<void> {
    await this.post(`/api/sessions/${session}/interrupt`, {});
  }

  async restart(session: string): Promise<void> {
    await this.post(`/api/sessions/${session}/restart`, {});
  }

  async complete(session: string, source: string, cursor: number): Promise<CompletionReply> {
    return (await this.post(`/api/sessions/${session}/complete`, { source, cursor })).json() as Promise<CompletionReply>;
  }

  async inspect(session: string, source: string, cursor: number): Promise<InspectReply> {
    return (await this.post(`/api/sessions/${session}/inspect`, { source, cursor })).json() as Promise<InspectReply>;
  }

  private async post(path: string, body: unknown, accept = "application/json"): Promise<Response> {
    let reply: Response;
    try {
      reply = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: accept },
        body: JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch {
      throw new ConnectionLost(false);
    }
    if (!reply.ok) throw await apiError(reply);
    return reply;
  }
}

async function apiError(reply: Response): Promise<ApiError> {
  let detail = `${reply.status} ${reply.statusText}`;
  try {
    const problem = (await reply.json()) as { detail?: string; title?: string };
    detail = problem.detail ?? problem.title ?? detail;
  } catch {
    // Not a problem document: a proxy answered, perhaps. The status line must do.
  }
  const wait = Number(reply.headers.get("Retry-After"));
  return new ApiError(reply.status, detail, Number.isFinite(wait) && wait > 0 ? wait : null);
}

/** Splits a `text/event-stream` that comes in arbitrary pieces into run events. */
export class EventParser {
  private pending = "";

  *feed(chunk: string): Generator<RunEvent> {
    this.pending += chunk.replaceAll("\r\n", "\n");
    for (;;) {
      const end = this.pending.indexOf("\n\n");
      if (end < 0) return;
      const event = parseEvent(this.pending.slice(0, end));
      this.pending = this.pending.slice(end + 2);
      if (event) yield event;
    }
  }
}

function parseEvent(block: string): RunEvent | null {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  if (data.length === 0) return null;
  const value: unknown = JSON.parse(data.join("\n"));
  if (name === "output") return { event: "output", output: value as Output };
  if (name === "status") return { event: "status", status: value as RunStatus };
  return null;
}
