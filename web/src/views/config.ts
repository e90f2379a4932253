// A run's settings in the words of a file, a command line and a program; what is pasted means what was logged.
import type { Json } from "../api/types"

type Params = Record<string, Json>

/** Text that YAML takes for itself: no number, no date, no truth value, no sign that it reads. */
function isPlain(text: string): boolean {
    return /^[A-Za-z_][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
}

// JSON is YAML, so what is not plain stands as JSON.
const yaml = (value: Json): string => (typeof value === "string" && isPlain(value) ? value : JSON.stringify(value))

/** For sh and its relatives: nothing is left in the word that they would read. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`)

function python(value: Json): string {
    if (value === null) return "None"
    if (typeof value === "boolean") return value ? "True" : "False"
    if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`
    if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${python(one)}`).join(", ")}}`
    return JSON.stringify(value)
}

export function asYAML(params: Params): string {
    return Object.entries(params).map(([key, value]) => `${yaml(key)}: ${yaml(value)}\n`).join("")
}

export function asOptions(params: Params): string {
    return Object.entries(params).map(([key, value]) => word(`--${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)).join(" ")
}

export function asPython(params: Params): string {
    return `config = {\n${Object.entries(params).map(([key, value]) => `    ${JSON.stringify(key)}: ${python(value)},\n`).join("")}}\n`
}
