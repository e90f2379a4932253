// Values by group: a box with whiskers, or the shape of the values; each run stands beside it as a point.
import { type Area, type Span, areaOf, cutTo, drawRun, drawYAxis, spanOf, within, yScale } from "./axes"
import type { Room } from "./Drawing"
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import type { Scale } from "./scale"
import { type Summary, densityOf, summaryOf } from "./statistics"

export interface ValueGroup { label: string; colour: string; values: number[] }

export interface GroupPlan { groups: ValueGroup[]; summaries: Summary[]; isViolin: boolean; name: string; y: Span }

/** Fewer values than these have neither quartiles nor a shape. */
export const boxLeast = 5
const shapeLeast = 8

export function planGroups(groups: ValueGroup[], isViolin: boolean, name: string, clips: boolean): GroupPlan {
    return { groups, isViolin, name, y: spanOf(groups.flatMap(group => group.values), clips), summaries: groups.map(group => summaryOf(group.values)) }
}

function frame(plan: GroupPlan, room: Room): { area: Area; y: Scale; middle: (index: number) => number; width: number } {
    const area = areaOf(room)
    const y = yScale(plan.y, area)
    const each = (area.right - area.left) / plan.groups.length
    return { area, y, middle: index => area.left + each * (index + 0.5), width: Math.min(90, each * 0.5) }
}

/** Points of one value do not lie on each other: by turns left and right, always the same. */
const aside = (index: number): number => ((index * 0.618034) % 1) - 0.5

export function placesOf(plan: GroupPlan, room: Room): { x: number; y: number; group: number; value: number }[] {
    const { y, middle, width } = frame(plan, room)
    return plan.groups.flatMap((group, index) => group.values.map((value, at) => ({ x: middle(index) + aside(at + 1) * width * 0.72, y: within(y, value), group: index, value: at })))
}

export function drawGroups(paper: Paper, room: Room, ink: Ink, plan: GroupPlan): void {
    const { area, y, middle, width } = frame(plan, room)
    drawYAxis(paper, ink, area, y, plan.name)
    const each = (area.right - area.left) / plan.groups.length
    plan.groups.forEach((group, index) => {
        const summary = plan.summaries[index]!
        const x = middle(index)
        paper.save()
        paper.beginPath()
        paper.rect(area.left, area.top - 4, area.right - area.left, area.bottom - area.top + 4)
        paper.clip()
        if (plan.isViolin && group.values.length >= shapeLeast) drawShape(paper, group, x, width, y)
        else if (!plan.isViolin && group.values.length >= boxLeast) drawBox(paper, ink, group, summary, x, width, y)
        paper.restore()
        const places = group.values.length > 400 ? 2 : 3
        group.values.forEach((value, at) => drawRun(paper, x + aside(at + 1) * width * 0.72, y, { x: 0, y: value }, places, group.colour, 0.75))
        // The median is there for every group, however small.
        paper.strokeStyle = group.colour
        paper.lineWidth = 2.2
        paper.beginPath()
        paper.moveTo(x - width / 2, within(y, summary.median))
        paper.lineTo(x + width / 2, within(y, summary.median))
        paper.stroke()
        paper.font = ink.font
        paper.fillStyle = ink.text
        paper.textAlign = "center"
        paper.textBaseline = "middle"
        paper.fillText(cutTo(paper, group.label, each - 6, false), x, area.bottom + 13)
        paper.fillText(`n ${group.values.length}`, x, area.bottom + 29)
    })
    paper.strokeStyle = ink.axis
    paper.lineWidth = 1
    paper.beginPath()
    paper.moveTo(area.left, area.bottom + 0.5)
    paper.lineTo(area.right, area.bottom + 0.5)
    paper.stroke()
}

function drawBox(paper: Paper, ink: Ink, group: ValueGroup, summary: Summary, x: number, width: number, y: Scale): void {
    const [top, bottom] = [y.at(summary.q3), y.at(summary.q1)]
    paper.fillStyle = group.colour
    paper.globalAlpha = 0.14
    paper.fillRect(x - width / 2, top, width, Math.max(1, bottom - top))
    paper.globalAlpha = 1
    paper.strokeStyle = group.colour
    paper.lineWidth = 1.2
    paper.beginPath()
    paper.rect(x - width / 2, top, width, Math.max(1, bottom - top))
    for (const [end, edge] of [[summary.high, top], [summary.low, bottom]] as const) {
        paper.moveTo(x, edge)
        paper.lineTo(x, y.at(end))
        paper.moveTo(x - width / 5, y.at(end))
        paper.lineTo(x + width / 5, y.at(end))
    }
    paper.stroke()
    paper.strokeStyle = ink.axis
}

function drawShape(paper: Paper, group: ValueGroup, x: number, width: number, y: Scale): void {
    const shape = densityOf(group.values)
    const most = Math.max(...shape.map(one => one.density))
    const half = (density: number): number => (density / most) * width * 0.75
    paper.beginPath()
    shape.forEach((one, index) => (index ? paper.lineTo(x + half(one.density), y.at(one.at)) : paper.moveTo(x + half(one.density), y.at(one.at))))
    for (const one of [...shape].reverse()) paper.lineTo(x - half(one.density), y.at(one.at))
    paper.closePath()
    paper.fillStyle = group.colour
    paper.globalAlpha = 0.16
    paper.fill()
    paper.globalAlpha = 1
    paper.strokeStyle = group.colour
    paper.lineWidth = 1.2
    paper.stroke()
}
