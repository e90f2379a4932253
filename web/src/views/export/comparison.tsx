// A comparison as one file: params and metrics, curves, and what else differs between two runs.
import "../../core"
import type { Meaning } from "../../api/meanings"
import { type Run, numberOf } from "../../api/types"
import { strokeOf } from "../../charts/palette"
import type { Subject } from "../../charts/subjects"
import { exactNumber, formatDuration, formatNumber, formatValue, plural } from "../../ui/format"
import { bestOf } from "../comparison/best"
import { differenceOf, hunksOf, linesOf } from "../comparison/lines"
import { type Pairs, type Records, differencesOf, recordsOf, textOf } from "../comparison/records"
import { Pictures, fileOf, picturesOf } from "./page"

export async function comparisonFile(runs: Run[], subjects: Subject[], metrics: string[], meanings: Map<string, Meaning>, range: [number, number] | null): Promise<string> {
    const { pictures, left } = await picturesOf(subjects, metrics, { range })
    const records = runs.length === 2 ? await Promise.all(runs.map(recordsOf)) : null
    const files = records ? await changedFiles([runs[0]!, runs[1]!], [records[0]!, records[1]!]) : []
    const params = Array.from(new Set(runs.flatMap(run => Object.keys(run.params))))
    const differs = (key: string): boolean => new Set(runs.map(run => JSON.stringify(run.params[key]))).size > 1
    const title = runs.length === 2 ? `${runs[0]!.name} and ${runs[1]!.name}` : `${runs.length} runs compared`
    return fileOf(title, (
        <>
            <h2>Side by side</h2>
            <div className="scroll"><table>
                <thead><tr><td />{runs.map((run, index) => <th key={run.id}><i className="key" style={{ background: strokeOf(subjects[index]!.number, "light").colour }} />{run.name}</th>)}</tr></thead>
                <tbody>
                    <tr><td className="muted">id</td>{runs.map(run => <td key={run.id} className="mono">{run.id}</td>)}</tr>
                    <tr><td className="muted">experiment</td>{runs.map(run => <td key={run.id}>{run.experiment_name}</td>)}</tr>
                    <tr><td className="muted">state</td>{runs.map(run => <td key={run.id}>{run.state}</td>)}</tr>
                    <tr><td className="muted">duration</td>{runs.map(run => <td key={run.id}>{formatDuration(run.duration_seconds)}</td>)}</tr>
                    {params.map(key => <tr key={key}><td className={differs(key) ? undefined : "muted"}>{key}</td>{runs.map(run => <td key={run.id} className={`mono wrap${differs(key) ? "" : " muted"}`}>{run.params[key] === undefined ? "–" : formatValue(run.params[key])}</td>)}</tr>)}
                </tbody>
            </table></div>
            {metrics.length > 0 && <><h2>Metrics</h2><div className="scroll"><table>
                <thead><tr><th>Latest value</th><th>Better</th>{runs.map(run => <th key={run.id} className="r">{run.name}</th>)}</tr></thead>
                <tbody>{metrics.map(name => {
                    const values = runs.map(run => numberOf(run.metrics[name]))
                    const meaning = meanings.get(name)
                    const best = bestOf(values, meaning)
                    return <tr key={name}><td>{name}</td><td className="muted">{meaning ? `${meaning.goal === "min" ? "less" : "more"}${meaning.isGuessed ? " (a guess)" : ""}` : ""}</td>{values.map((value, index) => <td key={index} className={`r${value !== null && value === best ? " best" : ""}`} title={exactNumber(value)}>{formatNumber(value, 6)}</td>)}</tr>
                })}</tbody>
            </table></div></>}
            <Pictures pictures={pictures} left={left} />
            {records && <>
                <h2>What else differs</h2>
                {(["code", "packages", "machine"] as const).map(kind => <Kind key={kind} name={kind[0]!.toUpperCase() + kind.slice(1)} pairs={[records[0]![kind], records[1]![kind]]} names={[runs[0]!.name, runs[1]!.name]} />)}
                {files.map(file => <div key={file.path}><h3>{file.path}</h3><pre>{hunksOf(differenceOf(linesOf(file.before), linesOf(file.after))).map((one, index) => typeof one === "number" ? <div key={index} className="left-out">{plural(one, "same line")}</div> : <div key={index} className={one.kind}>{one.kind === "in" ? "+ " : one.kind === "out" ? "− " : "  "}{one.text}</div>)}</pre></div>)}
            </>}
        </>
    ))
}

function Kind({ name, pairs, names }: { name: string; pairs: [Pairs, Pairs]; names: [string, string] }): JSX.Element {
    const { rows, same } = differencesOf(...pairs)
    return (
        <>
            <h3>{name}</h3>
            {rows.length === 0 ? <p className="muted">{same ? `All ${same} the same.` : "Not recorded."}</p> : <table><thead><tr><td />{names.map((one, index) => <th key={index}>{one}</th>)}</tr></thead><tbody>{rows.map(row => <tr key={row.key}><td>{row.key}</td><td className="mono wrap">{row.one ?? "–"}</td><td className="mono wrap">{row.other ?? "–"}</td></tr>)}</tbody></table>}
        </>
    )
}

async function changedFiles(runs: [Run, Run], records: [Records, Records]): Promise<{ path: string; before: string; after: string }[]> {
    const paths = Array.from(new Set([...records[0].files.keys(), ...records[1].files.keys()])).sort()
    const changed = paths.filter(path => records[0].files.get(path)?.sha256 !== records[1].files.get(path)?.sha256)
    return Promise.all(changed.map(async path => {
        const [before, after] = await Promise.all(runs.map((run, index) => { const artifact = records[index]!.files.get(path); return artifact ? textOf(run, artifact) : "" }))
        return { path, before: before!, after: after! }
    }))
}
