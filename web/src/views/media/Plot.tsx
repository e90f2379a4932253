// A figure of Plotly. Its library is larger than this whole app, so traces of plain kinds are drawn by ours; what else is in
// it is said, with the figure as a file.
import "../../core"
import { useCallback, useMemo } from "react"
import { useResource } from "../../api/resource"
import { Drawing, type Room } from "../../charts/Drawing"
import type { Ink } from "../../charts/ink"
import { shade } from "../../charts/Parallel"
import { strokeOf } from "../../charts/palette"
import type { Paper } from "../../charts/paper"
import { linearTicks, tickLabels } from "../../charts/scale"
import { Empty, Failure, Skeleton } from "../../ui/parts"
import { type Item, fileAddress } from "./sources"
import { textOf } from "./Values"

interface Packed { dtype?: string; bdata?: string }
type Values = (number | string | null)[] | Packed | undefined
interface Trace { type?: string; mode?: string; name?: string; x?: Values; y?: Values; z?: (number | null)[][] }
interface Title { text?: string }
interface Figure { data?: Trace[]; layout?: { title?: Title | string; xaxis?: { title?: Title | string }; yaxis?: { title?: Title | string } } }
interface Line { name: string; type: string; isLine: boolean; isDots: boolean; x: (number | string)[]; y: number[] }

const words = (title: Title | string | undefined): string => (typeof title === "string" ? title : title?.text ?? "").replace(/<[^>]*>/g, "")

/** Plotly 6 packs arrays: their bytes in base 64. */
function listOf(values: Values): (number | string | null)[] {
    if (Array.isArray(values)) return values
    if (!values?.bdata) return []
    const bytes = Uint8Array.from(atob(values.bdata), letter => letter.charCodeAt(0)).buffer
    const kinds: Record<string, new (buffer: ArrayBuffer) => ArrayLike<number>> = { f8: Float64Array, f4: Float32Array, i4: Int32Array, i2: Int16Array, i1: Int8Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array }
    const kind = kinds[values.dtype ?? ""]
    return kind ? Array.from(new kind(bytes)) : []
}

export default function Plot({ item, alt, theme }: { item: Item; alt: string; theme: string }): JSX.Element {
    const source = fileAddress(item.run, item.path!)
    const found = useResource(`text/${source}`, () => textOf(source))
    const figure = useMemo(() => (found.data === undefined ? null : (JSON.parse(found.data) as Figure)), [found.data])
    const lines = useMemo(() => (figure?.data ?? []).flatMap((trace, index): Line[] => {
        const type = trace.type ?? "scatter"
        if (!["scatter", "scattergl", "bar"].includes(type)) return []
        const y = listOf(trace.y).map(value => (value === null ? NaN : Number(value)))
        const x = listOf(trace.x)
        const mode = trace.mode ?? "lines"
        return [{ name: trace.name ?? `trace ${index + 1}`, type, isLine: mode.includes("lines"), isDots: mode.includes("markers"), y, x: y.map((_, place) => { const value = x[place] ?? place; return typeof value === "number" ? value : Number.isNaN(Number(value)) && !Number.isNaN(Date.parse(value)) && /^\d{4}-/.test(value) ? Date.parse(value) : Number.isNaN(Number(value)) ? value : Number(value) }) }]
    }), [figure])
    const heat = figure?.data?.find(trace => trace.type === "heatmap" && Array.isArray(trace.z))?.z ?? null
    const draw = useCallback((paper: Paper, room: Room, ink: Ink) => { if (heat) drawHeat(paper, room, heat, theme); else drawLines(paper, room, ink, lines, theme) }, [heat, lines, theme])
    if (found.error) return <Failure error={found.error} />
    if (!figure) return <Skeleton rows={4} />
    const others = Array.from(new Set((figure.data ?? []).map(trace => trace.type ?? "scatter").filter(type => !["scatter", "scattergl", "bar", ...(heat ? ["heatmap"] : [])].includes(type))))
    const link = <a className="text" href={`${source}?download=true`} download>Download the figure</a>
    if (lines.length === 0 && !heat) return <Empty title="A figure of Plotly">Its traces ({others.join(", ") || "none"}) are not drawn here. {link}</Empty>
    return (
        <Drawing name={words(figure.layout?.title) || item.kind} height={220} theme={theme} draw={draw}
            label={`${alt}: ${heat ? `heatmap of ${heat.length} rows` : lines.map(line => `${line.name} (${line.type}, ${line.y.length} points)`).join(", ")}`}
            sheet={() => heat ? { head: ["row", ...(heat[0] ?? []).map((_, index) => String(index))], rows: heat.map((row, index) => [index, ...row.map(value => value ?? NaN)]) } : { head: ["trace", words(figure.layout?.xaxis?.title) || "x", words(figure.layout?.yaxis?.title) || "y"], rows: lines.flatMap(line => line.y.map((y, index) => [line.name, line.x[index]!, y])) }}
            foot={<>{lines.slice(0, 10).map((line, index) => <span key={index} style={{ color: strokeOf(index, theme).colour, marginRight: 10 }}>{line.name}</span>)}{others.length > 0 && `Not drawn: ${others.join(", ")}. `}{link}</>} />
    )
}

const frame = { left: 46, right: 12, top: 8, bottom: 22 }

function drawLines(paper: Paper, { width, height }: Room, ink: Ink, lines: Line[], theme: string): void {
    const labels = Array.from(new Set(lines.flatMap(line => line.x.filter((value): value is string => typeof value === "string"))))
    const number = (value: number | string): number => (typeof value === "number" ? value : labels.indexOf(value))
    const xs = lines.flatMap(line => line.x.map(number)).filter(Number.isFinite)
    const ys = lines.flatMap(line => line.y).filter(Number.isFinite)
    const hasBars = lines.some(line => line.type === "bar")
    const range = (values: number[], pad: number): [number, number] => {
        const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)]
        return low === Infinity ? [0, 1] : low === high ? [low - 0.5, high + 0.5] : [low - (high - low) * pad, high + (high - low) * pad]
    }
    const [left, right] = hasBars ? (([low, high]) => [low - 0.5, high + 0.5] as [number, number])(range(xs, 0)) : range(xs, 0.02)
    const [low, high] = range(hasBars ? [...ys, 0] : ys, 0.05)
    const x = (value: number): number => frame.left + ((value - left) / (right - left)) * (width - frame.left - frame.right)
    const y = (value: number): number => height - frame.bottom - ((value - low) / (high - low)) * (height - frame.top - frame.bottom)
    paper.font = ink.font
    paper.lineWidth = 1
    const across = linearTicks(low, high, 5)
    tickLabels(across, "number").forEach((name, index) => {
        paper.strokeStyle = ink.grid
        paper.beginPath(); paper.moveTo(frame.left, y(across[index]!)); paper.lineTo(width - frame.right, y(across[index]!)); paper.stroke()
        paper.fillStyle = ink.text; paper.textAlign = "right"; paper.textBaseline = "middle"
        paper.fillText(name, frame.left - 6, y(across[index]!))
    })
    paper.textAlign = "center"; paper.textBaseline = "alphabetic"
    const isTime = xs.length > 0 && left > 1e11
    const along = labels.length ? labels.map((_, index) => index) : linearTicks(left, right, Math.floor(width / 80))
    const every = Math.max(1, Math.ceil(along.length / Math.floor(width / 70)))
    const names = labels.length ? labels : isTime ? along.map(value => new Date(value).toISOString().slice(0, 10)) : tickLabels(along, "number")
    along.forEach((value, index) => { if (index % every === 0) paper.fillText(names[index]!.slice(0, 12), x(value), height - 6) })
    const bars = lines.filter(line => line.type === "bar").length
    let bar = 0
    lines.forEach((line, index) => {
        paper.strokeStyle = paper.fillStyle = strokeOf(index, theme).colour
        paper.lineWidth = 1.4
        if (line.type === "bar") {
            const wide = ((x(1) - x(0)) * 0.8) / bars
            line.y.forEach((value, place) => { if (Number.isFinite(value)) paper.fillRect(x(number(line.x[place]!)) - (wide * bars) / 2 + bar * wide, Math.min(y(value), y(0)), Math.max(1, wide - 1), Math.abs(y(value) - y(0))) })
            bar += 1
            return
        }
        if (line.isLine) {
            paper.beginPath()
            let isOpen = false
            line.y.forEach((value, place) => {
                if (!Number.isFinite(value)) { isOpen = false; return }
                if (isOpen) paper.lineTo(x(number(line.x[place]!)), y(value)); else paper.moveTo(x(number(line.x[place]!)), y(value))
                isOpen = true
            })
            paper.stroke()
        }
        if (line.isDots) line.y.forEach((value, place) => { if (Number.isFinite(value)) { paper.beginPath(); paper.arc(x(number(line.x[place]!)), y(value), 2.4, 0, 7); paper.fill() } })
    })
}

function drawHeat(paper: Paper, { width, height }: Room, rows: (number | null)[][], theme: string): void {
    const values = rows.flat().filter((value): value is number => typeof value === "number")
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)]
    const columns = Math.max(1, ...rows.map(row => row.length))
    const [wide, tall] = [width / columns, height / rows.length]
    rows.forEach((row, index) => row.forEach((value, place) => {
        if (value === null) return
        const share = high > low ? (value - low) / (high - low) : 0.5
        paper.fillStyle = shade(theme === "dark" ? share : 1 - share, theme)
        // Plotly's first row lies at the bottom.
        paper.fillRect(place * wide, height - (index + 1) * tall, Math.ceil(wide), Math.ceil(tall))
    }))
}
