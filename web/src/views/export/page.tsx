// A page that stands alone in one file: no script, nothing loaded. It is made of the same elements as the app's pages.
import { type ReactNode } from "react"
import { createRoot } from "react-dom/client"
import { flushSync } from "react-dom"
import { post } from "../../api/client"
import type { CurvesAnswer } from "../../api/types"
import { type Curve, curveOf } from "../../charts/curve"
import { pictureOf, printInk } from "../../charts/picture"
import { type PanelSettings, type Subject, linesOf } from "../../charts/subjects"
import { escaped } from "../../charts/paper"
import { fullTime, plural } from "../../ui/format"

const style = `
:root { color-scheme: light; --fg: #17181c; --muted: #5d606b; --line: #e3e4ea; --ok: #1d7a46; --bad: #b3261e; }
* { box-sizing: border-box; } body { margin: 0 auto; max-width: 1180px; padding: 32px 28px 60px; color: var(--fg); background: #fff; font: 14px/1.5 Inter, system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 32px 0 10px; } h3 { font-size: 14px; margin: 18px 0 6px; } p { margin: 0 0 8px; } .muted { color: var(--muted); } a { color: #2f4fc4; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-bottom: 12px; max-width: 100%; } th { text-align: left; color: var(--muted); font-weight: 500; } th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; } .r { text-align: right; } td.wrap { overflow-wrap: anywhere; }
.best { color: var(--ok); font-weight: 650; } .mono, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px; } pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 6px; padding: 8px 0; margin: 0 0 12px; } pre div { padding: 0 12px; } pre .in { background: #e4f1e9; } pre .out { background: #f8e5e3; } pre .left-out { color: var(--muted); background: #f6f6f8; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(520px, 100%), 1fr)); gap: 14px; } .charts svg { width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px; break-inside: avoid; } .key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; } .scroll { overflow-x: auto; }
@media print { body { padding: 0; } h2 { break-after: avoid; } }
`

/** The file's text. */
export function fileOf(title: string, content: ReactNode): string {
    const box = document.createElement("div")
    const root = createRoot(box)
    flushSync(() => root.render(
        <>
            <header><h1>{title}</h1><p className="muted">As it stood {fullTime(Date.now())}. Live: <a href={location.href}>{location.href}</a></p></header>
            <main>{content}</main>
        </>))
    const body = box.innerHTML
    root.unmount()
    return `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n`
        + `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n<title>${escaped(title)}</title>\n<style>${style}</style>\n</head>\n<body>\n${body}\n</body>\n</html>\n`
}

const plain: PanelSettings = { axis: "step", xMetric: null, smoothing: 0, isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: null }
const metricsAtOnce = 6
const chartsMax = 120

export interface Picture { metric: string; svg: string }

/** A chart of each metric that has more than one point, from the same buckets as on the page. */
export async function picturesOf(subjects: Subject[], metrics: string[], settings: Partial<PanelSettings> = {}): Promise<{ pictures: Picture[]; left: number }> {
    const runs = subjects.flatMap(subject => subject.runs)
    const wanted = metrics.slice(0, chartsMax)
    const look = { ...plain, ...settings }
    const pictures: Picture[] = []
    for (let start = 0; start < wanted.length; start += metricsAtOnce) {
        const names = wanted.slice(start, start + metricsAtOnce)
        const answer = await post<CurvesAnswer>("curves", { runs, metrics: names, axis: look.axis, buckets: 300, from: look.range?.[0], to: look.range?.[1] })
        const curves = new Map<string, Curve>(answer.curves.map(wire => [`${wire.run_id}|${wire.metric}`, curveOf(wire)]))
        for (const metric of names) {
            const lines = linesOf(subjects, metric, look, "light", (run, name) => curves.get(`${run}|${name}`))
            if (lines.every(line => line.isSingle)) continue
            pictures.push({ metric, svg: pictureOf(metric, lines, { xKind: look.axis === "time" ? "time" : look.axis === "relative" ? "duration" : "number", xName: "step", isLogX: look.isLogX, isLogY: look.isLogY, range: look.range, clipsOutliers: true }, printInk, 560, 260) })
        }
    }
    return { pictures, left: metrics.length - wanted.length }
}

export function Pictures({ pictures, left }: { pictures: Picture[]; left: number }): JSX.Element | null {
    if (pictures.length === 0) return null
    return (
        <>
            <h2>Curves</h2>
            <p className="muted">Means over up to 300 places in a faint band from the least to the greatest; triangles mark NaN and infinity.{left > 0 && ` ${plural(left, "more metric")} left out.`}</p>
            {/* Made by our own paper, which escapes every text. */}
            <div className="charts">{pictures.map(picture => <div key={picture.metric} dangerouslySetInnerHTML={{ __html: picture.svg }} />)}</div>
        </>
    )
}
