// Dashboards of an experiment: widgets in an order, kept as JSON in its tags, so that everybody who sees it has them.
import { part, patch } from "../../api/client"
import type { Experiment } from "../../api/types"

export const kinds = {
    curve: "Curve of a metric", best: "Best value", states: "Runs by state", scatter: "Scatter", groups: "Box or violin by group",
    tradeoff: "Trade-off of two results", contour: "Contour", correlation: "Correlation", text: "Text",
} as const

export type Kind = keyof typeof kinds

export interface Widget {
    kind: Kind
    /** Columns of three. */
    width: number
    /** What was chosen in it: `metric`, and what the chart itself offers. */
    settings: Record<string, string>
}

export interface Dashboard {
    filter: string
    widgets: Widget[]
}

export const prefix = "martlet.dashboard."
const widgetsMax = 60

export function dashboardNames(experiment: Experiment): string[] {
    return Object.keys(experiment.tags).filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length)).sort((a, b) => a.localeCompare(b))
}

/** What can be understood of a tag's text; null where it is no dashboard. Others may have written it. */
export function parsed(text: string | null | undefined): Dashboard | null {
    try {
        const json = JSON.parse(text ?? "") as { filter?: unknown; widgets?: unknown }
        if (!Array.isArray(json.widgets)) return null
        const widgets = (json.widgets as Partial<Widget>[]).filter(one => one && typeof one.kind === "string" && one.kind in kinds).slice(0, widgetsMax).map(one => ({
            kind: one.kind!, width: [1, 2, 3].includes(one.width ?? 1) ? one.width ?? 1 : 1,
            settings: Object.fromEntries(Object.entries(one.settings ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string")),
        }))
        return { filter: typeof json.filter === "string" ? json.filter : "", widgets }
    } catch {
        return null
    }
}

/** `known` is the tag's text as it was when the change began: 409 where somebody else has saved since. */
export function save(experiment: Experiment, name: string, dashboard: Dashboard, known?: string | null): Promise<unknown> {
    return patch(`experiments/${part(experiment.id)}`, {
        tags: { [prefix + name]: JSON.stringify(dashboard) }, ...(known === undefined ? {} : { if_tags: { [prefix + name]: known } }),
    })
}

/** What somebody else's save changed, in words. */
export function differencesOf(before: Dashboard, after: Dashboard): string[] {
    const wordOf = (widget: Widget): string => [kinds[widget.kind], widget.settings["metric"]].filter(Boolean).join(" of ")
    const textOf = (widget: Widget): string => JSON.stringify([widget.kind, widget.width, Object.entries(widget.settings).sort()])
    const [old, fresh] = [before.widgets.map(textOf), after.widgets.map(textOf)]
    const gone = before.widgets.filter((_, index) => !fresh.includes(old[index]!))
    const come = after.widgets.filter((_, index) => !old.includes(fresh[index]!))
    const said = [...gone.map(one => `without “${wordOf(one)}” as it was`), ...come.map(one => `with “${wordOf(one)}” as it is now`)]
    if (before.filter !== after.filter) said.push(after.filter ? `filter “${after.filter}”` : "no filter")
    if (said.length === 0 && old.join() !== fresh.join()) said.push("another order")
    return said
}

export function drop(experiment: Experiment, name: string): Promise<unknown> {
    return patch(`experiments/${part(experiment.id)}`, { remove_tags: [prefix + name] })
}

/** What a new dashboard shows: enough to see what widgets are. */
export function firstWidgets(metrics: string[], main: string): Widget[] {
    const curves = metrics.filter(name => /loss|acc|reward|score/i.test(name)).slice(0, 2)
    return [
        { kind: "best", width: 1, settings: { metric: main } }, { kind: "states", width: 1, settings: {} },
        ...curves.map((metric): Widget => ({ kind: "curve", width: 1, settings: { metric } })),
        { kind: "groups", width: 2, settings: { metric: main } },
    ]
}
