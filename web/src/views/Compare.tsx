// Runs side by side: what differs in their settings, what they gave, and their curves in one place.
import "../core"
import { Suspense, lazy, useMemo, useState } from "react"
import { get, part } from "../api/client"
import { type Meaning, fetchMeanings } from "../api/meanings"
import { useResource } from "../api/resource"
import type { Run } from "../api/types"
import { Link, navigate, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { useTheme } from "../app/theme"
import { Panel } from "../charts/Panel"
import type { PanelSettings, Subject } from "../charts/subjects"
import { Empty, Failure, Skeleton, copy, download, toast } from "../ui/parts"
import { Kept } from "./comparison/Kept"
import { SideBySide, numbersOf } from "./comparison/SideBySide"
import { keepComparison } from "./comparison/keeping"

const Differences = lazy(() => import("./comparison/Differences"))
const none: string[] = []

export default function Compare(): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const ids = useMemo(() => (query.get("runs") ?? "").split(",").filter(Boolean).slice(0, 50), [query])
    const [isKeeping, setKeeping] = useState(false)
    const found = useResource(ids.length ? `compare/${ids.join(",")}` : null, () => Promise.all(ids.map(id => get<Run>(`runs/${part(id)}`))))
    const runs = found.data
    const numbers = useMemo(() => numbersOf(runs ?? []), [runs])
    const subjects: Subject[] = useMemo(() => (runs ?? []).map((run, index) => ({ key: run.id, label: run.name, number: numbers[index]!, runs: [run.id], isGroup: false })), [runs, numbers])
    const zoom = query.get("zoom")
    const settings: PanelSettings = useMemo(() => {
        const range = zoom?.split(",").map(Number)
        return { axis: "step", xMetric: null, smoothing: 0, isLogX: false, isLogY: false, clipsOutliers: true, interval: "ci95", range: range?.length === 2 ? [range[0]!, range[1]!] : null }
    }, [zoom])
    const metrics = useMemo(() => Array.from(new Set((runs ?? []).flatMap(run => Object.keys(run.metrics)))).sort(), [runs])
    const shown = useMemo(() => metrics.filter(name => !name.startsWith("system/")), [metrics])
    const meanings = useResource(runs && shown.length ? `meanings/${ids.join(",")}` : null, () => meaningsOf(runs!, shown))
    const save = (): void => {
        import("./export/comparison").then(({ comparisonFile }) => comparisonFile(runs!, subjects, shown, meanings.data ?? new Map<string, Meaning>(), settings.range))
            .then(text => download("comparison.html", "text/html", text), (error: Error) => toast(error.message))
    }
    const keepIt = (): void => {
        setKeeping(true)
        keepComparison(runs!.map(run => run.id)).then(id => navigate(`/visualizations/${part(id)}`), (error: Error) => {
            setKeeping(false)
            toast(error.message)
        })
    }
    return (
        <Frame crumbs={[{ name: "Compare" }]}>
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                <div className="head"><div className="grow"><h1>{runs ? `${runs.length} runs compared` : "Compare"}</h1></div>{runs && runs.length > 1 && <button className="button" disabled={isKeeping} title="As it stands now, at an address of its own" onClick={keepIt}>Keep this comparison</button>}{runs && <button className="button" title="One file that shows this without a server" onClick={save}>Save as HTML</button>}{ids.length > 0 && <button className="button" onClick={() => copy(location.href, "Link")}>Copy link</button>}</div>
                {ids.length < 1 ? <><Empty title="Nothing to compare yet">Pick two or more runs in an experiment’s table, or experiments among the <Link className="text" to="/">projects</Link>, then Compare.</Empty><Kept /></> : found.error ? <Failure error={found.error} again={found.reload} /> : !runs ? <Skeleton rows={12} /> : (
                    <>
                        <SideBySide runs={runs} numbers={numbers} metrics={shown} meaningOf={name => meanings.data?.get(name)} theme={theme} />
                        <div className="section-title"><h2>Curves</h2></div>
                        <div className="grid">{shown.map(name => <Panel key={name} metric={name} subjects={subjects} settings={settings} theme={theme} highlight={null} isStarred={none.includes(name)} onStar={() => undefined} onRange={range => setQuery({ zoom: range ? range.map(value => Number(value.toPrecision(8))).join(",") : null })} />)}</div>
                        {runs.length > 1 && <Suspense fallback={<Skeleton rows={4} />}><Differences runs={runs} /></Suspense>}
                    </>
                )}
            </main>
        </Frame>
    )
}

/** Which way each metric is better; those on which experiments disagree have none. */
async function meaningsOf(runs: Run[], metrics: string[]): Promise<Map<string, Meaning>> {
    const experiments = Array.from(new Set(runs.map(run => run.experiment_id)))
    const answers = await Promise.all(experiments.map(experiment => fetchMeanings(experiment, metrics)))
    const said = new Map<string, Meaning>()
    for (const metric of metrics) {
        const all = answers.map(answer => answer.get(metric)).filter((one): one is Meaning => one !== undefined)
        // What one experiment says counts more than what is guessed for another.
        const stated = all.filter(one => !one.isGuessed)
        const counted = stated.length ? stated : all
        if (counted.length && counted.every(one => one.goal === counted[0]!.goal)) said.set(metric, counted[0]!)
    }
    return said
}
