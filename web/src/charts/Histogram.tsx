// Histograms over steps: as a heatmap, whose columns are steps, or as ridges, the newest in front.
import { useCallback, useMemo, useState } from "react"
import { formatCount, formatNumber, plural } from "../ui/format"
import { Drawing, type Room, type Spot } from "./Drawing"
import type { Ink } from "./ink"
import { shade } from "./Parallel"
import type { Paper } from "./paper"
import { linearTicks, tickLabels } from "./scale"

export interface HistogramStep {
    step: number
    edges: number[]
    counts: number[]
}

/** What people log as a histogram: edges and counts, or counts between two ends. */
export function histogramOf(step: number, value: unknown): HistogramStep | null {
    const any = value as { edges?: number[]; bins?: number[]; bin_edges?: number[]; counts?: number[]; values?: number[]; min?: number; max?: number } | null
    const counts = any?.counts ?? any?.values
    if (!Array.isArray(counts) || counts.length === 0) return null
    const edges = any?.edges ?? any?.bin_edges ?? any?.bins
    if (Array.isArray(edges) && edges.length === counts.length + 1) return { step, edges, counts }
    if (typeof any?.min === "number" && typeof any.max === "number")
        return { step, counts, edges: Array.from({ length: counts.length + 1 }, (_, index) => any.min! + ((any.max! - any.min!) * index) / counts.length) }
    return null
}

interface Spread { steps: HistogramStep[]; low: number; high: number; most: number }

const frameOf = ({ width, height }: Room): { left: number; right: number; top: number; bottom: number } => ({ left: 46, right: width - 10, top: 6, bottom: height - 20 })
/** More columns than this are thinned for ridges, which would hide each other. */
const ridgesMax = 24

export function HistogramChart({ name, steps, theme, height = 190 }: { name: string; steps: HistogramStep[]; theme: string; height?: number }): JSX.Element {
    const [isRidges, setRidges] = useState(false)
    const spread = useMemo((): Spread => ({
        steps, low: steps.reduce((least, one) => Math.min(least, one.edges[0]!), Infinity), high: steps.reduce((most, one) => Math.max(most, one.edges[one.edges.length - 1]!), -Infinity),
        most: steps.reduce((most, one) => Math.max(most, ...one.counts), 1),
    }), [steps])
    const draw = useCallback((paper: Paper, room: Room, ink: Ink) => (isRidges ? drawRidges : drawHeat)(paper, room, ink, spread, theme), [spread, isRidges, theme])
    const find = useCallback((x: number, y: number, room: Room): Spot | null => {
        if (isRidges) return null
        const frame = frameOf(room)
        const at = steps[Math.floor(((x - frame.left) / (frame.right - frame.left)) * steps.length)]
        const value = spread.low + ((frame.bottom - y) / (frame.bottom - frame.top)) * (spread.high - spread.low)
        const bin = at ? at.edges.findIndex((edge, index) => edge <= value && (at.edges[index + 1] ?? -Infinity) > value) : -1
        return at && bin >= 0 ? { x, y, content: <><div className="readout-x">step {formatCount(at.step)}</div><b>{formatCount(at.counts[bin]!)}</b> between {formatNumber(at.edges[bin])} and {formatNumber(at.edges[bin + 1])}</> } : null
    }, [spread, isRidges])
    return (
        <Drawing name={name} height={height} theme={theme} draw={draw} find={find}
            label={`Histogram of ${name} at ${steps.length} steps, from ${formatNumber(spread.low)} to ${formatNumber(spread.high)}`}
            sheet={() => ({ head: ["step", "from", "to", "count"], rows: steps.flatMap(one => one.counts.map((count, bin) => [one.step, one.edges[bin]!, one.edges[bin + 1]!, count])) })}
            choices={<button className="button quiet" aria-pressed={isRidges} onClick={() => setRidges(!isRidges)}>{isRidges ? "Heatmap" : "Ridges"}</button>}
            foot={`${plural(steps.length, "step")}${isRidges && steps.length > ridgesMax ? `, ${ridgesMax} of them drawn` : ""}`} />
    )
}

function drawRidges(paper: Paper, room: Room, ink: Ink, { steps, low, high, most }: Spread, theme: string): void {
    const frame = frameOf(room)
    const x = (value: number): number => frame.left + ((value - low) / (high - low || 1)) * (frame.right - frame.left)
    const ticks = linearTicks(low, high, Math.floor(room.width / 80))
    paper.font = ink.font
    paper.fillStyle = ink.text
    paper.textAlign = "center"
    tickLabels(ticks, "number").forEach((label, index) => paper.fillText(label, x(ticks[index]!), room.height - 6))
    // The newest and the first are always there.
    const count = Math.min(steps.length, ridgesMax)
    const shown = Array.from({ length: count }, (_, index) => steps[count < 2 ? 0 : Math.round((index * (steps.length - 1)) / (count - 1))]!)
    const rise = Math.min(60, (frame.bottom - frame.top) * 0.4)
    shown.forEach((one, index) => {
        const share = count < 2 ? 1 : index / (count - 1)
        const base = frame.top + rise + (frame.bottom - frame.top - rise) * share
        paper.beginPath()
        paper.moveTo(x(one.edges[0]!), base)
        one.counts.forEach((height, bin) => paper.lineTo(x((one.edges[bin]! + one.edges[bin + 1]!) / 2), base - (height / most) * rise))
        paper.lineTo(x(one.edges[one.edges.length - 1]!), base)
        paper.fillStyle = ink.ground
        paper.globalAlpha = 0.75
        paper.fill()
        paper.globalAlpha = 1
        paper.strokeStyle = shade(count < 2 ? 0.5 : share, theme)
        paper.lineWidth = 1.2
        paper.stroke()
        if (index === 0 || index === count - 1) {
            paper.fillStyle = ink.text
            paper.textAlign = "right"
            paper.fillText(formatNumber(one.step), frame.left - 6, base)
        }
    })
}

function drawHeat(paper: Paper, room: Room, ink: Ink, { steps, low, high, most }: Spread, theme: string): void {
    const frame = frameOf(room)
    const y = (value: number): number => frame.bottom - ((value - low) / (high - low || 1)) * (frame.bottom - frame.top)
    const column = (frame.right - frame.left) / steps.length
    steps.forEach((one, index) => one.counts.forEach((count, bin) => {
        if (count <= 0) return
        // The root shows the tails beside the peak.
        paper.fillStyle = shade(theme === "dark" ? Math.sqrt(count / most) : 1 - Math.sqrt(count / most), theme)
        const [top, bottom] = [y(one.edges[bin + 1]!), y(one.edges[bin]!)]
        paper.fillRect(frame.left + index * column, top, Math.ceil(column), Math.max(1, bottom - top + 0.5))
    }))
    paper.font = ink.font
    paper.fillStyle = ink.text
    paper.textAlign = "right"
    paper.textBaseline = "middle"
    const ticks = linearTicks(low, high, 4)
    tickLabels(ticks, "number").forEach((label, index) => paper.fillText(label, frame.left - 6, y(ticks[index]!)))
    paper.textAlign = "center"
    const every = Math.max(1, Math.ceil(steps.length / Math.floor(room.width / 70)))
    steps.forEach((one, index) => index % every === 0 && paper.fillText(formatNumber(one.step), frame.left + (index + 0.5) * column, room.height - 8))
}
