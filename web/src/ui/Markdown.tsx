// Markdown as React elements made from the parser's tokens: no HTML of a user ever becomes part of the page.
import "../core"
import { type ReactNode, Fragment } from "react"
import { marked } from "marked/lib/marked.esm.js"

type Token = marked.Token & { tokens?: Token[]; items?: Token[]; text?: string; raw: string }

export default function Markdown({ text }: { text: string }): JSX.Element {
    const tokens = marked.lexer(text) as unknown as Token[]
    return <div className="prose">{tokens.map((token, index) => <Fragment key={index}>{block(token)}</Fragment>)}</div>
}

function inside(token: { tokens?: Token[] | undefined; text?: string | undefined }): ReactNode {
    return token.tokens ? token.tokens.map((one, index) => <Fragment key={index}>{inline(one)}</Fragment>) : plain(token.text ?? "")
}

/** The parser escapes what it calls text; React escapes again. */
function plain(text: string): string {
    return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&")
}

function block(token: Token): ReactNode {
    const any = token as unknown as { type: string; depth: number; ordered: boolean; header: Token[]; rows: Token[][]; task?: boolean; checked?: boolean }
    switch (token.type as string) {
        case "heading": return any.depth === 1 ? <h1>{inside(token)}</h1> : any.depth === 2 ? <h2>{inside(token)}</h2> : <h3>{inside(token)}</h3>
        case "paragraph": return <p>{inside(token)}</p>
        case "code": return <pre><code>{token.text}</code></pre>
        case "blockquote": return <blockquote>{(token.tokens ?? []).map((one, index) => <Fragment key={index}>{block(one)}</Fragment>)}</blockquote>
        case "hr": return <hr />
        case "list": {
            const items = (token.items ?? []).map((item, index) => <li key={index}>{(item.tokens ?? []).map((one, place) => <Fragment key={place}>{block(one)}</Fragment>)}</li>)
            return any.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
        }
        case "table":
            return (
                <table>
                    <thead><tr>{any.header.map((cell, index) => <th key={index}>{inside(cell)}</th>)}</tr></thead>
                    <tbody>{any.rows.map((row, index) => <tr key={index}>{row.map((cell, place) => <td key={place}>{inside(cell)}</td>)}</tr>)}</tbody>
                </table>
            )
        case "space": return null
        case "text": return <>{inside(token)}</>
        default: return <p>{token.raw}</p>
    }
}

function inline(token: Token): ReactNode {
    const any = token as unknown as { href: string }
    switch (token.type as string) {
        case "strong": return <strong>{inside(token)}</strong>
        case "em": return <em>{inside(token)}</em>
        case "del": return <del>{inside(token)}</del>
        case "codespan": return <code>{plain(token.text ?? "")}</code>
        case "br": return <br />
        // Only addresses that cannot run anything.
        case "link": return /^(https?:|mailto:|[/#.\w-]+$)/i.test(any.href) && !/^javascript:/i.test(any.href) ? <a href={any.href} rel="noreferrer noopener" target="_blank">{inside(token)}</a> : <>{inside(token)}</>
        case "image": return <span className="muted">[{plain(token.text ?? "")}]</span>
        case "text": case "escape": return token.tokens ? inside(token) : plain(token.text ?? "")
        default: return token.raw
    }
}
