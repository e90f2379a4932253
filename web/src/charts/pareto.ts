// Two results against each other: which runs no other beats in both, and the edge that they form.
import { type Span, areaOf, drawRun, drawXAxis, drawYAxis, spanOf, within, xScale, yScale } from "./axes"
import type { Room } from "./Drawing"
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import type { Scale } from "./scale"
import { type Goal, paretoFront } from "./statistics"

export interface ParetoPlan {
    points: { x: number; y: number }[]
    front: number[]
    x: Span
    y: Span
    xName: string
    yName: string
    xGoal: Goal
    yGoal: Goal
    /** The front's colour. */
    colour: string
}

export function planPareto(points: { x: number; y: number }[], xName: string, yName: string, xGoal: Goal, yGoal: Goal, colour: string, clips: boolean): ParetoPlan {
    const [x, y] = [spanOf(points.map(point => point.x), clips), spanOf(points.map(point => point.y), clips)]
    return { points, x, y, xName, yName, xGoal, yGoal, colour, front: paretoFront(points, xGoal, yGoal) }
}

function scales(plan: ParetoPlan, room: Room): { x: Scale; y: Scale } {
    const area = areaOf(room)
    return { x: xScale(plan.x, area), y: yScale(plan.y, area) }
}

export function paretoPlaces(plan: ParetoPlan, room: Room): { x: number; y: number }[] {
    const { x, y } = scales(plan, room)
    return plan.points.map(point => ({ x: within(x, point.x), y: within(y, point.y) }))
}

export function drawPareto(paper: Paper, room: Room, ink: Ink, plan: ParetoPlan): void {
    const area = areaOf(room)
    const { x, y } = scales(plan, room)
    const arrow = (goal: Goal, less: string, more: string): string => (goal === "min" ? less : more)
    drawYAxis(paper, ink, area, y, `${plan.yName}, ${arrow(plan.yGoal, "less", "more")} is better`)
    drawXAxis(paper, ink, area, x, `${plan.xName}, ${arrow(plan.xGoal, "less", "more")} is better`)
    const front = plan.front.map(index => plan.points[index]!)
    if (front.length > 0) {
        paper.save()
        paper.beginPath()
        paper.rect(area.left, area.top, area.right - area.left, area.bottom - area.top)
        paper.clip()
        // What is beaten by a run of the front lies behind its steps: nothing between two runs is promised.
        const worstX = plan.xGoal === "min" ? area.right : area.left
        const worstY = plan.yGoal === "min" ? area.top : area.bottom
        const steps = edge(plan, front, x, y)
        paper.beginPath()
        paper.moveTo(plan.xGoal === "min" ? x.at(front[0]!.x) : worstX, plan.xGoal === "min" ? worstY : y.at(front[0]!.y))
        steps.forEach(([px, py]) => paper.lineTo(px, py))
        const last = front[front.length - 1]!
        paper.lineTo(plan.xGoal === "min" ? worstX : x.at(last.x), plan.xGoal === "min" ? y.at(last.y) : worstY)
        paper.strokeStyle = plan.colour
        paper.lineWidth = 1.5
        paper.setLineDash([5, 3])
        paper.stroke()
        paper.setLineDash([])
        paper.lineTo(worstX, worstY)
        paper.closePath()
        paper.fillStyle = plan.colour
        paper.globalAlpha = 0.06
        paper.fill()
        paper.globalAlpha = 1
        paper.restore()
    }
    const isFront = new Set(plan.front)
    const size = plan.points.length > 500 ? 2.5 : 3.5
    plan.points.forEach((point, index) => isFront.has(index) || drawRun(paper, x, y, point, size, ink.text, 0.45))
    for (const point of front) drawRun(paper, x, y, point, size + 1.5, plan.colour, 1)
}

/** The front's steps, from the left to the right. */
function edge(plan: ParetoPlan, front: { x: number; y: number }[], x: Scale, y: Scale): [number, number][] {
    const steps: [number, number][] = []
    front.forEach((point, index) => {
        const before = front[index - 1]
        if (before) {
            // With less of x better, the earlier run still holds until the later one is reached; else the later one does.
            if (plan.xGoal === "min") steps.push([x.at(point.x), y.at(before.y)])
            else steps.push([x.at(before.x), y.at(point.y)])
        }
        steps.push([x.at(point.x), y.at(point.y)])
    })
    return steps
}
