/** Requests to the desk: refusals in the reader's language, and what to do where the session has ended. */
import { language, t } from "./language.svelte";

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

let token = "";
let onOver: () => void = () => undefined;

export function use(newToken: string, over: () => void): void {
  token = newToken;
  onOver = over;
}

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { "Accept-Language": language() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-Form-Token"] = token;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new Refused(0, t("no-answer"));
  }
  if (!answer.ok) {
    const told: unknown = await answer.json().catch(() => null);
    const detail = told && typeof told === "object" && "detail" in told ? told.detail : null;
    const first: unknown = Array.isArray(detail) ? detail[0]?.msg : detail;
    if (answer.status === 401 && path !== "/api/login") onOver();
    throw new Refused(answer.status, typeof first === "string" ? first : t("no-answer"));
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
