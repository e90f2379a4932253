// What was recorded of a run beside its metrics: confusion matrix, importances, observations and whatever else has a name.
import "../../core"
import { useState } from "react"
import { all, get, part } from "../../api/client"
import { useResource } from "../../api/resource"
import type { Json } from "../../api/types"
import { formatAgo, formatNumber, fullTime } from "../../ui/format"
import { Failure } from "../../ui/parts"
import JsonTree from "../files/JsonTree"
import { Matrix, type MatrixData } from "./Matrix"

interface Fact { kind: string; data: Json; at: string; author: string }

export default function Facts({ run }: { run: string }): JSX.Element | null {
    const found = useResource(`run/${run}/facts`, () => all<Fact>(`runs/${part(run)}/facts?limit=100`, "facts"))
    if (found.error) return <Failure error={found.error} again={found.reload} />
    return <>{(found.data ?? []).map(fact => <OneFact key={fact.kind} run={run} newest={fact} />)}</>
}

function OneFact({ run, newest }: { run: string; newest: Fact }): JSX.Element {
    const title = newest.kind.replace(/[_-]/g, " ").replace(/^./, letter => letter.toUpperCase())
    const whole = useResource(`run/${run}/facts/${newest.kind}|${newest.at}`, () => get<Fact & { history: Fact[] }>(`runs/${part(run)}/facts/${part(newest.kind)}`))
    // Earlier ones stay: the newest comes last.
    const every = whole.data ? [...whole.data.history, whole.data] : [newest]
    const [at, setAt] = useState<number | null>(null)
    const place = Math.min(at ?? every.length - 1, every.length - 1)
    const shown = every[place]!
    return (
        <section aria-label={title}>
            <div className="section-title"><h2>{title}</h2><span className="muted" title={fullTime(shown.at)}>{formatAgo(shown.at)} by {shown.author}</span><span className="grow" />
                {every.length > 1 && <label className="label">Recorded <input type="range" min={0} max={every.length - 1} value={place} onChange={event => setAt(Number(event.target.value))} /><output className="num">{place + 1} of {every.length}</output></label>}</div>
            <div className="card fact"><Data kind={shown.kind} data={shown.data} run={run} /></div>
        </section>
    )
}

function Data({ kind, data, run }: { kind: string; data: Json; run: string }): JSX.Element {
    if (kind === "confusion_matrix") return <Matrix data={data as unknown as MatrixData} name={`confusion_matrix_${run.slice(0, 8)}`} />
    const sentences = sentencesOf(data)
    if (sentences) return <ul className="prose">{sentences.map((one, index) => <li key={index} style={{ listStyle: "disc", marginLeft: 18 }}>{one}</li>)}</ul>
    const bars = kind === "feature_importance" ? numbersOf(data) : null
    if (bars) return <Bars values={bars} />
    const rows = data !== null && typeof data === "object" && !Array.isArray(data) ? Object.entries(data).map(([name, value]) => ({ name, values: numbersOf(value as Json) })) : []
    if (rows.length > 0 && rows.every(row => row.values && row.values.length)) return <Table rows={rows as { name: string; values: [string, number][] }[]} />
    return <JsonTree text={JSON.stringify(data)} />
}

function sentencesOf(data: Json): string[] | null {
    const list = Array.isArray(data) ? data : data !== null && typeof data === "object" && Object.keys(data).length === 1 ? (data as { items?: Json }).items : null
    return Array.isArray(list) && list.every((one): one is string => typeof one === "string") ? list : null
}

function numbersOf(data: Json): [string, number][] | null {
    if (data === null || typeof data !== "object" || Array.isArray(data)) return null
    const entries = Object.entries(data)
    return entries.every(([, value]) => typeof value === "number") ? (entries as [string, number][]) : null
}

function Bars({ values }: { values: [string, number][] }): JSX.Element {
    const sorted = [...values].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
    const most = Math.abs(sorted[0]?.[1] ?? 0) || 1
    return (
        <table className="plain"><tbody>{sorted.map(([name, value]) => (
            <tr key={name}><td className="wrap" style={{ width: "32%" }}>{name}</td><td><div style={{ height: 10, borderRadius: 3, width: `${Math.max(0.5, (Math.abs(value) / most) * 100)}%`, background: value < 0 ? "var(--bad)" : "var(--accent)" }} /></td><td className="r" style={{ width: 90 }}>{formatNumber(value)}</td></tr>
        ))}</tbody></table>
    )
}

function Table({ rows }: { rows: { name: string; values: [string, number][] }[] }): JSX.Element {
    const columns = Array.from(new Set(rows.flatMap(row => row.values.map(([name]) => name))))
    return (
        <table className="plain"><thead><tr><th><span className="hidden">Of</span></th>{columns.map(name => <th key={name} className="r">{name}</th>)}</tr></thead>
            <tbody>{rows.map(row => { const known = new Map(row.values); return <tr key={row.name}><td>{row.name}</td>{columns.map(name => <td key={name} className="r">{formatNumber(known.get(name))}</td>)}</tr> })}</tbody></table>
    )
}
