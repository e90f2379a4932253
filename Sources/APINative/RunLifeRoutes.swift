import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// How a run ends, goes on, branches and is deleted.
extension NativeAPI {
    static let runLifeRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/{run}/end", "End a run",
            .change { exchange, bytes throws(Refusal) in try endRun(exchange, bytes) },
            RouteDoc(
                "runs", body: "RunEnd", isBodyRequired: false, answers: [(200, "The run.", "Run")],
                failures: [400, 404, 409, 415, 422],
                details: "`FINISHED` unless said. Ending it again changes nothing; another status corrects it.")),
        Route(
            .delete, "/api/v1/runs/{run}", "Delete a run",
            .change { exchange, bytes throws(Refusal) in try deleteRun(exchange, bytes) },
            RouteDoc(
                "runs", query: [.permanent], answers: [(204, "It is deleted.", nil)], failures: [404, 409],
                details:
                    "Needs the run's id, short id or alias: a name or a prefix is not enough. Its children go with "
                    + "it. `permanent=true` cannot be undone, and the id is never given again.")),
        Route(
            .post, "/api/v1/runs/{run}/restore", "Bring a deleted run back",
            .change { exchange, bytes throws(Refusal) in try restoreRun(exchange, bytes) },
            RouteDoc("runs", answers: [(200, "The run.", "Run")], failures: [404, 409])),
        Route(
            .post, "/api/v1/runs/{run}/attempts", "Resume a run",
            .change { exchange, bytes throws(Refusal) in try beginAttempt(exchange, bytes) },
            RouteDoc(
                "runs", body: "NewAttempt", isBodyRequired: false, answers: [(201, "The run, running again.", "Run")],
                failures: [400, 404, 409, 415, 422], once: true,
                details: "Begins the next attempt. Where it logs steps that an earlier one logged, it counts.")),
        Route(
            .get, "/api/v1/runs/{run}/attempts", "List a run's attempts",
            .read { exchange throws(Refusal) in try listAttempts(exchange) },
            RouteDoc(
                "runs", query: [.limit, .pageToken], answers: [(200, "Attempts, first to last.", "AttemptList")],
                failures: [404, 409, 422])),
        Route(
            .post, "/api/v1/runs/{run}/fork", "Fork a run",
            .change { exchange, bytes throws(Refusal) in try forkRun(exchange, bytes) },
            RouteDoc(
                "runs", body: "Fork", answers: [(201, "The new run.", "Run")], failures: [400, 404, 409, 415, 422],
                once: true,
                details: "The new run has this one's points up to and including `step`, its params and tags.")),
        Route(
            .get, "/api/v1/runs/{run}/timeline", "Show a run's states over time",
            .read { exchange throws(Refusal) in try showTimeline(exchange) },
            RouteDoc(
                "runs", query: [.limit, .pageToken],
                answers: [(200, "Each change of state and its cause, oldest first.", "Timeline")],
                failures: [404, 409, 422])),
        Route(
            .get, "/api/v1/runs/{run}/problems", "List what of a run's record could not be used",
            .read { exchange throws(Refusal) in try listProblems(exchange) },
            RouteDoc(
                "runs", query: [.limit, .pageToken],
                answers: [(200, "Problems, oldest first, each with the line that had it.", "ProblemList")],
                failures: [404, 409, 422])),
    ]

    private static func endRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let status = try fields.status()
        let end = try fields.time("end_time")
        if let status, !status.state.isEnded {
            throw Refusal(
                .invalid, "“\(status.word)” is no ending.",
                remedy: "Send FINISHED, failed, cancelled or the like, or change the status with PATCH.",
                field: "status")
        }
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            return Answer(body: try ledger.tx.body(of: try ledger.endRun(run.key, status: status, at: end)))
        }
    }

    private static func deleteRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let isPermanent = try exchange.switchedOn("permanent")
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger, .exact)
            if isPermanent {
                try caller.require(.admin, on: run.project)
                try ledger.purgeRun(run.key)
            } else {
                try ledger.deleteRun(run.key)
            }
            return Answer(status: 204, body: [])
        }
    }

    private static func restoreRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            return Answer(body: try ledger.tx.body(of: try ledger.restoreRun(run.key)))
        }
    }

    private static func beginAttempt(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let number = try fields.integer("n")
        let reason = try fields.text("reason") ?? ""
        let step = try fields.integer("from_step")
        if let number, !(1...1_000_000).contains(number) {
            throw Refusal(
                .invalid, "\(number) is no number of an attempt.", remedy: "Leave “n” out for the next one.",
                field: "n")
        }
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            let resumed = try ledger.beginAttempt(
                run.key, number: number.map(Int.init), reason: reason, fromStep: step)
            return Answer(status: 201, body: try ledger.tx.body(of: resumed))
        }
    }

    private static func listAttempts(_ exchange: Exchange) throws(Refusal) -> Response {
        try items(exchange, kind: "attempt") { run, items, exchange throws(Refusal) in
            // The first attempt began with the run and has no item of its own.
            let rows =
                [(number: Int64(1), at: run.start, data: JSONValue.null)]
                + items.map { (number: Int64($0.key) ?? 1, at: $0.at, data: $0.document) }
            let page = try exchange.page(rows) { $0.number }
            return try encoded { writer in
                writer.list("attempts", page) { writer, row in
                    writer.object { writer in
                        writer.member("attempt", row.number)
                        writer.time("started_at", row.at)
                        writer.member("from_step", row.data["from_step"] ?? .null)
                        writer.member("reason", row.data["reason"] ?? "")
                    }
                }
            }
        }
    }

    private static func forkRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let name = try fields.text("name", or: "run_name")
        guard let step = try fields.integer("step") else {
            throw Refusal(
                .invalid, "The step to fork at is missing.", remedy: "Send {\"step\":1200}.", field: "step")
        }
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            return Answer(status: 201, body: try ledger.tx.body(of: try ledger.fork(run.key, at: step, name: name)))
        }
    }

    private static func showTimeline(_ exchange: Exchange) throws(Refusal) -> Response {
        try items(exchange, kind: "state") { _, items, exchange throws(Refusal) in
            let page = try exchange.page(items) { $0.id }
            return try encoded { writer in
                writer.list("timeline", page) { writer, item in
                    let document = item.document
                    writer.object { writer in
                        writer.member("state", item.key)
                        writer.member("status", document["status"] ?? .string(item.key))
                        writer.member("cause", document["cause"] ?? "")
                        writer.time("at", item.at)
                    }
                }
            }
        }
    }

    private static func listProblems(_ exchange: Exchange) throws(Refusal) -> Response {
        try items(exchange, kind: "problem") { _, items, exchange throws(Refusal) in
            let page = try exchange.page(items) { $0.id }
            return try encoded { writer in
                writer.list("problems", page) { writer, item in
                    let document = item.document
                    writer.object { writer in
                        writer.member("problem", document["problem"] ?? "")
                        writer.member("line", document["line"] ?? "")
                        writer.time("at", item.at)
                        writer.member("author", item.who)
                    }
                }
            }
        }
    }

    /// An answer made of the items of one kind that a run has.
    private static func items(
        _ exchange: Exchange, kind: String, _ write: (Run, [Item], Exchange) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            return .json(try write(run, try reader.items(of: .run(run.key), kind: kind, key: nil), exchange))
        }
    }
}

extension Item {
    /// What was stored with it; null if it cannot be read any more.
    var document: JSONValue { (try? JSONValue(parsing: data)) ?? .null }
}
