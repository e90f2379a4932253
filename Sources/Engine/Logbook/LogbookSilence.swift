package import MartletDomain
import MartletStorage
import Synchronization

/// Finds the runs whose writers send their lines over the network and are heard no more.
///
/// A writer says every few seconds that it lives. Where its file lies in the store's folder the file's lock tells at
/// once; over the network only silence does, by this machine's clock alone. A run that is heard again goes on.
package final class LogbookSilence: Sendable {
    /// Eight beats of a writer.
    package static let secondsMax = 120.0

    private let engine: Engine
    /// Runs in progress that no logbook feeds from afar: they are not looked at twice.
    private let others = Mutex<Set<RunKey>>([])

    package init(engine: Engine) { self.engine = engine }

    package func look() throws(Refusal) {
        let limit = engine.clock.now.adding(seconds: -LogbookSilence.secondsMax)
        let known = others.withLock { $0 }
        let (silent, passed) = try engine.read { (reader: any StoreReader) throws(Refusal) in
            var silent: [RunKey] = []
            var passed: Set<RunKey> = []
            for run in try reader.runsInProgress(limit: 10_000) {
                guard run.seen < limit else { break }
                guard !known.contains(run.key), try LogbookSilence.isFedFromAfar(run.key, reader) else {
                    passed.insert(run.key)
                    continue
                }
                silent.append(run.key)
            }
            return (silent, passed)
        }
        others.withLock { $0 = passed }
        guard !silent.isEmpty else { return }
        try engine.changeAndWait(.local(via: "logbook"), .bulk) { ledger throws(Refusal) in
            for key in silent {
                // Asked again under the lock: it may have spoken in the meantime.
                guard let run = try ledger.tx.run(key), run.status.state == .running, run.seen < limit else { continue }
                var update = Ledger.RunUpdate()
                update.status = Status(word: "lost")
                update.end = run.seen
                update.cause = "logbook"
                _ = try ledger.updateRun(key, update)
            }
        }
    }

    private static func isFedFromAfar(_ run: RunKey, _ reader: any StoreReader) throws(StorageError) -> Bool {
        guard let writer = try reader.attributes(of: run).properties["writer"] else { return false }
        return try reader.writer(writer)?.source == "http"
    }
}
