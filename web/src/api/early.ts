// What was asked before the app ran, by first.ts: each answer is taken once, by whoever would ask the same.

export interface Early {
    /** By path beneath api/v1, and body where there is one. */
    answers: Map<string, Promise<Response>>
    /** Where the change feed stood before anything else was asked, and when that was known. */
    cursor: string | null
    since: number
    /** Fulfilled when `cursor` is known, or will not be. */
    ready: Promise<unknown>
}

declare global {
    interface Window {
        martletEarly?: Early
    }
}

/** Nobody should be shown what a page asked for long ago. */
const lastsMilliseconds = 10_000

export function takeEarly(path: string, body?: unknown): Promise<Response> | undefined {
    const early = window.martletEarly
    if (!early || early.answers.size === 0) return undefined
    const key = body === undefined ? path : `${path} ${JSON.stringify(body)}`
    const answer = performance.now() < lastsMilliseconds ? early.answers.get(key) : undefined
    early.answers.delete(key)
    return answer
}

/** The app begins to ask when the feed's place is known, so that nothing has to be asked twice; it waits no second for it. */
export function whenReady(): Promise<unknown> {
    const long = new Promise(resolve => window.setTimeout(resolve, 800))
    return Promise.race([window.martletEarly?.ready, long])
}

/** Once: a stream that begins here misses nothing of what was asked for after `since`. */
export function takeCursor(): { cursor: string; since: number } | null {
    const early = window.martletEarly
    if (!early || early.cursor === null || performance.now() > lastsMilliseconds) return null
    const found = { cursor: early.cursor, since: early.since }
    early.cursor = null
    return found
}
