// A confusion matrix: rows are what is true, columns what was predicted. Shades are shares of a row, so that a rare class is seen too.
import { useMemo, useState } from "react"
import { exactNumber, formatNumber } from "../../ui/format"
import { download } from "../../ui/parts"

export interface MatrixData { labels: unknown[]; matrix: number[][] }

const percent = (share: number): string => (Number.isNaN(share) ? "–" : `${(share * 100).toFixed(1)} %`)
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)

export function Matrix({ data, name }: { data: MatrixData; name: string }): JSX.Element {
    const [isShare, setShare] = useState(false)
    const labels = data.labels.map(label => (typeof label === "string" ? label : JSON.stringify(label)))
    const { matrix } = data
    const about = useMemo(() => {
        const rows = matrix.map(sum)
        const columns = labels.map((_, column) => sum(matrix.map(row => row[column]!)))
        const right = labels.map((_, index) => matrix[index]![index]!)
        return { rows, accuracy: sum(right) / sum(rows), recall: right.map((count, index) => count / rows[index]!), precision: right.map((count, index) => count / columns[index]!) }
    }, [matrix])
    const save = (): void => {
        const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
        download(`${name}.csv`, "text/csv", [["true \\ predicted", ...labels], ...matrix.map((row, index) => [labels[index]!, ...row.map(String)])].map(line => line.map(cell).join(",")).join("\n") + "\n")
    }
    return (
        <>
            <div className="data-tools">
                <span><b className="num">{percent(about.accuracy)}</b> <span className="muted">right of {formatNumber(sum(about.rows), 9)}</span></span><span className="grow" />
                <button className="button" aria-pressed={isShare} onClick={() => setShare(!isShare)}>Shares of a row</button>
                <button className="button" onClick={save}>Save as CSV</button>
            </div>
            <div className="matrix" tabIndex={0} role="region" aria-label={`Confusion matrix, ${labels.length} classes`}>
                <table>
                    <thead><tr><th className="muted">true ↓ predicted →</th>{labels.map((label, index) => <th key={index} scope="col" title={label}>{label}</th>)}<th scope="col" className="muted" title="Of those that are of this class, how many were found">Recall</th></tr></thead>
                    <tbody>
                        {matrix.map((row, at) => (
                            <tr key={at}>
                                <th scope="row" title={labels[at]}>{labels[at]}</th>
                                {row.map((count, column) => {
                                    const share = about.rows[at] ? count / about.rows[at]! : 0
                                    return <td key={column} title={`${labels[at]} taken for ${labels[column]}: ${exactNumber(count)}, ${percent(share)} of the row`} style={{ background: `color-mix(in srgb, var(--${at === column ? "accent" : "bad"}) ${Math.round(Math.max(0, Math.min(1, share)) * 48)}%, var(--raised))` }}>{isShare ? percent(share) : formatNumber(count, 6)}</td>
                                })}
                                <td className="muted">{percent(about.recall[at]!)}</td>
                            </tr>
                        ))}
                        <tr><th scope="row" className="muted" title="Of those that were taken for this class, how many are">Precision</th>{about.precision.map((share, index) => <td key={index} className="muted">{percent(share)}</td>)}<td /></tr>
                    </tbody>
                </table>
            </div>
        </>
    )
}
