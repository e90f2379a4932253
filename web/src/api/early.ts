// What was asked before the app ran, by first.ts: each answer is taken once, by whoever would ask the same.

export interface Answer {
    response: Response
    /** Nothing where the server refused. */
    data: unknown
    /** When it had come. */
    at: number
}

export interface Early {
    /** By path beneath api/v1, and body where there is one. */
    answers: Map<string, Promise<Answer>>
    /** Fulfilled when there is what the page shows first. */
    wanted: Promise<unknown>
}

declare global {
    interface Window {
        martletEarly?: Early
    }
}

/** Nobody should be shown what a page asked for long ago. */
const lastsMilliseconds = 10_000

export function takeEarly(path: string, body?: unknown): Promise<Answer> | undefined {
    const early = window.martletEarly
    if (!early || early.answers.size === 0) return undefined
    const key = body === undefined ? path : `${path} ${JSON.stringify(body)}`
    const answer = performance.now() < lastsMilliseconds ? early.answers.get(key) : undefined
    if (answer) {
        early.answers.delete(key)
        places.push(answer)
    }
    return answer
}

/** What the page was made of, each with the place of the feed of changes before it was read. */
let places: Promise<Answer>[] = []

const after = (milliseconds: number): Promise<unknown> => new Promise(resolve => window.setTimeout(resolve, milliseconds))

/**
 * The app begins when an answer has come, so that nothing has to be asked twice, and waits a moment for what it shows first:
 * a page that comes complete is drawn once. It waits no second for a server that is slow.
 */
export function whenReady(): Promise<unknown> {
    const early = window.martletEarly
    if (!early) return Promise.resolve()
    const first = Promise.race(Array.from(early.answers.values(), answer => answer.catch(() => undefined)))
    const wanted = Promise.race([early.wanted.catch(() => undefined), after(250)])
    return Promise.race([Promise.all([first, wanted]), after(800)])
}

/** Once: a stream that begins here misses nothing of what the page was made of, nor of what was asked for after `since`. */
export async function takeCursor(): Promise<{ cursor: string; since: number } | null> {
    const taken = places
    places = []
    if (taken.length === 0 || performance.now() > lastsMilliseconds) return null
    const answers = (await Promise.all(taken.map(one => one.catch(() => undefined)))).filter((one): one is Answer => one !== undefined && one.response.ok)
    const cursors = answers.map(one => one.response.headers.get("Martlet-Cursor"))
    if (answers.length === 0 || cursors.includes(null)) return null
    const earliest = (cursors as string[]).reduce((least, one) => (isBefore(one, least) ? one : least))
    return { cursor: earliest, since: Math.min(...answers.map(one => one.at)) }
}

/** `revision.sequence`, both of which only grow. */
function isBefore(one: string, other: string): boolean {
    const [a, b] = [one.split(".").map(Number), other.split(".").map(Number)]
    return a[0] !== b[0] ? a[0]! < b[0]! : a[1]! < b[1]!
}
