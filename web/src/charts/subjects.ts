// What a panel draws: a line for each run or group, made of the curves that the server gave.
import type { Axis } from "../api/types"
import { type Curve, type Interval, grouped, smoothed } from "./curve"
import type { Line } from "./frame"
import { strokeOf } from "./palette"

/** A line to draw: one run, or the members of a group. */
export interface Subject {
    key: string
    label: string
    number: number
    runs: string[]
    isGroup: boolean
}

export interface PanelSettings {
    axis: Axis
    /** Another metric as x axis. */
    xMetric: string | null
    smoothing: number
    isLogY: boolean
    isLogX: boolean
    clipsOutliers: boolean
    interval: Interval
    range: [number, number] | null
}

export type SubjectLine = Line & { isSingle: boolean }

export function linesOf(
    subjects: Subject[], metric: string, settings: PanelSettings, theme: string,
    curveOf: (run: string, metric: string) => Curve | null | undefined,
): SubjectLine[] {
    const lines: SubjectLine[] = []
    // Dashes tell lines of one colour apart; a line that is alone with its colour needs none.
    const byColour = new Map<string, number>()
    for (const subject of subjects) {
        const { colour } = strokeOf(subject.number, theme)
        byColour.set(colour, (byColour.get(colour) ?? 0) + 1)
    }
    for (const subject of subjects) {
        let members = subject.runs.map(run => curveOf(run, metric)).filter((curve): curve is Curve => !!curve && curve.length > 0)
        if (settings.xMetric) {
            members = members.flatMap(curve => {
                const places = curveOf(curve.run, settings.xMetric!)
                return places ? [over(curve, places)] : []
            })
        }
        if (members.length === 0) continue
        const stroke = strokeOf(subject.number, theme)
        const { colour } = stroke
        const dash = (byColour.get(colour) ?? 0) > 1 ? stroke.dash : []
        const common = { key: subject.key, label: subject.label, colour, dash, isSingle: members.every(curve => curve.points <= 1), points: members.reduce((sum, curve) => sum + curve.points, 0) }
        const marks = members.flatMap(marksOf).sort((a, b) => a.x - b.x)
        if (subject.isGroup && members.length > 1) {
            const group = grouped(members, settings.interval)
            lines.push({ ...common, x: group.x, y: smoothed(group.mean, settings.smoothing), low: group.low, high: group.high, members: group.members, memberCount: subject.runs.length, marks })
            continue
        }
        const curve = members[0]!
        const y = smoothed(curve.mean, settings.smoothing)
        lines.push({
            ...common, x: curve.x, y, marks,
            ...(subject.isGroup ? { memberCount: 1 } : {}),
            ...(curve.hasBand ? { low: curve.low, high: curve.high } : {}),
            ...(settings.smoothing > 0 ? { ghost: curve.mean } : {}),
        })
    }
    return lines
}

function marksOf(curve: Curve): Line["marks"] {
    const marks: Line["marks"] = []
    for (let index = 0; index < curve.length; index += 1) {
        if (curve.nan[index]! > 0) marks.push({ x: curve.x[index]!, kind: "nan" })
        else if (curve.inf[index]! > 0) marks.push({ x: curve.x[index]!, kind: "inf" })
    }
    return marks
}

/** One curve over the values of another, joined by step, in the order of the new axis. */
function over(curve: Curve, places: Curve): Curve {
    const pairs: [number, number][] = []
    let at = 0
    for (let index = 0; index < curve.length; index += 1) {
        while (at + 1 < places.length && places.x[at + 1]! <= curve.x[index]!) at += 1
        const x = places.mean[at]!
        if (places.x[at]! <= curve.x[index]! && Number.isFinite(x)) pairs.push([x, curve.mean[index]!])
    }
    pairs.sort((a, b) => a[0] - b[0])
    const x = Float64Array.from(pairs, pair => pair[0])
    const mean = Float64Array.from(pairs, pair => pair[1])
    const none = new Float64Array(pairs.length)
    return { ...curve, length: pairs.length, x, end: x, mean, low: mean, high: mean, count: none, nan: none, inf: none, isExact: true, hasBand: false }
}
