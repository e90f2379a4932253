import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON

extension NativeAPI {
    static let logbookRoutes: [Route] = [
        Route(
            .post, "/api/v1/logbook", "Hand in logbook lines",
            .change(limit: 32 << 20) { exchange, bytes throws(Refusal) in try takeLines(exchange, bytes) },
            RouteDoc(
                "runs", isBodyRequired: false,
                answers: [
                    (200, "How far each writer is on disk.", "LogbookReceipt"),
                    (409, "A writer skipped a line: `expected` must come next.", "LogbookGap"),
                ], failures: [400, 413, 415], access: .anyone
            ).taking("application/x-ndjson", "LogbookLines"))
    ]

    /// Answered only when the lines are on disk: from then on the writer may forget them.
    private static func takeLines(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let types: Set<String> = [
            "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
            "application/json", "application/octet-stream", "text/plain",
        ]
        if let type = exchange.request.contentType?.essence, !types.contains(type) {
            throw Refusal(
                .unsupported, "The body is \(type.prefix(60)), not logbook lines.",
                remedy: "Send them with Content-Type: application/x-ndjson.", field: "Content-Type")
        }
        let caller = try exchange.caller()
        exchange.engine.ingest(caller, lines: lines(of: bytes), source: "http") { result in
            do throws(Refusal) {
                exchange.respond(try answer(try result.get(), exchange))
            } catch {
                exchange.fail(error)
            }
        }
    }

    /// The lines as slices of the body: nothing is copied, whatever its size.
    static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            var last = end
            if last > start, bytes[last - 1] == 0x0D { last -= 1 }
            if last > start { lines.append(bytes[start..<last]) }
            start = end + 1
        }
        return lines
    }

    private static func answer(_ receipt: LogbookReceipt, _ exchange: Exchange) throws(Refusal) -> Response {
        let body = try encoded { writer in
            writer.object { writer in
                if let (name, next) = receipt.expected {
                    writer.object("error") { writer in
                        writer.member("code", "out_of_order")
                        writer.member("message", "The writer “\(name)” skipped lines: \(next) comes next.")
                        writer.member("remedy", "Send its lines in order, from \(next) on.")
                        writer.member("expected", next)
                        writer.member("request_id", exchange.request.id)
                    }
                    writer.member("expected", next)
                    writer.member("writer", name)
                }
                writer.member("accepted", receipt.accepted)
                writer.object("acked") { writer in
                    for (name, sequence) in receipt.acked.sorted(by: { $0.key < $1.key }) {
                        writer.member(dynamic: name, sequence)
                    }
                }
                writer.member("problems", receipt.problems)
            }
        }
        return .json(body, status: receipt.expected == nil ? .ok : .conflict)
    }
}
