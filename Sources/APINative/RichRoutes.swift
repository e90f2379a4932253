import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Values that are not numbers: histograms, images, tables. Small JSON here; their files are artifacts or blobs by digest.
extension NativeAPI {
    static let richRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/{run}/rich/{key…}", "Log a rich value, or a list of them",
            .change { exchange, bytes throws(Refusal) in try logRich(exchange, bytes) },
            RouteDoc(
                "metrics", body: "RichPoints",
                answers: [(200, "How many were logged.", "LoggedRich")], failures: [400, 404, 409, 413, 415, 422],
                once: true)),
        Route(
            .get, "/api/v1/runs/{run}/rich/{key…}", "Show rich values",
            .read { exchange throws(Refusal) in try showRich(exchange) },
            RouteDoc(
                "metrics",
                query: [
                    .query("step", "Only this step.", ["type": "integer"]),
                    .query("from", "From this step on.", ["type": "integer"]),
                    .query("to", "Up to this step, itself included.", ["type": "integer"]), .limit, .pageToken,
                ], answers: [(200, "The values in order of step.", "RichList")], failures: [400, 404, 409, 422])),
        Route(
            .get, "/api/v1/runs/{run}/rich", "List the keys of a run's rich values",
            .read { exchange throws(Refusal) in try listRichKeys(exchange) },
            RouteDoc(
                "metrics", answers: [(200, "Each key with its kind, and how many values stand under it.", "RichKeys")],
                failures: [404, 409],
                details: "Of the first 10,000 values; `complete` says whether those were all.")),
        Route(
            .delete, "/api/v1/runs/{run}/rich/{key…}", "Delete rich values",
            .change { exchange, bytes throws(Refusal) in try deleteRich(exchange, bytes) },
            RouteDoc(
                "metrics",
                query: [
                    .query("from", "The first step to delete.", ["type": "integer"]),
                    .query("to", "The last step to delete.", ["type": "integer"]),
                ], isBodyRequired: false, answers: [(200, "What was deleted.", "DeletedHistory")],
                failures: [400, 404, 409])),
    ]

    private static func logRich(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let body = try exchange.json(bytes)
        let key = exchange["key"]
        let now = exchange.engine.clock.now
        var points: [RichPoint] = []
        var digests: [Digest] = []
        for element in body.array ?? [body] {
            guard let object = element.object else {
                throw Refusal(
                    .malformed, "A rich value is an object, not \(element.kind.rawValue).",
                    remedy: "Send {\"kind\":\"histogram\",\"value\":{…},\"step\":1} or a list of these.")
            }
            points.append(try richPoint(Fields(object), key, now, &digests))
        }
        let (ready, files) = (points, digests)
        let blobs = exchange.api.blobs
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller)
            for digest in files { try ledger.admit(digest, in: blobs) }
            try ledger.logRich(ready, to: run.key)
            return Answer(
                body: try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.member("key", key)
                        writer.member("logged", ready.count)
                    }
                })
        }
    }

    private static func richPoint(
        _ fields: Fields, _ key: String, _ now: Timestamp, _ digests: inout [Digest]
    ) throws(Refusal) -> RichPoint {
        guard let kind = try fields.text("kind") else {
            throw Refusal(
                .invalid, "The value says no kind.",
                remedy: "Send “kind”: one of \(RichKinds.all.sorted().joined(separator: ", ")).", field: "kind")
        }
        var data = JSONObject()
        data["v"] = fields["value"] ?? fields["v"] ?? .null
        if let files = fields["files"] {
            guard let list = files.array else { throw fields.wrong("files", "a list", files) }
            for file in list {
                let text = file["sha256"]?.string ?? ""
                guard let digest = Digest(text) else { throw Refusal.wrongDigest(text, field: "files") }
                digests.append(digest)
            }
            data["files"] = files
        }
        let document = data
        return RichPoint(
            key: key, step: try fields.integer("step") ?? 0, time: try fields.time("timestamp") ?? now, kind: kind,
            data: String(decoding: try encoded { $0.value(document) }, as: UTF8.self))
    }

    private static let richListedMax = 10_000

    private static func listRichKeys(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let (run, found) = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            return (run, try reader.rich(run.key, key: nil, from: .min, to: .max, limit: richListedMax + 1))
        }
        var keys: [String: (kind: String, count: Int, first: Int64, last: Int64)] = [:]
        for point in found.prefix(richListedMax) {
            let known = keys[point.key] ?? (point.kind, 0, point.step, point.step)
            keys[point.key] = (known.kind, known.count + 1, min(known.first, point.step), max(known.last, point.step))
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("run_id", run.id.text)
                    writer.array("keys") { writer in
                        for (key, about) in keys.sorted(by: { precedes($0.key, $1.key) }) {
                            writer.object { writer in
                                writer.member("key", key)
                                writer.member("kind", about.kind)
                                writer.member("count", about.count)
                                writer.member("first_step", about.first)
                                writer.member("last_step", about.last)
                            }
                        }
                    }
                    writer.member("complete", found.count <= richListedMax)
                }
            })
    }

    private static func showRich(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let key = exchange["key"]
        var range = try exchange.steps()
        if let step = try exchange.integer("step") { range.from = step; range.to = step }
        let limit = try exchange.limit()
        var skip = 0
        if let parts = try exchange.pageToken(parts: 2) {
            guard let step = Int64(parts[0]), let given = Int(parts[1]), given >= 0, given <= 1_000_000 else {
                throw exchange.wrongPageToken()
            }
            (range.from, skip) = (max(range.from, step), given)
        }
        let (from, to, given) = (range.from, range.to, skip)
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            if try reader.rich(run.key, key: key, from: .min, to: .max, limit: 1).isEmpty {
                throw Refusal(
                    .notFound, "Run \(run.shortID) has no rich values under “\(key.prefix(100))”.",
                    remedy: "Check the key; keys are told apart by case.", field: "key")
            }
            let found = try reader.rich(run.key, key: key, from: from, to: to, limit: given + limit + 1)
            let page = found.dropFirst(given).prefix(limit)
            var token: String?
            if found.count > given + limit, let last = page.last {
                let atStep = page.count { $0.step == last.step } + (last.step == from ? given : 0)
                token = "\(last.step)~\(atStep)"
            }
            let next = token
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.member("key", key)
                        writer.array("points") { writer in for point in page { writer.rich(point) } }
                        writer.nextPage(next)
                    }
                })
        }
    }

    private static func deleteRich(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let range = try exchange.steps()
        let key = exchange["key"]
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller, .exact)
            try ledger.deleteRich(of: run.key, key: key, from: range.from, to: range.to)
            return Answer(body: try deleted("key", key, of: run, from: range.from, to: range.to))
        }
    }
}

extension JSONWriter {
    mutating func rich(_ point: RichPoint) {
        let data = (try? JSONValue(parsing: point.data, allowsNonFinite: true)) ?? .null
        object { writer in
            writer.member("key", point.key)
            writer.member("step", point.step)
            writer.member("timestamp", point.time.iso)
            writer.member("kind", point.kind)
            writer.member("value", data["v"] ?? .null)
            writer.member("files", data["files"] ?? .array([]))
        }
    }
}
