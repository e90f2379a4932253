// What a line chart holds and where it lies: lines, the part of them that is seen, scales and ticks.
import { type Scale, durationTicks, linearTicks, logTicks, makeScale, tickLabels, timeTicks } from "./scale"

export interface Line {
    key: string
    label: string
    colour: string
    dash: number[]
    x: Float64Array
    /** What is drawn: NaN breaks the line. */
    y: Float64Array
    low?: Float64Array
    high?: Float64Array
    /** The values as they came, drawn faintly where `y` is smoothed. */
    ghost?: Float64Array
    /** How many members a group has at each place. */
    members?: Float64Array
    memberCount?: number
    marks: { x: number; kind: "nan" | "inf" }[]
    /** How many points stand behind it. */
    points: number
}

export interface Pin {
    x: number
    text: string
}

export type XKind = "number" | "time" | "duration"

export interface Look {
    width: number
    height: number
    xKind: XKind
    isLogX: boolean
    isLogY: boolean
    /** The part of the x axis that is shown; all of it when null. */
    range: [number, number] | null
    /** Whether the y axis ends where nearly all values end, so that one peak does not flatten the rest. */
    clipsOutliers: boolean
    highlight: string | null
}

export interface Frame {
    x: Scale
    y: Scale
    left: number
    top: number
    right: number
    bottom: number
    /** Values above and below the y axis, where outliers are cut. */
    above: number
    below: number
    isEmpty: boolean
}

const margin = { top: 8, right: 10, bottom: 20 }

/** Where everything lies: scales that hold what is to be seen. */
export function frameOf(lines: Line[], look: Look, measure: (text: string) => number): Frame {
    let [x0, x1] = look.range ?? xExtent(lines, look.isLogX)
    if (!look.range && x0 === x1 && Number.isFinite(x0)) [x0, x1] = [x0 - 0.5, x1 + 0.5]
    const extent = yExtent(lines, look, x0, x1)
    const isEmpty = !Number.isFinite(x0) || !Number.isFinite(extent.from)
    let { from, to } = extent
    if (isEmpty) [x0, x1, from, to] = [Number.isFinite(x0) ? x0 : 0, Number.isFinite(x1) ? x1 : 1, look.isLogY ? 0.1 : 0, 1]
    if (look.isLogY) {
        if (from === to) [from, to] = [from / 2, to * 2]
        else {
            const room = (to / from) ** 0.05
            ;[from, to] = [from / room, to * room]
        }
    } else if (from === to) {
        const room = Math.abs(from) * 0.1 || 0.5
        ;[from, to] = [from - room, to + room]
    } else {
        const room = (to - from) * 0.06
        // A measure that stays positive is not given an axis below zero.
        ;[from, to] = [from >= 0 && from - room < 0 ? 0 : from - room, to + room]
    }
    const bottom = look.height - margin.bottom
    const isLogX = look.isLogX && x0 > 0
    const y = makeScale(from, to, bottom, margin.top, look.isLogY)
    const labels = tickLabels(yTicks(y), "number")
    const left = Math.max(26, Math.ceil(Math.max(0, ...labels.map(measure))) + 10)
    return {
        x: makeScale(x0, x1, left, look.width - margin.right, isLogX),
        y, left, top: margin.top, right: look.width - margin.right, bottom,
        above: extent.above, below: extent.below, isEmpty,
    }
}

export function xExtent(lines: Line[], isLog: boolean): [number, number] {
    let [low, high] = [Infinity, -Infinity]
    for (const line of lines) {
        for (let index = 0; index < line.x.length; index += 1) {
            const value = line.x[index]!
            if (isLog && value <= 0) continue
            if (value < low) low = value
            if (value > high) high = value
        }
    }
    return [low, high]
}

function yExtent(lines: Line[], look: Look, x0: number, x1: number): { from: number; to: number; above: number; below: number } {
    const values: number[] = []
    let [low, high] = [Infinity, -Infinity]
    let [bandLow, bandHigh] = [Infinity, -Infinity]
    for (const line of lines) {
        const seen = (value: number): void => {
            if (!Number.isFinite(value) || (look.isLogY && value <= 0)) return
            if (value < low) low = value
            if (value > high) high = value
        }
        for (let index = 0; index < line.x.length; index += 1) {
            const x = line.x[index]!
            if (x < x0 || x > x1) continue
            const value = line.y[index]!
            seen(value)
            if (Number.isFinite(value) && (!look.isLogY || value > 0)) values.push(value)
            // A group's interval belongs to what is said; the range inside a bucket may be cut.
            if (line.members && line.low && line.high) {
                for (const end of [line.low[index]!, line.high[index]!]) {
                    if (!Number.isFinite(end) || (look.isLogY && end <= 0)) continue
                    bandLow = Math.min(bandLow, end)
                    bandHigh = Math.max(bandHigh, end)
                }
            }
        }
    }
    let [above, below] = [0, 0]
    if (look.clipsOutliers && values.length >= 20) {
        const sorted = Float64Array.from(values).sort()
        const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!
        const [p2, p98] = [at(0.02), at(0.98)]
        const measureOf = look.isLogY ? Math.log : (value: number) => value
        const span = measureOf(p98) - measureOf(p2)
        if (span > 0) {
            const reach = span * 1.5
            if (measureOf(high) > measureOf(p98) + reach * 2) {
                const limit = look.isLogY ? p98 * 1.2 : p98 + span * 0.15
                above = values.filter(value => value > limit).length
                high = limit
            }
            if (measureOf(low) < measureOf(p2) - reach * 2) {
                const limit = look.isLogY ? p2 / 1.2 : p2 - span * 0.15
                below = values.filter(value => value < limit).length
                low = limit
            }
        }
    }
    // One wide interval does not flatten the means: it is seen to half of their span, and cut by the frame beyond.
    if (!look.isLogY && Number.isFinite(low) && high > low) {
        const room = look.clipsOutliers ? (high - low) / 2 : Infinity
        low = Math.min(low, Math.max(bandLow, low - room))
        high = Math.max(high, Math.min(bandHigh, high + room))
    }
    return { from: low, to: high, above, below }
}

export function xTicks(frame: Frame, kind: XKind): number[] {
    const count = Math.max(2, Math.floor((frame.right - frame.left) / 76))
    if (frame.x.isLog) return logTicks(frame.x.from, frame.x.to, count)
    if (kind === "time") return timeTicks(frame.x.from, frame.x.to, count)
    if (kind === "duration") return durationTicks(frame.x.from, frame.x.to, count)
    return linearTicks(frame.x.from, frame.x.to, count)
}

export function yTicks(scale: Scale): number[] {
    const count = Math.max(2, Math.floor(Math.abs(scale.high - scale.low) / 42))
    return scale.isLog ? logTicks(scale.from, scale.to, count) : linearTicks(scale.from, scale.to, count)
}

/** The part of rising places that is in sight, one more on either side so that lines leave the frame. */
export function visibleRange(x: Float64Array, from: number, to: number): [number, number] {
    const find = (value: number): number => {
        let [low, high] = [0, x.length]
        while (low < high) {
            const middle = (low + high) >> 1
            if (x[middle]! < value) low = middle + 1
            else high = middle
        }
        return low
    }
    return [Math.max(0, find(from) - 1), Math.min(x.length, find(to) + 2)]
}

/** The entry nearest to a place, by halving; -1 without any. */
export function nearest(x: Float64Array, value: number): number {
    if (x.length === 0) return -1
    let [low, high] = [0, x.length - 1]
    while (low < high) {
        const middle = (low + high) >> 1
        if (x[middle]! < value) low = middle + 1
        else high = middle
    }
    return low > 0 && Math.abs(x[low - 1]! - value) <= Math.abs(x[low]! - value) ? low - 1 : low
}
