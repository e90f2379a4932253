// What happens, as it happens. One stream for the page, and only while it is looked at: a browser opens six connections
// to a server at most, and ten forgotten tabs must not hold them all.
import { useEffect, useRef, useState } from "react"
import { apiAddress } from "./client"
import { takeCursor } from "./early"
import type { RunState, WireNumber } from "./types"

export interface Change {
    event?: string
    run_id?: string
    experiment_id?: string
    state?: RunState
    metrics?: Record<string, WireNumber>
    step?: number
    timestamp?: string
    /** The feed cannot tell what happened since the cursor: what is shown has to be read again. */
    reset?: boolean
    seq: string
}

export type LiveState = "live" | "connecting" | "paused"

/**
 * Follows the changes of a scope (`experiment=7`, `run=…`, or everything); batches them, at most five times a second.
 * `onGap` is told of a moment: what was asked for before it may miss something that no change will tell of.
 */
export function useChanges(scope: string | null, then: (changes: Change[]) => void, onGap: (before: number) => void): LiveState {
    const [state, setState] = useState<LiveState>("connecting")
    const newest = useRef({ then, onGap })
    newest.current = { then, onGap }
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
            if (changes.some(change => change.reset)) newest.current.onGap(performance.now())
            newest.current.then(changes)
        }
        let isAway = false
        const open = async (): Promise<void> => {
            const early = last === null ? await takeCursor() : null
            if (isAway || document.hidden || source) return
            if (early) {
                last = early.cursor
                newest.current.onGap(early.since)
            }
            const since = last === null ? "" : `since=${encodeURIComponent(last)}&`
            source = new EventSource(apiAddress(`changes?${since}${scope}`))
            source.onopen = () => {
                // Without a cursor the stream tells what happens from here on.
                if (last === null) newest.current.onGap(performance.now())
                setState("live")
            }
            source.onmessage = event => {
                if (event.lastEventId) last = event.lastEventId
                waiting.push(JSON.parse(event.data as string) as Change)
                if (!timer) timer = window.setTimeout(flush, 200)
            }
            source.onerror = () => {
                setState("connecting")
                if (source?.readyState === EventSource.CLOSED) {
                    source = null
                    retry = window.setTimeout(() => void open(), 3000)
                }
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
                void open()
            }
        }
        look()
        document.addEventListener("visibilitychange", look)
        return () => {
            document.removeEventListener("visibilitychange", look)
            window.clearTimeout(timer)
            isAway = true
            close()
        }
    }, [scope])
    return state
}
