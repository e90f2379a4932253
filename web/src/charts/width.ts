// How wide a chart's place is, as the page is laid out and laid out again.
import { type RefObject, useLayoutEffect, useState } from "react"

/** The width of an element in whole pixels; 0 until it is there. Looked for again when `key` changes. */
export function useWidth(box: RefObject<HTMLElement>, key?: unknown): number {
    const [width, setWidth] = useState(0)
    useLayoutEffect(() => {
        const element = box.current
        if (!element) return undefined
        const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)))
        observer.observe(element)
        return () => observer.disconnect()
    }, [key])
    return width
}
