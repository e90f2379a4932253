// Numbers and times as people read them. A number is never shown as another one: what is cut is cut in its last digits
// only, and the full value is one hover away.

/** Up to `digits` significant digits, without noise: 0.9479, 1.2e-7, 3,120. */
export function formatNumber(value: number | null | undefined, digits = 4): string {
    if (value === null || value === undefined) return "–"
    if (Number.isNaN(value)) return "NaN"
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞"
    if (value === 0) return "0"
    const size = Math.abs(value)
    let text: string
    if (size >= 1e15 || size < 1e-4) text = value.toExponential(Math.max(0, digits - 1)).replace(/\.?0+e/, "e").replace("e+", "e")
    else if (Number.isInteger(value)) text = value.toLocaleString("en-US")
    else if (size >= 10 ** digits) text = Math.round(value).toLocaleString("en-US")
    else text = trimZeros(value.toPrecision(digits))
    return text.replace("-", "−").replace("e−", "e-")
}

function trimZeros(text: string): string {
    return text.includes(".") && !text.includes("e") ? text.replace(/0+$/, "").replace(/\.$/, "") : text
}

/** Every digit there is. */
export function exactNumber(value: number | null | undefined): string {
    if (value === null || value === undefined) return "–"
    return Number.isFinite(value) ? String(value) : formatNumber(value)
}

export function formatCount(value: number): string {
    return value.toLocaleString("en-US")
}

export function plural(count: number, one: string, many = one + "s"): string {
    return `${formatCount(count)} ${count === 1 ? one : many}`
}

export function formatBytes(bytes: number): string {
    if (bytes < 1000) return `${bytes} B`
    const units = ["kB", "MB", "GB", "TB"]
    let value = bytes
    let unit = -1
    do {
        value /= 1000
        unit += 1
    } while (value >= 999.5 && unit < units.length - 1)
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `48 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(seconds: number | null): string {
    if (seconds === null || !Number.isFinite(seconds)) return "–"
    if (seconds < 0) return "−" + formatDuration(-seconds)
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
    if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
    const minutes = Math.round(seconds / 60)
    if (minutes < 60) return `${minutes} min`
    const hours = Math.floor(minutes / 60)
    if (hours >= 10 && hours < 48) return `${Math.round(seconds / 3600)} h`
    if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`
    return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" })
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" })
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" })

export function formatTime(value: string | number | null | undefined): string {
    if (value === null || value === undefined) return "–"
    const time = new Date(value)
    const now = new Date()
    if (time.toDateString() === now.toDateString()) return minute.format(time)
    if (time.getFullYear() === now.getFullYear()) return `${day.format(time)}, ${minute.format(time)}`
    return dayOfYear.format(time)
}

export function fullTime(value: string | number | null | undefined): string {
    return value === null || value === undefined ? "" : full.format(new Date(value))
}

/** `just now`, `5 min ago`, `3 h ago`, `2 d ago`, then the date. */
export function formatAgo(value: string | number | null | undefined): string {
    if (value === null || value === undefined) return "–"
    const seconds = (Date.now() - new Date(value).getTime()) / 1000
    if (seconds < 45) return "just now"
    if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
    if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`
    if (seconds < 14 * 86_400) return `${Math.round(seconds / 86_400)} d ago`
    return formatTime(value)
}

/** A param or tag as one line of text. */
export function formatValue(value: unknown): string {
    if (value === null || value === undefined) return "–"
    if (typeof value === "number") return formatNumber(value, 6)
    if (typeof value === "string") return value
    return JSON.stringify(value)
}
