// Use cases: the one thing that every face calls. It checks rights, resolves the many ids that people use, applies
// the ledger's rules in a transaction, writes the audit trail in the same one, and tells everyone who follows.
// Nothing here waits for a disk on the caller's thread except reads; changes call back when they are on disk.
package import MartletDomain
package import MartletObservability
package import MartletStorage
import Synchronization

/// What the composition root decides for an engine.
package struct EngineSettings: Sendable {
    package var limits = Limits.standard
    /// How long an answer to an idempotency key is remembered.
    package var answerMemory: Double = 86_400
    package var indexMemoryBytes = 256 << 20
    package init() {}
}

package final class Engine: Sendable {
    package let store: any Store
    package let clock: any Clock
    package let settings: EngineSettings
    package let log: Log
    package let feed: ChangeFeed
    package let index: RunIndex
    let models: CardShelf<RegisteredModel>
    let modelVersions: CardShelf<ModelVersion>
    let loggedModels: CardShelf<LoggedModel>
    let traces: CardShelf<Trace>
    let audit = AuditTrail()
    let outbound: (any Outbound)?
    let courier: WebhookCourier?
    /// The last map of where the bytes are; held while one is made.
    let storage = Mutex<StorageMap?>(nil)

    package init(
        store: any Store, clock: any Clock = SystemClock(), settings: EngineSettings = EngineSettings(), log: Log,
        outbound: (any Outbound)? = nil
    ) {
        (self.store, self.clock, self.settings, self.log) = (store, clock, settings, log)
        feed = ChangeFeed(store: store, log: log)
        self.outbound = outbound
        courier = outbound.map { WebhookCourier($0, store: store, clock: clock, log: log) }
        index = RunIndex(store: store, memoryBudget: settings.indexMemoryBytes)
        models = CardShelf(RegisteredModel.kind) { card throws(Refusal) in try RegisteredModel(card) }
        modelVersions = CardShelf(ModelVersion.kind) { card throws(Refusal) in try ModelVersion(card) }
        loggedModels = CardShelf(
            LoggedModel.kind, memoryBudget: settings.indexMemoryBytes / 4
        ) { card throws(Refusal) in try LoggedModel(card) }
        traces = CardShelf(
            Trace.kind, memoryBudget: settings.indexMemoryBytes / 4, keepsOversized: false,
            size: { _, trace in trace.memoryBytes }
        ) { card throws(Refusal) in try Trace(card).withoutPreviews }
    }

    /// Runs a change in a transaction: the rules through the ledger, then the audit entries of what it changed.
    ///
    /// `then` is called once it is on disk, on the writer's thread: it must hand on and not linger.
    package func change<T: Sendable>(
        _ caller: Caller, _ priority: WritePriority = .live, bytes: Int = 512,
        _ body: @escaping @Sendable (Ledger) throws(Refusal) -> T,
        then: @escaping @Sendable (Result<T, Refusal>) -> Void
    ) {
        store.submit(priority, bytes: bytes, transaction(caller, body)) { [courier] result in
            if case .success(let made) = result { courier?.deliver(made.news) }
            then(result.map(\.value))
        }
    }

    /// The same for a caller that can wait: the command line, jobs and tests. Never on a thread that serves requests.
    @discardableResult
    package func changeAndWait<T: Sendable>(
        _ caller: Caller, _ priority: WritePriority = .live, bytes: Int = 512,
        _ body: @escaping @Sendable (Ledger) throws(Refusal) -> T
    ) throws(Refusal) -> T {
        let made = try store.write(priority, bytes: bytes, transaction(caller, body))
        courier?.deliver(made.news)
        return made.value
    }

    /// What a change gives back, and who is to be told of it once it is on disk.
    private struct Made<T: Sendable>: Sendable {
        var value: T
        var news: [WebhookDelivery]
    }

    private func transaction<T: Sendable>(
        _ caller: Caller, _ body: @escaping @Sendable (Ledger) throws(Refusal) -> T
    ) -> @Sendable (any StoreTransaction) throws(Refusal) -> Made<T> {
        let now = clock.now
        let limits = settings.limits
        return { [audit, courier] tx throws(Refusal) in
            let ledger = Ledger(tx, now: now, limits: limits)
            let value = try body(ledger)
            try audit.record(ledger.changes, by: caller, in: tx, at: now)
            return Made(value: value, news: courier == nil ? [] : try RegistryNews.deliveries(of: ledger))
        }
    }

    package func read<T>(_ body: (any StoreReader) throws(Refusal) -> T) throws(Refusal) -> T {
        try store.read(body)
    }
}
