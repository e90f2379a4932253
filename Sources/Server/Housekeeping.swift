import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage
import MartletThreads

/// What a store needs done now and then: purged runs' rows go, old answers are forgotten, unused bytes are
/// collected, runs that went silent are told to be lost.
final class Housekeeping: Sendable {
    private let engine: Engine
    private let blobs: any BlobStore
    private let worker = BackgroundThread()

    private let collector: Collector
    private let silence: LogbookSilence

    init(engine: Engine, blobs: any BlobStore, logbooks: String) {
        (self.engine, self.blobs) = (engine, blobs)
        silence = LogbookSilence(engine: engine)
        collector = Collector(blobs: blobs, records: StoreBlobRecords(store: engine.store, logbooks: logbooks))
    }

    func start() {
        worker.start { [engine, collector, silence] tick in
            do throws(Refusal) {
                while try engine.store.write(.bulk, { tx throws(Refusal) in try tx.purgeStep() }) {}
                try silence.look()
                if tick % 60 == 0 {
                    let before = engine.clock.now.adding(seconds: -engine.settings.answerMemory)
                    try engine.store.write(.bulk) { tx throws(Refusal) in try tx.forgetAnswers(before: before) }
                    let report = try collector.run(now: engine.clock.now)
                    if report.discarded > 0 || report.erased.files > 0 {
                        engine.log.info(
                            "Collected \(report.discarded) unused files, erased \(report.erased.bytes) bytes.")
                    }
                }
            } catch {
                engine.log.warning("Housekeeping was put off: \(error)")
            }
            return 60_000
        }
    }

    func stop() { worker.stop() }
}
