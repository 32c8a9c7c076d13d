// What is to be reached today: fetched beside the stream, and what figures are coloured by where there is one.

const EVERY_MS = 10_000;
let targets = {};

// The target of an entity: its own, an agent's team's, that of the whole operation; as a rule of the judge, or null.
export function targetOf(snapshot, kpi) {
  if (!snapshot) return null;
  const whose = [snapshot.entity];
  if (snapshot.team && snapshot.entity.startsWith("agent|")) whose.push(`team|${snapshot.team}`);
  whose.push("all|all");
  for (const of of whose) {
    const found = targets[of]?.[kpi];
    if (found) return found;
  }
  return null;
}

let again = () => {};

// Asks at once: another team is shown.
export const askTargets = () => again();

// Of what is shown only: the layout's KPIs, and the team that `team()` says. `changed` is called when there are others than before.
export async function followTargets(layout, team, changed) {
  const kpis = new Set([...layout.tiles, ...layout.team, ...layout.desk, ...layout.agent].map((shown) => shown.kpi));
  const asked = new URLSearchParams([...kpis, "longest_wait"].filter(Boolean).map((kpi) => ["kpi", kpi]));
  for (;;) {
    try {
      if (team()) asked.set("team", team());
      else asked.delete("team");
      const answer = await fetch(`/api/targets?${asked}`);
      if (answer.ok) {
        const told = await answer.json();
        if (JSON.stringify(told) !== JSON.stringify(targets)) {
          targets = told;
          changed();
        }
      }
    } catch {
      // The stream says when the server is away.
    }
    await new Promise((resolve) => {
      again = resolve;
      setTimeout(resolve, EVERY_MS);
    });
  }
}
