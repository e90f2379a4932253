import MartletDomain
import MartletSeries

/// The reads of the reference store, over a value that nobody else can change.
final class MemoryTransaction: StoreTransaction {
    var state: MemoryState

    init(_ state: MemoryState) { self.state = state }

    // MARK: Projects and experiments

    func project(_ id: ProjectID) -> Project? { state.projects[id] }
    func project(slug: String) -> Project? { state.projects.values.first { $0.slug == slug } }
    func projects() -> [Project] { state.projects.values.sorted { $0.id < $1.id } }
    func experiment(_ id: ExperimentID) -> Experiment? { state.experiments[id] }
    func experiment(named name: String, in project: ProjectID) -> Experiment? {
        state.experiments.values.first { $0.project == project && $0.name == name }
    }
    func experiments(in project: ProjectID?) -> [Experiment] {
        state.experiments.values.filter { project == nil || $0.project == project }.sorted { $0.id < $1.id }
    }

    // MARK: Runs

    /// A purged run is gone for every reader, even before its rows are.
    private var visible: [Run] { state.runs.values.sorted { $0.key < $1.key } }

    func run(_ key: RunKey) -> Run? { state.runs[key] }
    func run(_ id: RunID) -> Run? { state.runIDs[id].flatMap { state.runs[$0] } }
    func run(number: Int, in experiment: ExperimentID) -> Run? {
        state.runs.values.first { $0.number == number && $0.experiment == experiment }
    }
    func runs(_ keys: [RunKey]) -> [Run] { keys.compactMap { state.runs[$0] } }
    func runs(in experiment: ExperimentID, after: RunKey?, limit: Int) -> [Run] {
        Array(visible.filter { $0.experiment == experiment && $0.key > (after ?? RunKey(.min)) }.prefix(limit))
    }
    func runs(named name: String, in experiment: ExperimentID?, limit: Int) -> [Run] {
        Array(visible.filter { $0.name == name && (experiment == nil || $0.experiment == experiment) }.prefix(limit))
    }
    func runs(number: Int, limit: Int) -> [Run] { Array(visible.filter { $0.number == number }.prefix(limit)) }
    func runs(idPrefix: String, limit: Int) -> [Run] {
        Array(
            visible.filter { $0.id.text.hasPrefix(idPrefix.lowercased()) }.sorted { $0.id < $1.id }.prefix(limit))
    }
    func children(of parent: RunKey) -> [Run] { visible.filter { $0.parent == parent } }
    func runsInProgress(limit: Int) -> [Run] {
        Array(
            visible.filter { $0.status.state == .running }
                .sorted { ($0.seen, $0.key) < ($1.seen, $1.key) }.prefix(limit))
    }
    func runCounts(in experiment: ExperimentID) -> [RunState: Int] {
        var counts: [RunState: Int] = [:]
        for run in visible where run.experiment == experiment && run.life == .active {
            counts[run.status.state, default: 0] += 1
        }
        return counts
    }
    func attributes(of run: RunKey) -> RunAttributes { state.documents[run]?.attributes ?? RunAttributes() }
    func summary(of run: RunKey) -> Pairs<SummaryValue> { state.documents[run]?.summary ?? Pairs() }
    func documents(of runs: [RunKey]) -> [RunDocuments] { runs.map { state.documents[$0] ?? RunDocuments() } }
    func alias(_ text: String, space: String) -> RunKey? { state.aliases[.init(space: space, text: text)] }
    func aliases(of run: RunKey) -> [(space: String, text: String)] {
        state.aliases.filter { $0.value == run }.map { ($0.key.space, $0.key.text) }
            .sorted { $0.space == $1.space ? precedes($0.text, $1.text) : precedes($0.space, $1.space) }
    }
    func isPurged(_ id: RunID) -> Bool { state.graves.contains(id) }

    // MARK: Points

    func lanes(of run: RunKey) -> [Lane] { state.lanes[run] ?? [] }

    func series(of run: RunKey, named names: [String]?) -> [SeriesState] {
        let wanted = names.map(Set.init)
        return state.points.keys
            .filter { $0.run == run && (wanted?.contains($0.name) ?? true) }
            .sorted { $0.name == $1.name ? $0.lane < $1.lane : precedes($0.name, $1.name) }
            .compactMap { key in
                SeriesState(
                    describing: points(run, key.name, key.lane, in: .all), name: key.name, lane: key.lane)
            }
    }

    func eachSeries(
        of runs: [RunKey], named names: [String]?, _ body: (Int, [SeriesState]) throws(StorageError) -> Void
    ) throws(StorageError) {
        for (place, run) in runs.enumerated() { try body(place, series(of: run, named: names)) }
    }

    func points(_ run: RunKey, _ name: String, _ lane: LaneID, in range: PointRange) -> SeriesPoints {
        guard let arrived = state.points[.init(run: run, name: name, lane: lane)] else { return SeriesPoints() }
        var seen: Set<Point> = []
        var kept: [Point] = []
        for index in 0..<arrived.count where seen.insert(arrived[index]).inserted {
            kept.append(arrived[index])
        }
        return SeriesPoints(kept).inOrderOfStep(in: range)
    }

    func buckets(
        _ run: RunKey, _ name: String, _ lane: LaneID, axis: Buckets.Axis, from: Int64?, to: Int64?, count: Int
    ) -> [Bucket] {
        points(run, name, lane, in: .all).buckets(axis: axis, from: from, to: to, count: count)
    }

    func rich(_ run: RunKey, key: String?, from: Int64, to: Int64, limit: Int) -> [RichPoint] {
        let kept = (state.rich[run] ?? []).enumerated().filter { _, point in
            (key == nil || point.key == key) && from <= point.step && point.step <= to
        }
        let ordered = kept.sorted { a, b in
            if a.element.key != b.element.key { return precedes(a.element.key, b.element.key) }
            return (a.element.step, a.offset) < (b.element.step, b.offset)
        }
        return ordered.prefix(limit).map(\.element)
    }

    func console(_ run: RunKey, stream: String?, after: Int64, limit: Int) -> [ConsoleChunk] {
        Array(
            (state.console[run] ?? []).filter { (stream == nil || $0.stream == stream) && $0.number > after }
                .prefix(limit))
    }

    func consoleStreams(of run: RunKey) -> [String] {
        Set((state.console[run] ?? []).map(\.stream)).sorted(by: precedes)
    }

    // MARK: Beside runs

    func items(of owner: Item.Owner, kind: String?, key: String?) -> [Item] {
        state.items.filter {
            $0.owner == owner && (kind == nil || $0.kind == kind) && (key == nil || $0.key == key)
        }
    }
    func runs(among runs: [RunKey], withItems kinds: [String]) -> Set<RunKey> {
        let holders = state.items.compactMap { item -> RunKey? in
            if case .run(let run) = item.owner, kinds.contains(item.kind) { run } else { nil }
        }
        return Set(runs).intersection(holders)
    }
    func artifacts(of run: RunKey) -> [Artifact] { state.artifacts.filter { $0.run == run } }
    func artifact(of run: RunKey, path: String) -> Artifact? {
        state.artifacts.last { $0.run == run && $0.path == path && $0.life == .active }
    }
    func artifacts(holding digest: Digest, limit: Int) -> [Artifact] {
        Array(state.artifacts.filter { $0.digest == digest && $0.life == .active }.prefix(limit))
    }
    func blob(_ digest: Digest) -> Blob? { state.blobs[digest] }
    func blobs(after: Digest?, limit: Int) -> [Blob] {
        Array(
            state.blobs.values.filter { after == nil || after! < $0.digest }.sorted { $0.digest < $1.digest }
                .prefix(limit))
    }
    func isReferenced(_ digest: Digest) -> Bool {
        state.artifacts.contains { $0.digest == digest && $0.uri.isEmpty && $0.life == .active }
            || state.cards.values.contains { $0.digest == digest }
            || state.named.values.contains { $0.contains { $0.digest == digest } }
            || state.rich.values.contains { $0.contains { $0.data.contains(digest.text) } }
    }
    func namedVersions(of name: String, in project: ProjectID) -> [NamedVersion] {
        state.named[.init(project: project, name: name)] ?? []
    }
    func namedArtifacts(in project: ProjectID) -> [String] {
        state.named.keys.filter { $0.project == project }.map(\.name).sorted(by: precedes)
    }
    func namedAliases(of name: String, in project: ProjectID) -> [String: Int] {
        state.namedAliases[.init(project: project, name: name)] ?? [:]
    }
    func writer(_ id: String) -> LogbookWriter? { state.writers[id] }

    // MARK: Access and accountability

    func user(_ name: String) -> User? { state.users[name] }
    func users() -> [User] { state.users.values.sorted { precedes($0.name, $1.name) } }
    func token(hash: Digest) -> AccessToken? { state.tokens.values.first { $0.hash == hash } }
    func tokens(of user: String?) -> [AccessToken] {
        state.tokens.values.filter { user == nil || $0.user == user }
            .sorted { $0.created == $1.created ? precedes($0.id, $1.id) : $0.created < $1.created }
    }
    func audit(_ project: ProjectID?, before: Int64?, limit: Int) -> [AuditEntry] {
        Array(
            state.audit.reversed().filter {
                (project == nil || $0.project == project) && $0.number < (before ?? .max)
            }.prefix(limit))
    }
    func remembered(_ key: IdempotencyKey) -> RememberedAnswer? { state.answers[key] }
    func setting(_ name: String) -> String? { state.settings[name] }

    // MARK: The whole

    func cursor() -> ChangeCursor { ChangeCursor(revision: state.revision, sequence: state.sequence) }

    func changes(since cursor: ChangeCursor, limit: Int) -> ChangeSet {
        let waiting = state.arrivals.filter { $0.sequence > cursor.sequence }
        let taken = waiting.prefix(limit)
        let hasMore = waiting.count > taken.count
        return ChangeSet(
            projects: state.projectRevisions.filter { $0.value > cursor.revision }.keys.sorted(),
            experiments: state.experimentRevisions.filter { $0.value > cursor.revision }.keys.sorted(),
            runs: state.runRevisions.filter { $0.value > cursor.revision }.keys.sorted(),
            cards: state.cardRevisions.filter { $0.value > cursor.revision }.keys.sorted(),
            arrivals: taken.map(\.arrival), isReset: false,
            cursor: ChangeCursor(
                revision: state.revision, sequence: hasMore ? taken.last!.sequence : state.sequence),
            hasMore: hasMore)
    }

    func sizes() -> StoreSizes { StoreSizes(disk: 0, journalBytes: 0, journalPoints: 0, freeBytes: 0) }

    /// Files and texts as they are; a point is its step, time and value. Nothing is compressed, and nothing waits to be.
    func usage() -> StoreUsage {
        var usage = StoreUsage()
        var unclaimed = state.blobs.mapValues(\.size)
        for run in state.runs.values.sorted(by: { ($0.experiment, $0.key) < ($1.experiment, $1.key) }) {
            var bytes = RunBytes()
            for (key, points) in state.points where key.run == run.key { bytes.points += Int64(points.count) * 24 }
            for item in state.items where item.owner == .run(run.key) { bytes.record += Int64(item.data.utf8.count) }
            for chunk in state.console[run.key] ?? [] { bytes.console += Int64(chunk.text.count) }
            for point in state.rich[run.key] ?? [] { bytes.media += Int64(point.data.utf8.count) }
            usage.runs.append(.init(run: run.key, experiment: run.experiment, bytes: bytes))
        }
        usage.inDatabase = usage.runs.reduce(0) { $0 + $1.bytes.total }
        usage.database = usage.inDatabase
        let places = Dictionary(uniqueKeysWithValues: usage.runs.enumerated().map { ($0.element.run, $0.offset) })
        for artifact in state.artifacts where artifact.life == .active && artifact.uri.isEmpty {
            guard let digest = artifact.digest, let place = places[artifact.run] else { continue }
            usage.runs[place].bytes.artifacts += unclaimed.removeValue(forKey: digest) ?? 0
        }
        for (run, points) in state.rich.sorted(by: { $0.key < $1.key }) {
            guard let place = places[run] else { continue }
            for digest in unclaimed.keys where points.contains(where: { $0.data.contains(digest.text) }) {
                usage.runs[place].bytes.media += unclaimed.removeValue(forKey: digest) ?? 0
            }
        }
        for (key, versions) in state.named {
            for version in versions {
                usage.projects[key.project, default: 0] += unclaimed.removeValue(forKey: version.digest) ?? 0
            }
        }
        for card in state.cards.values {
            guard let digest = card.digest else { continue }
            usage.projects[card.project, default: 0] += unclaimed.removeValue(forKey: digest) ?? 0
        }
        usage.projects = usage.projects.filter { $0.value > 0 }
        usage.unclaimed = unclaimed.values.reduce(0, +)
        return usage
    }
}
