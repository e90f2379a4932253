import MartletDomain
import MartletEngine
import MartletObservability
import MartletSeries
import MartletStorage

/// Searches over 100,000 runs in one experiment, against MLflow's tables and its SQL.
enum SearchAtSize {
    static let mixed = "metrics.m1 > 0.5 AND params.p1 = '3' ORDER BY metrics.m2 DESC"
    static let local = Caller.local(via: "native")

    static func run(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "search") { folder in
            let catalogue = Catalogue(runs: settings.runs)
            let store = try OpenStore(folder + "/store")
            defer { store.store.close() }
            let (seeding, _) = try timed { try fill(store, catalogue) }
            let (compacting, _) = try timed { try store.compactAll() }
            let peer = try timed { try TextRuns(folder + "/runs.db", catalogue) }
            let engine = Engine(store: store.store, log: .silent)
            try build(engine, catalogue, settings, &report)

            var (ours, theirs, page, theirPage): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
            for round in 0...settings.rounds {
                let one = try (0..<10).map { _ in try timed { try ask(engine, mixed, limit: 100) }.seconds }
                let bare = try timed { try ask(engine, mixed, limit: 100) }.value
                let other = try timed { try peer.value.mixedSearch(limit: 100) }
                guard other.value == 45 * bare else {
                    throw Complaint("The two searches found \(bare) and \(other.value) / 45.")
                }
                let many = try (0..<3).map { _ in try timed { try ask(engine, "", limit: 1000) }.seconds }
                let otherMany = try timed { try peer.value.newest(limit: 1000) }.seconds
                guard round > 0 else { continue }
                ours.append(median(one))
                theirs.append(other.seconds)
                page.append(median(many))
                theirPage.append(otherMany)
            }
            report.add("search.mixed_ms", ours.map { $0 * 1000 }, note: "a page of 100 with params, tags and metrics")
            let bare = try (0..<50).map { _ in try timed { try ask(engine, mixed, limit: 1) }.seconds * 1000 }
            report.add("search.mixed_index_ms", bare, note: "a page of one run: the search without the gathering")
            let like = try (0..<20).map { _ in
                try timed { try ask(engine, "params.p0 LIKE '%ab1%'", limit: 1) }.seconds * 1000
            }
            report.add("search.like_ms", like, note: "a page of one run; each has a text of its own")
            report.add(
                "search.mixed_over_sql", ratio: theirs, over: ours,
                note: "SQL \(short(median(theirs) * 1000)) ms")
            report.add(
                "search.mixed_index_over_sql", theirs.map { $0 * 1000 / median(bare) })
            report.add(
                "search.page_over_sql", ratio: theirPage, over: page,
                note: "\(short(median(page) * 1000)) ms against \(short(median(theirPage) * 1000)) ms")
            report.add(
                "search.seed_s", [seeding],
                note: "then \(short(compacting)) s of compaction; the SQL tables took \(short(peer.seconds)) s")
        }
    }

    /// All 45 columns from nothing, by one search that names them.
    private static func build(
        _ engine: Engine, _ catalogue: Catalogue, _ settings: Settings, _ report: inout Report
    ) throws {
        let all =
            (catalogue.metricNames.map { "metrics.\($0) > -1" } + catalogue.paramNames.map { "params.\($0) != 'no'" }
            + catalogue.tagNames.map { "tags.\($0) != 'no'" }).joined(separator: " AND ")
        var (builds, colds): ([Double], [Double]) = ([], [])
        for _ in 0..<min(settings.rounds, 3) {
            engine.index.removeAll()
            colds.append(try timed { try ask(engine, mixed, limit: 1) }.seconds * 1000)
            engine.index.removeAll()
            let (seconds, count) = try timed { try ask(engine, all, limit: 1) }
            guard count == 1 else { throw Complaint("The search over all columns found nothing.") }
            builds.append(seconds)
        }
        report.add("search.index_build_s", builds)
        report.add("search.index_mb", [Double(engine.index.bytes) / 1e6], note: "by its own count")
        report.add("search.cold_ms", colds, note: "first mixed search: rows and three columns")
    }

    static func ask(
        _ engine: Engine, _ filter: String, in experiments: [String] = ["id:0"], limit: Int,
        parts: RunView.Parts = [.metrics]
    ) throws -> Int {
        var request = SearchRequest()
        request.experiments = experiments
        request.filter = filter
        request.limit = limit
        request.parts = parts
        return try engine.search(request, by: local).runs.count
    }

    private static func fill(_ store: OpenStore, _ catalogue: Catalogue) throws {
        for start in stride(from: 0, to: catalogue.runs, by: 500) {
            let numbers = start..<min(start + 500, catalogue.runs)
            let keys = try store.makeRuns(numbers.count) { index, draft in
                let run = numbers.lowerBound + index
                draft.id = RunID(TextRows.id(run + 1))
                draft.start = Timestamp(micros: catalogue.start(run))
                draft.end = Timestamp(micros: catalogue.start(run) + 60_000_000)
                draft.status = Status(word: "finished")
                for key in catalogue.paramNames.indices {
                    draft.attributes.params[catalogue.paramNames[key]] = ParamValue(text: catalogue.param(key, run))
                }
                for key in catalogue.tagNames.indices {
                    draft.attributes.tags[catalogue.tagNames[key]] = .some(catalogue.tag(key, run))
                }
            }
            let batches = numbers.map { run in
                PointBatch(
                    entries: catalogue.metricNames.indices.map { key in
                        var points = SeriesPoints()
                        points.append(step: 0, time: catalogue.start(run), value: catalogue.metric(key, run))
                        return PointBatch.Entry(name: catalogue.metricNames[key], points: points)
                    })
            }
            let prepared = batches.map(store.store.prepare)
            try store.store.write { (tx) throws(StorageError) in
                for (key, points) in zip(keys, prepared) {
                    try tx.append(points, to: key, at: Timestamp(micros: Material.start))
                }
            }
        }
    }
}
