// Draws lines over bands: axes, grid, marks for what is not finite. It knows nothing of React.
import { type Frame, type Line, type Look, type Pin, visibleRange, xTicks, yTicks } from "./frame"
import type { Ink } from "./ink"
import type { Paper } from "./paper"
import { tickLabels } from "./scale"

export function drawChart(context: Paper, frame: Frame, lines: Line[], look: Look, ink: Ink, pins: Pin[]): void {
    context.clearRect(0, 0, look.width, look.height)
    drawAxes(context, frame, look, ink)
    context.save()
    context.beginPath()
    context.rect(frame.left, frame.top - 2, frame.right - frame.left + 1, frame.bottom - frame.top + 3)
    context.clip()
    // What is pointed at lies on top.
    const order = look.highlight ? [...lines].sort((a, b) => Number(a.key === look.highlight) - Number(b.key === look.highlight)) : lines
    for (const line of order) {
        const isFaint = look.highlight !== null && line.key !== look.highlight
        if (line.low && line.high) drawBand(context, frame, line, isFaint)
    }
    for (const line of order) {
        const isFaint = look.highlight !== null && line.key !== look.highlight
        if (line.ghost) drawLine(context, frame, line, line.ghost, isFaint ? 0.06 : 0.28, 1)
        drawLine(context, frame, line, line.y, isFaint ? 0.22 : 1, look.highlight === line.key ? 2.2 : 1.5)
    }
    context.restore()
    drawMarks(context, frame, lines, ink)
    for (const pin of pins) drawPin(context, frame, pin, ink)
}

function drawAxes(context: Paper, frame: Frame, look: Look, ink: Ink): void {
    context.font = ink.font
    context.fillStyle = ink.text
    context.lineWidth = 1
    const ys = yTicks(frame.y)
    const yNames = tickLabels(ys, "number")
    context.textAlign = "right"
    context.textBaseline = "middle"
    context.strokeStyle = ink.grid
    context.beginPath()
    ys.forEach((tick, index) => {
        const y = Math.round(frame.y.at(tick)) + 0.5
        if (y < frame.top - 1 || y > frame.bottom + 1) return
        context.moveTo(frame.left, y)
        context.lineTo(frame.right, y)
        context.fillText(yNames[index]!, frame.left - 6, y)
    })
    context.stroke()
    context.strokeStyle = ink.axis
    context.beginPath()
    context.moveTo(frame.left, frame.bottom + 0.5)
    context.lineTo(frame.right, frame.bottom + 0.5)
    const xs = xTicks(frame, look.xKind)
    const xNames = tickLabels(xs, look.xKind)
    context.textAlign = "center"
    context.textBaseline = "top"
    let free = -Infinity
    xs.forEach((tick, index) => {
        const x = Math.round(frame.x.at(tick)) + 0.5
        if (x < frame.left - 1 || x > frame.right + 1) return
        context.moveTo(x, frame.bottom + 0.5)
        context.lineTo(x, frame.bottom + 4.5)
        const half = context.measureText(xNames[index]!).width / 2
        // Labels neither overlap nor leave the canvas.
        const middle = Math.min(x, look.width - half - 1)
        if (middle - half < free) return
        context.fillText(xNames[index]!, middle, frame.bottom + 7)
        free = middle + half + 8
    })
    context.stroke()
}

function drawLine(context: Paper, frame: Frame, line: Line, values: Float64Array, opacity: number, width: number): void {
    const { x } = line
    const visible = visibleRange(x, frame.x.from, frame.x.to)
    const pixels = Math.max(1, frame.right - frame.left)
    const isDense = (visible[1] - visible[0]) / pixels > 0.9
    context.globalAlpha = opacity
    context.strokeStyle = line.colour
    context.setLineDash(isDense ? [] : line.dash)
    context.lineWidth = isDense ? 1 : width
    context.lineJoin = isDense ? "bevel" : "round"
    context.beginPath()
    let isOpen = false
    let lonely: [number, number] | null = null
    const dots: [number, number][] = []
    for (let index = visible[0]; index < visible[1]; index += 1) {
        const value = values[index]!
        if (Number.isNaN(value) || (frame.y.isLog && value <= 0) || (frame.x.isLog && x[index]! <= 0)) {
            if (lonely) dots.push(lonely)
            isOpen = false
            lonely = null
            continue
        }
        const px = frame.x.at(x[index]!)
        const py = clampPixel(frame.y.at(value))
        if (isOpen) {
            context.lineTo(px, py)
            lonely = null
        } else {
            context.moveTo(px, py)
            lonely = [px, py]
        }
        isOpen = true
    }
    if (lonely) dots.push(lonely)
    context.stroke()
    context.setLineDash([])
    if (dots.length) {
        // A point without neighbours has no line: it is shown as what it is.
        context.fillStyle = line.colour
        context.beginPath()
        for (const [px, py] of dots) {
            context.moveTo(px + 2.5, py)
            context.arc(px, py, 2.5, 0, 2 * Math.PI)
        }
        context.fill()
    }
    context.globalAlpha = 1
}

/** Far outside of the canvas the rasteriser gets slow. */
function clampPixel(pixel: number): number {
    return Math.max(-5000, Math.min(5000, pixel))
}

function drawBand(context: Paper, frame: Frame, line: Line, isFaint: boolean): void {
    const { x, low, high } = line
    if (!low || !high) return
    const [first, end] = visibleRange(x, frame.x.from, frame.x.to)
    context.fillStyle = line.colour
    context.globalAlpha = (line.members ? 0.18 : 0.13) * (isFaint ? 0.3 : 1)
    let start = first
    const fits = (index: number): boolean =>
        !Number.isNaN(low[index]!) && !Number.isNaN(high[index]!) && (!frame.y.isLog || high[index]! > 0) &&
        (!frame.x.isLog || x[index]! > 0)
    while (start < end) {
        while (start < end && !fits(start)) start += 1
        let stop = start
        while (stop < end && fits(stop)) stop += 1
        if (stop > start) {
            context.beginPath()
            for (let index = start; index < stop; index += 1) context.lineTo(frame.x.at(x[index]!), clampPixel(frame.y.at(high[index]!)))
            for (let index = stop - 1; index >= start; index -= 1) {
                const value = frame.y.isLog && low[index]! <= 0 ? frame.y.from : low[index]!
                context.lineTo(frame.x.at(x[index]!), clampPixel(frame.y.at(value)))
            }
            context.closePath()
            context.fill()
        }
        start = stop
    }
    context.globalAlpha = 1
}

/** Values that are no place on the axis: small triangles at the frame's upper edge, in the line's colour. */
function drawMarks(context: Paper, frame: Frame, lines: Line[], ink: Ink): void {
    lines.forEach((line, row) => {
        let last = -Infinity
        for (const mark of line.marks) {
            const x = frame.x.at(mark.x)
            if (x < frame.left - 1 || x > frame.right + 1 || x - last < 7) continue
            last = x
            const y = frame.top + 1 + (row % 3) * 3
            context.fillStyle = line.colour
            context.strokeStyle = ink.ground
            context.lineWidth = 1
            context.beginPath()
            if (mark.kind === "nan") {
                context.moveTo(x - 4.5, y)
                context.lineTo(x + 4.5, y)
                context.lineTo(x, y + 8)
            } else {
                context.moveTo(x - 4.5, y + 8)
                context.lineTo(x + 4.5, y + 8)
                context.lineTo(x, y)
            }
            context.closePath()
            context.fill()
            context.stroke()
        }
    })
}

function drawPin(context: Paper, frame: Frame, pin: Pin, ink: Ink): void {
    const x = Math.round(frame.x.at(pin.x)) + 0.5
    if (x < frame.left || x > frame.right) return
    context.strokeStyle = ink.axis
    context.setLineDash([2, 3])
    context.beginPath()
    context.moveTo(x, frame.top)
    context.lineTo(x, frame.bottom)
    context.stroke()
    context.setLineDash([])
    context.fillStyle = ink.bad
    context.beginPath()
    context.arc(x, frame.bottom - 5, 4, 0, 2 * Math.PI)
    context.fill()
}
