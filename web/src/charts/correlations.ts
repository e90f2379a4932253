// How params and metrics move together: a square for each pair, blue where both rise, red where one falls.
import { cutTo } from "./axes"
import type { Room } from "./Drawing"
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import { type Correlation, correlation, pearson, sharedRanks } from "./statistics"

export interface CorrelationPlan {
    names: string[]
    /** By row, then column; NaN where there is none. */
    cells: { r: number; n: number }[][]
    kind: Correlation
    theme: string
}

export function planCorrelations(names: string[], columns: number[][], kind: Correlation, theme: string): CorrelationPlan {
    const cells = columns.map(() => new Array<{ r: number; n: number }>(columns.length))
    // Ranks depend on which runs a pair has; where both have all, they are made once for each name and not for each pair.
    const whole = columns.map(values => (values.every(Number.isFinite) ? (kind === "spearman" ? sharedRanks(values) : values) : null))
    for (let row = 0; row < columns.length; row += 1) {
        for (let column = 0; column <= row; column += 1) {
            const [a, b] = [whole[row], whole[column]]
            const cell = a && b ? { r: pearson(a, b), n: a.length } : correlation(columns[row]!, columns[column]!, kind)
            cells[row]![column] = cell
            cells[column]![row] = cell
        }
    }
    return { names, cells, kind, theme }
}

const side = 118

function frame(plan: CorrelationPlan, room: Room): { left: number; top: number; cell: number; height: number } {
    const cell = (room.width - side - 6) / plan.names.length
    return { left: side, top: 4, cell, height: (room.height - 78) / plan.names.length }
}

export function cellAt(plan: CorrelationPlan, room: Room, x: number, y: number): { row: number; column: number } | null {
    const { left, top, cell, height } = frame(plan, room)
    const [column, row] = [Math.floor((x - left) / cell), Math.floor((y - top) / height)]
    return column >= 0 && row >= 0 && column < plan.names.length && row < plan.names.length ? { row, column } : null
}

export function correlationColour(r: number, theme: string): string {
    const ground = theme === "dark" ? [34, 37, 44] : [243, 244, 247]
    const end = theme === "dark" ? (r < 0 ? [255, 139, 130] : [122, 162, 255]) : r < 0 ? [190, 55, 45] : [47, 98, 201]
    const share = Math.abs(r)
    return `rgb(${ground.map((from, index) => Math.round(from + (end[index]! - from) * share)).join(",")})`
}

export function drawCorrelations(paper: Paper, room: Room, ink: Ink, plan: CorrelationPlan): void {
    const { left, top, cell, height } = frame(plan, room)
    const isDark = plan.theme === "dark"
    paper.font = ink.font
    paper.textBaseline = "middle"
    plan.names.forEach((name, row) => {
        paper.fillStyle = ink.text
        paper.textAlign = "right"
        paper.fillText(cutTo(paper, name, side - 12), left - 8, top + (row + 0.5) * height)
        paper.save()
        paper.translate(left + (row + 0.5) * cell + 2, top + plan.names.length * height + 8)
        paper.rotate(-Math.PI / 5)
        paper.fillText(cutTo(paper, name, 84), 0, 4)
        paper.restore()
        plan.names.forEach((_, column) => {
            const { r } = plan.cells[row]![column]!
            const [x, y] = [left + column * cell, top + row * height]
            paper.fillStyle = Number.isNaN(r) ? ink.ground : correlationColour(row === column ? 0 : r, plan.theme)
            paper.fillRect(x + 1, y + 1, cell - 2, height - 2)
            if (row === column || cell < 30 || height < 15) return
            paper.textAlign = "center"
            const isStrong = Math.abs(r) > 0.55
            paper.fillStyle = Number.isNaN(r) ? ink.text : isStrong ? (isDark ? "#0f1013" : "#fff") : isDark ? "#e9eaee" : "#17181c"
            paper.fillText(Number.isNaN(r) ? "–" : r.toFixed(2).replace("-", "−").replace(/^(−?)0\./, "$1."), x + cell / 2, y + height / 2)
        })
    })
}
