// A comparison that was kept: the numbers of its moment, whatever has arrived since, until somebody looks again.
import "../core"
import { useCallback, useMemo, useState } from "react"
import { get, part, post, remove } from "../api/client"
import { invalidate, useResource } from "../api/resource"
import type { Meaning } from "../api/meanings"
import { Link, navigate, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { useTheme } from "../app/theme"
import { type Curve, curveOf } from "../charts/curve"
import { Panel } from "../charts/Panel"
import type { PanelSettings, Subject } from "../charts/subjects"
import { formatAgo, fullTime } from "../ui/format"
import { Empty, Failure, Icon, Menu, Skeleton, copy, toast } from "../ui/parts"
import { SideBySide, numbersOf } from "./comparison/SideBySide"
import { SeenExperiments } from "./comparison/SeenExperiments"
import type { SeenComparison } from "./comparison/keeping"

const noRange: PanelSettings = { axis: "step", xMetric: null, smoothing: 0, isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: null }

export default function Visualization({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const version = query.get("version")
    const found = useResource(`comparison/${id}|${version ?? ""}`, () => get<SeenComparison>(`comparisons/${part(id)}${version ? `?version=${part(version)}` : ""}`))
    const [isBusy, setBusy] = useState(false)
    const seen = found.data
    const refresh = (): void => {
        setBusy(true)
        post<SeenComparison>(`comparisons/${part(id)}/refresh`, {}).then(newest => {
            invalidate(`comparison/${id}`)
            setQuery({ version: null })
            toast(`Version ${newest.version} is what stands now`)
        }, (error: Error) => toast(error.message)).finally(() => setBusy(false))
    }
    const drop = (): void => void remove(`comparisons/${part(id)}`).then(() => {
        invalidate("comparisons")
        navigate("/compare")
        toast("Comparison deleted")
    }, (error: Error) => toast(error.message))
    const shown = seen?.versions[seen.version - 1]
    const newest = seen?.versions.length
    return (
        <Frame crumbs={[{ name: "Comparisons", to: "/compare" }, { name: seen?.name ?? id }]}>
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                {found.error ? <Failure error={found.error} again={found.reload} /> : !seen || !shown ? <Skeleton rows={12} /> : (
                    <>
                        <div className="head">
                            <div className="grow"><h1 className="cut">{seen.name}</h1>
                                <p className="lead">As it stood <time dateTime={shown.created_at}>{fullTime(shown.created_at)}</time> ({formatAgo(shown.created_at)}), kept by {shown.author}.{seen.version !== newest && <> Not the newest version.</>}</p></div>
                            {newest! > 1 && <label className="label">Version <select className="select" value={seen.version} onChange={event => setQuery({ version: Number(event.target.value) === newest ? null : event.target.value })}>{[...seen.versions].reverse().map(one => <option key={one.version} value={one.version}>{one.version} · {fullTime(one.created_at)}</option>)}</select></label>}
                            {seen.kind === "runs" && <Link className="button" title="The same runs, live" to={`/compare?runs=${seen.members.join(",")}`}>As they stand now</Link>}
                            <button className="button" disabled={isBusy} title="Look again and keep that as the next version; this one stays" onClick={refresh}><Icon name="reset" />Refresh</button>
                            <Menu label="More of this comparison" icon="more"><button onClick={() => copy(location.href, "Link")}>Copy link<Icon name="link" /></button><button onClick={drop}>Delete</button></Menu>
                        </div>
                        {seen.data.experiments ? <SeenExperiments seen={seen} experiments={seen.data.experiments} /> : <SeenRuns seen={seen} />}
                    </>
                )}
            </main>
        </Frame>
    )
}

function SeenRuns({ seen }: { seen: SeenComparison }): JSX.Element {
    const theme = useTheme()
    const { runs, metrics, curves } = seen.data
    const [range, setRange] = useState<[number, number] | null>(null)
    const settings = useMemo(() => ({ ...noRange, range }), [range])
    const numbers = useMemo(() => numbersOf(runs), [runs])
    const subjects: Subject[] = useMemo(() => runs.map((run, index) => ({ key: run.id, label: run.name, number: numbers[index]!, runs: [run.id], isGroup: false })), [runs, numbers])
    const known = useMemo(() => new Map<string, Curve>((curves?.curves ?? []).map(wire => [`${wire.run_id}|${wire.metric}`, curveOf(wire)])), [curves])
    const kept = useCallback((run: string, metric: string) => known.get(`${run}|${metric}`), [known])
    const meanings = useMemo(() => new Map(metrics.flatMap(one => (one.goal ? [[one.metric, { goal: one.goal, isGuessed: one.goal_guessed }] as [string, Meaning]] : []))), [metrics])
    const drawn = metrics.filter(one => curves?.curves.some(curve => curve.metric === one.metric))
    const names = metrics.map(one => one.metric)
    return (
        <>
            <SideBySide runs={runs} numbers={numbers} metrics={names} meaningOf={name => meanings.get(name)} theme={theme} />
            {seen.visualization === "curves" && <>
                <div className="section-title"><h2>Curves</h2></div>
                {drawn.length === 0 ? <Empty title="No curves were kept">The runs had no points then.</Empty>
                    : <div className="grid">{drawn.map(one => <Panel key={one.metric} metric={one.metric} subjects={subjects} settings={settings} theme={theme} highlight={null} isStarred={false} onStar={() => undefined} onRange={setRange} kept={kept} />)}</div>}
                {drawn.length < names.length && drawn.length > 0 && <p className="stat-foot">Curves of {drawn.length} of {names.length} metrics were kept.</p>}
            </>}
        </>
    )
}
