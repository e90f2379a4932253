import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Runs that fit a filter, and the best of an experiment.
extension NativeAPI {
    static let searchRoutes: [Route] = [
        Route(
            .get, "/api/v1/runs/search", "Search runs",
            .read { exchange throws(Refusal) in try found(exchange, SearchRequest(query: exchange)) },
            RouteDoc(
                "search", query: runSearchParameters,
                answers: [(200, "The runs that fit, and how many there are in all.", "RunPage")],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .post, "/api/v1/runs/search", "Search runs, the question in the body",
            .change { exchange, bytes throws(Refusal) in
                let request = try SearchRequest(exchange.object(bytes), exchange)
                exchange.respond(try found(exchange, request))
            },
            RouteDoc(
                "search", body: "RunSearch", isBodyRequired: false,
                answers: [(200, "The runs that fit, and how many there are in all.", "RunPage")],
                failures: [400, 404, 409, 413, 415, 422], access: .anyone)),
        Route(
            .get, "/api/v1/experiments/{experiment}/runs", "List or search an experiment's runs",
            .read { exchange throws(Refusal) in
                var request = try SearchRequest(query: exchange)
                request.experiments = [exchange["experiment"]]
                return try found(exchange, request)
            },
            RouteDoc(
                "search", query: Array(runSearchParameters.dropFirst(3)),
                answers: [(200, "The runs that fit, and how many there are in all.", "RunPage")],
                failures: [400, 404, 409, 422])),
        Route(
            .get, "/api/v1/runs/best", "Show an experiment's best run by a metric",
            .slowRead { exchange throws(Refusal) in try showBest(exchange) },
            RouteDoc(
                "search",
                query: [
                    .query("experiment", "Its id or name."), .query("metric", "The metric to compare by."),
                    .query(
                        "mode", "Which way is better; by the metric's definition or name when left out.",
                        ["type": "string", "enum": ["max", "min"]]),
                    .query("filter", "Only among runs that fit."),
                ], answers: [(200, "The best run, and those that tie with it.", "BestRun")],
                failures: [400, 404, 409, 422])
        ),
        Route(
            .post, "/api/v1/ask", "Ask a question in words",
            .change { exchange, bytes throws(Refusal) in try ask(exchange, bytes) },
            RouteDoc(
                "search", body: "AskedQuestion",
                answers: [(200, "The answer, and what shortened names were taken for.", "AskedAnswer")],
                failures: [400, 404, 409, 413, 415, 422], access: .anyone)),
    ]

    static let runSearchParameters: [RouteDoc.Parameter] = [
        .query("experiment_name", "Only runs of the experiment of this name (or id); repeated for several."),
        .query("experiment_id", "The same; also `experiment_ids`, repeated or as a comma list."),
        .query("project", "Only runs of this project."),
        .query("filter", "A filter, such as `metrics.accuracy > 0.9 AND params.model = 'bert'`."),
        .query("order_by", "Such as `metrics.f1 DESC, start_time DESC`; repeated, or one comma list."),
        .query(
            "life", "Whether runs that were deleted count.",
            ["type": "string", "enum": ["active", "deleted", "all"], "default": "active"]),
        .limit, .pageToken,
    ]

    private static func found(_ exchange: Exchange, _ request: SearchRequest) throws(Refusal) -> Response {
        let page = try exchange.engine.search(request, by: try exchange.caller())
        return .json(try encoded { writer in writer.object { $0.members(of: page) } })
    }

    /// `best val_acc where algorithm=Ridge`, `all runs where test_acc > 0.83`, `compare run_02 vs run_03`.
    private static func ask(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        guard let question = try fields.text("question"), !question.isEmpty else {
            throw Refusal(
                .invalid, "There is no question.",
                remedy: "Send {\"question\":\"best val_acc where algorithm=Ridge\",\"experiment\":\"titanic\"}.",
                field: "question")
        }
        let experiment = try fields.textsOrNumbers("experiment").first
        let answer = try exchange.engine.ask(question, experiment: experiment, by: try exchange.caller())
        if case .best(let best, let metric) = answer.found, best.runs.isEmpty {
            throw Refusal(
                .notFound, "No run that ended well and fits has a value of “\(metric.prefix(100))”.",
                remedy: "Ask for “all runs” to see what there is.", field: "question")
        }
        exchange.respond(
            .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("question", question)
                        writer.member("taken", answer.taken)
                        switch answer.found {
                        case .best(let best, let metric):
                            writer.member("kind", "best")
                            writer.members(of: best, metric)
                        case .runs(let page):
                            writer.member("kind", "runs")
                            writer.members(of: page)
                        case .compare(let runs):
                            writer.member("kind", "compare")
                            writer.array("runs") { writer in for run in runs { writer.run(run) } }
                        }
                    }
                }))
    }

    private static func showBest(_ exchange: Exchange) throws(Refusal) -> Response {
        guard let text = exchange.query("experiment") ?? exchange.query("experiment_id"), !text.isEmpty else {
            throw Refusal(
                .invalid, "No experiment is named.", remedy: "Send ?experiment=name&metric=accuracy.",
                field: "experiment")
        }
        guard let metric = exchange.query("metric"), !metric.isEmpty else {
            throw Refusal(
                .invalid, "No metric is named.", remedy: "Send ?experiment=name&metric=accuracy.", field: "metric")
        }
        var goal: Goal?
        if let word = exchange.query("mode") ?? exchange.query("goal"), !word.isEmpty {
            guard let read = Goal(word: word) else {
                throw Refusal(
                    .invalid, "There is no mode “\(word.prefix(40))”.", remedy: "Use max or min.", field: "mode")
            }
            goal = read
        }
        let caller = try exchange.caller()
        let experiment = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let experiment = try reader.resolveExperiment(text, for: caller)
            try caller.require(.read, on: experiment.project)
            return experiment
        }
        let best = try exchange.engine.best(
            of: experiment.id, metric: metric, goal: goal, filter: exchange.query("filter"), by: caller)
        guard !best.runs.isEmpty else {
            throw Refusal(
                .notFound, "No run of “\(experiment.name)” that ended well has a value of “\(metric.prefix(100))”.",
                remedy: "List its runs with GET /api/v1/experiments/\(experiment.id)/runs.", field: "metric")
        }
        return .json(try encoded { writer in writer.object { $0.members(of: best, metric) } })
    }
}

extension JSONWriter {
    fileprivate mutating func members(of page: SearchPage) {
        array("runs") { writer in for run in page.runs { writer.run(run) } }
        nextPage(page.nextPageToken)
        member("total", page.total)
        member("advice", page.advice)
    }

    fileprivate mutating func members(of best: BestRuns, _ metric: String) {
        key("run")
        if let first = best.runs.first { run(first) } else { null() }
        array("runs") { writer in for run in best.runs { writer.run(run) } }
        member("value", best.value)
        member("metric", metric)
        member("mode", best.goal.rawValue)
        member("mode_guessed", best.isGuessed)
        member("tie", best.runs.count > 1)
    }
}

extension SearchRequest {
    /// From the query: every spelling that a client may use.
    init(query exchange: Exchange) throws(Refusal) {
        self.init()
        let query = exchange.request.query
        experiments = query.all("experiment_name")
        for name in ["experiment_id", "experiment_ids", "experiment"] {
            for text in query.all(name) { experiments += SearchRequest.pieces(of: text) }
        }
        experiments = experiments.filter { !$0.isEmpty }
        project = query["project"].flatMap { $0.isEmpty ? nil : $0 }
        filter = query["filter"] ?? query["filter_string"] ?? ""
        orderBy = query.all("order_by").filter { !$0.isEmpty }
        limit = query["limit"] == nil ? nil : try exchange.limit()
        life = try LifeChoice(exchange.query("life"))
        pageToken = query["page_token"].flatMap { $0.isEmpty ? nil : $0 }
        parts = .all
    }

    init(_ fields: Fields, _ exchange: Exchange) throws(Refusal) {
        self.init()
        if let name = try fields.text("experiment_name") { experiments.append(name) }
        for name in ["experiment_id", "experiment_ids", "experiment"] {
            for text in try fields.textsOrNumbers(name) { experiments += SearchRequest.pieces(of: text) }
        }
        project = try fields.textsOrNumbers("project").first
        if project == nil { project = try fields.textsOrNumbers("project_id").first }
        filter = try fields.text("filter", or: "filter_string") ?? ""
        orderBy = try fields.textsOrNumbers("order_by")
        if let wanted = try fields.integer("limit", or: "max_results") {
            guard (1...10_000).contains(wanted) else {
                throw Refusal(
                    .invalid, "The limit \(wanted) is outside of 1 to 10,000.",
                    remedy: "Ask for fewer and follow next_page_token.", field: "limit")
            }
            limit = Int(wanted)
        }
        life = try LifeChoice(fields.text("life"))
        pageToken = try fields.text("page_token").flatMap { $0.isEmpty ? nil : $0 }
        parts = .all
    }

    private static func pieces(of text: String) -> [String] {
        text.split(separator: ",").map { String($0) }
    }
}

extension LifeChoice {
    init?(_ word: String?) throws(Refusal) {
        guard let word, !word.isEmpty else { return nil }
        guard let choice = LifeChoice(rawValue: word) else {
            throw Refusal(
                .invalid, "There is no life “\(word.prefix(40))”.", remedy: "Use active, deleted or all.",
                field: "life")
        }
        self = choice
    }
}

extension Fields {
    /// A text, a number (for ids), or a list of these.
    func textsOrNumbers(_ name: String) throws(Refusal) -> [String] {
        guard let value = self[name] else { return [] }
        var texts: [String] = []
        for element in value.array ?? [value] {
            guard let text = element.string ?? element.int64.map({ "\($0)" }) else {
                throw wrong(name, "a text or a list of texts", value)
            }
            texts.append(text)
        }
        return texts
    }
}
