// What is done to many runs at once. Each of it can be undone from the message that says that it was done.
import { get, part, patch, post, remove } from "../api/client"
import type { Run } from "../api/types"
import { plural } from "../ui/format"
import { toast } from "../ui/parts"
import type { RunRow } from "./runs"

const failed = (error: Error): void => toast(error.message)

export function deleteRuns(ids: string[], then: () => void): void {
    Promise.all(ids.map(run => remove(`runs/${run}`))).then(() => {
        then()
        toast(`${plural(ids.length, "run")} deleted`, () => void Promise.all(ids.map(run => post(`runs/${run}/restore`, {}))).then(then, failed))
    }, failed)
}

export function tagRuns(ids: string[], then: () => void): void {
    const tag = window.prompt("Tag, as name or name=value")?.trim()
    if (!tag) return
    const [name = "", value] = tag.split(/=(.*)/s)
    const setTo = (run: string, text: string | null): Promise<unknown> => post(`runs/${run}/tags`, { tags: text === null ? [name] : { [name]: text } })
    // Those that have it already get it back as it was when this is undone.
    Promise.all(ids.map(async run => ({ run, before: (await get<Run>(`runs/${run}`)).tags[name] }))).then(async known => {
        await Promise.all(ids.map(run => setTo(run, value ?? null)))
        then()
        toast(`${plural(ids.length, "run")} tagged`, () => void Promise.all(known.map(({ run, before }) => (before === undefined ? remove(`runs/${run}/tags/${part(name)}`) : setTo(run, before)))).then(then, failed))
    }).catch(failed)
}

export function archiveRuns(picked: RunRow[], then: () => void): void {
    // What still runs has no end yet that could be put away.
    const ended = picked.filter(row => row.state !== "running" && row.state !== "queued" && row.state !== "archived")
    const left = picked.length - ended.length
    if (ended.length === 0) return toast("Only runs that have ended, and are not archived yet, can be archived")
    const setStatus = (statusOf: (row: RunRow) => string): Promise<unknown> => Promise.all(ended.map(row => patch(`runs/${row.id}`, { status: statusOf(row) })))
    setStatus(() => "ARCHIVED").then(() => {
        then()
        toast(`${plural(ended.length, "run")} archived${left ? `, ${left} left as ${left === 1 ? "it is" : "they are"}` : ""}`, () => void setStatus(row => row.status || row.state.toUpperCase()).then(then, failed))
    }, failed)
}
