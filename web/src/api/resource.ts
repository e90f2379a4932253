// What was asked for and is still valid: one answer for each key, shared by everything on the page that shows it.
import { useCallback, useEffect, useReducer, useRef } from "react"
import { ApiError } from "./client"

interface Entry {
    data: unknown
    error: ApiError | null
    pending: Promise<void> | null
    isStale: boolean
    /** When the question was sent that `data` answers, or the one on its way. */
    asked: number
    watchers: Set<() => void>
}

const entries = new Map<string, Entry>()
const keptMax = 300

export interface Resource<T> {
    data: T | undefined
    error: ApiError | null
    isLoading: boolean
    reload: () => void
}

function entryOf(key: string): Entry {
    const known = entries.get(key)
    if (known) return known
    if (entries.size > keptMax) {
        for (const [name, entry] of entries) if (entry.watchers.size === 0) entries.delete(name)
    }
    const made: Entry = { data: undefined, error: null, pending: null, isStale: true, asked: 0, watchers: new Set() }
    entries.set(key, made)
    return made
}

function load(entry: Entry, fetcher: () => Promise<unknown>): void {
    if (entry.pending) return
    entry.isStale = false
    entry.asked = performance.now()
    entry.pending = fetcher()
        .then(
            data => {
                entry.data = data
                entry.error = null
            },
            (error: unknown) => {
                entry.error =
                    error instanceof ApiError ? error : new ApiError(0, "fault", String(error), "Load the page again.")
            },
        )
        .then(() => {
            entry.pending = null
            // Something changed while the answer was on its way.
            if (entry.isStale && entry.watchers.size > 0) load(entry, fetcher)
            entry.watchers.forEach(watcher => watcher())
        })
}

/** The answer to a question, asked again when `invalidate` says so. A null key asks nothing. */
export function useResource<T>(key: string | null, fetcher: () => Promise<T>): Resource<T> {
    const [, redraw] = useReducer((count: number) => count + 1, 0)
    const newest = useRef(fetcher)
    newest.current = fetcher
    const previous = useRef<T | undefined>(undefined)
    useEffect(() => {
        if (key === null) return undefined
        const entry = entryOf(key)
        const watcher = (): void => {
            if (entry.isStale) load(entry, () => newest.current())
            redraw()
        }
        entry.watchers.add(watcher)
        if (entry.isStale) load(entry, () => newest.current())
        redraw()
        return () => {
            entry.watchers.delete(watcher)
        }
    }, [key])
    const reload = useCallback(() => {
        if (key !== null) invalidate(key)
    }, [key])
    const entry = key === null ? undefined : entries.get(key)
    const data = entry?.data as T | undefined
    if (data !== undefined) previous.current = data
    return {
        data: data,
        error: entry?.error ?? null,
        isLoading: key !== null && data === undefined && !entry?.error,
        reload,
    }
}

/** Says that all answers whose key begins so are out of date; with a moment, those that were asked for before it. */
export function invalidate(prefix: string, before = Infinity): void {
    for (const [key, entry] of entries) {
        if (!key.startsWith(prefix) || entry.asked >= before) continue
        entry.isStale = true
        entry.watchers.forEach(watcher => watcher())
    }
}
