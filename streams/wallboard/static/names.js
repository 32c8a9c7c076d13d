// Names of people: fetched beside the stream, which has ids only, and put in where they are shown.

const EVERY_MS = 30_000;

// Behind the `#` of the address, so that it is sent to no server but in a header: …/?team=hotline#token=…
const token = new URLSearchParams(location.hash.slice(1)).get("token");
let agents = {};

// What an agent is called in this language; the id where nobody may say.
export const nameOf = (id, lang) => agents[id]?.[lang] ?? id;

// A reason of an alert with the agent's name in it, as `streams/alerts/naming.py` puts it in.
export function named(text, entity, lang) {
  const [kind, ...rest] = entity.split("|");
  const id = rest.join("|");
  if (kind !== "agent" || !agents[id]) return text;
  const word = lang === "zh" ? "坐席" : "agent";
  return text.replace(`${word} ${id}`, () => `${word} ${nameOf(id, lang)}`);
}

// `changed` is called when somebody has another name than before.
export async function followNames(changed) {
  for (;;) {
    try {
      const answer = await fetch("/api/names", { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      // A token that has ended takes the names with it.
      const told = answer.ok ? (await answer.json()).agents : answer.status === 401 ? {} : agents;
      if (JSON.stringify(told) !== JSON.stringify(agents)) {
        agents = told;
        changed();
      }
    } catch {
      // The stream says when the server is away.
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
