import Foundation
import MartletDomain
import MartletSeries
import MartletStorage
import Testing

#if canImport(MartletStorageSQLite)
    import MartletStorageSQLite
#endif

/// Every kind of store that must keep the promises. The memory store says what is right.
enum StoreUnderTest: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite

    static var available: [StoreUnderTest] {
        #if canImport(MartletStorageSQLite)
            [.memory, .sqlite]
        #else
            [.memory]
        #endif
    }

    var testDescription: String { rawValue }

    /// An empty store, closed and removed with its files when the body is through.
    func with<T>(_ body: (any Store) throws -> T) throws -> T {
        switch self {
        case .memory:
            return try body(MemoryStore())
        case .sqlite:
            #if canImport(MartletStorageSQLite)
                let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-contract-\(UUID())")
                defer { try? FileManager.default.removeItem(at: folder) }
                let store = try SQLiteStore.open(folder: folder.path)
                defer { store.close() }
                return try body(store)
            #else
                throw Refusal(.unsupported, "This build has no SQLite store.", remedy: "Build it.")
            #endif
        }
    }
}

let noon = Timestamp(iso: "2026-01-15T12:00:00Z")!

extension Store {
    /// `read` for closures whose errors the compiler does not see through.
    func see<T>(_ body: (any StoreReader) throws -> T) throws -> T {
        try read { reader throws(Refusal) in Result { try body(reader) } }.get()
    }

    /// `write`, likewise.
    @discardableResult
    func alter<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws -> T {
        try write { tx throws(Refusal) in
            do { return try body(tx) } catch let error as Refusal { throw error } catch {
                throw Refusal(.io, "The test failed: \(error)", remedy: "Look at it.")
            }
        }
    }

    /// A change by the rules, at a moment.
    @discardableResult
    func change<T: Sendable>(
        at now: Timestamp = noon, limits: Limits = .standard, _ body: @escaping @Sendable (Ledger) throws -> T
    ) throws -> T {
        try alter { tx in try body(Ledger(tx, now: now, limits: limits)) }
    }

    func newRun(
        _ name: String? = nil, in experiment: ExperimentID = .standard, params: [(key: String, value: ParamValue)] = []
    ) throws -> Run {
        try change { ledger in
            var draft = RunDraft(experiment: experiment)
            draft.name = name
            draft.attributes.params = Pairs(params)
            return try ledger.createRun(draft)
        }
    }

    func log(
        _ run: Run, _ name: String, _ points: [(step: Int64, value: Double)], time: Timestamp = noon,
        at now: Timestamp = noon, as writer: WriterRole = .plain
    ) throws {
        var series = SeriesPoints()
        for (step, value) in points {
            series.append(Point(step: step, time: time.micros &+ step &* 1000, value: value))
        }
        let batch = PointBatch(entries: [.init(name: name, points: series)])
        let prepared = prepare(batch)
        let key = run.key
        try change(at: now) { ledger in
            try ledger.logPoints(prepared, to: key, as: writer)
        }
    }
}
