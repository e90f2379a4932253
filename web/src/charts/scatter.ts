// A point for each run over two of its numbers, with the straight line that fits them best.
import { type Span, areaOf, drawRun, drawXAxis, drawYAxis, spanOf, within, xScale, yScale } from "./axes"
import type { Room } from "./Drawing"
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import type { Scale } from "./scale"
import { lineThrough } from "./statistics"

export interface ScatterPlan {
    points: { x: number; y: number; colour: string }[]
    xName: string
    yName: string
    x: Span
    y: Span
    /** Through the logarithms where the axis has them. */
    fit: ReturnType<typeof lineThrough>
}

export function planScatter(points: ScatterPlan["points"], xName: string, yName: string, clips: boolean): ScatterPlan {
    const [x, y] = [spanOf(points.map(point => point.x), clips), spanOf(points.map(point => point.y), clips, false)]
    return { points, xName, yName, x, y, fit: lineThrough(points.map(point => [x.isLog ? Math.log10(point.x) : point.x, point.y] as const)) }
}

function scales(plan: ScatterPlan, room: Room): { x: Scale; y: Scale } {
    const area = areaOf(room)
    return { x: xScale(plan.x, area), y: yScale(plan.y, area) }
}

export function scatterPlaces(plan: ScatterPlan, room: Room): { x: number; y: number }[] {
    const { x, y } = scales(plan, room)
    return plan.points.map(point => ({ x: within(x, point.x), y: within(y, point.y) }))
}

export function drawScatter(paper: Paper, room: Room, ink: Ink, plan: ScatterPlan): void {
    const area = areaOf(room)
    const { x, y } = scales(plan, room)
    drawYAxis(paper, ink, area, y, plan.yName)
    drawXAxis(paper, ink, area, x, plan.xName)
    if (plan.fit) {
        paper.save()
        paper.beginPath()
        paper.rect(area.left, area.top, area.right - area.left, area.bottom - area.top)
        paper.clip()
        paper.strokeStyle = ink.axis
        paper.lineWidth = 1.5
        paper.setLineDash([5, 4])
        paper.beginPath()
        const at = (value: number): number => plan.fit!.at(x.isLog ? Math.log10(value) : value)
        // No further than there are runs.
        const ends = [Math.min(...plan.points.map(point => point.x)), Math.max(...plan.points.map(point => point.x))]
        paper.moveTo(x.at(ends[0]!), y.at(at(ends[0]!)))
        paper.lineTo(x.at(ends[1]!), y.at(at(ends[1]!)))
        paper.stroke()
        paper.setLineDash([])
        paper.restore()
    }
    const size = plan.points.length > 500 ? 3 : 4.5
    for (const point of plan.points) drawRun(paper, x, y, point, size, point.colour, 0.88)
}
