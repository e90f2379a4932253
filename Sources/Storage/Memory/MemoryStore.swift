package import MartletDomain
import MartletSeries
import Synchronization

/// The store that defines what is right: plain dictionaries, no files, one change at a time.
///
/// Written to be read, not to be fast. Every other store must give the same answers to the same history.
package final class MemoryStore: Store {
    private struct Shared {
        var state = MemoryState()
        var listeners: [@Sendable () -> Void] = []
        var isClosed = false
    }
    private let shared: Mutex<Shared>

    package init(now: Timestamp = Timestamp(micros: 0)) {
        var state = MemoryState()
        state.seed(now: now)
        shared = Mutex(Shared(state: state))
    }

    package var about: StoreAbout {
        StoreAbout(kind: "memory", id: "memory", format: 1, location: "memory", engine: "none")
    }

    package func read<T>(_ body: (any StoreReader) throws(StorageError) -> T) throws(StorageError) -> T {
        let state = shared.withLock { $0.state }
        return try body(MemoryTransaction(state))
    }

    package func submit<T: Sendable>(
        _ priority: WritePriority, bytes: Int,
        _ change: @escaping @Sendable (any StoreTransaction) throws(StorageError) -> T,
        then: @escaping @Sendable (Result<T, StorageError>) -> Void
    ) {
        let result = shared.withLock { shared -> Result<T, StorageError> in
            guard !shared.isClosed else {
                return .failure(
                    StorageError(.closed, "The store is closed.", remedy: "Start the server again."))
            }
            let transaction = MemoryTransaction(shared.state)
            transaction.state.revision += 1
            do throws(StorageError) {
                let value = try change(transaction)
                transaction.state.generation += 1
                shared.state = transaction.state
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        if case .success = result {
            for listener in shared.withLock({ $0.listeners }) { listener() }
        }
        then(result)
    }

    package func prepare(_ points: PointBatch) -> PreparedPoints { PreparedPoints(batch: points, blobs: nil) }

    package func generation() throws(StorageError) -> Int64 { shared.withLock { $0.state.generation } }

    package func onCommit(_ listener: @escaping @Sendable () -> Void) {
        shared.withLock { $0.listeners.append(listener) }
    }

    /// Everything is where it belongs already.
    package func compact() throws(StorageError) -> Bool { false }

    package func close() { shared.withLock { $0.isClosed = true } }
}

/// All that a memory store holds. A value: a transaction works on a copy and hands it back when it succeeds.
struct MemoryState: Sendable {
    struct SeriesKey: Hashable, Sendable {
        var run: RunKey
        var name: String
        var lane: LaneID
    }
    struct NamedKey: Hashable, Sendable {
        var project: ProjectID
        var name: String
    }
    struct AliasKey: Hashable, Sendable {
        var space: String
        var text: String
    }

    var projects: [ProjectID: Project] = [:]
    var experiments: [ExperimentID: Experiment] = [:]
    var runs: [RunKey: Run] = [:]
    var runIDs: [RunID: RunKey] = [:]
    var documents: [RunKey: RunDocuments] = [:]
    var lanes: [RunKey: [Lane]] = [:]
    var nextLane: Int64 = 1
    var aliases: [AliasKey: RunKey] = [:]
    /// In order of arrival.
    var points: [SeriesKey: SeriesPoints] = [:]
    var rich: [RunKey: [RichPoint]] = [:]
    var console: [RunKey: [ConsoleChunk]] = [:]
    var items: [Item] = []
    var nextItem: Int64 = 1
    var artifacts: [Artifact] = []
    var nextArtifact: Int64 = 1
    var blobs: [Digest: Blob] = [:]
    var named: [NamedKey: [NamedVersion]] = [:]
    var namedAliases: [NamedKey: [String: Int]] = [:]
    var writers: [String: LogbookWriter] = [:]
    var cards: [Int64: Card] = [:]
    var nextCard: Int64 = 1
    var cardRevisions: [Int64: Int64] = [:]
    var graves: Set<RunID> = []
    var users: [String: User] = [:]
    var tokens: [String: AccessToken] = [:]
    var audit: [AuditEntry] = []
    var answers: [IdempotencyKey: RememberedAnswer] = [:]
    var settings: [String: String] = [:]
    /// Names in the order in which they were first seen, which is the order that documents keep.
    var names: [String: Int] = [:]

    var revision: Int64 = 0
    var generation: Int64 = 0
    var projectRevisions: [ProjectID: Int64] = [:]
    var experimentRevisions: [ExperimentID: Int64] = [:]
    var runRevisions: [RunKey: Int64] = [:]
    var arrivals: [(sequence: Int64, arrival: ChangeSet.Arrival)] = []
    var sequence: Int64 = 0

    mutating func seed(now: Timestamp) {
        let project = Project(
            id: .standard, slug: "default", title: "Default", created: now, updated: now)
        projects[project.id] = project
        let experiment = Experiment(
            id: .standard, project: .standard, name: "Default", created: now, updated: now)
        experiments[experiment.id] = experiment
        revision = 1
        projectRevisions[project.id] = 1
        experimentRevisions[experiment.id] = 1
    }

    mutating func see(_ names: [String]) {
        for name in names where self.names[name] == nil { self.names[name] = self.names.count }
    }

    func inOrderOfSight<Value>(_ pairs: Pairs<Value>) -> Pairs<Value> {
        Pairs(pairs.entries.sorted { (names[$0.key] ?? .max) < (names[$1.key] ?? .max) })
    }
}
