// Histograms over steps: as a heatmap, whose columns are steps, or as ridges, the newest in front.
import { useLayoutEffect, useMemo, useRef, useState } from "react"
import { formatCount, formatNumber } from "../ui/format"
import { inkOf } from "./ink"
import { shade } from "./Parallel"
import { linearTicks, tickLabels } from "./scale"
import { useWidth } from "./width"

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

export function HistogramChart({ name, steps, theme, height = 190 }: { name: string; steps: HistogramStep[]; theme: string; height?: number }): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const canvas = useRef<HTMLCanvasElement>(null)
    const width = useWidth(box)
    const [isRidges, setRidges] = useState(false)
    const [hover, setHover] = useState<{ step: HistogramStep; bin: number; x: number; y: number } | null>(null)
    const range = useMemo(() => [Math.min(...steps.map(one => one.edges[0]!)), Math.max(...steps.map(one => one.edges[one.edges.length - 1]!))] as const, [steps])
    const most = useMemo(() => Math.max(1, ...steps.flatMap(one => one.counts)), [steps])
    const frame = { left: 46, right: width - 10, top: 6, bottom: height - 20 }
    useLayoutEffect(() => {
        const context = canvas.current?.getContext("2d")
        if (!context || !canvas.current || !box.current || width < 60) return
        const ratio = window.devicePixelRatio || 1
        canvas.current.width = width * ratio
        canvas.current.height = height * ratio
        context.setTransform(ratio, 0, 0, ratio, 0, 0)
        const ink = inkOf(box.current)
        context.font = ink.font
        context.fillStyle = ink.text
        const [low, high] = range
        if (isRidges) {
            const x = (value: number): number => frame.left + ((value - low) / (high - low)) * (frame.right - frame.left)
            const ticks = linearTicks(low, high, Math.floor(width / 80))
            const names = tickLabels(ticks, "number")
            context.textAlign = "center"
            ticks.forEach((tick, index) => context.fillText(names[index]!, x(tick), height - 6))
            const rise = Math.min(60, (frame.bottom - frame.top) * 0.4)
            steps.forEach((one, index) => {
                const base = frame.top + rise + ((frame.bottom - frame.top - rise) * (steps.length < 2 ? 1 : index / (steps.length - 1)))
                context.beginPath()
                context.moveTo(x(one.edges[0]!), base)
                one.counts.forEach((count, bin) => context.lineTo(x((one.edges[bin]! + one.edges[bin + 1]!) / 2), base - (count / most) * rise))
                context.lineTo(x(one.edges[one.edges.length - 1]!), base)
                context.fillStyle = ink.ground
                context.globalAlpha = 0.75
                context.fill()
                context.globalAlpha = 1
                context.strokeStyle = shade(steps.length < 2 ? 0.5 : index / (steps.length - 1), theme)
                context.stroke()
                if (index === 0 || index === steps.length - 1) {
                    context.fillStyle = ink.text
                    context.textAlign = "right"
                    context.fillText(formatNumber(one.step), frame.left - 6, base)
                }
            })
            return
        }
        const y = (value: number): number => frame.bottom - ((value - low) / (high - low)) * (frame.bottom - frame.top)
        const column = (frame.right - frame.left) / steps.length
        steps.forEach((one, index) => one.counts.forEach((count, bin) => {
            if (count <= 0) return
            // The root shows the tails beside the peak.
            context.fillStyle = shade(theme === "dark" ? Math.sqrt(count / most) : 1 - Math.sqrt(count / most), theme)
            const [top, bottom] = [y(one.edges[bin + 1]!), y(one.edges[bin]!)]
            context.fillRect(frame.left + index * column, top, Math.ceil(column), Math.max(1, bottom - top + 0.5))
        }))
        context.fillStyle = ink.text
        context.textAlign = "right"
        context.textBaseline = "middle"
        const ticks = linearTicks(low, high, 4)
        const names = tickLabels(ticks, "number")
        ticks.forEach((tick, index) => context.fillText(names[index]!, frame.left - 6, y(tick)))
        context.textAlign = "center"
        const every = Math.max(1, Math.ceil(steps.length / Math.floor(width / 70)))
        steps.forEach((one, index) => index % every === 0 && context.fillText(formatNumber(one.step), frame.left + (index + 0.5) * column, height - 8))
    })
    return (
        <section className="card panel" aria-label={name}>
            <div className="panel-head"><h3 className="cut grow" title={name}>{name}</h3><div className="panel-tools"><button className="button quiet" style={{ width: "auto" }} aria-pressed={isRidges} onClick={() => setRidges(!isRidges)}>{isRidges ? "Heatmap" : "Ridges"}</button></div></div>
            <div className="chart" ref={box} style={{ height }} role="img" aria-label={`Histogram of ${name} at ${steps.length} steps, from ${formatNumber(range[0])} to ${formatNumber(range[1])}`}>
                <canvas ref={canvas} style={{ width, height }} onPointerLeave={() => setHover(null)} onPointerMove={event => {
                    const bounds = event.currentTarget.getBoundingClientRect()
                    const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top]
                    const at = steps[Math.floor(((px - frame.left) / (frame.right - frame.left)) * steps.length)]
                    const value = range[0] + ((frame.bottom - py) / (frame.bottom - frame.top)) * (range[1] - range[0])
                    const bin = at ? at.edges.findIndex((edge, index) => edge <= value && (at.edges[index + 1] ?? -Infinity) > value) : -1
                    setHover(at && bin >= 0 && !isRidges ? { step: at, bin, x: px, y: py } : null)
                }} />
                {hover && <div className="readout" style={{ position: "absolute", left: Math.min(hover.x + 12, width - 180), top: Math.max(0, hover.y - 44) }}><div className="readout-x">step {formatCount(hover.step.step)}</div><b>{formatCount(hover.step.counts[hover.bin]!)}</b> between {formatNumber(hover.step.edges[hover.bin]!)} and {formatNumber(hover.step.edges[hover.bin + 1]!)}</div>}
            </div>
        </section>
    )
}
