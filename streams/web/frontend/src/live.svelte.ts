/** The stream of incidents, and how fresh it is. */
import type { Incident } from "./types";

/** Nothing heard for so long is said so. Milliseconds. */
const SILENT = 2500;
/** A connection that says nothing for so long is made anew. Milliseconds. */
const DEAD = 8000;

export class Live {
  incidents = $state<Record<string, Incident>>({});
  /** Why what is shown may be stale; null: it is not. */
  reason = $state<string | null>("catching_up");
  silent = $state(0);
  /** The server's clock, ms since 1970, as of now. */
  now = $state(Date.now());
  begun = $state(false);
  #heard = performance.now();
  #ahead = 0;
  #source: EventSource | null = null;
  #timer: number | undefined;
  readonly #over: () => void;

  constructor(over: () => void) {
    this.#over = over;
    this.#open();
    this.#timer = window.setInterval(() => this.#look(), 500);
  }

  close(): void {
    window.clearInterval(this.#timer);
    this.#source?.close();
  }

  #open(): void {
    this.#source?.close();
    const source = new EventSource("/api/incidents/stream");
    this.#source = source;
    source.addEventListener("picture", (event) => {
      const told = JSON.parse(event.data) as { incidents: Incident[] };
      this.incidents = Object.fromEntries(told.incidents.map((one) => [one.id, one]));
      this.begun = true;
      this.#hear();
    });
    source.addEventListener("change", (event) => {
      const told = JSON.parse(event.data) as { incidents: Incident[]; gone: string[] };
      for (const one of told.incidents) this.incidents[one.id] = one;
      for (const id of told.gone) delete this.incidents[id];
      this.#hear();
    });
    source.addEventListener("beat", (event) => {
      const told = JSON.parse(event.data) as { now: string; reason: string | null };
      this.#ahead = Date.parse(told.now) - Date.now();
      this.reason = told.reason;
      this.#hear();
    });
    source.addEventListener("over", () => {
      this.close();
      this.#over();
    });
    source.addEventListener("error", () => {
      // A browser gives up where it is refused: whether the session is over, the next request tells.
      if (source.readyState === EventSource.CLOSED) {
        void fetch("/api/me").then((answer) => {
          if (answer.status === 401) {
            this.close();
            this.#over();
          }
        }, () => undefined);
      }
    });
  }

  #hear(): void {
    this.#heard = performance.now();
    this.silent = 0;
    this.now = Date.now() + this.#ahead;
  }

  #look(): void {
    const silence = performance.now() - this.#heard;
    this.silent = silence > SILENT ? Math.round(silence / 1000) : 0;
    this.now = Date.now() + this.#ahead;
    if (silence > DEAD && this.#source && (this.#source.readyState === EventSource.CLOSED || silence % DEAD < 500)) this.#open();
  }
}
