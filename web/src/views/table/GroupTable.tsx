// Runs that agree in some params as one line: what their metrics came to on average.
import { strokeOf } from "../../charts/palette"
import { formatNumber } from "../../ui/format"
import type { groupRuns } from "../runs"
import type { Column } from "./columns"

export function GroupTable({ groups, columns, theme }: { groups: ReturnType<typeof groupRuns>; columns: Column[]; theme: string }): JSX.Element {
    const metrics = columns.filter(column => column.id.startsWith("metrics."))
    return (
        <div style={{ overflow: "auto", flex: 1 }} tabIndex={0} role="region" aria-label="Groups">
            <table className="plain">
                <thead><tr><th>Group</th><th className="r">n</th>{metrics.map(column => <th key={column.id} className="r">{column.name} (mean ± std)</th>)}</tr></thead>
                <tbody>{groups.map(group => (
                    <tr key={group.key}>
                        <td style={{ whiteSpace: "nowrap" }}><i style={{ display: "inline-block", width: 9, height: 9, borderRadius: 3, marginRight: 8, background: strokeOf(group.number, theme).colour }} />{group.label}</td><td className="r">{group.members.length}</td>
                        {metrics.map(column => {
                            const values = group.members.map(row => row.metrics[column.id.slice(8)]).filter((value): value is number => value != null && Number.isFinite(value))
                            const mean = values.reduce((sum, value) => sum + value, 0) / values.length
                            const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1))
                            return <td key={column.id} className="r">{values.length === 0 ? "–" : <>{formatNumber(mean)} <span className="muted">{values.length > 1 && `± ${formatNumber(deviation, 2)}`}{values.length < group.members.length && ` · n ${values.length}`}</span></>}</td>
                        })}
                    </tr>
                ))}</tbody>
            </table>
        </div>
    )
}
