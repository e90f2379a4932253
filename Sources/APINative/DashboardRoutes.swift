import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

extension NativeAPI {
    static let dashboardRoutes: [Route] = [
        Route(
            .get, "/api/v1/experiments/{experiment}/dashboard", "Show how an experiment stands",
            .slowRead { exchange throws(Refusal) in try showDashboard(exchange) },
            RouteDoc(
                "experiments",
                answers: [
                    (200, "Counts, the best values so far, and what is running; a page for browsers.", "Dashboard")
                ],
                failures: [404, 409]))
    ]

    private static func showDashboard(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let board = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.engine.board(of: try exchange.readableExperiment(reader, by: caller), reader)
        }
        let accept = exchange.request.accept
        var response =
            accept.names("text/html") && accept.preferred(among: ["application/json", "text/html"]) == "text/html"
            ? page(board) : Response.json(try encoded { $0.dashboard(board) })
        response.headers.add("Vary", "Accept")
        return response
    }

    /// A page that can be read, without a script; the workspace is the web interface's.
    private static func page(_ board: ExperimentBoard) -> Response {
        var html = """
            <!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="10">
            <title>\(escaped(board.experiment.name))</title>
            <style>body{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}td,th{padding:.2rem 1rem .2rem 0;text-align:left}</style>
            <h1>\(escaped(board.experiment.name))</h1><p>Last activity: \(board.lastActivity.iso)</p>
            <h2>Runs</h2><table>
            """
        for state in RunState.allCases {
            if let count = board.counts[state] { html += "<tr><th>\(state.word)<td>\(count)" }
        }
        html += "</table><h2>Best so far</h2><table><tr><th>Metric<th>Goal<th>Value<th>Run"
        for best in board.best {
            let goal = best.goal.rawValue + (best.isGuessed ? " (a guess)" : "")
            html += "<tr><td>\(escaped(best.metric))<td>\(goal)<td>\(best.value)<td>\(escaped(best.run.name))"
        }
        html += "</table><h2>Running</h2><ul>"
        for run in board.running { html += "<li>\(run.shortID) \(escaped(run.name)), since \(run.start.iso)" }
        html += "</ul></html>\n"
        var response = Response(.ok, "text/html; charset=utf-8", Array(html.utf8))
        response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        response.headers.add("X-Content-Type-Options", "nosniff")
        return response
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "&": out += "&amp;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar.properties.generalCategory == .format ? "\u{FFFD}" : scalar)
            }
        }
        return out
    }
}

extension JSONWriter {
    mutating func dashboard(_ board: ExperimentBoard) {
        object { writer in
            writer.key("experiment")
            writer.experiment(board.experiment, project: board.project, counts: board.counts)
            writer.member("run_count", board.counts.values.reduce(0, +))
            writer.object("runs_by_state") { writer in
                for state in RunState.allCases { writer.member(dynamic: state.word, board.counts[state] ?? 0) }
            }
            writer.array("best") { writer in
                for best in board.best {
                    writer.object { writer in
                        writer.member("metric", best.metric)
                        writer.member("value", best.value)
                        writer.member("goal", best.goal.rawValue)
                        writer.member("goal_guessed", best.isGuessed)
                        writer.member("run_id", best.run.id.text)
                        writer.member("short_id", best.run.shortID)
                        writer.member("run_name", best.run.name)
                        writer.member("state", best.run.status.state.word)
                    }
                }
            }
            writer.time("last_activity", board.lastActivity)
            writer.array("running") { writer in
                for run in board.running {
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.member("short_id", run.shortID)
                        writer.member("run_name", run.name)
                        writer.member("state", run.status.state.word)
                        writer.member("status", run.status.word)
                        writer.time("start_time", run.start)
                        writer.time("last_seen", run.seen)
                    }
                }
            }
            writer.member("runs_looked_at", board.lookedAt)
            writer.member("complete", !board.isCut)
        }
    }
}
