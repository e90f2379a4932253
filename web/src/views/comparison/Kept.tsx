// The comparisons that were kept, newest first.
import { all } from "../../api/client"
import { useResource } from "../../api/resource"
import { Link } from "../../app/router"
import { formatAgo, fullTime } from "../../ui/format"
import type { KeptComparison } from "./keeping"

export function Kept(): JSX.Element | null {
    const found = useResource("comparisons", () => all<KeptComparison>("comparisons?limit=1000", "comparisons"))
    if (!found.data?.length) return null
    return (
        <>
            <div className="section-title"><h2>Kept comparisons</h2></div>
            <div className="card" style={{ overflowX: "auto" }} tabIndex={0} role="region" aria-label="Kept comparisons">
                <table className="plain">
                    <thead><tr><th>Comparison</th><th>Of</th><th className="r">Versions</th><th className="r">Looked at</th></tr></thead>
                    <tbody>{[...found.data].reverse().map(one => (
                        <tr key={one.id}>
                            <td className="cut"><Link to={`/visualizations/${one.id}`} style={{ fontWeight: 550 }}>{one.name}</Link></td>
                            <td className="muted">{one.members.length} {one.kind}</td><td className="r">{one.versions.length}</td>
                            <td className="r muted" title={fullTime(one.updated_at)}>{formatAgo(one.updated_at)}</td>
                        </tr>
                    ))}</tbody>
                </table>
            </div>
        </>
    )
}
