import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Params and tags.
extension NativeAPI {
    static let runRecordRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/{run}/params", "Log params",
            .change { exchange, bytes throws(Refusal) in try logParams(exchange, bytes) },
            RouteDoc(
                "params and tags", body: "NewParams", answers: [(200, "All params of the run.", "Params")],
                failures: [400, 404, 409, 415, 422], once: true,
                details:
                    "A param does not change once logged: the same value again is fine, another one is 409 and names "
                    + "both. The run is named by its id, short id or alias.")),
        Route(
            .get, "/api/v1/runs/{run}/params", "Show a run's params",
            .read { exchange throws(Refusal) in try showParams(exchange) },
            RouteDoc("params and tags", answers: [(200, "All params of the run.", "Params")], failures: [404, 409])),
        Route(
            .post, "/api/v1/runs/{run}/tags", "Set tags",
            .change { exchange, bytes throws(Refusal) in try setTags(exchange, bytes) },
            RouteDoc(
                "params and tags", body: "NewTags", answers: [(200, "All tags of the run.", "Tags")],
                failures: [400, 404, 409, 415, 422], once: true,
                details: "An object gives tags values, a list sets them without one. Tags of other names stay.")),
        Route(
            .get, "/api/v1/runs/{run}/tags", "Show a run's tags",
            .read { exchange throws(Refusal) in try showTags(exchange) },
            RouteDoc("params and tags", answers: [(200, "All tags of the run.", "Tags")], failures: [404, 409])),
        Route(
            .delete, "/api/v1/runs/{run}/tags/{key…}", "Remove a tag",
            .change { exchange, bytes throws(Refusal) in try deleteTag(exchange, bytes) },
            RouteDoc(
                "params and tags", answers: [(200, "The tags that are left.", "Tags")], failures: [404, 409],
                details: "The run is named by its id, short id or alias.")),
        Route(
            .get, "/api/v1/runs/{run}/console", "Show what a run printed",
            .read { exchange throws(Refusal) in try showConsole(exchange) },
            RouteDoc(
                "runs",
                query: [
                    .query("stream", "One stream alone: `stdout` or `stderr`."),
                    .query(
                        "after", "Pieces after this number; they are numbered over all streams.",
                        ["type": "integer", "minimum": 0]), .limit,
                ], answers: [(200, "Pieces in order of arrival.", "Console")], failures: [400, 404, 409, 422])),
    ]

    private static func showConsole(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let after = try exchange.integer("after") ?? 0
        guard after >= 0 else {
            throw Refusal(
                .invalid, "Pieces are numbered from 1; there is none after \(after).", remedy: "Send after=0 or more.",
                field: "after")
        }
        let limit = try exchange.limit()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            let chunks = try reader.console(run.key, stream: exchange.query("stream"), after: after, limit: limit)
            let dropped = try reader.consoleUse(of: run.key).droppedBytes
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.array("chunks") { writer in
                            for chunk in chunks {
                                writer.object { writer in
                                    writer.member("stream", chunk.stream)
                                    writer.member("number", chunk.number)
                                    writer.time("timestamp", chunk.at)
                                    writer.member("text", String(decoding: chunk.text, as: UTF8.self))
                                }
                            }
                        }
                        writer.member("dropped_bytes", dropped)
                    }
                })
        }
    }

    private static func logParams(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        guard fields["params"] != nil || fields["parameters"] != nil else {
            throw Refusal(
                .invalid, "There are no params in the body.", remedy: "Send {\"params\":{\"learning_rate\":0.1}}.",
                field: "params")
        }
        let params = try ExactParams.read(bytes, under: ["params", "parameters"])
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger, .exact)
            try ledger.logParams(params, to: run.key)
            return Answer(body: try paramsBody(of: run, ledger.tx))
        }
    }

    private static func showParams(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            return .json(try paramsBody(of: run, reader))
        }
    }

    private static func paramsBody(of run: Run, _ reader: any StoreReader) throws(Refusal) -> [UInt8] {
        let params = try reader.attributes(of: run.key).params
        return try encoded { writer in
            writer.object { writer in
                writer.member("run_id", run.id.text)
                writer.params("params", params)
                writer.params("parameters", params)
            }
        }
    }

    private static func setTags(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        guard fields["tags"] != nil else {
            throw Refusal(
                .invalid, "There are no tags in the body.",
                remedy: "Send {\"tags\":{\"team\":\"vision\"}} or {\"tags\":[\"baseline\"]}.", field: "tags")
        }
        let tags = try fields.tags()
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            try ledger.setTags(tags, of: run.key)
            return Answer(body: try tagsBody(of: run, ledger.tx))
        }
    }

    private static func showTags(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            return .json(try tagsBody(of: run, reader))
        }
    }

    private static func deleteTag(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let key = exchange["key"]
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger, .exact)
            let tags = try ledger.tx.attributes(of: run.key).tags
            guard tags[key] != nil else {
                let near = Nearness.nearest(to: key, among: tags.keys)
                throw Refusal(
                    .notFound, "Run \(run.shortID) has no tag “\(key.prefix(100))”.",
                    remedy: "List them with GET /api/v1/runs/\(run.id)/tags.", field: "key", candidates: near)
            }
            try ledger.setTags([], removing: [key], of: run.key)
            return Answer(body: try tagsBody(of: run, ledger.tx))
        }
    }

    private static func tagsBody(of run: Run, _ reader: any StoreReader) throws(Refusal) -> [UInt8] {
        let tags = try reader.attributes(of: run.key).tags
        return try encoded { writer in
            writer.object { writer in
                writer.member("run_id", run.id.text)
                writer.tags(tags)
            }
        }
    }
}
