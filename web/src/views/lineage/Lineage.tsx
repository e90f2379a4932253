// Where something came from and what was made of it: boxes from left to right, and the same as a list.
import "../../core"
import { useMemo } from "react"
import { get, part } from "../../api/client"
import { useResource } from "../../api/resource"
import type { Run } from "../../api/types"
import { Link, setQuery, useAddress } from "../../app/router"
import { plural } from "../../ui/format"
import { Empty, Failure, Skeleton } from "../../ui/parts"
import { type LineageAnswer, type LineageNode, placesOf, size } from "./layout"

const words: Record<LineageNode["kind"], string> = { dataset: "Dataset", run: "Run", artifact: "Artifact", logged_model: "Model", model_version: "Registered version" }

/** The question whose answer is the graph around a node. */
function questionOf(node: LineageNode): string {
    switch (node.kind) {
        case "dataset": return `experiments/${part(node.experiment_id!)}/lineage?dataset=${part(node.dataset!)}&digest=${part(node.digest ?? "")}`
        case "run": return `runs/${part(node.run_id!)}/lineage`
        case "artifact": return `projects/${part(node.project)}/artifacts/${part(node.artifact!)}/versions/${node.version}/lineage`
        case "logged_model": return `logged-models/${part(node.model_id!)}/lineage`
        case "model_version": return `models/${part(node.model!)}/versions/${node.version}/lineage?project=${part(node.project)}`
    }
}

export function LineageOfRun({ run }: { run: Run }): JSX.Element {
    return <Lineage home={`runs/${run.id}/lineage`} what="This run" />
}

/** The graph around `home`, or around a node of it that was chosen, which then stands in the address. */
export function Lineage({ home, what }: { home: string; what: string }): JSX.Element {
    const { query } = useAddress()
    const question = query.get("around") ?? home
    const depth = query.get("depth") ?? "3"
    const found = useResource(`lineage/${question}|${depth}`, () => get<LineageAnswer>(`${question}${question.includes("?") ? "&" : "?"}depth=${part(depth)}`))
    const graph = found.data
    const root = graph?.nodes[0]
    return (
        <>
            <div className="section-title">
                <h2>{question === home || !root ? "Lineage" : `Lineage of ${root.name}`}</h2><span className="grow" />
                {question !== home && <button className="button" onClick={() => setQuery({ around: null })}>Back to {what.toLowerCase()}</button>}
                <label className="label">Steps each way <select className="select" value={depth} onChange={event => setQuery({ depth: event.target.value === "3" ? null : event.target.value })}>{["1", "2", "3", "5", "10"].map(one => <option key={one}>{one}</option>)}</select></label>
            </div>
            {found.error ? <Failure error={found.error} again={found.reload} /> : !graph ? <Skeleton rows={6} />
                : graph.edges.length === 0 ? <div className="card"><Empty title={`${what} has no lineage yet`}>Datasets that are logged as inputs, artifacts that are used or published, logged models and registered versions appear here.</Empty></div>
                : <Graph graph={graph} />}
            {graph && !graph.complete && <p className="stat-foot">There is more: farther away, or where you may not read.</p>}
        </>
    )
}

function linkOf(node: LineageNode): { to: string } | { around: string } {
    if (node.kind === "run") return { to: `/runs/${node.run_id}/lineage` }
    if (node.kind === "model_version") return { to: `/models/${part(node.model!)}?project=${part(node.project)}&lineage=${node.version}` }
    return { around: questionOf(node) }
}

function Way({ node, className, style, children }: { node: LineageNode; className?: string; style?: React.CSSProperties; children: React.ReactNode }): JSX.Element {
    const way = linkOf(node)
    const common = { className, style }
    if ("to" in way) return <Link {...common} to={way.to}>{children}</Link>
    return <button {...common} onClick={() => setQuery({ around: way.around })}>{children}</button>
}

function Graph({ graph }: { graph: LineageAnswer }): JSX.Element {
    const { places, width, height } = useMemo(() => placesOf(graph), [graph])
    const middle = size.height / 2
    return (
        <>
            <div className="card lineage" tabIndex={0} role="region" aria-label="Graph">
                <div style={{ position: "relative", width, height }}>
                    <svg width={width} height={height} aria-hidden="true">
                        <defs><marker id="lineage-end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
                        {graph.edges.map(({ from, to }) => {
                            const [a, b] = [places[from]!, places[to]!]
                            const [x1, y1, x2, y2] = [a.x + size.width, a.y + middle, b.x - 3, b.y + middle]
                            const bend = Math.max(24, (x2 - x1) / 2)
                            return <path key={`${from} ${to}`} d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} markerEnd="url(#lineage-end)" />
                        })}
                    </svg>
                    {graph.nodes.map((node, index) => (
                        <Way key={index} node={node} className={`lineage-node ${node.kind}${index === 0 ? " here" : ""}`} style={{ left: places[index]!.x, top: places[index]!.y, width: size.width, height: size.height }}>
                            <span className="lineage-kind">{words[node.kind]}{node.about && ` · ${node.about}`}</span><span className="cut">{node.name}</span>
                        </Way>
                    ))}
                </div>
            </div>
            <div className="section-title"><h2>The same as a list</h2></div>
            <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label={plural(graph.nodes.length, "thing")}>
                <table className="plain">
                    <thead><tr><th>What</th><th>Name</th><th>Made of</th><th>What was made of it</th></tr></thead>
                    <tbody>{graph.nodes.map((node, index) => (
                        <tr key={index}>
                            <td className="muted">{words[node.kind]}</td><td><Way node={node} className="plain-link">{node.name}</Way>{index === 0 && <span className="muted"> (here)</span>}</td>
                            <td>{graph.edges.filter(edge => edge.to === index).map(edge => graph.nodes[edge.from]!.name).join(", ") || "–"}</td>
                            <td>{graph.edges.filter(edge => edge.from === index).map(edge => graph.nodes[edge.to]!.name).join(", ") || "–"}</td>
                        </tr>
                    ))}</tbody>
                </table>
            </div>
        </>
    )
}
