// The part of YAML that tools write for machines: indented maps, lists, and words that may be quoted. What is more, such as
// anchors, stays as the text that it is.

export type Tree = string | Tree[] | { [key: string]: Tree }

interface Line { indent: number; text: string }

export function yamlTree(text: string): Tree {
    const lines = text.split("\n").filter(line => line.trim() && !/^\s*#|^---|^%/.test(line)).map((line): Line => ({ indent: line.search(/\S/), text: line.trim() }))
    let at = 0
    const block = (indent: number): Tree => {
        const isList = lines[at]!.text === "-" || lines[at]!.text.startsWith("- ")
        const list: Tree[] = []
        const map: { [key: string]: Tree } = {}
        while (at < lines.length && lines[at]!.indent === indent) {
            const line = lines[at]!
            if (isList) {
                if (!/^-( |$)/.test(line.text)) break
                const rest = line.text.slice(1).trimStart()
                // What follows the dash begins a block at its own place.
                if (rest) lines[at] = { indent: indent + line.text.length - rest.length, text: rest }
                else at += 1
                list.push(/^[\w.-]+:( |$)/.test(rest) || !rest ? block(lines[at]?.indent ?? indent) : scalar(rest, indent))
                continue
            }
            const found = /^("[^"]*"|'[^']*'|[^:]+?):(?:\s+(.*))?$/.exec(line.text)
            if (!found) { at += 1; continue }
            const key = unquoted(found[1]!)
            const next = lines[at + 1]
            if (found[2]) map[key] = scalar(found[2], indent)
            else if (next && (next.indent > indent || next.indent === indent && /^-( |$)/.test(next.text))) { at += 1; map[key] = block(next.indent) } else { at += 1; map[key] = "" }
        }
        return isList ? list : map
    }
    /** A word, with the lines that go on with it because they are further in. */
    const scalar = (first: string, indent: number): string => {
        at += 1
        const isKept = /^[|>][+-]?$/.test(first)
        const parts = isKept ? [] : [first]
        while (at < lines.length && lines[at]!.indent > indent) parts.push(lines[at++]!.text)
        return unquoted(parts.join(isKept && first.startsWith("|") ? "\n" : " "))
    }
    const whole: { [key: string]: Tree } = {}
    while (at < lines.length) {
        const before = at
        const found = block(lines[at]!.indent)
        if (typeof found === "object" && !Array.isArray(found)) Object.assign(whole, found)
        if (at === before) at += 1
    }
    return whole
}

function unquoted(text: string): string {
    if (/^'.*'$/.test(text)) return text.slice(1, -1).replace(/''/g, "'")
    if (/^".*"$/.test(text)) {
        try {
            return JSON.parse(text) as string
        } catch {
            return text.slice(1, -1)
        }
    }
    return text
}
