// A line chart: two canvases, one for the lines and one for what follows the pointer. Dragging zooms, double click and
// Escape reset, arrow keys move the mark, + and - zoom.
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react"
import { formatDuration, formatNumber, fullTime } from "../ui/format"
import { followCrosshair, moveCrosshair } from "./crosshair"
import { drawChart } from "./draw"
import { type Frame, type Line, type Look, type Pin, type XKind, frameOf, nearest } from "./frame"
import { inkOf } from "./ink"

export interface LineChartProps {
    title: string
    lines: Line[]
    height: number
    xKind: XKind
    xName: string
    isLogX?: boolean
    isLogY?: boolean
    range: [number, number] | null
    onRange: (range: [number, number] | null) => void
    clipsOutliers: boolean
    theme: string
    pins?: Pin[]
    highlight?: string | null
    onHighlight?: (key: string | null) => void
    /** Called for the place of a Shift click or of the mark at N. */
    onPick?: (x: number) => void
}

interface Hover {
    x: number
    pixel: number
    pointerY: number
}

export function LineChart(props: LineChartProps): JSX.Element {
    const { lines, height, range, onRange, theme } = props
    const id = useId()
    const box = useRef<HTMLDivElement>(null)
    const base = useRef<HTMLCanvasElement>(null)
    const over = useRef<HTMLCanvasElement>(null)
    const frame = useRef<Frame | null>(null)
    const drag = useRef<{ from: number; to: number } | null>(null)
    const [width, setWidth] = useState(0)
    const [hover, setHover] = useState<Hover | null>(null)
    const [outside, setOutside] = useState({ above: 0, below: 0 })

    useLayoutEffect(() => {
        const element = box.current
        if (!element) return undefined
        const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)))
        observer.observe(element)
        setWidth(Math.floor(element.getBoundingClientRect().width))
        return () => observer.disconnect()
    }, [])

    const look: Look = useMemo(
        () => ({
            width, height, xKind: props.xKind, isLogX: props.isLogX ?? false, isLogY: props.isLogY ?? false, range,
            clipsOutliers: props.clipsOutliers, highlight: props.highlight ?? null,
        }),
        [width, height, props.xKind, props.isLogX, props.isLogY, range, props.clipsOutliers, props.highlight],
    )

    useLayoutEffect(() => {
        const canvas = base.current
        const element = box.current
        if (!canvas || !element || width < 20) return
        const context = fitted(canvas, width, height)
        if (!context) return
        const ink = inkOf(element)
        context.font = ink.font
        frame.current = frameOf(lines, look, text => context.measureText(text).width)
        drawChart(context, frame.current, lines, look, ink, props.pins ?? [])
        const { above, below } = frame.current
        setOutside(old => (old.above === above && old.below === below ? old : { above, below }))
    }, [lines, look, theme, width, height, props.pins])

    const paintOver = useCallback(
        (x: number | null) => {
            const canvas = over.current
            const element = box.current
            const at = frame.current
            if (!canvas || !element || !at || width < 20) return
            const context = fitted(canvas, width, height)
            if (!context) return
            context.clearRect(0, 0, width, height)
            const ink = inkOf(element)
            if (drag.current) {
                const [a, b] = [Math.min(drag.current.from, drag.current.to), Math.max(drag.current.from, drag.current.to)]
                context.fillStyle = ink.text
                context.globalAlpha = 0.14
                context.fillRect(a, at.top, b - a, at.bottom - at.top)
                context.globalAlpha = 1
            }
            if (x === null) return
            const pixel = Math.round(at.x.at(x)) + 0.5
            if (pixel < at.left - 1 || pixel > at.right + 1) return
            context.strokeStyle = ink.axis
            context.beginPath()
            context.moveTo(pixel, at.top)
            context.lineTo(pixel, at.bottom)
            context.stroke()
            if (lines.length > 60) return
            for (const line of lines) {
                const index = nearest(line.x, x)
                const value = index < 0 ? NaN : line.y[index]!
                if (Number.isNaN(value) || Math.abs(at.x.at(line.x[index]!) - pixel) > 24) continue
                context.fillStyle = line.colour
                context.strokeStyle = ink.ground
                context.beginPath()
                context.arc(at.x.at(line.x[index]!), at.y.at(value), 3, 0, 2 * Math.PI)
                context.fill()
                context.stroke()
            }
        },
        [lines, width, height],
    )

    useEffect(
        () =>
            followCrosshair(crosshair => {
                paintOver(crosshair.x)
                if (crosshair.source !== id) setHover(null)
            }),
        [paintOver, id],
    )

    const placeOf = (event: PointerEvent): { pixel: number; y: number; x: number } | null => {
        const at = frame.current
        if (!at || !over.current) return null
        const bounds = over.current.getBoundingClientRect()
        const pixel = Math.max(at.left, Math.min(at.right, event.clientX - bounds.left))
        return { pixel, y: event.clientY - bounds.top, x: at.x.invert(pixel) }
    }
    const onMove = (event: PointerEvent): void => {
        const place = placeOf(event)
        if (!place) return
        if (drag.current) drag.current.to = place.pixel
        setHover({ x: place.x, pixel: place.pixel, pointerY: place.y })
        moveCrosshair(place.x, id)
    }
    const onDown = (event: PointerEvent): void => {
        const place = placeOf(event)
        if (!place || event.button !== 0) return
        drag.current = { from: place.pixel, to: place.pixel }
        event.currentTarget.setPointerCapture(event.pointerId)
    }
    const onUp = (event: PointerEvent): void => {
        const at = frame.current
        const dragged = drag.current
        drag.current = null
        if (!at || !dragged) return
        const [a, b] = [Math.min(dragged.from, dragged.to), Math.max(dragged.from, dragged.to)]
        if (b - a > 5) onRange([at.x.invert(a), at.x.invert(b)])
        else if (props.onPick && event.shiftKey) props.onPick(at.x.invert(a))
        paintOver(null)
    }
    const onLeave = (): void => {
        if (drag.current) return
        setHover(null)
        moveCrosshair(null, null)
    }
    const onKey = (event: KeyboardEvent): void => {
        const at = frame.current
        if (!at) return
        const span = at.x.to - at.x.from
        const middle = hover?.x ?? (at.x.from + at.x.to) / 2
        if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
            const direction = event.key === "ArrowLeft" ? -1 : 1
            if (event.shiftKey && range) onRange([range[0] + direction * span * 0.2, range[1] + direction * span * 0.2])
            else {
                const pixel = Math.max(at.left, Math.min(at.right, at.x.at(middle) + direction * 8))
                const x = at.x.invert(pixel)
                setHover({ x, pixel, pointerY: (at.top + at.bottom) / 2 })
                moveCrosshair(x, id)
            }
        } else if (event.key === "n" && props.onPick && !event.ctrlKey && !event.metaKey && !event.altKey) props.onPick(middle)
        else if (event.key === "+" || event.key === "=") onRange([middle - span / 4, middle + span / 4])
        else if (event.key === "-") onRange([at.x.from - span / 2, at.x.to + span / 2])
        else if (event.key === "Escape" || event.key === "0") {
            onRange(null)
            onLeave()
        } else return
        event.preventDefault()
    }

    return (
        <div
            className="chart" ref={box} style={{ height }} tabIndex={0} role="group" onKeyDown={onKey}
            aria-label={`Chart of ${props.title}, ${lines.length} lines. Arrow keys move the mark, plus and minus zoom, Escape resets${props.onPick ? ", N writes a note at the mark" : ""}.`}
        >
            <canvas ref={base} aria-hidden="true" />
            <canvas
                ref={over} className="chart-over" aria-hidden="true" onPointerMove={onMove} onPointerDown={onDown}
                onPointerUp={onUp} onPointerLeave={onLeave} onDoubleClick={() => onRange(null)}
            />
            {outside.above + outside.below > 0 && (
                <span className="chart-outside" title="Outliers are outside of the axis. Show the full range in the panel's menu.">
                    {outside.above > 0 && `▲ ${outside.above}`} {outside.below > 0 && `▼ ${outside.below}`} outside
                </span>
            )}
            {hover && lines.length > 0 && (
                <Readout hover={hover} lines={lines} box={box.current} xKind={props.xKind} xName={props.xName} frame={frame.current} pins={props.pins ?? []} />
            )}
        </div>
    )
}

function fitted(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
    const ratio = window.devicePixelRatio || 1
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w
        canvas.height = h
        canvas.style.width = `${width}px`
        canvas.style.height = `${height}px`
    }
    const context = canvas.getContext("2d")
    context?.setTransform(ratio, 0, 0, ratio, 0, 0)
    return context
}

const shownMax = 12

/** What stands at the mark: each line's value, the greatest first, those near the pointer when there are many. */
function Readout(props: {
    hover: Hover
    lines: Line[]
    box: HTMLElement | null
    xKind: XKind
    xName: string
    frame: Frame | null
    pins: Pin[]
}): JSX.Element | null {
    const { hover, frame, lines, box } = props
    const own = useRef<HTMLDivElement>(null)
    // Beside the mark, on the side with more room, and never outside of the window.
    useLayoutEffect(() => {
        const element = own.current
        if (!element || !box) return
        const bounds = box.getBoundingClientRect()
        const size = element.getBoundingClientRect()
        const at = bounds.left + hover.pixel
        const left = at + 14 + size.width < window.innerWidth - 8 ? at + 14 : at - 14 - size.width
        element.style.left = `${Math.max(8, left)}px`
        element.style.top = `${Math.max(8, Math.min(window.innerHeight - size.height - 8, bounds.top + hover.pointerY - size.height / 2))}px`
    })
    if (!frame) return null
    const rows: { line: Line; index: number; value: number; distance: number }[] = []
    const width = (frame.x.to - frame.x.from) || 1
    for (const line of lines) {
        const index = nearest(line.x, hover.x)
        if (index < 0 || Math.abs(line.x[index]! - hover.x) > width * 0.06) continue
        const value = line.y[index]!
        const mark = Number.isNaN(value)
        rows.push({ line, index, value, distance: mark ? Infinity : Math.abs(frame.y.at(value) - hover.pointerY) })
    }
    if (rows.length === 0) return null
    const closest = rows.reduce((best, row) => (row.distance < best.distance ? row : best))
    let shown = [...rows]
    if (shown.length > shownMax) shown = shown.sort((a, b) => a.distance - b.distance).slice(0, shownMax)
    shown.sort((a, b) => (Number.isNaN(a.value) ? 1 : Number.isNaN(b.value) ? -1 : b.value - a.value))
    const place = closest.line.x[closest.index]!
    return (
        <div className="readout" ref={own} aria-live="off">
            <div className="readout-x">{placeText(place, props.xKind, props.xName)}</div>
            {shown.map(({ line, index, value }) => (
                <div key={line.key} className={line === closest.line && rows.length > 1 ? "readout-row is-near" : "readout-row"}>
                    <i style={{ background: line.colour }} />
                    <span className="readout-name">{line.label}</span>
                    <b>{Number.isNaN(value) ? notFinite(line, line.x[index]!) : formatNumber(value, 5)}</b>
                    {line.members && line.low && line.high && !Number.isNaN(value) && (
                        <span className="readout-more">
                            ± {formatNumber((line.high[index]! - line.low[index]!) / 2, 2)} · n {line.members[index]}
                            {line.memberCount !== undefined && line.members[index] !== line.memberCount && ` of ${line.memberCount}`}
                        </span>
                    )}
                    {!line.members && line.low && line.high && line.low[index] !== line.high[index] && (
                        <span className="readout-more">
                            {formatNumber(line.low[index]!, 3)} … {formatNumber(line.high[index]!, 3)}
                        </span>
                    )}
                </div>
            ))}
            {props.pins.filter(pin => Math.abs(frame.x.at(pin.x) - hover.pixel) < 7).map((pin, index) => <div key={index} className="readout-pin">{pin.text.length > 160 ? pin.text.slice(0, 159) + "…" : pin.text}</div>)}
            {rows.length > shown.length && <div className="readout-rest">and {rows.length - shown.length} more</div>}
        </div>
    )
}

function notFinite(line: Line, x: number): string {
    const mark = line.marks.find(one => one.x === x)
    return mark?.kind === "inf" ? "∞" : mark ? "NaN" : "–"
}

export function placeText(x: number, kind: XKind, name: string): string {
    if (kind === "time") return fullTime(x)
    if (kind === "duration") return formatDuration(x)
    return `${name} ${Number.isInteger(x) ? x.toLocaleString("en-US") : formatNumber(x, 6)}`
}
