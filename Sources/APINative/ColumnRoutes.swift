import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// Every point of many runs at once, for programs that reckon: columns of numbers as they lie in memory, never sampled.
extension NativeAPI {
    static let columnRoutes: [Route] = [
        Route(
            .get, "/api/v1/runs/columns", "Read every point of many runs as columns",
            .slowRead { exchange throws(Refusal) in try showColumns(exchange) },
            RouteDoc(
                "metrics",
                query: [
                    .query(
                        "metric",
                        "A metric's name, repeated for several; `*` and `?` stand for other characters; all when left out.",
                        ["type": "array", "items": ["type": "string"]]),
                    .query(
                        "attempts", "`all` shows also what a later attempt logged again.",
                        ["type": "string", "enum": ["all"]]),
                ] + runSearchParameters,
                answers: [(200, "The series of one page of runs; `X-Next-Page-Token` leads to the next.", "Bytes")],
                failures: [400, 404, 409, 422], access: .anyone,
                details: """
                    For each series a line of JSON, `{"run_id":"…","metric":"loss","count":1000}`, and behind its line \
                    end, each little-endian in 8 bytes: `count` steps (integers), `count` times (integers, microseconds \
                    since 1970), `count` values (floats). Runs come in the order of the search; a run without such \
                    metrics is left out.
                    """
            ).answering("application/octet-stream", "Bytes"))
    ]

    private static func showColumns(_ exchange: Exchange) throws(Refusal) -> Response {
        let named = exchange.request.query.all("metric").filter { !$0.isEmpty }
        let wanted = named.isEmpty ? ["*"] : named
        let attempts = exchange.query("attempts")
        guard attempts == nil || attempts == "all" else {
            throw Refusal(
                .invalid, "There are no attempts “\((attempts ?? "").prefix(40))”.",
                remedy: "Send attempts=all, or leave it out.", field: "attempts")
        }
        let request = try SearchRequest(query: exchange)
        let page = try exchange.engine.search(request, by: try exchange.caller())
        let series = page.runs.flatMap { view in
            view.metrics.map(\.name).filter { name in wanted.contains { $0 == name || Glob.matches($0, name) } }
                .map { (run: view.run, name: $0) }
        }
        let source = HistoryColumns(
            exchange.engine, series, attempts == nil ? .counting : .all)
        var response = Response(
            .ok, headers: ["Content-Type": "application/octet-stream"], body: .pull(source, length: nil))
        if let token = page.nextPageToken { response.headers["X-Next-Page-Token"] = token }
        return response
    }
}

/// Series after series, read while the client takes them.
final class HistoryColumns: ChunkSource {
    private let engine: Engine
    private let series: [(run: Run, name: String)]
    private let attempts: AttemptChoice
    /// Only the one thread that asks for the next piece comes here.
    private nonisolated(unsafe) var place = 0

    private static let pieceBytes = 1 << 20

    init(_ engine: Engine, _ series: [(run: Run, name: String)], _ attempts: AttemptChoice) {
        (self.engine, self.series, self.attempts) = (engine, series, attempts)
    }

    func next() throws -> [UInt8]? {
        guard place < series.count else { return nil }
        return try engine.read { (reader: any StoreReader) throws(Refusal) in
            var bytes: [UInt8] = []
            while place < series.count, bytes.count < HistoryColumns.pieceBytes {
                let (run, name) = series[place]
                place += 1
                try append(try reader.curve(of: run, name, in: .all, attempts), run, name, to: &bytes)
            }
            return bytes
        }
    }

    private func append(
        _ curve: SeriesPoints, _ run: Run, _ name: String, to bytes: inout [UInt8]
    ) throws(Refusal) {
        bytes += try encoded { writer in
            writer.object { writer in
                writer.member("run_id", run.id.text)
                writer.member("metric", name)
                writer.member("count", curve.count)
            }
        }
        bytes.append(0x0A)
        bytes.reserveCapacity(bytes.count + curve.count * 24)
        for column in [curve.steps, curve.times] {
            column.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        curve.values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
}
