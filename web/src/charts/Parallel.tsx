// Parallel coordinates: an axis for each param and metric, a line for each run. Dragging along an axis keeps the runs in
// that part; the others fade.
import { type PointerEvent, useLayoutEffect, useMemo, useRef, useState } from "react"
import { formatNumber, formatValue } from "../ui/format"
import { inkOf } from "./ink"
import { linearTicks, logTicks, spansDecades, tickLabels } from "./scale"
import { useWidth } from "./width"

export interface Dimension {
    name: string
    /** A number, a word, or nothing, for each run. */
    values: (number | string | null)[]
}

interface AxisPlan {
    name: string
    words: string[] | null
    from: number
    to: number
    isLog: boolean
    /** The values themselves, where there are only a few. */
    few: number[] | null
    /** From 0 (below) to 1; NaN where a run has nothing. */
    places: Float64Array
}

function plan(dimension: Dimension): AxisPlan {
    const { name, values } = dimension
    const numbers = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value))
    if (numbers.length > 0 && values.every(value => value === null || typeof value === "number")) {
        let [from, to] = [Math.min(...numbers), Math.max(...numbers)]
        const isLog = spansDecades(numbers)
        if (from === to) [from, to] = isLog ? [from / 2, to * 2] : [from - (Math.abs(from) * 0.1 || 1), to + (Math.abs(to) * 0.1 || 1)]
        const at = (value: number): number => (isLog ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from))
        const few = Array.from(new Set(numbers)).sort((a, b) => a - b)
        return { name, words: null, from, to, isLog, few: few.length <= 6 ? few : null, places: Float64Array.from(values, value => (typeof value === "number" && Number.isFinite(value) ? at(value) : NaN)) }
    }
    const words = Array.from(new Set(values.filter(value => value !== null).map(value => formatValue(value)))).sort()
    const at = (value: string): number => (words.length === 1 ? 0.5 : words.indexOf(value) / (words.length - 1))
    return { name, words, from: 0, to: 1, isLog: false, few: null, places: Float64Array.from(values, value => (value === null ? NaN : at(formatValue(value)))) }
}

/** Viridis in nine steps: even to the eye, and readable without seeing red or green. */
const viridis = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"]
const lightViridis = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#1f9e6e", "#3f9d3c", "#7a9a10", "#a08c00"]

export function shade(share: number, theme: string): string {
    const colours = theme === "dark" ? viridis.slice(2) : lightViridis
    return colours[Math.max(0, Math.min(colours.length - 1, Math.round(share * (colours.length - 1))))]!
}

/** Each value's rank from 0 to 1: one run that went astray must not take all colours but one. */
export function ranksOf(values: number[]): number[] {
    const sorted = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b)
    const places = new Map<number, number>()
    sorted.forEach((value, index) => places.has(value) || places.set(value, index))
    return values.map(value => (Number.isNaN(value) ? NaN : sorted.length < 2 ? 0.5 : places.get(value)! / (sorted.length - 1)))
}

interface Props {
    dimensions: Dimension[]
    count: number
    theme: string
    height: number
    onPick: (indices: number[] | null) => void
}

const room = { top: 34, bottom: 16, side: 70 }
/** Below this, names of axes run into one another: the chart is wider than its place then, and scrolls. */
const axisWidthMin = 84

export function Parallel({ dimensions, count, theme, height, onPick }: Props): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const canvas = useRef<HTMLCanvasElement>(null)
    const width = useWidth(box)
    const [brushes, setBrushes] = useState<Record<string, [number, number]>>({})
    const drag = useRef<{ axis: number; start: number } | null>(null)
    const axes = useMemo(() => dimensions.map(plan), [dimensions])
    const at = (axis: number): number => (axes.length < 2 ? width / 2 : room.side + (axis * (width - 2 * room.side)) / (axes.length - 1))
    const bottom = height - room.bottom
    const y = (place: number): number => bottom - place * (bottom - room.top)
    const kept = useMemo(() => {
        const active = axes.filter(axis => brushes[axis.name])
        const indices: number[] = []
        for (let run = 0; run < count; run += 1) {
            if (active.every(axis => axis.places[run]! >= brushes[axis.name]![0] && axis.places[run]! <= brushes[axis.name]![1])) indices.push(run)
        }
        return active.length ? indices : null
    }, [axes, brushes, count])
    useLayoutEffect(() => onPick(kept), [kept])
    useLayoutEffect(() => {
        const context = canvas.current?.getContext("2d")
        if (!context || !canvas.current || !box.current || width < 50) return
        const ratio = window.devicePixelRatio || 1
        canvas.current.width = width * ratio
        canvas.current.height = height * ratio
        context.setTransform(ratio, 0, 0, ratio, 0, 0)
        const ink = inkOf(box.current)
        const last = axes[axes.length - 1]
        const isKept = kept ? new Set(kept) : null
        context.lineJoin = "bevel"
        const ranks = ranksOf(last ? Array.from(last.places) : [])
        const draw = (run: number, isFaint: boolean): void => {
            const share = ranks[run] ?? NaN
            context.strokeStyle = isFaint || Number.isNaN(share) ? ink.text : shade(share, theme)
            context.globalAlpha = isFaint ? 0.08 : count > 300 ? 0.35 : 0.75
            context.lineWidth = count > 300 ? 1 : 1.4
            context.beginPath()
            let isOpen = false
            axes.forEach((axis, index) => {
                const place = axis.places[run]!
                if (Number.isNaN(place)) {
                    isOpen = false
                    return
                }
                if (isOpen) context.lineTo(at(index), y(place))
                else context.moveTo(at(index), y(place))
                isOpen = true
            })
            context.stroke()
        }
        for (let run = 0; run < count; run += 1) if (isKept && !isKept.has(run)) draw(run, true)
        for (let run = 0; run < count; run += 1) if (!isKept || isKept.has(run)) draw(run, false)
        context.globalAlpha = 1
        context.font = ink.font
        axes.forEach((axis, index) => {
            const x = Math.round(at(index)) + 0.5
            context.strokeStyle = ink.axis
            context.lineWidth = 1
            context.beginPath()
            context.moveTo(x, room.top)
            context.lineTo(x, bottom)
            context.stroke()
            const brush = brushes[axis.name]
            if (brush) {
                context.fillStyle = ink.axis
                context.globalAlpha = 0.45
                context.fillRect(x - 5, y(brush[1]), 10, Math.max(3, y(brush[0]) - y(brush[1])))
                context.globalAlpha = 1
            }
            const isLast = index === axes.length - 1
            context.textAlign = isLast ? "right" : "left"
            context.textBaseline = "middle"
            const label = (text: string, place: number): void => {
                const cut = text.length > 16 ? text.slice(0, 15) + "…" : text
                const size = context.measureText(cut).width
                const from = isLast ? x - 8 - size : x + 8
                context.globalAlpha = 0.8
                context.fillStyle = ink.ground
                context.fillRect(from - 2, y(place) - 7, size + 4, 14)
                context.globalAlpha = 1
                context.fillStyle = ink.text
                context.fillText(cut, isLast ? x - 8 : x + 8, y(place))
            }
            if (axis.words) {
                const every = Math.ceil(axis.words.length / 12)
                axis.words.forEach((word, place) => place % every === 0 && label(word, axis.words!.length === 1 ? 0.5 : place / (axis.words!.length - 1)))
            } else {
                const ticks = axis.few ?? (axis.isLog ? logTicks(axis.from, axis.to, 5) : linearTicks(axis.from, axis.to, 5))
                const names = axis.few ? ticks.map(tick => formatNumber(tick)) : tickLabels(ticks, "number")
                ticks.forEach((tick, place) => label(names[place]!, axis.isLog ? Math.log(tick / axis.from) / Math.log(axis.to / axis.from) : (tick - axis.from) / (axis.to - axis.from)))
            }
            context.fillStyle = ink.text
            context.textAlign = index === 0 ? "left" : isLast ? "right" : "center"
            const name = axis.name.length > 20 ? "…" + axis.name.slice(-19) : axis.name
            context.fillText(name, index === 0 ? Math.max(4, x - 40) : isLast ? Math.min(width - 4, x + 40) : x, 14)
        })
    })
    const placeOf = (event: PointerEvent): { axis: number; place: number } | null => {
        const bounds = box.current!.getBoundingClientRect()
        const px = event.clientX - bounds.left
        const nearest = axes.reduce((best, _, index) => (Math.abs(at(index) - px) < Math.abs(at(best) - px) ? index : best), 0)
        if (Math.abs(at(nearest) - px) > 24) return null
        return { axis: nearest, place: Math.max(0, Math.min(1, (bottom - (event.clientY - bounds.top)) / (bottom - room.top))) }
    }
    return (
        <div className="chart-scroll"><div className="chart" ref={box} style={{ height, minWidth: (axes.length - 1) * axisWidthMin + 2 * room.side }} role="group" aria-label={`Parallel coordinates of ${count} runs over ${axes.map(axis => axis.name).join(", ")}. The table below shows the same.`}>
            <canvas ref={canvas} style={{ width, height, cursor: "ns-resize", touchAction: "none" }}
                onPointerDown={event => {
                    const found = placeOf(event)
                    if (!found) return
                    drag.current = { axis: found.axis, start: found.place }
                    event.currentTarget.setPointerCapture(event.pointerId)
                }}
                onPointerMove={event => {
                    if (!drag.current) return
                    const bounds = box.current!.getBoundingClientRect()
                    const place = Math.max(0, Math.min(1, (bottom - (event.clientY - bounds.top)) / (bottom - room.top)))
                    const { axis, start } = drag.current
                    // A little more at either end, so that a brush around a word or an extreme holds it.
                    setBrushes(old => ({ ...old, [axes[axis]!.name]: [Math.min(start, place) - 0.005, Math.max(start, place) + 0.005] }))
                }}
                onPointerUp={() => { drag.current = null }}
                onDoubleClick={event => {
                    const found = placeOf(event as unknown as PointerEvent)
                    setBrushes(old => found ? Object.fromEntries(Object.entries(old).filter(([name]) => name !== axes[found.axis]!.name)) : {})
                }} />
            {Object.keys(brushes).length > 0 && <button className="button" style={{ position: "absolute", right: 4, bottom: 0 }} onClick={() => setBrushes({})}>Clear brushes</button>}
        </div></div>
    )
}
