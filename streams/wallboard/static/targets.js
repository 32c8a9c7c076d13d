// What is to be reached today: fetched beside the stream, and what figures are coloured by where there is one.

const EVERY_MS = 30_000;
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

// `changed` is called when there are others than before.
export async function followTargets(changed) {
  for (;;) {
    try {
      const answer = await fetch("/api/targets");
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
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
