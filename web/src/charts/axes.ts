// The frame of a chart with two axes: where it lies, its spans, its ticks and names.
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import { quantile } from "./statistics"
import { type Scale, linearTicks, logTicks, makeScale, spansDecades, tickLabels } from "./scale"

export interface Area { left: number; right: number; top: number; bottom: number }

export const areaOf = (room: { width: number; height: number }, right = 14): Area => ({ left: 66, right: room.width - right, top: 10, bottom: room.height - 40 })

export interface Span {
    from: number
    to: number
    isLog: boolean
    /** Values that lie beyond the ends: drawn at the edge as triangles, and counted. */
    below: number
    above: number
}

/** Fewer values than these have no outliers, only a spread. */
const outliersFrom = 10

/** What holds all values with a little air; with `clips`, one run that went astray is left beyond the end. */
export function spanOf(values: number[], clips = false, mayBeLog = true): Span {
    if (values.length === 0) return { from: 0, to: 1, isLog: false, below: 0, above: 0 }
    const isLog = mayBeLog && spansDecades(values)
    const sorted = [...values].sort((a, b) => a - b)
    let [low, high] = [sorted[0]!, sorted[sorted.length - 1]!]
    let [below, above] = [0, 0]
    const [q1, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.75)]
    if (clips && !isLog && values.length >= outliersFrom && q3 > q1) {
        const reach = 5 * (q3 - q1)
        below = sorted.filter(value => value < q1 - reach).length
        above = sorted.filter(value => value > q3 + reach).length
        ;[low, high] = [sorted[below]!, sorted[sorted.length - 1 - above]!]
    }
    if (isLog) {
        const air = (high / low) ** 0.04
        return { from: low / air, to: high * air, isLog, below, above }
    }
    const air = low === high ? Math.abs(low) * 0.1 || 0.5 : (high - low) * 0.05
    return { from: low - air, to: high + air, isLog, below, above }
}

export const xScale = (span: Span, area: Area): Scale => makeScale(span.from, span.to, area.left, area.right, span.isLog)
export const yScale = (span: Span, area: Area): Scale => makeScale(span.from, span.to, area.bottom, area.top, span.isLog)

function ticksOf(scale: Scale, gap: number): { at: number; label: string }[] {
    const count = Math.max(2, Math.floor(Math.abs(scale.high - scale.low) / gap))
    const ticks = scale.isLog ? logTicks(scale.from, scale.to, count) : linearTicks(scale.from, scale.to, count)
    const labels = tickLabels(ticks, "number")
    return ticks.map((tick, index) => ({ at: scale.at(tick), label: labels[index]! })).filter(tick => tick.at >= Math.min(scale.low, scale.high) - 1 && tick.at <= Math.max(scale.low, scale.high) + 1)
}

export function drawYAxis(paper: Paper, ink: Ink, area: Area, scale: Scale, name: string, hasGrid = true): void {
    paper.font = ink.font
    paper.lineWidth = 1
    paper.strokeStyle = ink.grid
    paper.fillStyle = ink.text
    paper.textAlign = "right"
    paper.textBaseline = "middle"
    paper.beginPath()
    for (const tick of ticksOf(scale, 42)) {
        const y = Math.round(tick.at) + 0.5
        if (hasGrid) {
            paper.moveTo(area.left, y)
            paper.lineTo(area.right, y)
        }
        paper.fillText(tick.label, area.left - 7, y)
    }
    paper.stroke()
    paper.save()
    paper.translate(10, (area.top + area.bottom) / 2)
    paper.rotate(-Math.PI / 2)
    paper.textAlign = "center"
    paper.fillText(cutTo(paper, name + (scale.isLog ? " (log)" : ""), area.bottom - area.top), 0, 0)
    paper.restore()
}

export function drawXAxis(paper: Paper, ink: Ink, area: Area, scale: Scale, name: string): void {
    paper.font = ink.font
    paper.strokeStyle = ink.axis
    paper.fillStyle = ink.text
    paper.lineWidth = 1
    paper.textAlign = "center"
    paper.textBaseline = "middle"
    paper.beginPath()
    paper.moveTo(area.left, area.bottom + 0.5)
    paper.lineTo(area.right, area.bottom + 0.5)
    let free = -Infinity
    for (const tick of ticksOf(scale, 70)) {
        const half = paper.measureText(tick.label).width / 2
        if (tick.at - half < free) continue
        paper.moveTo(Math.round(tick.at) + 0.5, area.bottom)
        paper.lineTo(Math.round(tick.at) + 0.5, area.bottom + 4)
        paper.fillText(tick.label, tick.at, area.bottom + 13)
        free = tick.at + half + 8
    }
    paper.stroke()
    paper.fillText(cutTo(paper, name + (scale.isLog ? " (log)" : ""), area.right - area.left), (area.left + area.right) / 2, area.bottom + 30)
}

/** As much of a text as there is room for; names say most at their end. */
export function cutTo(paper: Paper, text: string, width: number, keepsEnd = true): string {
    if (paper.measureText(text).width <= width) return text
    for (let length = text.length - 1; length > 0; length -= 1) {
        const cut = keepsEnd ? "…" + text.slice(-length) : text.slice(0, length) + "…"
        if (paper.measureText(cut).width <= width) return cut
    }
    return ""
}

/** A run as a dot, or as a triangle at the edge beyond which it lies. */
export function drawRun(paper: Paper, x: Scale | number, y: Scale, at: { x: number; y: number }, radius: number, colour: string, opacity: number): void {
    const px = typeof x === "number" ? x : within(x, at.x)
    const py = within(y, at.y)
    const [dx, dy] = [typeof x === "number" ? 0 : Math.sign(x.at(at.x) - px), Math.sign(y.at(at.y) - py)]
    if (dx === 0 && dy === 0) return drawDot(paper, px, py, radius, colour, opacity)
    const size = radius + 2
    paper.fillStyle = colour
    paper.beginPath()
    paper.moveTo(px + (dy ? -size : -dx * size), py + (dy ? -dy * size : -size))
    paper.lineTo(px + (dy ? size : -dx * size), py + (dy ? -dy * size : size))
    paper.lineTo(px + (dy ? 0 : dx * size * 0.4), py + (dy ? dy * size * 0.4 : 0))
    paper.closePath()
    paper.fill()
}

/** A value's place, on the edge where it lies beyond. */
export const within = (scale: Scale, value: number): number =>
    Math.max(Math.min(scale.low, scale.high), Math.min(Math.max(scale.low, scale.high), scale.at(value)))

/** How many values the frame leaves outside, in words. */
export function outsideOf(...spans: Span[]): string {
    const count = spans.reduce((sum, span) => sum + span.below + span.above, 0)
    return count ? ` · ${count} far outside, at the edge` : ""
}

export function drawDot(paper: Paper, x: number, y: number, radius: number, colour: string, opacity: number): void {
    paper.globalAlpha = opacity
    paper.fillStyle = colour
    paper.beginPath()
    paper.arc(x, y, radius, 0, 2 * Math.PI)
    paper.fill()
    paper.globalAlpha = 1
}

/** The nearest of some places within so many pixels; -1 without one. */
export function nearestPlace(places: { x: number; y: number }[], x: number, y: number, reach = 14): number {
    let [best, least] = [-1, reach * reach]
    places.forEach((place, index) => {
        const far = (place.x - x) ** 2 + (place.y - y) ** 2
        if (far < least) [best, least] = [index, far]
    })
    return best
}
