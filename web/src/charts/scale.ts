// Scales and ticks: linear, logarithmic and time. Small enough to be our own, so that no chart needs a library.

export interface Scale {
    /** The range on the axis. */
    from: number
    to: number
    /** The range in pixels; `low` belongs to `from`. */
    low: number
    high: number
    isLog: boolean
    at: (value: number) => number
    invert: (pixel: number) => number
}

export function makeScale(from: number, to: number, low: number, high: number, isLog = false): Scale {
    if (isLog) {
        const [a, b] = [Math.log(from), Math.log(to)]
        const factor = b === a ? 0 : (high - low) / (b - a)
        const middle = (low + high) / 2
        return {
            from, to, low, high, isLog,
            at: value => (factor === 0 ? middle : low + (Math.log(value) - a) * factor),
            invert: pixel => (factor === 0 ? from : Math.exp(a + (pixel - low) / factor)),
        }
    }
    const factor = to === from ? 0 : (high - low) / (to - from)
    const middle = (low + high) / 2
    return {
        from, to, low, high, isLog,
        at: value => (factor === 0 ? middle : low + (value - from) * factor),
        invert: pixel => (factor === 0 ? from : from + (pixel - low) / factor),
    }
}

/** Whether values are read in decades (a learning rate): above zero, far apart, and most of them near the lower end. */
export function spansDecades(values: number[]): boolean {
    const sorted = [...values].sort((a, b) => a - b)
    const [low, high] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 0]
    return low > 0 && high / low >= 50 && (sorted[(sorted.length - 1) >> 1]! - low) / (high - low) < 0.25
}

/** Round values between two ends, about so many. */
export function linearTicks(from: number, to: number, count: number): number[] {
    const span = to - from
    if (!(span > 0) || !Number.isFinite(span)) return Number.isFinite(from) ? [from] : []
    const step = roundStep(span / Math.max(1, count))
    const ticks: number[] = []
    const first = Math.ceil(from / step - 1e-9)
    for (let index = first; index * step <= to + step * 1e-9 && ticks.length < 100; index += 1) {
        // By division where the step is small, so that 3 × 0.1 is 0.3.
        ticks.push(step < 1 ? index / Math.round(1 / step) || index * step : index * step)
    }
    return ticks.every(Number.isFinite) ? ticks : []
}

function roundStep(raw: number): number {
    const power = 10 ** Math.floor(Math.log10(raw))
    const rest = raw / power
    return (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10) * power
}

/** Powers of ten, with 2 and 5 between them where there is room. */
export function logTicks(from: number, to: number, count: number): number[] {
    const decades = Math.log10(to / from)
    if (decades < 1) return linearTicks(from, to, count).filter(tick => tick > 0)
    const every = Math.max(1, Math.ceil(decades / count))
    const parts = decades * 3 <= count ? [1, 2, 5] : decades * 2 <= count ? [1, 3] : [1]
    const ticks: number[] = []
    for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to) + 1e-9; power += 1) {
        if (power % every !== 0) continue
        for (const partOf of parts) {
            const tick = partOf * 10 ** power
            if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push(Number(tick.toPrecision(3)))
        }
    }
    return ticks
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const dayLength = 24 * hour
const timeSteps = [
    second, 5 * second, 15 * second, 30 * second, minute, 5 * minute, 15 * minute, 30 * minute, hour, 3 * hour,
    6 * hour, 12 * hour, dayLength, 2 * dayLength, 7 * dayLength, 30 * dayLength, 90 * dayLength, 365 * dayLength,
]

/** Moments in epoch milliseconds, on the local clock's round times. */
export function timeTicks(from: number, to: number, count: number): number[] {
    const raw = (to - from) / Math.max(1, count)
    const step = timeSteps.find(one => one >= raw) ?? 365 * dayLength
    const shift = new Date(from).getTimezoneOffset() * minute
    const ticks: number[] = []
    for (let tick = Math.ceil((from - shift) / step) * step + shift; tick <= to && ticks.length < 60; tick += step)
        ticks.push(tick)
    return ticks
}

/** Seconds as a clock counts them: steps of 1, 5, 10, 30 … of the unit that fits. */
export function durationTicks(from: number, to: number, count: number): number[] {
    const raw = (to - from) / Math.max(1, count)
    if (raw < 1) return linearTicks(from, to, count)
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]
    const step = steps.find(one => one >= raw) ?? Math.ceil(raw / 86400) * 86400
    const ticks: number[] = []
    for (let tick = Math.ceil(from / step) * step; tick <= to && ticks.length < 60; tick += step) ticks.push(tick)
    return ticks
}

/** Labels that differ from one another and are as short as that allows. */
export function tickLabels(ticks: number[], kind: "number" | "time" | "duration"): string[] {
    if (kind === "time") return timeLabels(ticks)
    if (kind === "duration") return ticks.map(durationLabel)
    const largest = Math.max(...ticks.map(Math.abs))
    const smallest = Math.min(...ticks.filter(tick => tick !== 0).map(Math.abs))
    // Powers of ten apart: each in its own best form.
    if (smallest > 0 && largest / smallest >= 1e4) return ticks.map(shortNumber)
    const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : largest
    if (largest >= 1e4) {
        const unit = largest >= 1e9 ? [1e9, "G"] as const : largest >= 1e6 ? [1e6, "M"] as const : [1e3, "k"] as const
        const places = placesOf(step / unit[0])
        return ticks.map(tick => (tick === 0 ? "0" : minus((tick / unit[0]).toFixed(places)) + unit[1]))
    }
    if (largest > 0 && largest < 1e-3) return ticks.map(shortNumber)
    const places = placesOf(step)
    return ticks.map(tick => minus(tick.toFixed(places)))
}

function placesOf(step: number): number {
    if (!(step > 0)) return 2
    for (let places = 0; places <= 8; places += 1) {
        if (Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) < 1e-6 * step * 10 ** places + 1e-9) return places
    }
    return 8
}

function shortNumber(tick: number): string {
    if (tick === 0) return "0"
    const size = Math.abs(tick)
    if (size >= 1e-3 && size < 1e4) return minus(String(Number(tick.toPrecision(3))))
    return minus(tick.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e"))
}

const minus = (text: string): string => text.replace(/^-/, "−")

function durationLabel(seconds: number): string {
    if (seconds === 0) return "0"
    if (seconds < 60) return `${Number(seconds.toPrecision(3))}s`
    if (seconds < 3600) return seconds % 60 ? `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s` : `${seconds / 60}m`
    const minutes = Math.round((seconds % 3600) / 60)
    return minutes ? `${Math.floor(seconds / 3600)}h${minutes}m` : `${seconds / 3600}h`
}

function timeLabels(ticks: number[]): string[] {
    const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : minute
    let last = ""
    return ticks.map(tick => {
        const time = new Date(tick)
        const date = time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })
        if (step >= dayLength) return date
        const clock = time.toLocaleTimeString("en-GB",
            step < minute ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : { hour: "2-digit", minute: "2-digit" })
        const label = date === last || last === "" ? clock : `${date} ${clock}`
        last = date
        return label
    })
}
