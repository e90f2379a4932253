// What the statistical charts compute. Everything works on what is there and says how many that were.

/** The value below which a share of sorted values lies, between neighbours where it falls there (Hyndman and Fan's 7). */
export function quantile(sorted: number[], share: number): number {
    if (sorted.length === 0) return NaN
    const at = share * (sorted.length - 1)
    const low = Math.floor(at)
    const high = Math.min(sorted.length - 1, low + 1)
    return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}

export function meanOf(values: number[]): number {
    return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function deviationOf(values: number[]): number {
    const mean = meanOf(values)
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
}

export interface Summary {
    n: number
    median: number
    q1: number
    q3: number
    /** The outermost values within 1.5 times the box's height of it: where whiskers end. */
    low: number
    high: number
    mean: number
    deviation: number
}

export function summaryOf(values: number[]): Summary {
    const sorted = [...values].sort((a, b) => a - b)
    const [q1, median, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
    const reach = 1.5 * (q3 - q1)
    return {
        n: sorted.length, median, q1, q3, mean: meanOf(sorted), deviation: deviationOf(sorted),
        low: sorted.find(value => value >= q1 - reach) ?? NaN,
        high: [...sorted].reverse().find(value => value <= q3 + reach) ?? NaN,
    }
}

/** How densely values lie, from the least to the greatest and not beyond: Gaussian kernel, Silverman's width. */
export function densityOf(values: number[], places = 48): { at: number; density: number }[] {
    const sorted = [...values].sort((a, b) => a - b)
    const [from, to] = [sorted[0]!, sorted[sorted.length - 1]!]
    const spread = Math.min(deviationOf(sorted), (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34 || Infinity)
    const width = 0.9 * spread * sorted.length ** -0.2
    if (!(width > 0) || from === to) return []
    return Array.from({ length: places }, (_, index) => {
        const at = from + ((to - from) * index) / (places - 1)
        return { at, density: sorted.reduce((sum, value) => sum + Math.exp(-0.5 * ((at - value) / width) ** 2), 0) / sorted.length }
    })
}

/** Ranks from 1, those of equal values shared. */
export function sharedRanks(values: number[]): number[] {
    const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!)
    const ranks = new Array<number>(values.length)
    for (let start = 0; start < order.length;) {
        let end = start
        while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end += 1
        for (let at = start; at <= end; at += 1) ranks[order[at]!] = (start + end) / 2 + 1
        start = end + 1
    }
    return ranks
}

/** Pearson's r; NaN where one of the two never changes or fewer than three pairs are there. */
export function pearson(x: number[], y: number[]): number {
    if (x.length < 3) return NaN
    const [mx, my] = [meanOf(x), meanOf(y)]
    let [xy, xx, yy] = [0, 0, 0]
    for (let index = 0; index < x.length; index += 1) {
        const [a, b] = [x[index]! - mx, y[index]! - my]
        xy += a * b
        xx += a * a
        yy += b * b
    }
    return xx > 0 && yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) : NaN
}

export type Correlation = "spearman" | "pearson"

/** Over the runs that have both. */
export function correlation(x: number[], y: number[], kind: Correlation): { r: number; n: number } {
    const pairs = x.map((value, index) => [value, y[index]!] as const).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
    const [a, b] = [pairs.map(pair => pair[0]), pairs.map(pair => pair[1])]
    return { n: pairs.length, r: kind === "pearson" ? pearson(a, b) : pearson(sharedRanks(a), sharedRanks(b)) }
}

export type Goal = "min" | "max"

/** Which points no other point beats: as good in both and better in one. In order of x. */
export function paretoFront(points: { x: number; y: number }[], xGoal: Goal, yGoal: Goal): number[] {
    const sign = (value: number, goal: Goal): number => (goal === "min" ? value : -value)
    const order = points.map((_, index) => index).sort((a, b) =>
        sign(points[a]!.x, xGoal) - sign(points[b]!.x, xGoal) || sign(points[a]!.y, yGoal) - sign(points[b]!.y, yGoal))
    const front: number[] = []
    let best = Infinity
    let last: { x: number; y: number } | null = null
    for (const index of order) {
        const point = points[index]!
        const value = sign(point.y, yGoal)
        // Two runs at one place are both on the front.
        if (value < best || (last && point.x === last.x && point.y === last.y)) {
            front.push(index)
            best = Math.min(best, value)
            last = point
        }
    }
    return front.sort((a, b) => points[a]!.x - points[b]!.x)
}

export interface Site { x: number; y: number; value: number; n: number }

/** Runs at one place become one site: its value is their mean. */
export function sitesOf(points: { x: number; y: number; value: number }[]): Site[] {
    const sites = new Map<string, Site>()
    for (const point of points) {
        const key = `${point.x}|${point.y}`
        const known = sites.get(key)
        if (known) {
            known.value += (point.value - known.value) / (known.n + 1)
            known.n += 1
        } else sites.set(key, { ...point, n: 1 })
    }
    return Array.from(sites.values())
}

const sitesMax = 1000

/** So many sites are more than a drawing can tell apart: those of one small square become one. */
export function thinned(sites: Site[]): Site[] {
    if (sites.length <= sitesMax) return sites
    const squares = new Map<string, Site>()
    for (const site of sites) {
        const key = `${Math.floor(site.x * 32)}|${Math.floor(site.y * 32)}`
        const known = squares.get(key)
        if (!known) {
            squares.set(key, { ...site })
            continue
        }
        const share = site.n / (known.n + site.n)
        known.x += (site.x - known.x) * share
        known.y += (site.y - known.y) * share
        known.value += (site.value - known.value) * share
        known.n += site.n
    }
    return Array.from(squares.values())
}

/** How far from a site a guess is still made: further than the usual way to the next one, in shares of the axes. */
export function reachOf(sites: Site[]): number {
    const ways = sites.map((one, index) => {
        let least = Infinity
        sites.forEach((other, place) => { if (place !== index) least = Math.min(least, (one.x - other.x) ** 2 + (one.y - other.y) ** 2) })
        return Math.sqrt(least)
    })
    const sorted = ways.filter(Number.isFinite).sort((a, b) => a - b)
    return Math.min(0.5, Math.max(0.1, quantile(sorted, 0.75) * 1.6))
}

/** The mean of the sites, each weighted by its nearness; NaN where none is in reach. */
export function guessAt(sites: Site[], x: number, y: number, reach: number): number {
    // Sites nearer to each other than this are not told apart: noise between them makes no islands.
    const grain = (reach / 3) ** 2
    let [sum, weights, nearest] = [0, 0, Infinity]
    for (const site of sites) {
        const far = (site.x - x) ** 2 + (site.y - y) ** 2
        nearest = Math.min(nearest, far)
        const weight = site.n / (far + grain) ** 2
        sum += site.value * weight
        weights += weight
    }
    return nearest > reach * reach ? NaN : sum / weights
}

/** The straight line of least squares through three or more points. */
export function lineThrough(points: readonly (readonly [number, number])[]): { at: (x: number) => number; slope: number; r: number } | null {
    if (points.length < 3) return null
    const [x, y] = [points.map(point => point[0]), points.map(point => point[1])]
    const [mx, my] = [meanOf(x), meanOf(y)]
    const below = x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
    if (!(below > 0)) return null
    const slope = x.reduce((sum, value, index) => sum + (value - mx) * (y[index]! - my), 0) / below
    return { slope, at: place => my + slope * (place - mx), r: pearson(x, y) }
}
