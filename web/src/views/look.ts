// The first questions of pages, in one place: first.ts asks them before the app runs, and the pages in the same words.
import type { Run } from "../api/types"

interface Look {
    experiment_id: string[]
    filter: string
    order_by: string[]
    metrics: string[]
    params: string[]
    limit: number
}

const lookedAt = 60

/** The table's first look at the newest runs, asked for before the names of what they logged are known. */
export function firstLook(experiment: string, filter = "", order = "start_time DESC"): Look {
    return { experiment_id: [experiment], filter, order_by: [order], metrics: ["*"], params: ["*"], limit: lookedAt }
}

/** A name as the search language takes it. */
export function fieldOf(column: string): string {
    const dot = column.indexOf(".")
    if (column === "started") return "start_time"
    if (dot < 0) return column
    const name = column.slice(dot + 1)
    return column.slice(0, dot + 1) + (/^[A-Za-z_][\w/-]*$/.test(name) ? name : `\`${name}\``)
}

/** The order that an address names, `metrics.loss:asc`. */
export function ordersOf(sort: string | null): string {
    const [by, direction] = (sort ?? "started:desc").split(/:(?=[^:]*$)/)
    return by ? `${fieldOf(by)} ${direction === "asc" ? "ASC" : "DESC"}` : "start_time DESC"
}

/** The two columns of the list beside the panels, where none are chosen. */
export function listColumns(metrics: string[]): string[] {
    const best = ["val/accuracy", "val_accuracy", "val/acc", "accuracy", "val/loss", "val_loss", "loss", "train/loss"].find(name => metrics.includes(name))
    const metric = best ?? metrics.find(name => !name.startsWith("system/"))
    return ["duration", metric ? `metrics.${metric}` : "state"]
}

export const listMax = 2000

/** The runs of that list, as many as a page of them has. */
export function listQuestion(experiment: string, filter: string, columns: string | null, metrics: string[]): Omit<Look, "order_by"> {
    const chosen = (columns ?? "").split(",").filter(Boolean)
    const wanted = (chosen.length ? chosen : listColumns(metrics)).filter(column => column.startsWith("metrics.")).map(column => column.slice(8))
    return { experiment_id: [experiment], filter, metrics: wanted, params: ["*"], limit: listMax }
}

/** The run without its artifacts, of which there may be ten thousand. */
export function runQuestion(run: string): string {
    return `runs/${encodeURIComponent(run)}?artifacts=0`
}

export function isEndedBadly(run: Pick<Run, "state"> | undefined): boolean {
    return run?.state === "failed" || run?.state === "lost" || run?.state === "cancelled"
}

/** What a run wrote last of errors. */
export function lastWordsQuestion(run: string): string {
    return `runs/${run}/console?stream=stderr&limit=10000`
}

export const artifactsAtFirst = 300
