/** A thin client of Rollcall's API: openapi-fetch with the API's types, tokens, problems, paging and waiting. */
import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.js';

export type { components, paths };

/** The objects of the API by their names, such as Schemas['Preview']. */
export type Schemas = components['schemas'];
/** What went wrong and what to do (RFC 9457). The code is stable. */
export type Problem = Schemas['Problem'];
export type Rollcall = Client<paths>;

export interface Options {
  /** Where the API is, without /v1: the deployment's output Page, or http://127.0.0.1:8080. */
  baseUrl: string;
  /** Returns an access token. It is called for each request, and renews the token where that is due. */
  token?: () => string | Promise<string>;
  /** The account that a service acts for. Tokens without the scope service have their own. */
  account?: string;
  /** In place of the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Makes a client. Its methods take the API's paths: client.GET('/v1/syncs/{id}', { params: { path: { id } } }). */
export function createClient({ baseUrl, token, account, fetch }: Options): Rollcall {
  const client = createFetchClient<paths>({ baseUrl, ...fetch && { fetch } });
  client.use({
    async onRequest({ request }) {
      if (token) request.headers.set('Authorization', `Bearer ${await token()}`);
      if (account !== undefined) request.headers.set('X-Rollcall-Account', account);
      return request;
    },
  });
  return client;
}

/** An answer that is a problem. Its message is for people, problem.code for programs. */
export class ProblemError extends Error {
  override name = 'ProblemError';

  constructor(
    readonly problem: Problem,
    /** After how many seconds the same request may succeed; undefined where waiting does not help. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem.detail);
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Returns what a request gave, or throws a ProblemError. */
export async function ok<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const wait = Number(response.headers.get('Retry-After') ?? NaN);
  throw new ProblemError(asProblem(error, response), Number.isFinite(wait) ? wait : undefined);
}

/** A gateway or proxy in front of the API does not answer with problems. */
function asProblem(error: unknown, { status, statusText }: Response): Problem {
  if (typeof error === 'object' && error !== null && 'code' in error && 'detail' in error) return error as Problem;
  const title = statusText || `Status ${status}`;
  return { type: 'about:blank', title, status, code: 'not_a_problem', detail: title };
}

export interface Page<T> {
  items: T[];
  next?: string;
}

/** Yields the items of all pages. read gets the cursor of a page, undefined for the first. */
export async function* items<T>(read: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void> {
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    yield* page.items;
    cursor = page.next;
  } while (cursor);
}

export interface Waiting {
  signal?: AbortSignal;
}

type State = Schemas['Started']['state'];

/** Reads a preview, sync, export or explanation, with pauses that grow from 0.25 to 5 seconds, until it has ended. */
export async function ended<R extends { state: State }>(read: () => Promise<R>, { signal }: Waiting = {}): Promise<R> {
  for (let pause = 250; ; pause = Math.min(pause * 1.5, 5000)) {
    const run = await read();
    if (run.state !== 'queued' && run.state !== 'running') return run;
    await sleep(pause, signal);
  }
}

/**
 * Repeats a request that failed on its way, or was asked to come later, at most five times in all. Only for requests
 * that may be repeated: those that change nothing, and those with an Idempotency-Key.
 */
export async function persistent<T>(attempt: () => Promise<T>, { signal }: Waiting = {}): Promise<T> {
  for (let tries = 1, pause = 500; ; tries++, pause *= 2) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 5 || signal?.aborted || !mayComeLater(error)) throw error;
      const wait = error instanceof ProblemError && error.retryAfter ? error.retryAfter * 1000 : pause;
      await sleep(wait, signal);
    }
  }
}

/** Whether it was the network, a gateway, or a limit: fetch throws a TypeError where it gets no answer. */
function mayComeLater(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return error instanceof TypeError;
  return [429, 502, 503, 504].includes(error.problem.status);
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
