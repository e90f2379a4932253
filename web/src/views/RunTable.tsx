// The table of all runs of an experiment, up to 100,000: the server sorts and filters, and only cells in sight are in the
// page.
import { useEffect, useMemo, useRef, useState } from "react"
import { get, part } from "../api/client"
import { useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import type { LoggedNames } from "../api/types"
import { navigate, setQuery, useAddress } from "../app/router"
import { ExperimentFrame } from "../app/Shell"
import { keep, kept, rowHeight, useDensity, useTheme } from "../app/theme"
import { forgetCurves, growCurves } from "../charts/curves"
import { formatCount, plural } from "../ui/format"
import { Failure, Skeleton, download } from "../ui/parts"
import { FilterField } from "./FilterField"
import { archiveRuns, deleteRuns, tagRuns } from "./bulk"
import { FirstSteps } from "./FirstSteps"
import { firstLook, ordersOf } from "./look"
import { useRenewed } from "./renewal"
import { differing, groupRuns, isSeedName, useRuns } from "./runs"
import { ColumnPicker, GroupChoice, columnsOf, csvOf, differingColumns, namesIn, standardColumns } from "./table/columns"
import { GroupTable } from "./table/GroupTable"
import { PickedRuns, compareAddress } from "./table/PickedRuns"
import { RunGrid } from "./table/RunGrid"

export default function RunTable({ id }: { id: string }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const height = rowHeight[useDensity()]
    const filter = query.get("q") ?? ""
    const order = query.get("sort") ?? "started:desc"
    const names = useResource(`experiment/${id}/names`, () => get<LoggedNames>(`experiments/${part(id)}/names`))
    const chosen = (query.get("columns") ?? kept(`table.${id}`, "")).split(",").filter(Boolean)
    const standard = useMemo(() => (names.data ? standardColumns(names.data) : null), [names.data])
    const [hasLooked, setLooked] = useState(false)
    const known = chosen.length ? chosen : hasLooked ? standard : null
    const [version, setVersion] = useState(0)
    // Until it is known which names there are, a first look at the newest rows brings its own.
    const { limit, ...look } = firstLook(id, filter, ordersOf(query.get("sort")))
    const question = known
        ? { ...look, metrics: namesIn(known, "metrics."), params: namesIn(known, "params."), tags: namesIn(known, "tags."), max: 100_000 }
        : { ...look, max: limit }
    const found = useRuns(`${id}|${filter}|${order}|${known ? known.join(",") : "look"}`, question, version)
    const isOver = found.data !== undefined || found.error !== null
    useEffect(() => { if (isOver) setLooked(true) }, [isOver])
    const [rows, hear] = useRenewed(found.error ? undefined : found.data, question)
    const wanted = known ?? standardColumns({ metrics: Object.keys(rows[0]?.metrics ?? {}), params: Object.keys(rows[0]?.params ?? {}), tags: [] })
    const wantedKey = wanted.join(",")
    // The key stands for the list.
    // eslint-disable-next-line
    const columns = useMemo(() => columnsOf(wanted), [wantedKey])
    const refresh = useRef(0)
    const lookAgain = (): void => {
        if (refresh.current) return
        refresh.current = window.setTimeout(() => {
            refresh.current = 0
            setVersion(old => old + 1)
        }, 500)
    }
    useChanges(`experiment=${part(id)}`, changes => {
        growCurves(changes)
        if (changes.some(change => change.event)) lookAgain()
        else hear(changes)
    }, before => {
        if (found.asked < before) lookAgain()
        forgetCurves(before)
    })
    const [picked, setPicked] = useState<Set<string>>(new Set())
    const [onlyDifferent, setOnlyDifferent] = useState(false)
    const group = query.get("group")
    const different = useMemo(() => differing(rows), [rows])
    const shownColumns = useMemo(() => (onlyDifferent ? differingColumns(columns, different) : columns), [onlyDifferent, columns, different])
    const groups = useMemo(() => (group ? groupRuns(rows, group === "seeds" ? different.filter(name => !isSeedName(name)) : [group]) : null), [rows, group, different])

    const isDone = (): void => {
        setPicked(new Set())
        invalidate(`experiment/${id}`)
        lookAgain()
    }
    return (
        <ExperimentFrame id={id} tab="table">
            <main className="grid-wrap" id="main">
                <h1 className="hidden">Runs</h1>
                <div className="grid-tools">
                    <div style={{ width: 380, maxWidth: "100%" }}><FilterField filter={filter} error={found.error && found.error.status < 500 ? found.error : null} advice={found.data?.advice ?? []} names={names.data} onFilter={value => setQuery({ q: value || null })} /></div>
                    <ColumnPicker names={names.data} wanted={wanted} onChange={next => { keep(`table.${id}`, next.join(",")); setQuery({ columns: next.join(",") }) }} />
                    <GroupChoice group={group} different={different} onChange={next => setQuery({ group: next })} />
                    <button className="button" aria-pressed={onlyDifferent} onClick={() => setOnlyDifferent(!onlyDifferent)}>Differences only</button>
                    <span className="grow" />
                    {picked.size > 0 ? (
                        <>
                            <span className="muted num">{formatCount(picked.size)} picked</span>
                            <button className="button" disabled={picked.size < 2 || picked.size > 50} onClick={() => navigate(compareAddress(picked))}>Compare</button>
                            <button className="button" onClick={() => tagRuns(Array.from(picked), lookAgain)}>Tag</button><button className="button" onClick={() => archiveRuns(rows.filter(row => picked.has(row.id)), isDone)}>Archive</button><button className="button" onClick={() => deleteRuns(Array.from(picked), isDone)}>Delete</button>
                        </>
                    ) : <span className="muted num">{found.data && (rows.length < found.data.total ? `${formatCount(rows.length)} of ${plural(found.data.total, "run")}` : plural(found.data.total, "run"))}</span>}
                    <button className="button" onClick={() => download("runs.csv", "text/csv", csvOf(rows, columns.filter(column => !column.id.startsWith("curve."))))}>CSV</button>
                </div>
                {found.error && found.error.status >= 500 ? <Failure error={found.error} again={lookAgain} /> : names.error ? <Failure error={names.error} /> : found.isLoading && rows.length === 0 ? <Skeleton rows={16} />
                    : rows.length === 0 ? (found.error ? <p className="empty">The filter is not understood yet; what is wrong stands below it.</p> : filter ? <p className="empty">No run fits this filter. <button className="plain-link text" onClick={() => setQuery({ q: null })}>Show all</button></p> : <FirstSteps experiment={id} />)
                    : groups ? <GroupTable groups={groups} columns={shownColumns} theme={theme} />
                    : (
                        <div className="grid-body">
                            <RunGrid id={id} rows={rows} columns={shownColumns} height={height} theme={theme} order={order} picked={picked} setPicked={setPicked} />
                            <PickedRuns experiment={id} rows={rows} picked={picked} theme={theme} />
                        </div>
                    )}
            </main>
        </ExperimentFrame>
    )
}
