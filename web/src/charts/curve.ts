// A curve as a chart reads it: one entry for each bucket of the server's answer, in typed columns.
import type { CurvesAnswer, WireNumber } from "../api/types"

export interface Curve {
    run: string
    metric: string
    /** How many buckets are filled. */
    length: number
    x: Float64Array
    /** Where the bucket's last point lies. */
    end: Float64Array
    mean: Float64Array
    low: Float64Array
    high: Float64Array
    count: Float64Array
    nan: Float64Array
    inf: Float64Array
    points: number
    isExact: boolean
    /** Extremes of each bucket are known. */
    hasBand: boolean
}

function column(values: (number | null | WireNumber)[] | undefined, size: number, standard: (index: number) => number): Float64Array {
    const made = new Float64Array(size)
    for (let index = 0; index < size; index += 1) {
        const value = values ? values[index] : standard(index)
        made[index] = typeof value === "number" ? value : value == null ? NaN : Number(value)
    }
    return made
}

export function curveOf(wire: CurvesAnswer["curves"][number]): Curve {
    const size = wire.from.length
    const x = column(wire.from, size, () => 0)
    const mean = column(wire.mean, size, () => NaN)
    return {
        run: wire.run_id,
        metric: wire.metric,
        length: size,
        x,
        end: wire.to ? column(wire.to, size, () => 0) : x,
        mean,
        low: wire.min ? column(wire.min, size, () => 0) : mean,
        high: wire.max ? column(wire.max, size, () => 0) : mean,
        count: wire.count ? column(wire.count, size, () => 1) : column(undefined, size, () => 1),
        nan: wire.nan ? column(wire.nan, size, () => 0) : column(undefined, size, () => 0),
        inf: wire.inf ? column(wire.inf, size, () => 0) : column(undefined, size, () => 0),
        points: wire.points,
        isExact: wire.exact,
        hasBand: wire.min !== undefined,
    }
}

/** The curve with points after it that arrived just now; those before its end wait for the next question. */
export function extended(curve: Curve, points: { x: number; value: number }[]): Curve {
    const last = curve.length ? curve.end[curve.length - 1]! : -Infinity
    const fresh = points.filter(point => point.x > last || (point.x === last && curve.length === 0))
    if (fresh.length === 0) return curve
    const grow = (old: Float64Array, value: (point: { x: number; value: number }) => number): Float64Array => {
        const made = new Float64Array(curve.length + fresh.length)
        made.set(old)
        fresh.forEach((point, index) => (made[curve.length + index] = value(point)))
        return made
    }
    const finite = (point: { value: number }): number => (Number.isFinite(point.value) ? point.value : NaN)
    const mean = grow(curve.mean, finite)
    const x = grow(curve.x, point => point.x)
    return {
        ...curve,
        length: curve.length + fresh.length,
        x,
        end: curve.end === curve.x ? x : grow(curve.end, point => point.x),
        mean,
        low: curve.low === curve.mean ? mean : grow(curve.low, finite),
        high: curve.high === curve.mean ? mean : grow(curve.high, finite),
        count: grow(curve.count, () => 1),
        nan: grow(curve.nan, point => (Number.isNaN(point.value) ? 1 : 0)),
        inf: grow(curve.inf, point => (Math.abs(point.value) === Infinity ? 1 : 0)),
        points: curve.points + fresh.length,
    }
}

/**
 * Exponential smoothing whose weight follows the distance on the axis, without the pull to zero at the start
 * (debiased), as TensorBoard and others do it.
 */
export function smoothed(values: Float64Array, weight: number): Float64Array {
    if (weight <= 0) return values
    const made = new Float64Array(values.length)
    let sum = 0
    let total = 0
    for (let index = 0; index < values.length; index += 1) {
        const value = values[index]!
        if (Number.isNaN(value)) {
            made[index] = NaN
            continue
        }
        sum = sum * weight + (1 - weight) * value
        total = total * weight + (1 - weight)
        made[index] = sum / total
    }
    return made
}

export interface GroupCurve {
    x: Float64Array
    mean: Float64Array
    low: Float64Array
    high: Float64Array
    /** How many members have a finite value there. */
    members: Float64Array
}

export type Interval = "ci95" | "std" | "minmax"

// Two-sided 95 % quantiles of Student's t, by degrees of freedom; beyond 30 the normal one is near enough.
const student = [
    NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12,
    2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]

/**
 * The mean over members with an interval around it, on the members' common places. Between its own points a member
 * counts with the straight line between them; outside of its own range it does not count.
 */
export function grouped(curves: Curve[], interval: Interval, pointsMax = 600): GroupCurve {
    let places = Array.from(new Set(curves.flatMap(curve => Array.from(curve.x.subarray(0, curve.length))))).sort((a, b) => a - b)
    if (places.length > pointsMax) {
        const every = places.length / pointsMax
        places = Array.from({ length: pointsMax }, (_, index) => places[Math.floor(index * every)]!)
    }
    const size = places.length
    const result: GroupCurve = {
        x: Float64Array.from(places),
        mean: new Float64Array(size).fill(NaN),
        low: new Float64Array(size).fill(NaN),
        high: new Float64Array(size).fill(NaN),
        members: new Float64Array(size),
    }
    const cursors = curves.map(() => 0)
    for (let place = 0; place < size; place += 1) {
        const x = places[place]!
        let n = 0
        let mean = 0
        let squares = 0
        let least = Infinity
        let most = -Infinity
        curves.forEach((curve, index) => {
            let at = cursors[index]!
            while (at + 1 < curve.length && curve.x[at + 1]! <= x) at += 1
            cursors[index] = at
            if (curve.length === 0 || x < curve.x[0]! || x > curve.end[curve.length - 1]!) return
            let value = curve.mean[at]!
            if (at + 1 < curve.length && x > curve.x[at]!) {
                const share = (x - curve.x[at]!) / (curve.x[at + 1]! - curve.x[at]!)
                value += (curve.mean[at + 1]! - value) * share
            }
            if (!Number.isFinite(value)) return
            n += 1
            const difference = value - mean
            mean += difference / n
            squares += difference * (value - mean)
            least = Math.min(least, value)
            most = Math.max(most, value)
        })
        result.members[place] = n
        if (n === 0) continue
        result.mean[place] = mean
        const deviation = n > 1 ? Math.sqrt(squares / (n - 1)) : 0
        const reach = interval === "std" ? deviation : n > 1 ? ((student[n - 1] ?? 1.96) * deviation) / Math.sqrt(n) : 0
        result.low[place] = interval === "minmax" ? least : mean - reach
        result.high[place] = interval === "minmax" ? most : mean + reach
    }
    return result
}
