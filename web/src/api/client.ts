// The one door to the server. Addresses are relative to the page's base, so the app works beneath any prefix.

import { takeEarly } from "./early"

export const root = new URL(document.baseURI)

/** What the server said instead of an answer: a sentence, and what to do about it. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
        readonly remedy: string,
    ) {
        super(message)
    }
}

export function apiAddress(path: string): string {
    return new URL("api/v1/" + path, root).href
}

/** Called when the server no longer knows who is asking. */
let onSignedOut: () => void = () => undefined
export function whenSignedOut(then: () => void): void {
    onSignedOut = then
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const request: RequestInit = { method, headers: { Accept: "application/json" } }
    if (signal) request.signal = signal
    if (body !== undefined) {
        request.headers = { ...request.headers, "Content-Type": "application/json" }
        request.body = JSON.stringify(body)
    }
    let answer: Response
    try {
        const early = method === "GET" || method === "POST" ? takeEarly(path, body) : undefined
        if (early) {
            const found = await early
            if (found.response.ok) return found.data as T
            answer = found.response
        } else answer = await fetch(apiAddress(path), request)
    } catch (error) {
        if (signal?.aborted) throw error
        throw new ApiError(0, "unreachable", "The server does not answer.", "Check that it still runs, then try again.")
    }
    if (!answer.ok) throw await failure(answer)
    if (answer.status === 204) return undefined as T
    return (await answer.json()) as T
}

async function failure(answer: Response): Promise<ApiError> {
    if (answer.status === 401) onSignedOut()
    try {
        const { error } = (await answer.json()) as { error: { code: string; message: string; remedy: string } }
        return new ApiError(answer.status, error.code, error.message, error.remedy)
    } catch {
        return new ApiError(
            answer.status,
            "unreadable",
            `The server answered ${answer.status} without a reason.`,
            "Try again; the server's log says more.",
        )
    }
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, signal)
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
    call<T>("POST", path, body, signal)
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>("PUT", path, body)
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>("PATCH", path, body)
export const remove = <T>(path: string): Promise<T> => call<T>("DELETE", path)

/** A path's part or a query's value, made safe. */
export const part = encodeURIComponent

/** Every page of a list, for lists that are short by nature. */
export async function all<T>(path: string, name: string, signal?: AbortSignal): Promise<T[]> {
    const found: T[] = []
    let token: string | null = null
    do {
        const mark = path.includes("?") ? "&" : "?"
        const address: string = token === null ? path : `${path}${mark}page_token=${part(token)}`
        const page: Record<string, unknown> = await get(address, signal)
        found.push(...(page[name] as T[]))
        token = (page["next_page_token"] as string | null) ?? null
    } while (token !== null)
    return found
}
