import MartletHTTPMessages

/// What stands at `/`: a door to what there is. And at `/login`: where the link of a first start leads.
enum Welcome {
    static func plan(_ request: Request) -> Plan? {
        guard request.method == .get || request.method == .head else { return nil }
        switch request.segments {
        case []: return .respond(answer(ContentType.html, page))
        case ["login"]: return .respond(answer(ContentType.html, login))
        case ["login.js"]: return .respond(answer(ContentType.javascript, loginScript))
        default: return nil
        }
    }

    private static func answer(_ type: String, _ text: String) -> Response {
        var response = Response(.ok, type, Array(text.utf8))
        response.headers.add(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'")
        response.headers.add("X-Content-Type-Options", "nosniff")
        response.headers.add("Referrer-Policy", "no-referrer")
        return response
    }

    private static let style = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
        body { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }
        h1 { font-size: 1.6rem; margin-bottom: .2rem }
        code { font-size: .95em }
        """

    /// The secret stands behind the `#`, which no server, proxy or log ever sees.
    private static let login = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Martlet: sign in</title><style>\(style)</style></head><body>
        <h1>Martlet</h1>
        <p id="said" role="status">Signing in …</p>
        <script src="login.js"></script>
        </body></html>
        """

    private static let loginScript = """
        const said = document.getElementById("said")
        const secret = location.hash.slice(1)
        history.replaceState(null, "", location.pathname)
        async function signIn() {
            if (!secret) {
                said.textContent = "Open the link that the server printed at its first start, or one that an admin gave you."
                return
            }
            const answer = await fetch("api/v1/session", {
                method: "POST", headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ invitation: secret })
            })
            if (answer.ok) { location.replace("docs"); return }
            const error = (await answer.json()).error
            said.textContent = error ? error.message + " " + error.remedy : "That did not work."
        }
        signIn().catch(() => { said.textContent = "The server did not answer." })
        """

    private static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Martlet</title><style>\(style)</style></head><body>
        <h1>Martlet</h1>
        <p>This server keeps experiments.</p>
        <ul>
        <li><a href="docs">Every route of its API</a>, to read and to try</li>
        <li><a href="openapi.json">The same as an OpenAPI document</a></li>
        <li><a href="metrics">Its own metrics</a> for Prometheus</li>
        </ul>
        <p>From a shell: <code>martlet experiments list --uri</code> and this address.</p>
        </body></html>
        """
}
