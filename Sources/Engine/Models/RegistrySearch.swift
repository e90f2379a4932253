package import MartletDomain
package import MartletSearch
package import MartletStorage

/// A search of models, versions or logged models, as a face was asked for it.
package struct RegistryRequest: Sendable {
    /// Nil means every project that the caller may read.
    package var project: String?
    package var filter = ""
    /// Wins over an ORDER BY in the filter.
    package var orderBy: [String] = []
    /// On a page; wins over a LIMIT in the filter. 100 when neither says anything.
    package var limit: Int?
    package var pageToken: String?
    /// A filter and order that another language was read into, over the attributes of the documents; they stand for
    /// `filter` and `orderBy`.
    package var query: Query?
    /// The order where neither says one, and what decides among equals; nil takes that of the documents.
    package var ties: [OrderTerm]?
    /// How many a page may hold.
    package var limitMax = SearchLimits.rows

    package init() {}
}

package struct RegistryPage<Document: RegistryDocument>: Sendable {
    package var documents: [Document]
    /// Nil on the last page.
    package var nextPageToken: String?
    package var total: Int
}

/// Rights, order and paging of such a search. Everything is looked at, in memory: it is names and small documents.
struct RegistrySearch<Document: RegistryDocument> {
    private let query: Query
    private let limit: Int
    private let after: [SortKey?]?
    private let digest: UInt64
    private let now: Timestamp

    init(_ request: RegistryRequest, scope: [String], now: Timestamp) throws(Refusal) {
        var query = try SearchPlan.answer { () throws(SearchFailure) in
            try SearchFailure.asking { () throws(SearchError) in
                if let query = request.query { return query }
                var query = try Query.parse(request.filter, of: Document.words)
                let terms = try Query.orderTerms(request.orderBy, of: Document.words)
                if !terms.isEmpty { query.order = terms }
                return query
            }
        }
        limit = request.limit ?? query.limit ?? 100
        guard (1...request.limitMax).contains(limit) else {
            throw Refusal(
                .invalid, "The limit \(limit) is not between 1 and \(request.limitMax).",
                remedy: "Ask for the next page to see more.", field: "limit")
        }
        query.limit = nil
        for term in request.ties ?? Document.ties where !query.order.contains(where: { $0.field == term.field }) {
            query.order.append(term)
        }
        self.query = query
        digest = PageToken.digest(of: ["\(query.filter)", "\(query.order)", Document.words.noun] + scope)
        var moment = now
        var after: [SortKey?]?
        if let page = request.pageToken, !page.isEmpty {
            guard let read = PageToken(page), read.search == digest, read.keys.count == query.order.count + 2 else {
                throw Refusal(
                    .invalid, "The page token is damaged or belongs to another search.",
                    remedy:
                        "Ask for the first page again, without a page token; a token goes with the same filter and order.",
                    field: "page_token")
            }
            moment = Timestamp(micros: read.now)
            after = read.keys
        }
        (self.after, self.now) = (after, moment)
    }

    func page(of documents: some Sequence<Document>) throws(Refusal) -> RegistryPage<Document> {
        let order = SortOrder(query.order)
        let last = try lastKeys(in: documents, order)
        return try SearchPlan.answer { () throws(SearchFailure) in
            try SearchFailure.asking { () throws(SearchError) in try select(documents, order, after: last) }
        }
    }

    /// The keys that the last page ended with; those that were too long for the token are asked of its last document.
    private func lastKeys(
        in documents: some Sequence<Document>, _ order: SortOrder
    ) throws(Refusal) -> [SortKey]? {
        guard let after else { return nil }
        guard after.contains(nil) else { return after.compactMap(\.self) }
        let place = after.last ?? nil
        guard let ended = documents.first(where: { SortKey(.number(Double($0.card)), kind: .identity) == place }) else {
            throw Refusal(
                .invalid, "What ended the last page is gone.",
                remedy: "Ask for the first page again, without a page token.", field: "page_token")
        }
        let whole = order.keys(of: ended)
        return after.enumerated().map { $1 ?? whole[$0] }
    }

    private func select(
        _ documents: some Sequence<Document>, _ order: SortOrder, after last: [SortKey]?
    ) throws(SearchError) -> RegistryPage<Document> {
        // The time that a first look takes to read all cards does not count.
        let context = EvaluationContext(
            now: now.micros, deadline: .now.advanced(by: .seconds(Engine.searchSeconds))
        ) { _, word in word.lowercased() }
        let filter = try query.filter.compiled(in: context)
        var first = FirstRanked<(keys: [SortKey], document: Document)>(limit) { order.compare($0.keys, $1.keys) }
        var (total, remaining, seen) = (0, 0, 0)
        for document in documents {
            seen += 1
            if seen & 0xFFF == 0 { try context.checkDeadlineNow() }
            guard try filter.matches(document) else { continue }
            total += 1
            let keys = order.keys(of: document)
            if let last, order.compare(keys, last) <= 0 { continue }
            remaining += 1
            first.offer((keys, document))
        }
        let chosen = first.sorted()
        var token: String?
        if remaining > chosen.count, let end = chosen.last {
            token = PageToken(search: digest, now: now.micros, keys: end.keys).text
        }
        return RegistryPage(documents: chosen.map(\.document), nextPageToken: token, total: total)
    }
}

extension EvaluationContext {
    fileprivate func checkDeadlineNow() throws(SearchError) {
        if let deadline, ContinuousClock.now >= deadline {
            throw SearchError(
                .deadline, "The search took longer than it may.", remedy: "Narrow it by project or experiment.")
        }
    }
}

extension Engine {
    package func searchModels(
        _ request: RegistryRequest, by caller: Caller
    ) throws(Refusal) -> RegistryPage<ModelDocument> {
        try read { (reader: any StoreReader) throws(Refusal) in
            let (projects, scope) = try projects(request, caller, reader)
            let search = try RegistrySearch<ModelDocument>(request, scope: scope, now: clock.now)
            return try search.page(
                of: try models.all(reader).lazy.filter { projects.contains($0.project) }.map { ModelDocument($0) })
        }
    }

    /// Of one model, or of all of them.
    package func searchModelVersions(
        _ request: RegistryRequest, of model: RegisteredModel? = nil, by caller: Caller
    ) throws(Refusal) -> RegistryPage<ModelVersionDocument> {
        try read { (reader: any StoreReader) throws(Refusal) in
            var (projects, scope) = try projects(request, caller, reader)
            if let model { scope.append("model \(model.id)") }
            let search = try RegistrySearch<ModelVersionDocument>(request, scope: scope, now: clock.now)
            var names: [Int64: RegisteredModel] = [:]
            if let model {
                names[model.id] = model
                projects.insert(model.project)
            } else {
                for model in try models.all(reader) where projects.contains(model.project) { names[model.id] = model }
            }
            let versions =
                if let model { try reader.modelVersions(of: model) } else { try modelVersions.all(reader) }
            return try search.page(
                of: versions.lazy.compactMap { version in
                    names[version.model].map { ModelVersionDocument(version, of: $0) }
                })
        }
    }

    /// In some experiments, or in all that the caller may read.
    package func searchLoggedModels(
        _ request: RegistryRequest, in experiments: [String] = [],
        datasets: [(name: String, digest: String?)] = [], by caller: Caller
    ) throws(Refusal) -> RegistryPage<LoggedModelDocument> {
        try read { (reader: any StoreReader) throws(Refusal) in
            var homes: [Experiment] = []
            var scope: [String] = datasets.map { "\($0.name) \($0.digest ?? "")" }
            var project: Project?
            if let named = request.project { project = try reader.resolveProject(named, for: caller) }
            if experiments.isEmpty {
                homes = try reader.experiments(in: project?.id).filter {
                    $0.life == .active && caller.may(.read, on: $0.project)
                }
                scope.append("project \(project?.id.raw ?? 0)")
            } else {
                for text in experiments {
                    let found = try reader.resolveExperiment(text, in: project?.id, for: caller)
                    try caller.require(.read, on: found.project)
                    if !homes.contains(where: { $0.id == found.id }) { homes.append(found) }
                }
                scope += homes.map { "\($0.id)" }.sorted()
            }
            if let project { try caller.require(.read, on: project.id) }
            let search = try RegistrySearch<LoggedModelDocument>(request, scope: scope, now: clock.now)
            var documents: [LoggedModelDocument] = []
            for home in homes {
                for model in try loggedModels.all(owner: Card.owner(home.id), reader) where model.life == .active {
                    let document = LoggedModelDocument(model, datasets: datasets)
                    // Datasets without a condition on a metric ask for models that were measured on one.
                    if datasets.isEmpty || model.metrics.contains(where: { document.counts($0) }) {
                        documents.append(document)
                    }
                }
            }
            return try search.page(of: documents)
        }
    }

    /// The versions that were made from a run, in order of their making.
    package func modelVersions(
        of run: Run, _ reader: any StoreReader
    ) throws(Refusal) -> [(model: RegisteredModel, version: ModelVersion)] {
        let id = run.id.text
        var found: [(model: RegisteredModel, version: ModelVersion)] = []
        for version in try modelVersions.all(reader) where version.run == id {
            if let model = try reader.model(version.model) { found.append((model, version)) }
        }
        return found
    }

    private func projects(
        _ request: RegistryRequest, _ caller: Caller, _ reader: any StoreReader
    ) throws(Refusal) -> (Set<ProjectID>, scope: [String]) {
        if let named = request.project {
            let project = try reader.resolveProject(named, for: caller)
            try caller.require(.read, on: project.id)
            return ([project.id], ["project \(project.id)"])
        }
        let readable = try reader.projects().filter { $0.life == .active && caller.may(.read, on: $0.id) }
        return (Set(readable.map(\.id)), [])
    }
}
