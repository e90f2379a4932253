// Draws lines over bands onto a canvas: axes, grid, marks for what is not finite. It knows nothing of React.
import type { Paper } from "./paper"
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

export interface Ink {
    text: string
    grid: string
    axis: string
    ground: string
    bad: string
    font: string
}

/** Colours of the page's theme, read once for each drawing. */
export function inkOf(element: Element): Ink {
    const style = getComputedStyle(element)
    const of = (name: string): string => style.getPropertyValue(name).trim()
    return {
        text: of("--fg-muted"), grid: of("--grid"), axis: of("--line-strong"), ground: of("--raised"), bad: of("--bad"),
        font: `11px ${of("--font") || "sans-serif"}`,
    }
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

function yTicks(scale: Scale): number[] {
    const count = Math.max(2, Math.floor(Math.abs(scale.high - scale.low) / 42))
    return scale.isLog ? logTicks(scale.from, scale.to, count) : linearTicks(scale.from, scale.to, count)
}

export function drawChart(context: Paper, frame: Frame, lines: Line[], look: Look, ink: Ink, pins: Pin[]): void {
    context.clearRect(0, 0, look.width, look.height)
    drawAxes(context, frame, look, ink)
    context.save()
    context.beginPath()
    context.rect(frame.left, frame.top - 2, frame.right - frame.left + 1, frame.bottom - frame.top + 3)
    context.clip()
    // What is pointed at lies on top.
    const order = look.highlight ? [...lines].sort((a, b) => Number(a.key === look.highlight) - Number(b.key === look.highlight)) : lines
    for (const line of order) {
        const isFaint = look.highlight !== null && line.key !== look.highlight
        if (line.low && line.high) drawBand(context, frame, line, isFaint)
    }
    for (const line of order) {
        const isFaint = look.highlight !== null && line.key !== look.highlight
        if (line.ghost) drawLine(context, frame, line, line.ghost, isFaint ? 0.06 : 0.28, 1)
        drawLine(context, frame, line, line.y, isFaint ? 0.22 : 1, look.highlight === line.key ? 2.2 : 1.5)
    }
    context.restore()
    drawMarks(context, frame, lines, ink)
    for (const pin of pins) drawPin(context, frame, pin, ink)
}

function drawAxes(context: Paper, frame: Frame, look: Look, ink: Ink): void {
    context.font = ink.font
    context.fillStyle = ink.text
    context.lineWidth = 1
    const ys = yTicks(frame.y)
    const yNames = tickLabels(ys, "number")
    context.textAlign = "right"
    context.textBaseline = "middle"
    context.strokeStyle = ink.grid
    context.beginPath()
    ys.forEach((tick, index) => {
        const y = Math.round(frame.y.at(tick)) + 0.5
        if (y < frame.top - 1 || y > frame.bottom + 1) return
        context.moveTo(frame.left, y)
        context.lineTo(frame.right, y)
        context.fillText(yNames[index]!, frame.left - 6, y)
    })
    context.stroke()
    context.strokeStyle = ink.axis
    context.beginPath()
    context.moveTo(frame.left, frame.bottom + 0.5)
    context.lineTo(frame.right, frame.bottom + 0.5)
    const xs = xTicks(frame, look.xKind)
    const xNames = tickLabels(xs, look.xKind)
    context.textAlign = "center"
    context.textBaseline = "top"
    let free = -Infinity
    xs.forEach((tick, index) => {
        const x = Math.round(frame.x.at(tick)) + 0.5
        if (x < frame.left - 1 || x > frame.right + 1) return
        context.moveTo(x, frame.bottom + 0.5)
        context.lineTo(x, frame.bottom + 4.5)
        const half = context.measureText(xNames[index]!).width / 2
        // Labels neither overlap nor leave the canvas.
        const middle = Math.min(x, look.width - half - 1)
        if (middle - half < free) return
        context.fillText(xNames[index]!, middle, frame.bottom + 7)
        free = middle + half + 8
    })
    context.stroke()
}

function drawLine(context: Paper, frame: Frame, line: Line, values: Float64Array, opacity: number, width: number): void {
    const { x } = line
    const visible = visibleRange(x, frame.x.from, frame.x.to)
    const pixels = Math.max(1, frame.right - frame.left)
    const isDense = (visible[1] - visible[0]) / pixels > 0.9
    context.globalAlpha = opacity
    context.strokeStyle = line.colour
    context.setLineDash(isDense ? [] : line.dash)
    context.lineWidth = isDense ? 1 : width
    context.lineJoin = isDense ? "bevel" : "round"
    context.beginPath()
    let isOpen = false
    let lonely: [number, number] | null = null
    const dots: [number, number][] = []
    for (let index = visible[0]; index < visible[1]; index += 1) {
        const value = values[index]!
        if (Number.isNaN(value) || (frame.y.isLog && value <= 0) || (frame.x.isLog && x[index]! <= 0)) {
            if (lonely) dots.push(lonely)
            isOpen = false
            lonely = null
            continue
        }
        const px = frame.x.at(x[index]!)
        const py = clampPixel(frame.y.at(value))
        if (isOpen) {
            context.lineTo(px, py)
            lonely = null
        } else {
            context.moveTo(px, py)
            lonely = [px, py]
        }
        isOpen = true
    }
    if (lonely) dots.push(lonely)
    context.stroke()
    context.setLineDash([])
    if (dots.length) {
        // A point without neighbours has no line: it is shown as what it is.
        context.fillStyle = line.colour
        context.beginPath()
        for (const [px, py] of dots) {
            context.moveTo(px + 2.5, py)
            context.arc(px, py, 2.5, 0, 2 * Math.PI)
        }
        context.fill()
    }
    context.globalAlpha = 1
}

/** Far outside of the canvas the rasteriser gets slow. */
function clampPixel(pixel: number): number {
    return Math.max(-5000, Math.min(5000, pixel))
}

function drawBand(context: Paper, frame: Frame, line: Line, isFaint: boolean): void {
    const { x, low, high } = line
    if (!low || !high) return
    const [first, end] = visibleRange(x, frame.x.from, frame.x.to)
    context.fillStyle = line.colour
    context.globalAlpha = (line.members ? 0.18 : 0.13) * (isFaint ? 0.3 : 1)
    let start = first
    const fits = (index: number): boolean =>
        !Number.isNaN(low[index]!) && !Number.isNaN(high[index]!) && (!frame.y.isLog || high[index]! > 0) &&
        (!frame.x.isLog || x[index]! > 0)
    while (start < end) {
        while (start < end && !fits(start)) start += 1
        let stop = start
        while (stop < end && fits(stop)) stop += 1
        if (stop > start) {
            context.beginPath()
            for (let index = start; index < stop; index += 1) context.lineTo(frame.x.at(x[index]!), clampPixel(frame.y.at(high[index]!)))
            for (let index = stop - 1; index >= start; index -= 1) {
                const value = frame.y.isLog && low[index]! <= 0 ? frame.y.from : low[index]!
                context.lineTo(frame.x.at(x[index]!), clampPixel(frame.y.at(value)))
            }
            context.closePath()
            context.fill()
        }
        start = stop
    }
    context.globalAlpha = 1
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

/** Values that are no place on the axis: small triangles at the frame's upper edge, in the line's colour. */
function drawMarks(context: Paper, frame: Frame, lines: Line[], ink: Ink): void {
    lines.forEach((line, row) => {
        let last = -Infinity
        for (const mark of line.marks) {
            const x = frame.x.at(mark.x)
            if (x < frame.left - 1 || x > frame.right + 1 || x - last < 7) continue
            last = x
            const y = frame.top + 1 + (row % 3) * 3
            context.fillStyle = line.colour
            context.strokeStyle = ink.ground
            context.lineWidth = 1
            context.beginPath()
            if (mark.kind === "nan") {
                context.moveTo(x - 4.5, y)
                context.lineTo(x + 4.5, y)
                context.lineTo(x, y + 8)
            } else {
                context.moveTo(x - 4.5, y + 8)
                context.lineTo(x + 4.5, y + 8)
                context.lineTo(x, y)
            }
            context.closePath()
            context.fill()
            context.stroke()
        }
    })
}

function drawPin(context: Paper, frame: Frame, pin: Pin, ink: Ink): void {
    const x = Math.round(frame.x.at(pin.x)) + 0.5
    if (x < frame.left || x > frame.right) return
    context.strokeStyle = ink.axis
    context.setLineDash([2, 3])
    context.beginPath()
    context.moveTo(x, frame.top)
    context.lineTo(x, frame.bottom)
    context.stroke()
    context.setLineDash([])
    context.fillStyle = ink.bad
    context.beginPath()
    context.arc(x, frame.bottom - 5, 4, 0, 2 * Math.PI)
    context.fill()
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
