/** A server's stream that goes on through cuts: what is silent is said so at once, and asked for again until it answers. */

/** Nothing heard for so long is said so; the server beats each second. Milliseconds. */
const SILENT = 2200;
/** The server is asked so often whether it is there again, and so long each time. Milliseconds. */
const AGAIN = 600;
const PATIENCE = 2000;
/** A tab that nobody has looked at for so long lets its connection go: browsers have few of them. Milliseconds. */
const HIDDEN = 60_000;

// One question for all streams of a page: browsers have few connections to a server.
let asked = -Infinity;
const waiting = new Set<() => void>();
/** Calls back once the server answers. */
function whenBack(back: () => void): void {
  waiting.add(back);
  if (performance.now() - asked < AGAIN) return;
  asked = performance.now();
  const over = new AbortController();
  window.setTimeout(() => over.abort(), PATIENCE);
  fetch("/healthz", { signal: over.signal, cache: "no-store" }).then((answer) => {
    if (!answer.ok) return;
    const all = [...waiting];
    waiting.clear();
    for (const one of all) one();
  }, () => undefined);
}

export abstract class Stream {
  /** Why what is shown may be stale; null: it is not. */
  reason = $state<string | null>("catching_up");
  /** Seconds without a word; 0: it speaks. */
  silent = $state(0);
  /** The server's clock, ms since 1970, as of now. */
  now = $state(Date.now());
  begun = $state(false);
  #heard = performance.now();
  #ahead = 0;
  /** The operation's clock when it was last told, ms since 1970, and when that was; 0: it never was. */
  #told = 0;
  #toldAt = 0;
  #source: EventSource | null = null;
  #timer: number | undefined;
  #hiddenSince: number | null = null;
  readonly #over: () => void;
  /** A connection that only stood still goes on by itself; one that is dead, or broke, is made anew once the server answers. */
  readonly #again = (): void => {
    if (this.#timer !== undefined && (this.#broke || performance.now() - this.#heard > SILENT)) this.open();
  };

  constructor(over: () => void) {
    this.#over = over;
    this.#timer = window.setInterval(() => this.#look(), 250);
  }

  protected abstract address(): string;
  protected abstract listen(source: EventSource): void;

  close(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    waiting.delete(this.#again);
    this.#source?.close();
  }

  get #broke(): boolean {
    return this.#source?.readyState === EventSource.CLOSED;
  }

  protected open(): void {
    this.#source?.close();
    const source = new EventSource(this.address());
    this.#source = source;
    this.listen(source);
    source.addEventListener("over", () => {
      this.close();
      this.#over();
    });
    source.addEventListener("error", () => {
      source.close();
      // A browser gives up where it is refused: whether the session is over, the next request tells.
      void fetch("/api/me").then((answer) => {
        if (answer.status === 401 && this.#source === source) {
          this.close();
          this.#over();
        }
      }, () => undefined);
    });
  }

  /** The operation's clock, ms since 1970, as of now. It may stand, or run faster than ours. */
  get at(): number {
    void this.now;
    return this.#told === 0 ? this.now : this.#told + Math.min(performance.now() - this.#toldAt, 1500);
  }

  protected hear(now?: string, at: number | null = null): void {
    if (now !== undefined) this.#ahead = Date.parse(now) - Date.now();
    if (at !== null) {
      this.#told = at;
      this.#toldAt = performance.now();
    }
    this.#heard = performance.now();
    this.silent = 0;
    this.now = Date.now() + this.#ahead;
  }

  #look(): void {
    const at = performance.now();
    if (document.hidden) {
      this.#hiddenSince ??= at;
      if (at - this.#hiddenSince > HIDDEN) {
        this.#source?.close();
        return;
      }
    } else this.#hiddenSince = null;
    const silence = at - this.#heard;
    this.silent = silence > SILENT ? Math.round(silence / 1000) : 0;
    this.now = Date.now() + this.#ahead;
    if (this.#broke || silence > SILENT) whenBack(this.#again);
  }
}
