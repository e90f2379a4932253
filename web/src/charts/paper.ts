// What charts are drawn on: a canvas, or SVG for files. A chart's code knows only these words, so what is saved is what
// was seen.

export type Paper = Pick<
    CanvasRenderingContext2D,
    | "fillStyle" | "strokeStyle" | "lineWidth" | "lineJoin" | "globalAlpha" | "font" | "textAlign" | "textBaseline"
    | "beginPath" | "moveTo" | "lineTo" | "closePath" | "arc" | "rect" | "stroke" | "fill" | "clip" | "fillRect"
    | "clearRect" | "fillText" | "measureText" | "setLineDash" | "save" | "restore" | "translate" | "rotate"
>

interface State {
    fillStyle: string
    strokeStyle: string
    lineWidth: number
    lineJoin: CanvasLineJoin
    globalAlpha: number
    font: string
    textAlign: CanvasTextAlign
    textBaseline: CanvasTextBaseline
    dash: number[]
    clip: string
    transform: string
}

const plain: State = {
    fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineJoin: "miter", globalAlpha: 1, font: "11px sans-serif",
    textAlign: "start", textBaseline: "alphabetic", dash: [], clip: "", transform: "",
}

/** To a twentieth of a pixel: finer is not seen, and files would double. */
const place = (value: number): string => String(Math.round(value * 20) / 20)

export const escaped = (text: string): string =>
    text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`)

/** Takes the calls of a canvas and makes elements of them. */
export class SvgPaper implements Paper {
    private state: State = { ...plain }
    private readonly kept: State[] = []
    private readonly parts: string[] = []
    private path = ""
    private clips = 0
    /** Unique on a page with several drawings. */
    private static made = 0
    private readonly id = `c${SvgPaper.made++}`
    private readonly ruler = document.createElement("canvas").getContext("2d")

    constructor(readonly width: number, readonly height: number) {}

    get fillStyle(): string { return this.state.fillStyle }
    set fillStyle(value: string | CanvasGradient | CanvasPattern) { this.state.fillStyle = String(value) }
    get strokeStyle(): string { return this.state.strokeStyle }
    set strokeStyle(value: string | CanvasGradient | CanvasPattern) { this.state.strokeStyle = String(value) }
    get lineWidth(): number { return this.state.lineWidth }
    set lineWidth(value: number) { this.state.lineWidth = value }
    get lineJoin(): CanvasLineJoin { return this.state.lineJoin }
    set lineJoin(value: CanvasLineJoin) { this.state.lineJoin = value }
    get globalAlpha(): number { return this.state.globalAlpha }
    set globalAlpha(value: number) { this.state.globalAlpha = value }
    get font(): string { return this.state.font }
    set font(value: string) { this.state.font = value }
    get textAlign(): CanvasTextAlign { return this.state.textAlign }
    set textAlign(value: CanvasTextAlign) { this.state.textAlign = value }
    get textBaseline(): CanvasTextBaseline { return this.state.textBaseline }
    set textBaseline(value: CanvasTextBaseline) { this.state.textBaseline = value }

    setLineDash(dash: number[]): void { this.state.dash = dash }
    save(): void { this.kept.push({ ...this.state }) }
    restore(): void { this.state = this.kept.pop() ?? this.state }
    translate(x: number, y: number): void { this.state.transform += `translate(${place(x)} ${place(y)}) ` }
    rotate(angle: number): void { this.state.transform += `rotate(${place((angle * 180) / Math.PI)}) ` }

    beginPath(): void { this.path = "" }
    moveTo(x: number, y: number): void { this.path += `M${place(x)} ${place(y)}` }
    // A canvas begins a path where it is first drawn to.
    lineTo(x: number, y: number): void { this.path += `${this.path ? "L" : "M"}${place(x)} ${place(y)}` }
    closePath(): void { this.path += "Z" }
    rect(x: number, y: number, width: number, height: number): void {
        this.path += `M${place(x)} ${place(y)}h${place(width)}v${place(height)}h${place(-width)}Z`
    }
    /** Full circles alone: nothing here draws a part of one. */
    arc(x: number, y: number, radius: number): void {
        const r = place(radius)
        this.path += `M${place(x - radius)} ${place(y)}a${r} ${r} 0 1 0 ${place(2 * radius)} 0a${r} ${r} 0 1 0 ${place(-2 * radius)} 0Z`
    }

    stroke(): void {
        if (!this.path) return
        const { strokeStyle, lineWidth, lineJoin, dash } = this.state
        const dashes = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""
        this.put(`<path d="${this.path}" fill="none" stroke="${escaped(strokeStyle)}" stroke-width="${place(lineWidth)}" stroke-linejoin="${lineJoin}"${dashes}${this.common()}/>`)
    }
    fill(): void {
        if (this.path) this.put(`<path d="${this.path}" fill="${escaped(this.state.fillStyle)}"${this.common()}/>`)
    }
    fillRect(x: number, y: number, width: number, height: number): void {
        this.put(`<rect x="${place(x)}" y="${place(y)}" width="${place(width)}" height="${place(height)}" fill="${escaped(this.state.fillStyle)}"${this.common()}/>`)
    }
    /** The paper is new: there is nothing to clear. */
    clearRect(): void {}
    clip(): void {
        this.clips += 1
        const name = `${this.id}-${this.clips}`
        this.parts.push(`<clipPath id="${name}"><path d="${this.path}"/></clipPath>`)
        this.state.clip = name
    }
    fillText(text: string, x: number, y: number): void {
        const { textAlign, textBaseline, font, fillStyle } = this.state
        const anchor = textAlign === "center" ? "middle" : textAlign === "right" || textAlign === "end" ? "end" : "start"
        const size = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? 11)
        const weight = /^(\d{3}|bold)\s/.exec(font)?.[1]
        // Programs that show SVG disagree on baselines; a shift by the font's size is the same in all.
        const shift = textBaseline === "middle" ? size * 0.35 : textBaseline === "top" || textBaseline === "hanging" ? size * 0.8 : textBaseline === "bottom" ? -size * 0.2 : 0
        this.put(`<text x="${place(x)}" y="${place(y + shift)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ""} text-anchor="${anchor}" fill="${escaped(fillStyle)}"${this.common()}>${escaped(text)}</text>`)
    }
    measureText(text: string): TextMetrics {
        if (this.ruler) {
            this.ruler.font = this.state.font
            return this.ruler.measureText(text)
        }
        return { width: text.length * 6 } as TextMetrics
    }

    private common(): string {
        const { globalAlpha, clip, transform } = this.state
        return (globalAlpha < 1 ? ` opacity="${Math.round(globalAlpha * 1000) / 1000}"` : "") + (clip ? ` clip-path="url(#${clip})"` : "") + (transform ? ` transform="${transform.trim()}"` : "")
    }

    private put(element: string): void { this.parts.push(element) }

    /** The drawing as one element, with a name for those who do not see it. */
    text(name: string, ground?: string): string {
        const back = ground ? `<rect width="100%" height="100%" fill="${escaped(ground)}"/>` : ""
        return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${this.width} ${this.height}" width="${this.width}" height="${this.height}" role="img" aria-label="${escaped(name)}" font-family="Inter, system-ui, sans-serif"><title>${escaped(name)}</title>${back}${this.parts.join("")}</svg>`
    }
}
