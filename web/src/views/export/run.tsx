// A run as one file: what it was, what it gave, its curves and notes.
import "../../core"
import { all, get } from "../../api/client"
import { type MetricStatistics, type Note, type Run, numberOf } from "../../api/types"
import { numberOfShortID } from "../../charts/palette"
import { exactNumber, formatBytes, formatCount, formatDuration, formatNumber, formatValue, fullTime } from "../../ui/format"
import Markdown from "../../ui/Markdown"
import { Pictures, fileOf, picturesOf } from "./page"

const artifactsShown = 200

export async function runFile(run: Run): Promise<string> {
    const [{ metrics }, notes] = await Promise.all([get<{ metrics: MetricStatistics[] }>(`runs/${run.id}/metrics`), all<Note>(`runs/${run.id}/notes`, "notes")])
    const subject = { key: run.id, label: run.name, number: numberOfShortID(run.short_id), runs: [run.id], isGroup: false }
    const { pictures, left } = await picturesOf([subject], metrics.filter(metric => metric.count > 1).map(metric => metric.metric))
    const facts: [string, string | null][] = [
        ["id", run.id], ["project", run.project], ["experiment", run.experiment_name], ["state", run.state], ["started", fullTime(run.start_time)],
        ["ended", run.end_time ? fullTime(run.end_time) : null], ["duration", formatDuration(run.duration_seconds)], ["user", run.user], ["commit", run.git_commit], ["source", run.source],
    ]
    return fileOf(run.name, (
        <>
            {run.description && <p>{run.description}</p>}
            <h2>Run</h2>
            <table><tbody>{facts.filter(([, value]) => value).map(([name, value]) => <tr key={name}><td className="muted">{name}</td><td className="wrap">{value}</td></tr>)}{Object.keys(run.tags).length > 0 && <tr><td className="muted">tags</td><td>{Object.entries(run.tags).map(([key, value]) => (value ? `${key}: ${value}` : key)).join(", ")}</td></tr>}</tbody></table>
            <h2>Params</h2>
            {Object.keys(run.params).length === 0 ? <p className="muted">None was logged.</p> : <table><tbody>{Object.entries(run.params).map(([key, value]) => <tr key={key}><td>{key}</td><td className="mono wrap">{formatValue(value)}</td></tr>)}</tbody></table>}
            <h2>Metrics</h2>
            {metrics.length === 0 ? <p className="muted">None was logged.</p> : (
                <div className="scroll"><table>
                    <thead><tr><th>Metric</th><th className="r">Last</th><th className="r">Least</th><th className="r">Greatest</th><th className="r">Points</th><th className="r">NaN or ∞</th></tr></thead>
                    <tbody>{metrics.map(metric => <tr key={metric.metric}><td>{metric.metric}</td><td className="r" title={exactNumber(numberOf(metric.value))}>{formatNumber(numberOf(metric.value), 6)}</td><td className="r">{formatNumber(metric.min)}</td><td className="r">{formatNumber(metric.max)}</td><td className="r">{formatCount(metric.count)}</td><td className="r">{metric.nan + metric.inf ? formatCount(metric.nan + metric.inf) : ""}</td></tr>)}</tbody>
                </table></div>
            )}
            <Pictures pictures={pictures} left={left} />
            {notes.length > 0 && <h2>Notes</h2>}
            {notes.map(note => <article key={note.note}><p className="muted">{note.author} · {fullTime(note.created_at)}{note.metric && ` · ${note.metric} at step ${note.step ?? "?"}`}</p><Markdown text={note.text} /></article>)}
            {run.artifacts.length > 0 && <>
                <h2>Artifacts</h2>
                <table><tbody>{run.artifacts.slice(0, artifactsShown).map(artifact => <tr key={artifact.path}><td className="wrap">{artifact.path}</td><td className="r">{formatBytes(artifact.size_bytes)}</td><td className="mono wrap muted">{artifact.sha256 ?? artifact.uri}</td></tr>)}</tbody></table>
                {run.artifacts.length > artifactsShown && <p className="muted">{formatCount(run.artifacts.length - artifactsShown)} more.</p>}
            </>}
        </>
    ))
}
