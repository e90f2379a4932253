import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Runs in columns: what a table of many thousand runs is drawn from. A list of objects would repeat every name for each
// run, and hold all that there is of it.
extension NativeAPI {
    static let tableRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/table", "Search runs, the answer in columns",
            .change { exchange, bytes throws(Refusal) in
                exchange.respond(try table(exchange, try exchange.object(bytes)))
            },
            RouteDoc(
                "search", body: "RunTableWanted", isBodyRequired: false,
                answers: [(200, "The runs that fit, in columns.", "RunTable")],
                failures: [400, 404, 409, 413, 415, 422], access: .anyone))
    ]

    private static func table(_ exchange: Exchange, _ fields: Fields) throws(Refusal) -> Response {
        var request = try SearchRequest(fields, exchange)
        let metrics = try WantedColumns(fields, "metrics")
        let params = try WantedColumns(fields, "params")
        let tags = try WantedColumns(fields, "tags")
        request.parts = metrics == .none ? [] : [.metrics]
        if case .named(let names) = metrics { request.metricNames = names }
        let page = try exchange.engine.search(request, by: try exchange.caller())
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("total", page.total)
                    writer.nextPage(page.nextPageToken)
                    writer.member("advice", page.advice)
                    writer.object("columns") { $0.columns(of: page.runs) }
                    writer.object("params") { writer in
                        let known = page.runs.map { $0.attributes.params }
                        for key in params.keys(in: known.map(\.keys)) {
                            writer.column(dynamic: key, known) { writer, params in
                                if let value = params[key] { writer.value(value.json) } else { writer.null() }
                            }
                        }
                    }
                    writer.object("metrics") { writer in
                        let known = page.runs.map { run in
                            Dictionary(run.metrics.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
                        }
                        for key in metrics.keys(in: known.map { Array($0.keys) }) {
                            writer.column(dynamic: key, known) { writer, metrics in
                                if let value = metrics[key] { writer.double(value) } else { writer.null() }
                            }
                        }
                    }
                    writer.object("tags") { writer in
                        let known = page.runs.map { $0.attributes.tags }
                        for key in tags.keys(in: known.map(\.keys)) {
                            writer.column(dynamic: key, known) { writer, tags in
                                switch tags[key] {
                                case .none: writer.null()
                                // A tag without a value is there, which an empty entry would deny.
                                case .some(let value): writer.string(value ?? "")
                                }
                            }
                        }
                    }
                }
            })
    }
}

/// Which columns of a kind are wanted.
private enum WantedColumns: Equatable {
    case none, all
    case named([String])

    init(_ fields: Fields, _ name: String) throws(Refusal) {
        let names = try fields.textList(name)
        self = names.isEmpty ? .none : names.contains("*") ? .all : .named(names)
    }

    func keys(in known: [[String]]) -> [String] {
        switch self {
        case .none: []
        case .all: Set(known.joined()).sorted(by: precedes)
        case .named(let names): names
        }
    }
}

extension JSONWriter {
    fileprivate mutating func column<Row>(
        dynamic key: String, _ rows: [Row], _ cell: (inout JSONWriter, Row) -> Void
    ) {
        self.key(dynamic: key)
        array { writer in for row in rows { cell(&writer, row) } }
    }

    fileprivate mutating func columns(of runs: [RunView]) {
        column(dynamic: "id", runs) { $0.string($1.run.id.text) }
        column(dynamic: "short_id", runs) { $0.string($1.run.shortID) }
        column(dynamic: "name", runs) { $0.string($1.run.name) }
        column(dynamic: "experiment_id", runs) { $0.string("\($1.run.experiment)") }
        column(dynamic: "state", runs) { $0.string($1.run.status.state.word) }
        column(dynamic: "status", runs) { $0.string($1.run.status.word) }
        column(dynamic: "start_ms", runs) { $0.double(Double($1.run.start.micros) / 1e3) }
        column(dynamic: "end_ms", runs) { writer, view in
            if let end = view.run.end { writer.double(Double(end.micros) / 1e3) } else { writer.null() }
        }
        column(dynamic: "user", runs) { writer, view in
            if let user = view.attributes.properties["user"] { writer.string(user) } else { writer.null() }
        }
        column(dynamic: "parent_id", runs) { writer, view in
            if let parent = view.parent { writer.string(parent.text) } else { writer.null() }
        }
        column(dynamic: "life", runs) { $0.string($1.run.life.word) }
    }
}
