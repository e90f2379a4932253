// What differs between two runs besides their params: code, environment, output. Only differences are shown, and how much
// is the same.
import "../../core"
import { type ReactNode, useMemo, useState } from "react"
import { useResource } from "../../api/resource"
import type { Run } from "../../api/types"
import { setQuery, useAddress } from "../../app/router"
import { formatCount, plural } from "../../ui/format"
import { Failure, Skeleton } from "../../ui/parts"
import { differenceOf, hunksOf, linesOf } from "./lines"
import { type Pairs, type Records, differencesOf, outputOf, recordsOf, textOf } from "./records"

export default function Differences({ runs }: { runs: Run[] }): JSX.Element | null {
    const { query } = useAddress()
    const pick = (name: string, standard: number): Run => runs.find(run => run.id === query.get(name)) ?? runs[standard]!
    const [one, other] = [pick("one", 0), pick("other", 1)]
    const names = useMemo((): [string, string] => (one.name !== other.name ? [one.name, other.name] : [`${one.experiment_name} ${one.name}`, `${other.experiment_name} ${other.name}`]), [one, other])
    const found = useResource(`records/${one.id}/${other.id}`, () => Promise.all([recordsOf(one), recordsOf(other)]))
    const choice = (label: string, name: string, run: Run): JSX.Element => (
        <label className="label">{label} <select className="select" value={run.id} onChange={event => setQuery({ [name]: event.target.value })}>{runs.map(option => <option key={option.id} value={option.id}>{option.name}</option>)}</select></label>
    )
    return (
        <>
            <div className="section-title" style={{ alignItems: "center" }}>
                <h2>What else differs</h2><span className="grow" />
                {runs.length > 2 && <>{choice("from", "one", one)}{choice("to", "other", other)}</>}
            </div>
            {one.id === other.id ? <p className="muted">Pick two different runs.</p>
                : found.error ? <Failure error={found.error} again={found.reload} />
                : !found.data ? <Skeleton rows={6} />
                : <>
                    <div className="two">
                        <Part name="Code" pairs={[found.data[0].code, found.data[1].code]} names={names} nothing="Neither run says which code it ran." />
                        <div>
                            <Part name="Packages" pairs={[found.data[0].packages, found.data[1].packages]} names={names} nothing="Neither run lists its packages." />
                            <Part name="Machine" pairs={[found.data[0].machine, found.data[1].machine]} names={names} nothing="Neither run describes its machine." />
                        </div>
                    </div>
                    <Files runs={[one, other]} records={found.data} names={names} />
                    <Output one={one} other={other} names={names} />
                </>}
        </>
    )
}

function Part({ name, pairs, names, nothing }: { name: string; pairs: [Pairs, Pairs]; names: [string, string]; nothing: string }): JSX.Element {
    const { rows, same } = differencesOf(...pairs)
    const isEmpty = rows.length + same === 0
    return (
        <section className="card compared" aria-label={name}>
            <div className="compared-head"><h3>{name}</h3><span className="muted num">{isEmpty ? "" : `${plural(rows.length, "difference")}, ${formatCount(same)} the same`}</span></div>
            {isEmpty ? <p className="muted">{nothing}</p> : rows.length > 0 && (
                <div style={{ overflowX: "auto", maxHeight: 420 }} tabIndex={0} role="group" aria-label={`${name} that differ`}>
                    <table className="plain"><thead><tr><th><span className="hidden">Name</span></th><th>{names[0]}</th><th>{names[1]}</th></tr></thead>
                        <tbody>{rows.map(row => <tr key={row.key}><td>{row.key}</td>{[row.one, row.other].map((value, index) => <td key={index} className="mono wrap">{value === undefined ? <span className="muted">–</span> : value}</td>)}</tr>)}</tbody></table>
                </div>
            )}
        </section>
    )
}

function Files({ runs, records, names }: { runs: [Run, Run]; records: [Records, Records]; names: [string, string] }): JSX.Element | null {
    const paths = Array.from(new Set([...records[0].files.keys(), ...records[1].files.keys()])).sort()
    const changed = paths.filter(path => records[0].files.get(path)?.sha256 !== records[1].files.get(path)?.sha256)
    const [open, setOpen] = useState<string | null>(null)
    const path = open ?? (changed.length === 1 ? changed[0]! : null)
    if (paths.length === 0) return null
    return (
        <section className="card compared" aria-label="Code files">
            <div className="compared-head"><h3>Code files</h3><span className="muted num">{plural(changed.length, "file")} of {formatCount(paths.length)} differ{changed.length === 1 ? "s" : ""}</span></div>
            <p style={{ display: "flex", flexWrap: "wrap", gap: 6, padding: "0 12px 10px" }}>{changed.map(one => (
                <button key={one} className="button" aria-pressed={path === one} onClick={() => setOpen(path === one ? "" : one)}>{one}{!records[0].files.has(one) ? ` (only ${names[1]})` : !records[1].files.has(one) ? ` (only ${names[0]})` : ""}</button>
            ))}</p>
            {path && <FileDifference key={path} path={path} runs={runs} records={records} names={names} />}
        </section>
    )
}

function FileDifference({ path, runs, records, names }: { path: string; runs: [Run, Run]; records: [Records, Records]; names: [string, string] }): JSX.Element {
    const found = useResource(`texts/${runs[0].id}/${runs[1].id}/${path}`, () => Promise.all(runs.map((run, index) => {
        const artifact = records[index]!.files.get(path)
        return artifact ? textOf(run, artifact) : ""
    })))
    if (found.error) return <Failure error={found.error} />
    return found.data ? <LineDifference before={found.data[0]!} after={found.data[1]!} names={names} /> : <Skeleton rows={4} />
}

/** Clock times, dates and numbers: what differs in every run's output. */
const numbers = /\d+(?:[.:,\-/]\d+)*(?:e[-+]?\d+)?/gi

function Output({ one, other, names }: { one: Run; other: Run; names: [string, string] }): JSX.Element {
    const found = useResource(`outputs/${one.id}/${other.id}`, () => Promise.all([outputOf(one), outputOf(other)]))
    const [isLoose, setLoose] = useState(true)
    const [a, b] = found.data ?? []
    return (
        <section className="card compared" aria-label="Console">
            <div className="compared-head"><h3>Console</h3><span className="grow" />
                {(a?.text || b?.text) && <label className="label"><input type="checkbox" checked={isLoose} onChange={event => setLoose(event.target.checked)} /> lines that differ in numbers alone are the same</label>}</div>
            {found.error ? <Failure error={found.error} /> : !a || !b ? <Skeleton rows={3} />
                : !a.text && !b.text ? <p className="muted">Neither run sent what it printed.</p>
                : <>
                    {(a.isCut || b.isCut) && <p className="muted">What was printed beyond the limit is not compared.</p>}
                    <LineDifference before={a.text} after={b.text} names={names} alike={isLoose ? line => line.replace(numbers, "0") : undefined} />
                </>}
        </section>
    )
}

const shownMax = 1500

export function LineDifference({ before, after, names, alike }: { before: string; after: string; names: [string, string]; alike?: ((line: string) => string) | undefined }): JSX.Element {
    const isLoose = alike !== undefined
    const edits = useMemo(() => differenceOf(linesOf(before), linesOf(after), alike), [before, after, isLoose])
    const hunks = useMemo(() => hunksOf(edits), [edits])
    const count = (kind: "in" | "out"): number => edits.filter(edit => edit.kind === kind).length
    if (count("in") + count("out") === 0) return <p className="muted">{edits.length ? `All ${plural(edits.length, "line")} are the same.` : "Both are empty."}</p>
    const rows: ReactNode[] = hunks.slice(0, shownMax).map((one, index) => typeof one === "number"
        ? <div key={index} className="left-out">{plural(one, "same line")}</div>
        : <div key={index} className={one.kind}><span aria-label={one.kind === "in" ? "only there" : one.kind === "out" ? "only here" : undefined}>{one.kind === "in" ? "+" : one.kind === "out" ? "−" : " "}</span>{one.text || " "}</div>)
    return (
        <>
            <p className="muted num" style={{ paddingTop: 0 }}>− {plural(count("out"), "line")} only in {names[0]} · + {plural(count("in"), "line")} only in {names[1]}{hunks.length > shownMax && ` · the first ${formatCount(shownMax)} shown`}</p>
            <div className="lines" tabIndex={0} role="group" aria-label="Lines that differ">{rows}</div>
        </>
    )
}
