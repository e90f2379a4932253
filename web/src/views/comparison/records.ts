// What two runs recorded of their code, their environment and their output, in a shape that can be compared.
import { all, apiAddress, get, part } from "../../api/client"
import type { Artifact, Json, Run } from "../../api/types"
import { formatValue } from "../../ui/format"

export type Pairs = Map<string, string>

export interface Records {
    code: Pairs
    packages: Pairs
    machine: Pairs
    /** Texts of the code by path: the patch of what was not committed, and files beside it. */
    files: Map<string, Artifact>
}

interface Fact { kind: string; data: Json }

/** What describes a moment or a place and not the code: it differs for every run. */
const passing = new Set(["root", "working_folder", "executable"])

export async function recordsOf(run: Run): Promise<Records> {
    const facts = await all<Fact>(`runs/${run.id}/facts?limit=1000`, "facts")
    const fact = (kind: string): Record<string, Json> => {
        const data = facts.find(one => one.kind === kind)?.data
        return data && typeof data === "object" && !Array.isArray(data) ? data : {}
    }
    const code: Pairs = new Map()
    const put = (pairs: Pairs, key: string, value: Json | undefined | null): void => {
        if (value === null || value === undefined || value === "" || passing.has(key)) return
        if (typeof value === "object" && !Array.isArray(value)) for (const [inner, one] of Object.entries(value)) put(pairs, `${key}.${inner}`, one)
        else pairs.set(key, formatValue(value))
    }
    for (const [key, value] of Object.entries(fact("git"))) put(code, key, value)
    put(code, "commit", run.git_commit)
    put(code, "version", run.code_version)
    put(code, "source", run.source)
    const packages: Pairs = new Map()
    const machine: Pairs = new Map()
    for (const [key, value] of Object.entries(run.environment ?? {})) {
        if (key === "packages" && value && typeof value === "object" && !Array.isArray(value)) for (const [name, version] of Object.entries(value)) put(packages, name, version)
        else put(machine, key, value)
    }
    for (const [key, value] of Object.entries(fact("infrastructure"))) put(key === "command" ? code : machine, key, value)
    const listed = run.artifacts.find(artifact => artifact.path === "requirements.txt") ?? run.artifacts.find(artifact => artifact.path.endsWith("/requirements.txt"))
    if (listed) {
        for (const line of (await textOf(run, listed)).split("\n")) {
            const found = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:===?\s*([^\s;#]+)|([<>~!]=?[^;#]+))?/.exec(line)
            if (found) packages.set(found[1]!.toLowerCase().replace(/_/g, "-"), (found[2] ?? found[3] ?? "any version").trim())
        }
    }
    const files = new Map(run.artifacts.filter(artifact => artifact.sha256 && (artifact.path.startsWith("code/") || /\.(diff|patch)$/.test(artifact.path))).map(artifact => [artifact.path, artifact]))
    return { code, packages, machine, files }
}

const textMax = 1_000_000

export async function textOf(run: Run, artifact: Artifact): Promise<string> {
    if (artifact.size_bytes > textMax) return `(${artifact.size_bytes} bytes: too long to compare here)`
    const answer = await fetch(apiAddress(`runs/${run.id}/artifacts/${artifact.path.split("/").map(part).join("/")}`))
    return answer.ok ? answer.text() : `(the server answered ${answer.status})`
}

const consoleMax = 2_000_000

/** What a run printed, up to a limit, which `isCut` tells of. */
export async function outputOf(run: Run): Promise<{ text: string; isCut: boolean }> {
    let [text, after] = ["", 0]
    for (;;) {
        const { chunks, dropped_bytes } = await get<{ chunks: { number: number; text: string }[]; dropped_bytes: number }>(`runs/${run.id}/console?after=${after}&limit=1000`)
        text += chunks.map(chunk => chunk.text).join("")
        if (text.length > consoleMax) return { text: text.slice(0, consoleMax), isCut: true }
        if (chunks.length < 1000) return { text, isCut: dropped_bytes > 0 }
        after = chunks[chunks.length - 1]!.number
    }
}

export interface Difference { key: string; one: string | undefined; other: string | undefined }

export function differencesOf(one: Pairs, other: Pairs): { rows: Difference[]; same: number } {
    const keys = Array.from(new Set([...one.keys(), ...other.keys()])).sort()
    const rows = keys.map(key => ({ key, one: one.get(key), other: other.get(key) })).filter(row => row.one !== row.other)
    return { rows, same: keys.length - rows.length }
}
