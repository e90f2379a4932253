// Notes at places of curves, of all runs that a page draws, by metric.
import { useCallback, useMemo } from "react"
import { post } from "../api/client"
import { useResource } from "../api/resource"
import type { Pin } from "./frame"
import type { Subject } from "./subjects"

interface WirePin { run_id: string; run_name: string; metric: string; step: number; text: string }

const runsMax = 1000
const none: Pin[] = []

/** What charts show as text: Markdown's signs of emphasis are left out. */
export const plainText = (text: string): string => text.replace(/\*\*|`/g, "")

export function usePins(subjects: Subject[]): (metric: string) => Pin[] {
    const runs = useMemo(() => Array.from(new Set(subjects.flatMap(subject => subject.runs))).sort().slice(0, runsMax), [subjects])
    const found = useResource(runs.length ? `notes/pins|${runs.join(",")}` : null, () => post<{ pins: WirePin[] }>("runs/pins", { runs }))
    const byMetric = useMemo(() => {
        const pins = new Map<string, Pin[]>()
        for (const pin of found.data?.pins ?? []) {
            const known = pins.get(pin.metric)
            const one = { x: pin.step, text: runs.length > 1 ? `${pin.run_name}: ${plainText(pin.text)}` : plainText(pin.text) }
            if (known) known.push(one)
            else pins.set(pin.metric, [one])
        }
        for (const list of pins.values()) list.sort((a, b) => a.x - b.x)
        return pins
    }, [found.data, runs.length])
    return useCallback((metric: string) => byMetric.get(metric) ?? none, [byMetric])
}
