// Where the bytes are: a treemap of a level with each part's kinds in it, one level deeper with a click.
import "../../core"
import { useMemo, useState } from "react"
import { get, part } from "../../api/client"
import { invalidate, useResource } from "../../api/resource"
import { Link, useAddress } from "../../app/router"
import { Frame } from "../../app/Shell"
import { useTheme } from "../../app/theme"
import { strokeOf } from "../../charts/palette"
import { formatAgo, formatBytes, formatCount, fullTime, plural } from "../../ui/format"
import { Empty, Failure, Icon, Skeleton } from "../../ui/parts"
import { Treemap } from "./Treemap"

export interface StorageNode {
    kind: "store" | "project" | "experiment" | "run" | "kind" | "files" | "database" | "beside" | "unclaimed"
    id: string | null
    name: string
    bytes: number
    run_count: number
    kinds: Record<string, number>
}

interface Level {
    level: StorageNode
    trail: StorageNode[]
    children: StorageNode[]
    rest: { count: number; bytes: number }
    counted_at: string
    seconds: number
}

export const kindNames: Record<string, string> = {
    artifacts: "Artifacts", points: "Points", console: "Console", media: "Media", record: "Params, tags, notes", journal: "Points not yet compressed",
}
const kindOrder = Object.keys(kindNames)

export const nameOf = (node: StorageNode): string => (node.kind === "kind" ? kindNames[node.name] ?? node.name : node.name)

/** Where a part's own level is; null where nothing lies beneath it. */
export function placeOf(node: StorageNode): string | null {
    if (node.kind === "store") return "/settings/storage"
    return node.id === null ? null : `/settings/storage?${node.kind}=${part(node.id)}`
}

export function colourOf(kind: string, theme: string): string {
    return strokeOf(Math.max(0, kindOrder.indexOf(kind)), theme).colour
}

export default function Storage(): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const [isBusy, setBusy] = useState(false)
    const asked = ["run", "experiment", "project"].map(name => [name, query.get(name)] as const).find(one => one[1])
    const question = asked ? `?${asked[0]}=${part(asked[1]!)}` : ""
    const found = useResource(`storage${question}`, () => get<Level>(`storage${question}`))
    const level = found.data
    const count = (): void => {
        setBusy(true)
        get<Level>(`storage${question}${question ? "&" : "?"}fresh=true`).then(() => invalidate("storage"), () => invalidate("storage")).finally(() => setBusy(false))
    }
    const present = useMemo(() => kindOrder.filter(kind => level?.children.some(child => (child.kind === "kind" ? child.name === kind : child.kinds[kind]))), [level])
    const trail: StorageNode[] = level ? [...(level.level.kind === "store" ? [] : [{ kind: "store", id: null, name: "All projects", bytes: 0, run_count: 0, kinds: {} } as StorageNode]), ...level.trail] : []
    return (
        <Frame crumbs={[{ name: "Storage" }]}>
            <main className="page" id="main">
                {found.error ? <Failure error={found.error} again={found.reload} /> : !level ? <Skeleton rows={10} /> : (
                    <>
                        <div className="head">
                            <div className="grow">
                                <nav className="storage-trail" aria-label="Level">{trail.map(node => <span key={node.name + node.kind}><Link to={placeOf(node)!}>{node.name}</Link><span className="muted" aria-hidden="true"> / </span></span>)}</nav>
                                <h1 className="cut">{level.level.name}: {formatBytes(level.level.bytes)}</h1>
                                <p className="lead">{level.level.run_count > 0 && level.level.kind !== "run" && `${plural(level.level.run_count, "run")}. `}Bytes as files are long; a file that several runs share counts once. <span title={`${fullTime(level.counted_at)}, in ${level.seconds.toFixed(2)} s`}>Counted {formatAgo(level.counted_at)}.</span></p>
                            </div>
                            {level.level.kind === "run" && <Link className="button" to={`/runs/${level.level.id}`}>The run</Link>}
                            {level.level.kind === "experiment" && <Link className="button" to={`/experiments/${level.level.id}`}>The experiment</Link>}
                            <button className="button" disabled={isBusy} onClick={count}><Icon name="reset" />Count anew</button>
                        </div>
                        {level.children.length === 0 ? <div className="card"><Empty title="Nothing takes room here" /></div> : (
                            <>
                                {present.length > 0 && <div className="legend" style={{ padding: "0 0 8px" }}>{present.map(kind => <span key={kind}><i style={{ background: colourOf(kind, theme), height: 10, borderRadius: 3 }} />{kindNames[kind]}</span>)}</div>}
                                <Treemap nodes={level.children} rest={level.rest} theme={theme} />
                                <div className="section-title"><h2>The same as a table</h2></div>
                                <Table level={level} present={level.level.kind === "run" ? [] : present} />
                            </>
                        )}
                    </>
                )}
            </main>
        </Frame>
    )
}

function Table({ level, present }: { level: Level; present: string[] }): JSX.Element {
    const share = (bytes: number): string => (level.level.bytes > 0 ? `${((100 * bytes) / level.level.bytes).toFixed(1)} %` : "–")
    return (
        <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Parts">
            <table className="plain">
                <thead><tr><th>Part</th>{level.level.kind !== "run" && level.level.kind !== "experiment" && <th className="r">Runs</th>}{present.map(kind => <th key={kind} className="r">{kindNames[kind]}</th>)}<th className="r">Bytes</th><th className="r">Share</th></tr></thead>
                <tbody>
                    {level.children.map(node => {
                        const to = placeOf(node)
                        return (
                            <tr key={`${node.kind} ${node.id ?? node.name}`}>
                                <td className="cut">{to ? <Link to={to} style={{ fontWeight: 550 }}>{nameOf(node)}</Link> : nameOf(node)}</td>
                                {level.level.kind !== "run" && level.level.kind !== "experiment" && <td className="r">{node.run_count ? formatCount(node.run_count) : "–"}</td>}
                                {present.map(kind => <td key={kind} className="r muted">{node.kinds[kind] ? formatBytes(node.kinds[kind]!) : "–"}</td>)}
                                <td className="r" title={formatCount(node.bytes)}>{formatBytes(node.bytes)}</td><td className="r muted">{share(node.bytes)}</td>
                            </tr>
                        )
                    })}
                    {level.rest.count > 0 && <tr><td className="muted" colSpan={1 + present.length + (level.level.kind === "project" || level.level.kind === "store" ? 1 : 0)}>{plural(level.rest.count, "smaller part")}</td><td className="r">{formatBytes(level.rest.bytes)}</td><td className="r muted">{share(level.rest.bytes)}</td></tr>}
                </tbody>
            </table>
        </div>
    )
}
