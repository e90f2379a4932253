// A curve in the height of a row: its shape alone. Range, end and what is no number stand in its title.
import { formatNumber } from "../ui/format"
import type { Curve } from "./curve"

const [width, height] = [92, 22]

export function Spark({ curve, metric, colour }: { curve: Curve | null | undefined; metric: string; colour: string }): JSX.Element {
    if (curve === undefined) return <span className="spark" aria-busy="true" />
    if (curve === null || curve.length === 0) return <span className="muted">–</span>
    let [low, high, broken] = [Infinity, -Infinity, 0]
    // What is drawn are means; what is said are the true extremes.
    let [least, greatest] = [Infinity, -Infinity]
    for (let index = 0; index < curve.length; index += 1) {
        broken += curve.nan[index]! + curve.inf[index]!
        const value = curve.mean[index]!
        if (!Number.isFinite(value)) continue
        low = Math.min(low, value)
        high = Math.max(high, value)
        least = Math.min(least, curve.low[index]!)
        greatest = Math.max(greatest, curve.high[index]!)
    }
    const [from, to] = [curve.x[0]!, curve.x[curve.length - 1]!]
    const x = (place: number): number => 2 + (to === from ? 0.5 : (place - from) / (to - from)) * (width - 4)
    const y = (value: number): number => height - 3 - (high === low ? 0.5 : (value - low) / (high - low)) * (height - 6)
    let path = ""
    let isOpen = false
    let last: [number, number] | null = null
    for (let index = 0; index < curve.length; index += 1) {
        const value = curve.mean[index]!
        if (!Number.isFinite(value)) {
            isOpen = false
            continue
        }
        last = [x(curve.x[index]!), y(value)]
        path += `${isOpen ? "L" : "M"}${last[0].toFixed(1)} ${last[1].toFixed(1)}`
        isOpen = true
    }
    const end = curve.mean[curve.length - 1]!
    const words = `${metric}: ${Number.isFinite(least) ? `${formatNumber(least)} to ${formatNumber(greatest)}` : "no number"}${broken ? `, ${broken} NaN or ∞` : ""}; each row has a scale of its own`
    return (
        <svg className="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={words}>
            <title>{words}</title>
            <path d={path} fill="none" stroke={colour} strokeWidth={1.3} strokeLinejoin="round" />
            {last && (Number.isFinite(end) ? <circle cx={last[0]} cy={last[1]} r={1.9} fill={colour} /> : <path d={`M${last[0] - 3.5} 1h7l-3.5 6z`} fill="var(--bad)" />)}
        </svg>
    )
}
