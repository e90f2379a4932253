// A line chart as a file of its own: what its panel shows, with its name and the names of its lines.
import { download } from "../ui/parts"
import { drawChart } from "./draw"
import { type Line, type XKind, frameOf } from "./frame"
import { type Ink, inkOf } from "./ink"
import { SvgPaper } from "./paper"

export interface PictureLook {
    xKind: XKind
    xName: string
    isLogX: boolean
    isLogY: boolean
    range: [number, number] | null
    clipsOutliers: boolean
}

/** On paper, whatever the page's theme is. */
export const printInk: Ink = { text: "#5d606b", grid: "#ecedf2", axis: "#b9bcc8", ground: "#ffffff", bad: "#b3261e", font: "11px Inter, system-ui, sans-serif" }

const namedMax = 24

export function pictureOf(title: string, lines: Line[], look: PictureLook, ink: Ink, width = 720, chartHeight = 320): string {
    const named = lines.slice(0, namedMax)
    const measured = new SvgPaper(0, 0)
    measured.font = ink.font
    // Names flow like words, in as many rows as they need.
    const places: { x: number; row: number; text: string }[] = []
    let [x, row] = [12, 0]
    for (const line of named) {
        const text = line.label + (line.memberCount !== undefined ? ` · n ${line.memberCount}` : "")
        const size = measured.measureText(text).width + 34
        if (x > 12 && x + size > width) [x, row] = [12, row + 1]
        places.push({ x, row, text })
        x += size
    }
    const top = 30
    const rest = lines.length > named.length
    const height = top + chartHeight + 10 + (named.length ? (row + 1) * 18 : 0) + (rest ? 18 : 0)
    const paper = new SvgPaper(width, height)
    paper.font = `600 ${ink.font.replace("11px", "13px")}`
    paper.fillStyle = ink.text
    paper.textBaseline = "middle"
    paper.fillText(title, 12, 16)
    paper.save()
    paper.translate(0, top)
    const drawn = { ...look, width, height: chartHeight, highlight: null }
    paper.font = ink.font
    const frame = frameOf(lines, drawn, text => paper.measureText(text).width)
    drawChart(paper, frame, lines, drawn, ink, [])
    paper.restore()
    paper.font = ink.font
    paper.textAlign = "right"
    paper.textBaseline = "middle"
    paper.fillStyle = ink.text
    const outside = frame.above + frame.below
    paper.fillText([look.isLogY && "logarithmic", outside > 0 && `${outside} points outside`, look.xKind === "number" ? `over ${look.xName}` : look.xKind === "time" ? "over time" : "over time since start"].filter(Boolean).join(" · "), width - 10, 16)
    paper.textAlign = "left"
    places.forEach((place, index) => {
        const y = top + chartHeight + 14 + place.row * 18
        paper.strokeStyle = named[index]!.colour
        paper.lineWidth = 2.5
        paper.setLineDash(named[index]!.dash)
        paper.beginPath()
        paper.moveTo(place.x, y)
        paper.lineTo(place.x + 14, y)
        paper.stroke()
        paper.setLineDash([])
        paper.fillText(place.text, place.x + 20, y)
    })
    if (rest) paper.fillText(`and ${lines.length - named.length} more lines`, 12, height - 10)
    return paper.text(`${title}: ${lines.length} lines`, ink.ground)
}

/** A picture on the ground that it has on the page: a clear one is unreadable in half of all programs. */
export function saveCanvas(canvas: HTMLCanvasElement, beneath: Element, name: string): void {
    const made = document.createElement("canvas")
    made.width = canvas.width
    made.height = canvas.height
    const context = made.getContext("2d")
    if (!context) return
    context.fillStyle = inkOf(beneath).ground
    context.fillRect(0, 0, made.width, made.height)
    context.drawImage(canvas, 0, 0)
    made.toBlob(blob => blob && download(name, "image/png", blob))
}
