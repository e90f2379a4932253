// Signing in: by a one-time link, whose secret stands behind the # where no server sees it, or by a token.
import { useEffect, useState } from "react"
import { ApiError, post } from "../api/client"
import { navigate } from "../app/router"
import { Frame } from "../app/Shell"

export function Login(): JSX.Element {
    const [secret] = useState(() => location.hash.slice(1))
    const [token, setToken] = useState("")
    const [said, setSaid] = useState("")
    const signIn = (body: { invitation: string } | { token: string }): void => {
        setSaid("Signing in …")
        post("session", body).then(() => navigate("/", { replace: true }), (error: unknown) =>
            setSaid(error instanceof ApiError ? `${error.message} ${error.remedy}` : "That did not work."))
    }
    useEffect(() => {
        history.replaceState(null, "", location.pathname)
        if (secret) signIn({ invitation: secret })
        // Once, whatever is typed later.
        // eslint-disable-next-line
    }, [])
    return (
        <Frame crumbs={[{ name: "Sign in" }]}>
            <main className="page" id="main" style={{ maxWidth: 520 }}>
                <div className="head"><div><h1>Sign in</h1><p className="lead">Open the link that the server printed at its first start, or give a token: an admin makes one with <code>martlet tokens create</code>.</p></div></div>
                <form style={{ display: "flex", gap: 8 }} onSubmit={event => { event.preventDefault(); signIn({ token }) }}>
                    <label className="field grow"><span className="hidden">Token</span><input type="password" autoComplete="current-password" placeholder="mlt_…" value={token} onChange={event => setToken(event.target.value)} /></label>
                    <button className="button main" disabled={!token}>Sign in</button>
                </form>
                <p role="status" style={{ marginTop: 12 }} id="said">{said}</p>
            </main>
        </Frame>
    )
}
