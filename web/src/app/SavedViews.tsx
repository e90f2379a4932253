// Views that an experiment keeps: ways to look at it, each an address with a name. They lie in the experiment's tags, so
// that everybody who may see it sees them, from the command line too.
import { useState } from "react"
import { part, patch } from "../api/client"
import { invalidate } from "../api/resource"
import type { Experiment } from "../api/types"
import { Link, href, navigate, useAddress } from "./router"
import { kept } from "./theme"
import { Icon, Menu, copy, toast } from "../ui/parts"

const prefix = "martlet.view."

export interface SavedView { name: string; to: string }

export function viewsOf(experiment: Experiment): SavedView[] {
    return Object.entries(experiment.tags).filter(([key, value]) => key.startsWith(prefix) && value?.startsWith("/"))
        .map(([key, value]) => ({ name: key.slice(prefix.length), to: `/experiments/${part(experiment.id)}${value === "/" ? "" : value!.replace(/^\/\?/, "?")}` }))
}

/** Where one is inside the experiment, with what this browser keeps of it: others keep something else. */
function placeOf(id: string, path: string, query: URLSearchParams): string {
    const view = path.split("/").slice(3).join("/")
    const all = new URLSearchParams(query)
    const columns = view === "table" ? ["columns", `table.${id}`] : view === "" ? ["cols", `cols.${id}`] : null
    if (columns && !all.has(columns[0]!) && kept(columns[1]!, "")) all.set(columns[0]!, kept(columns[1]!, ""))
    const text = all.toString().replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%3A/g, ":")
    return `/${view}${text ? `?${text}` : ""}`
}

export function SavedViews({ experiment, id }: { experiment: Experiment; id: string }): JSX.Element {
    const { path, query } = useAddress()
    const [name, setName] = useState<string | null>(null)
    const views = viewsOf(experiment)
    const change = (body: unknown, then: () => void): void => {
        patch<Experiment>(`experiments/${part(experiment.id)}`, body).then(() => {
            invalidate(`experiment/${id}`)
            then()
        }, (error: Error) => toast(error.message))
    }
    const save = (): void => {
        const wanted = name?.trim()
        if (wanted) change({ tags: { [prefix + wanted]: placeOf(id, path, query) } }, () => { setName(null); toast(`View “${wanted}” saved`) })
    }
    const remove = (view: SavedView): void => {
        const old = experiment.tags[prefix + view.name]
        change({ remove_tags: [prefix + view.name] }, () => toast(`View “${view.name}” removed`, () => change({ tags: { [prefix + view.name]: old } }, () => undefined)))
    }
    if (name !== null) {
        return (
            <form style={{ display: "flex", gap: 6 }} onSubmit={event => { event.preventDefault(); save() }}>
                <label className="field"><span className="hidden">Name of the view</span><input autoFocus placeholder="Name of the view" maxLength={80} value={name} onChange={event => setName(event.target.value)} onKeyDown={event => event.key === "Escape" && setName(null)} /></label>
                <button className="button main" disabled={!name.trim()}>Save</button>
            </form>
        )
    }
    return (
        <Menu label="Saved views" icon="bookmark">
            {views.length === 0 && <p className="muted" style={{ padding: "6px 9px", maxWidth: 230 }}>A view keeps how this experiment is looked at: filter, columns, axes, zoom.</p>}
            {views.map(view => (
                <span key={view.name} className="menu-row">
                    <Link to={view.to} className="grow cut" onClick={event => { event.preventDefault(); navigate(view.to) }}>{view.name}</Link>
                    <button aria-label={`Copy the link of ${view.name}`} title="Copy link" onClick={() => copy(new URL(href(view.to), location.href).href, "Link")}><Icon name="link" /></button>
                    <button aria-label={`Remove ${view.name}`} title="Remove" onClick={() => remove(view)}><Icon name="close" /></button>
                </span>
            ))}
            <hr />
            <button onClick={() => setName("")}>Save this view</button>
        </Menu>
    )
}
