import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage
import Synchronization

/// A clock that goes when it is told to.
final class ManualClock: Clock {
    private let state: Mutex<(now: Timestamp, monotonic: Int64)>

    init(_ now: Timestamp = Timestamp(iso: "2026-01-15T12:00:00Z")!) { state = Mutex((now, 0)) }

    var now: Timestamp { state.withLock { $0.now } }
    var monotonic: Int64 { state.withLock { $0.monotonic } }

    func advance(seconds: Double) {
        state.withLock {
            $0.now = $0.now.adding(seconds: seconds)
            $0.monotonic += Int64(seconds * 1e6)
        }
    }

    /// The wall clock alone, as when someone sets it.
    func set(_ now: Timestamp) { state.withLock { $0.now = now } }
}

/// An engine over the reference store, with a clock in the test's hands.
struct Stage {
    let clock = ManualClock()
    let engine: Engine
    let caller = Caller.local(via: "test")

    init(store: any Store = MemoryStore()) { engine = Engine(store: store, clock: clock, log: .silent) }

    func run(named name: String? = nil, id: RunID? = nil, in experiment: ExperimentID = .standard) throws -> Run {
        try engine.changeAndWait(caller) { ledger throws(Refusal) in
            var draft = RunDraft(experiment: experiment)
            draft.name = name
            draft.id = id
            return try ledger.createRun(draft)
        }
    }

    /// `read` for closures whose errors the compiler does not see through.
    func see<T>(_ body: (any StoreReader) throws -> T) throws -> T {
        try engine.read { reader throws(Refusal) in Result { try body(reader) } }.get()
    }

    /// A change beside the rules.
    func alter<T: Sendable>(_ body: @escaping @Sendable (any StoreTransaction) throws -> T) throws -> T {
        try engine.store.write { tx throws(Refusal) in
            do { return try body(tx) } catch let error as Refusal { throw error } catch {
                throw Refusal(.io, "The test failed: \(error)", remedy: "Look at it.")
            }
        }
    }

    /// An answer that is waited for; the memory store calls back at once.
    func answer(_ once: Once?, _ body: @escaping @Sendable (Ledger) throws(Refusal) -> Answer) -> Result<
        Answer, Refusal
    > {
        let box = Mutex<Result<Answer, Refusal>?>(nil)
        engine.answer(caller, once: once) { ledger throws(Refusal) in
            try body(ledger)
        } then: { result in
            box.withLock { $0 = result }
        }
        return box.withLock { $0 } ?? .failure(Refusal(.io, "no answer", remedy: ""))
    }

    func ingest(_ lines: [String], source: String = "test") throws -> LogbookReceipt {
        try engine.ingestAndWait(caller, lines: lines.map { Array($0.utf8)[...] }, source: source)
    }
}
