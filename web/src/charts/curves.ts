// Curves that charts asked for: gathered for a moment, so that many panels make few requests; kept; and lengthened by
// what arrives live.
import { useEffect, useMemo, useReducer } from "react"
import { ApiError, post } from "../api/client"
import type { Change } from "../api/live"
import { type Axis, type CurvesAnswer, numberOf } from "../api/types"
import { type Curve, curveOf, extended } from "./curve"

interface Wish {
    run: string
    metric: string
    axis: Axis
    range: [number, number] | null
    buckets: number
    /** Without extremes: a third of the bytes, for so many lines that their bands would hide each other. */
    isMean: boolean
}

/** Undefined is not asked for yet, null says that the run has no such points. */
type Known = Curve | null

const known = new Map<string, Known>()
/** When a curve was asked for, which is known or on its way. */
const asked = new Map<string, number>()
const underway = new Set<string>()
/** On its way, and out of date when it comes. */
const outdated = new Set<string>()
/** What arrived while answers were on their way: they may have been made before it. */
let meanwhile: Change[] = []
const watchers = new Set<() => void>()
const starts = new Map<string, number>()
let waiting: Wish[] = []
let timer = 0
let failure: ApiError | null = null
const metricsAtOnce = 6
const keptMax = 6000

/** What makes one request: one range of one axis, in so many buckets. */
const shapeOf = ({ axis, range, buckets, isMean }: Omit<Wish, "run" | "metric">): string => `${axis}|${range?.join(",") ?? ""}|${buckets}${isMean ? "m" : ""}`
const keyOf = (wish: Wish): string => `${shapeOf(wish)}|${wish.metric}|${wish.run}`

function tell(): void {
    watchers.forEach(watcher => watcher())
}

function wish(one: Wish): void {
    const key = keyOf(one)
    if (known.has(key) || underway.has(key)) return
    underway.add(key)
    asked.set(key, performance.now())
    waiting.push(one)
    if (!timer) timer = window.setTimeout(send, 4)
}

function send(): void {
    timer = 0
    const wishes = waiting
    waiting = []
    // One request has one range and one set of runs.
    const byShape = new Map<string, Map<string, Set<string>>>()
    for (const one of wishes) {
        const shape = shapeOf(one)
        const metrics = byShape.get(shape) ?? new Map<string, Set<string>>()
        const runs = metrics.get(one.metric) ?? new Set<string>()
        runs.add(one.run)
        metrics.set(one.metric, runs)
        byShape.set(shape, metrics)
    }
    for (const [shape, metrics] of byShape) {
        const byRuns = new Map<string, string[]>()
        for (const [metric, runs] of metrics) {
            const key = Array.from(runs).join(",")
            byRuns.set(key, [...(byRuns.get(key) ?? []), metric])
        }
        for (const [runs, names] of byRuns) {
            const sample = wishes.find(one => shapeOf(one) === shape)!
            for (let start = 0; start < names.length; start += metricsAtOnce)
                void request(runs.split(","), names.slice(start, start + metricsAtOnce), sample)
        }
    }
}

async function request(runs: string[], metrics: string[], { axis, range, buckets, isMean }: Wish): Promise<void> {
    const keys = runs.flatMap(run => metrics.map(metric => keyOf({ run, metric, axis, range, buckets, isMean })))
    try {
        const answer = await post<CurvesAnswer>("curves", { runs, metrics, axis, buckets, from: range?.[0], to: range?.[1], only_mean: isMean || undefined })
        if (known.size > keptMax) known.clear()
        for (const key of keys) known.set(key, null)
        for (const wire of answer.curves) {
            const curve = curveOf(wire)
            known.set(keyOf({ run: curve.run, metric: curve.metric, axis, range, buckets, isMean }), curve)
        }
        failure = null
    } catch (error) {
        failure = error instanceof ApiError ? error : null
    }
    for (const key of keys) {
        underway.delete(key)
        if (outdated.delete(key)) known.delete(key)
    }
    growCurves(meanwhile)
    if (underway.size === 0) meanwhile = []
    tell()
}

export interface CurveSet {
    /** By run, then metric. */
    of: (run: string, metric: string) => Curve | null | undefined
    isComplete: boolean
    error: ApiError | null
}

/** The curves of some runs and metrics; asks for those that are not known while `isWanted`. */
export function useCurves(
    runs: string[], metrics: string[], axis: Axis, range: [number, number] | null, buckets: number, isWanted: boolean, isMean = false,
): CurveSet {
    const [version, redraw] = useReducer((count: number) => count + 1, 0)
    useEffect(() => {
        watchers.add(redraw)
        return () => {
            watchers.delete(redraw)
        }
    }, [])
    const runKey = runs.join(",")
    const metricKey = metrics.join("\n")
    const rangeKey = range?.join(",") ?? ""
    useEffect(() => {
        if (!isWanted || failure) return
        for (const run of runs) for (const metric of metrics) wish({ run, metric, axis, range, buckets, isMean })
        // The keys stand for the lists.
        // eslint-disable-next-line
    }, [runKey, metricKey, axis, rangeKey, buckets, isMean, isWanted, version])
    return useMemo(() => {
        const of = (run: string, metric: string): Known | undefined => known.get(keyOf({ run, metric, axis, range, buckets, isMean }))
        const isComplete = runs.every(run => metrics.every(metric => of(run, metric) !== undefined))
        return { of, isComplete, error: failure }
        // eslint-disable-next-line
    }, [runKey, metricKey, axis, rangeKey, buckets, isMean, version])
}

export function tryCurvesAgain(): void {
    failure = null
    tell()
}

/** When runs began, for the axis that counts from there. */
export function learnStarts(rows: { id: string; start: number }[]): void {
    for (const row of rows) starts.set(row.id, row.start)
}

/** Asks again for what was asked for before a moment. */
export function forgetCurves(before: number): void {
    for (const [key, time] of asked) {
        if (time >= before) continue
        if (underway.has(key)) {
            outdated.add(key)
        } else {
            asked.delete(key)
            known.delete(key)
        }
    }
    tell()
}

/** Takes in what arrived: points after a curve's end are put on; a curve that was empty is asked for again. */
export function growCurves(changes: Change[]): void {
    if (underway.size > 0 && changes !== meanwhile) meanwhile = meanwhile.concat(changes.filter(change => change.metrics))
    const fresh = new Map<string, { step: number; time: number; value: number }[]>()
    for (const change of changes) {
        if (!change.metrics || !change.run_id || change.step === undefined) continue
        for (const metric in change.metrics) {
            if (metric === "step") continue
            const value = numberOf(change.metrics[metric])
            if (value === null) continue
            const key = `|${metric}|${change.run_id}`
            const list = fresh.get(key) ?? []
            list.push({ step: change.step, time: Date.parse(change.timestamp ?? ""), value })
            fresh.set(key, list)
        }
    }
    if (fresh.size === 0) return
    for (const [key, curve] of known) {
        const [axis, range, buckets] = key.split("|", 3) as [string, string, string]
        const points = range ? undefined : fresh.get(key.slice(axis.length + range.length + buckets.length + 2))
        if (!points) continue
        if (!curve) {
            known.delete(key)
            continue
        }
        const start = starts.get(curve.run) ?? 0
        const longer = extended(curve, points.map(point => ({
            x: axis === "step" ? point.step : axis === "time" ? point.time : (point.time - start) / 1000, value: point.value,
        })))
        // Many single points after the buckets: the server's own buckets are better by now.
        if (longer.length > 5 * parseInt(buckets, 10)) known.delete(key)
        else known.set(key, longer)
    }
    tell()
}
