// What happens, as it happens. One stream for the page, and only while it is looked at: a browser opens six connections
// to a server at most, and ten forgotten tabs must not hold them all.
import { useEffect, useRef, useState } from "react"
import { apiAddress } from "./client"
import type { RunState, WireNumber } from "./types"

export interface Change {
    event?: string
    run_id?: string
    experiment_id?: string
    state?: RunState
    metrics?: Record<string, WireNumber>
    step?: number
    timestamp?: string
    seq: string
}

export type LiveState = "live" | "connecting" | "paused"

/** Follows the changes of a scope (`experiment=7`, `run=…`, or everything); batches them, at most five times a second. */
export function useChanges(scope: string | null, then: (changes: Change[]) => void): LiveState {
    const [state, setState] = useState<LiveState>("connecting")
    const newest = useRef(then)
    newest.current = then
    useEffect(() => {
        if (scope === null) return undefined
        let source: EventSource | null = null
        let last: string | null = null
        let waiting: Change[] = []
        let timer = 0
        let retry = 0
        const flush = (): void => {
            timer = 0
            const changes = waiting
            waiting = []
            newest.current(changes)
        }
        const open = (): void => {
            const since = last === null ? "" : `since=${encodeURIComponent(last)}&`
            source = new EventSource(apiAddress(`changes?${since}${scope}`))
            source.onopen = () => setState("live")
            source.onmessage = event => {
                if (event.lastEventId) last = event.lastEventId
                waiting.push(JSON.parse(event.data as string) as Change)
                if (!timer) timer = window.setTimeout(flush, 200)
            }
            source.onerror = () => {
                setState("connecting")
                if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(open, 3000)
            }
        }
        const close = (): void => {
            window.clearTimeout(retry)
            source?.close()
            source = null
        }
        const look = (): void => {
            if (document.hidden) {
                close()
                setState("paused")
            } else if (!source) {
                setState("connecting")
                open()
            }
        }
        look()
        document.addEventListener("visibilitychange", look)
        return () => {
            document.removeEventListener("visibilitychange", look)
            window.clearTimeout(timer)
            close()
        }
    }, [scope])
    return state
}
