// A result over two settings: the runs as points, and between them what their neighbours suggest, in bands.
import { type Area, type Span, areaOf, drawDot, drawXAxis, drawYAxis, spanOf, xScale, yScale } from "./axes"
import type { Room } from "./Drawing"
import type { Ink } from "./ink"
import { shade } from "./Parallel"
import type { Paper } from "./paper"
import { type Scale, linearTicks, tickLabels } from "./scale"
import { type Site, guessAt, reachOf, sitesOf, thinned } from "./statistics"

export interface ContourPlan {
    points: { x: number; y: number; value: number }[]
    sites: Site[]
    /** What guesses are made from: the sites, or where they are very many, small squares of them. */
    near: Site[]
    x: Span
    y: Span
    /** Where bands end, rising; one colour more than these. */
    levels: number[]
    reach: number
    names: { x: string; y: string; value: string }
    theme: string
}

const bandCount = 8

export function planContour(points: { x: number; y: number; value: number }[], names: ContourPlan["names"], theme: string): ContourPlan {
    const [x, y] = [spanOf(points.map(point => point.x)), spanOf(points.map(point => point.y))]
    const share = (value: number, span: Span): number => (span.isLog ? Math.log(value / span.from) / Math.log(span.to / span.from) : (value - span.from) / (span.to - span.from))
    const sites = sitesOf(points.map(point => ({ x: share(point.x, x), y: share(point.y, y), value: point.value })))
    const values = sites.map(site => site.value).sort((a, b) => a - b)
    // One run that went astray must not take all bands: they span what nine in ten sites have, at either end.
    const at = (part: number): number => values[Math.round(part * (values.length - 1))]!
    const [low, high] = values.length > 20 ? [at(0.05), at(0.95)] : [values[0]!, values[values.length - 1]!]
    const levels = low === high ? [] : linearTicks(low, high, bandCount).filter(level => level > low && level < high)
    const near = thinned(sites)
    return { points, sites, near, x, y, levels, reach: reachOf(near), names, theme }
}

export const bandOf = (value: number, levels: number[]): number => levels.reduce((band, level) => band + Number(value >= level), 0)
const colourOf = (band: number, plan: ContourPlan): string => shade(plan.levels.length === 0 ? 0.5 : band / plan.levels.length, plan.theme)

function frame(plan: ContourPlan, room: Room): { area: Area; x: Scale; y: Scale } {
    const area = areaOf(room, 78)
    return { area, x: xScale(plan.x, area), y: yScale(plan.y, area) }
}

export function contourPlaces(plan: ContourPlan, room: Room): { x: number; y: number }[] {
    const { x, y } = frame(plan, room)
    return plan.points.map(point => ({ x: x.at(point.x), y: y.at(point.y) }))
}

/** What is guessed at a place of the drawing; NaN outside and where no run is near. */
export function guessUnder(plan: ContourPlan, room: Room, px: number, py: number): number {
    const { area } = frame(plan, room)
    const [x, y] = [(px - area.left) / (area.right - area.left), (area.bottom - py) / (area.bottom - area.top)]
    return x < 0 || y < 0 || x > 1 || y > 1 ? NaN : guessAt(plan.near, x, y, plan.reach)
}

export function drawContour(paper: Paper, room: Room, ink: Ink, plan: ContourPlan): void {
    const { area, x, y } = frame(plan, room)
    const [width, height] = [area.right - area.left, area.bottom - area.top]
    const grain = plan.near.length > 400 ? 5 : 3
    for (let row = 0; row * grain < height; row += 1) {
        let start = 0
        let band = -1
        const end = Math.ceil(width / grain)
        const put = (until: number): void => {
            if (band < 0) return
            paper.fillStyle = colourOf(band, plan)
            const from = area.left + start * grain
            paper.fillRect(from, area.top + row * grain, Math.min(until * grain + area.left, area.right) - from, Math.min(grain, height - row * grain))
        }
        for (let column = 0; column <= end; column += 1) {
            const guess = column === end ? NaN : guessAt(plan.near, ((column + 0.5) * grain) / width, 1 - ((row + 0.5) * grain) / height, plan.reach)
            const next = Number.isNaN(guess) ? -1 : bandOf(guess, plan.levels)
            if (next === band && column < end) continue
            put(column)
            start = column
            band = next
        }
    }
    drawYAxis(paper, ink, area, y, plan.names.y, false)
    drawXAxis(paper, ink, area, x, plan.names.x)
    // Very many points would hide what lies between them.
    const isDense = plan.points.length > 400
    const size = 4
    for (const point of plan.points) {
        if (isDense) {
            drawDot(paper, x.at(point.x), y.at(point.y), 1.3, ink.ground, 0.6)
            continue
        }
        drawDot(paper, x.at(point.x), y.at(point.y), size + 1.3, ink.ground, 1)
        drawDot(paper, x.at(point.x), y.at(point.y), size, colourOf(bandOf(point.value, plan.levels), plan), 1)
    }
    drawKey(paper, ink, plan, area)
}

function drawKey(paper: Paper, ink: Ink, plan: ContourPlan, area: Area): void {
    const bands = plan.levels.length + 1
    const each = (area.bottom - area.top) / bands
    const labels = tickLabels(plan.levels, "number")
    paper.font = ink.font
    paper.textAlign = "left"
    paper.textBaseline = "middle"
    for (let band = 0; band < bands; band += 1) {
        paper.fillStyle = colourOf(band, plan)
        paper.fillRect(area.right + 14, area.bottom - (band + 1) * each, 10, each - 1)
        paper.fillStyle = ink.text
        if (band > 0) paper.fillText(labels[band - 1]!, area.right + 29, area.bottom - band * each)
    }
}
