/** The stream of incidents. */
import { Stream } from "./stream.svelte";
import type { Incident } from "./types";

export class Live extends Stream {
  incidents = $state<Record<string, Incident>>({});

  constructor(over: () => void) {
    super(over);
    this.open();
  }

  protected override address(): string {
    return "/api/incidents/stream";
  }

  protected override listen(source: EventSource): void {
    source.addEventListener("picture", (event) => {
      const told = JSON.parse(event.data) as { incidents: Incident[] };
      this.incidents = Object.fromEntries(told.incidents.map((one) => [one.id, one]));
      this.begun = true;
      this.hear();
    });
    source.addEventListener("change", (event) => {
      const told = JSON.parse(event.data) as { incidents: Incident[]; gone: string[] };
      for (const one of told.incidents) this.incidents[one.id] = one;
      for (const id of told.gone) delete this.incidents[id];
      this.hear();
    });
    source.addEventListener("beat", (event) => {
      const told = JSON.parse(event.data) as { now: string; at: number | null; reason: string | null };
      this.reason = told.reason;
      this.hear(told.now, told.at);
    });
  }
}
