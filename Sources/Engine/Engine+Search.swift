package import MartletDomain
package import MartletSearch
import MartletStorage

/// Which runs count by whether they were deleted.
package enum LifeChoice: String, Sendable { case active, deleted, all }

/// A search as a face was asked for it.
package struct SearchRequest: Sendable {
    /// Ids or names, `id:` and `name:` force one reading. Empty means every experiment that the caller may read.
    package var experiments: [String] = []
    package var project: String?
    /// In the search language; may end with its own ORDER BY and LIMIT.
    package var filter = ""
    /// Wins over an ORDER BY in the filter.
    package var orderBy: [String] = []
    /// Runs on a page; wins over a LIMIT in the filter. 100 when neither says anything.
    package var limit: Int?
    package var pageToken: String?
    /// What is gathered of each run on the page.
    package var parts: RunView.Parts = [.metrics]
    /// Which metrics are gathered; nil means all.
    package var metricNames: [String]?
    /// Nil means active ones, unless the filter itself asks about `life`.
    package var life: LifeChoice?
    /// A filter and order that another language was read into; they stand for `filter` and `orderBy`.
    package var query: Query?

    package init() {}
}

package struct SearchPage: Sendable {
    package var runs: [RunView]
    /// Nil on the last page.
    package var nextPageToken: String?
    /// How many runs match, on all pages.
    package var total: Int
    /// What is not wrong but probably not meant, a sentence each.
    package var advice: [String]
}

extension Engine {
    package static let searchSeconds = 10.0

    /// The runs that a filter finds, a page of them in order.
    package func search(_ request: SearchRequest, by caller: Caller) throws(Refusal) -> SearchPage {
        // Asked for before the transaction begins, so that what a table of this generation lacks came later.
        let generation = try store.generation()
        let deadline = SearchDeadline(instant: .now.advanced(by: .seconds(Engine.searchSeconds)))
        let page = try read { (reader: any StoreReader) throws(Refusal) in
            let view = SearchView(reader, generation: generation, deadline: deadline)
            let plan = try SearchPlan(request, by: caller, now: clock.now, view)
            return try plan.run(index, request.parts, request.metricNames)
        }
        index.trim()
        return page
    }

    /// The same answer without the index, reading every run as a document: what the index is held against.
    package func searchByBruteForce(
        _ request: SearchRequest, by caller: Caller
    ) throws(Refusal) -> (runs: [RunID], total: Int) {
        try read { (reader: any StoreReader) throws(Refusal) in
            let view = SearchView(reader, generation: 0, deadline: .none)
            let plan = try SearchPlan(request, by: caller, now: clock.now, view)
            var documents: [RunDocumentView] = []
            for home in plan.homes {
                for run in try reader.runs(in: home.experiment.id, after: nil, limit: .max)
                where plan.life.includes(run.life.rawValue) {
                    documents.append(RunDocumentView(run, reader, now: plan.now))
                }
            }
            var query = plan.query
            query.limit = plan.limit
            let context = plan.context
            let found = try SearchPlan.answer { () throws(SearchFailure) in
                try SearchFailure.asking { () throws(SearchError) in
                    try query.select(from: documents, context: context)
                }
            }
            for document in documents { try document.check() }
            return (found.documents.map(\.run.id), found.total)
        }
    }
}

/// A search with all that it names found: experiments, rights, ids, the place where the page begins.
struct SearchPlan {
    let homes: [(experiment: Experiment, project: Project)]
    let query: Query
    let limit: Int
    let life: LifeChoice
    let now: Timestamp
    let context: EvaluationContext
    private let text: String
    private let after: [SortKey]?
    private let digest: UInt64
    private let view: SearchView

    init(_ request: SearchRequest, by caller: Caller, now: Timestamp, _ view: SearchView) throws(Refusal) {
        self.view = view
        text = request.filter
        var query = try SearchPlan.query(of: request)
        limit = request.limit ?? query.limit ?? 100
        guard (1...SearchLimits.rows).contains(limit) else {
            throw Refusal(
                .invalid, "The limit \(limit) is not between 1 and \(SearchLimits.rows).",
                remedy: "Ask for the next page to see more.", field: "limit")
        }
        query.limit = nil
        self.query = query
        let asksLife = query.filter.leaves.contains { $0.field == .attribute(.life) }
        life = request.life ?? (asksLife ? .all : .active)
        homes = try SearchPlan.homes(request, life, caller, view.reader)
        digest = PageToken.digest(
            of: ["\(query.filter)", "\(query.order)\(query.order.map(\.asText))", request.project ?? "", life.rawValue]
                + request.experiments.sorted())
        var moment = now
        var token: PageToken?
        if let page = request.pageToken, !page.isEmpty {
            guard let read = PageToken(page), read.search == digest, read.keys.count == query.order.count + 2 else {
                throw Refusal(
                    .invalid, "The page token is damaged or belongs to another search.",
                    remedy:
                        "Ask for the first page again, without a page token; a token goes with the same filter, order and experiments.",
                    field: "page_token")
            }
            moment = Timestamp(micros: read.now)
            token = read
        }
        self.now = moment
        let words = try SearchWords(query.filter, in: homes.map(\.experiment), for: caller, view.reader)
        context = EvaluationContext(now: moment.micros) { words.canonical($0, $1) }
        after = try token.map { token throws(Refusal) in
            try SearchPlan.keys(of: token, query.order, now: moment, view.reader)
        }
    }

    private static func query(of request: SearchRequest) throws(Refusal) -> Query {
        try answer { () throws(SearchFailure) in
            try SearchFailure.asking { () throws(SearchError) in
                if let query = request.query { return query }
                var query = try Query.parse(request.filter)
                let terms = try Query.orderTerms(request.orderBy)
                if !terms.isEmpty { query.order = terms }
                return query
            }
        }
    }

    private static func homes(
        _ request: SearchRequest, _ life: LifeChoice, _ caller: Caller, _ reader: any StoreReader
    ) throws(Refusal) -> [(experiment: Experiment, project: Project)] {
        var project: Project?
        if let named = request.project {
            let found = try reader.resolveProject(named, for: caller)
            try caller.require(.read, on: found.id)
            project = found
        }
        var experiments: [Experiment] = []
        if request.experiments.isEmpty {
            experiments = try reader.experiments(in: project?.id).filter {
                caller.may(.read, on: $0.project) && (life != .active || $0.life == .active)
            }
        } else {
            for named in request.experiments {
                let found = try reader.resolveExperiment(named, in: project?.id, for: caller)
                try caller.require(.read, on: found.project)
                if !experiments.contains(where: { $0.id == found.id }) { experiments.append(found) }
            }
        }
        var projects: [ProjectID: Project] = [:]
        for project in try reader.projects() { projects[project.id] = project }
        return experiments.compactMap { experiment in
            projects[experiment.project].map { (experiment, $0) }
        }
    }

    /// A token's keys, those that were too long for it made again from the run that ended the page.
    private static func keys(
        of token: PageToken, _ order: [OrderTerm], now: Timestamp, _ reader: any StoreReader
    ) throws(Refusal) -> [SortKey] {
        var last: [SortKey] = []
        if token.keys.contains(nil) {
            guard case .text(let text)? = token.keys.last ?? nil, let id = RunID(text), let run = try reader.run(id)
            else {
                throw Refusal(
                    .invalid, "The run that ended the last page is gone.",
                    remedy: "Ask for the first page again, without a page token.", field: "page_token")
            }
            let document = RunDocumentView(run, reader, now: now)
            last = SortOrder(order).keys(of: document)
            try document.check()
        }
        return token.keys.enumerated().map { $0.element ?? last[$0.offset] }
    }

    // MARK: Running it

    func run(_ index: RunIndex, _ parts: RunView.Parts, _ metrics: [String]? = nil) throws(Refusal) -> SearchPage {
        try SearchPlan.answer { () throws(SearchFailure) in try page(index, parts, metrics) }
    }

    private func page(
        _ index: RunIndex, _ parts: RunView.Parts, _ metrics: [String]?
    ) throws(SearchFailure) -> SearchPage {
        let filter = try SearchFailure.asking { () throws(SearchError) in try query.filter.compiled(in: context) }
        let order = SortOrder(query.order)
        var first = FirstRanked<(keys: [SortKey], run: RunKey)>(limit) { order.compare($0.keys, $1.keys) }
        var alone: [RunKey]?
        var lastAlone: [SortKey]?
        var total = 0
        var remaining = 0
        var touched: [ColumnKey: Int] = [:]
        for home in homes {
            let columns = columns(of: home, order)
            let table = try SearchFailure.reading { () throws(Refusal) in
                try index.table(of: home.experiment.id, with: columns, view)
            }
            for key in columns { touched[key, default: 0] += table.filled(key) }
            let search = TableSearch(
                table: table, filter: filter, home: home, life: life, now: now, view: view)
            let found = try search.matches()
            total += found.population
            let best = try search.first(limit, of: found, in: order, after: after)
            remaining += best.remaining
            if homes.count == 1 {
                // One experiment's runs are in order already.
                alone = best.rows.map { table.rows.key(of: $0) }
                lastAlone = best.rows.last.map(best.keys)
                break
            }
            for row in best.rows {
                let keys = best.keys(row)
                if let last = first.last, order.compare(keys, last.keys) > 0 { break }
                first.offer((keys, table.rows.key(of: row)))
            }
        }
        let ranked = first.sorted()
        let chosen = alone ?? ranked.map(\.run)
        let views = try SearchFailure.reading { () throws(Refusal) in
            try gather(chosen, parts, metrics)
        }
        var token: String?
        if remaining > chosen.count, let last = lastAlone ?? ranked.last?.keys {
            token = PageToken(search: digest, now: now.micros, keys: last).text
        }
        let advice = try SearchFailure.reading { () throws(Refusal) in try remarks(on: touched) }
        return SearchPage(runs: views, nextPageToken: token, total: total, advice: advice)
    }

    private func columns(of home: (experiment: Experiment, project: Project), _ order: SortOrder) -> [ColumnKey] {
        let fields = query.filter.leaves.map(\.field) + order.terms.map(\.field)
        return Array(Set(fields.compactMap { FieldSource($0, home: home).column }))
    }

    private func gather(
        _ keys: [RunKey], _ parts: RunView.Parts, _ metrics: [String]?
    ) throws(Refusal) -> [RunView] {
        var viewer = RunViewer(view.reader)
        var views: [RunView] = []
        views.reserveCapacity(keys.count)
        for start in stride(from: 0, to: keys.count, by: 100) {
            try view.deadline.check()
            // A table may be newer than this reader, and know a run that this one does not see.
            let runs = try view.reader.runs(Array(keys[start..<min(start + 100, keys.count)]))
            views += try viewer.views(runs, parts, metrics: metrics)
        }
        return views
    }

    /// Remarks on names that no run has: only when a column turned out empty are the known names gathered.
    private func remarks(on touched: [ColumnKey: Int]) throws(Refusal) -> [String] {
        let strange = touched.contains { key, filled in
            guard filled == 0 else { return false }
            switch key {
            case .numbers(.metric), .values(.param), .values(.tag): return true
            default: return false
            }
        }
        guard strange, !text.isEmpty else { return [] }
        var names = try NameSample(homes.map(\.experiment.id), view.reader, view.deadline)
        for (key, filled) in touched where filled > 0 { names.add(key) }
        let known = names.known
        let query = try? Query.parse(text, names: known)
        return (query?.advice ?? []).map(\.message)
    }

    /// Turns what went wrong into what a client is told.
    static func answer<T>(_ body: () throws(SearchFailure) -> T) throws(Refusal) -> T {
        do throws(SearchFailure) {
            return try body()
        } catch {
            switch error {
            case .asked(let problem): throw Refusal(problem)
            case .refused(let refusal): throw refusal
            }
        }
    }
}

extension RunTable {
    /// How many rows have something in a column.
    func filled(_ key: ColumnKey) -> Int {
        columns.values[key]?.cells.filled ?? columns.numbers[key]?.cells.filled ?? 0
    }
}

extension Refusal {
    /// What was wrong with a filter, an order or a question, with the place and what could stand there instead.
    package init(_ error: SearchError, field: String = "filter") {
        let code: Code =
            switch error.code {
            case .syntax, .unknownField: .malformed
            case .deadline: .tooSlow
            case .ambiguous: .ambiguous
            default: .invalid
            }
        self.init(
            code, error.message,
            remedy: error.remedy.isEmpty
                ? "Correct it there; a filter reads like metrics.accuracy > 0.9 AND params.model = 'bert'."
                : error.remedy,
            field: field,
            candidates: error.suggestion.map { [$0] } ?? [], column: error.column)
    }
}
