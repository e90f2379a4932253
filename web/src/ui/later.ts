import { useEffect, useState } from "react"

/** So long what is looked at first has the server and the page for itself. */
const earliestMilliseconds = 300
/** At the latest then, on a machine that is never idle. */
const latestMilliseconds = 1500

/** False at first; true some time after `isReady` is, once the browser has nothing better to do. For what is not looked at first. */
export function useLater(isReady = true): boolean {
    const [isLater, setLater] = useState(false)
    useEffect(() => {
        if (!isReady) return undefined
        let isLeft = false
        const begin = (): void => {
            if (!isLeft) setLater(true)
        }
        const timer = window.setTimeout(() => {
            // Safari does not say when it is idle.
            if ("requestIdleCallback" in window) window.requestIdleCallback(begin, { timeout: latestMilliseconds })
            else begin()
        }, earliestMilliseconds)
        return () => {
            isLeft = true
            window.clearTimeout(timer)
        }
    }, [isReady])
    return isLater
}
