// Who one is, and the tokens by which programs sign in.
import "../core"
import { useState } from "react"
import { all, get, post, remove } from "../api/client"
import { invalidate, useResource } from "../api/resource"
import type { Me } from "../api/types"
import { Frame } from "../app/Shell"
import { formatAgo } from "../ui/format"
import { Failure, Skeleton, copy, toast } from "../ui/parts"

interface Token { id: string; user: string; label: string; state: string; created_at: string; expires_at: string | null }

export default function Settings(): JSX.Element {
    const me = useResource("me", () => get<Me>("me"))
    const tokens = useResource("tokens", () => all<Token>("tokens", "tokens"))
    const [label, setLabel] = useState("")
    const [secret, setSecret] = useState<string | null>(null)
    const make = (): void => {
        post<{ secret: string }>("tokens", { label, user: me.data?.mode === "open" ? undefined : me.data?.principal }).then(answer => { setSecret(answer.secret); setLabel(""); invalidate("tokens") }, (error: Error) => toast(error.message))
    }
    return (
        <Frame crumbs={[{ name: "Tokens" }]}>
            <main className="page" id="main" style={{ maxWidth: 820 }}>
                <div className="head"><div className="grow"><h1>Tokens</h1><p className="lead">{me.data && (me.data.mode === "open" ? "This server is open on this machine: nobody needs a token here." : `You are ${me.data.principal}, with the role ${me.data.role}.`)}</p></div></div>
                <form style={{ display: "flex", gap: 8, marginBottom: 16 }} onSubmit={event => { event.preventDefault(); make() }}>
                    <label className="field grow"><span className="hidden">What it is for</span><input placeholder="What it is for, such as: laptop" value={label} onChange={event => setLabel(event.target.value)} /></label><button className="button main" disabled={!label}>Make a token</button>
                </form>
                {secret && <p className="message" style={{ marginBottom: 16 }} role="status">It is shown this once: <code>{secret}</code> <button className="button" onClick={() => copy(secret, "Token")}>Copy</button></p>}
                {tokens.error ? <Failure error={tokens.error} /> : !tokens.data ? <Skeleton /> : tokens.data.length === 0 ? <p className="muted">There are no tokens.</p> : (
                    <div className="card"><table className="plain"><thead><tr><th>For</th><th>User</th><th>State</th><th className="r">Made</th><th /></tr></thead><tbody>{tokens.data.map(token => (
                        <tr key={token.id}><td>{token.label || token.id}</td><td>{token.user}</td><td>{token.state}</td><td className="r muted">{formatAgo(token.created_at)}</td><td className="r">{token.state === "active" && <button className="button" onClick={() => void remove(`tokens/${token.id}`).then(() => invalidate("tokens"))}>Revoke</button>}</td></tr>
                    ))}</tbody></table></div>
                )}
            </main>
        </Frame>
    )
}
