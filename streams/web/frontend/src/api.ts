/** Requests to the desk: refusals in the reader's language, and what to do where the session has ended. */
import { language, t } from "./language.svelte";

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The whole answer: a refusal may say more than its reason. */
    readonly told: Record<string, unknown> = {},
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

export function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return sent<T>(method, path, body === undefined ? {} : { "Content-Type": "application/json" }, body === undefined ? undefined : JSON.stringify(body));
}
/** A file as the body of a request. */
export function send<T>(path: string, file: Blob): Promise<T> {
  return sent<T>("POST", path, { "Content-Type": "application/octet-stream" }, file);
}
async function sent<T>(method: string, path: string, more: Record<string, string>, body: BodyInit | undefined): Promise<T> {
  const headers: Record<string, string> = { "Accept-Language": language(), ...more };
  if (method !== "GET") headers["X-Form-Token"] = token;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch {
    throw new Refused(0, t("no-answer"));
  }
  if (!answer.ok) {
    const told: unknown = await answer.json().catch(() => null);
    const whole = told && typeof told === "object" ? (told as Record<string, unknown>) : {};
    const detail = whole["detail"] ?? null;
    const first: unknown = Array.isArray(detail) ? detail[0]?.msg : detail;
    if (answer.status === 401 && path !== "/api/login") onOver();
    throw new Refused(answer.status, typeof first === "string" ? first : t("no-answer"), whole);
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
