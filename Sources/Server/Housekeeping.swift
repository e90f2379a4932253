import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage
import MartletThreads

/// What a store needs done now and then: purged runs' rows go, old answers are forgotten, unused bytes are collected,
/// adopted logbooks go when their days are over.
final class Housekeeping: Sendable {
    private let engine: Engine
    private let blobs: any BlobStore
    private let worker = BackgroundThread()

    private let collector: Collector
    private let keeper: LogbookKeeper
    private let logbookDays: Int

    init(engine: Engine, blobs: any BlobStore, logbooks: String, logbookDays: Int) {
        (self.engine, self.blobs, self.logbookDays) = (engine, blobs, logbookDays)
        keeper = LogbookKeeper(folder: logbooks, engine: engine)
        collector = Collector(blobs: blobs, records: StoreBlobRecords(store: engine.store, logbooks: logbooks))
    }

    func start() {
        worker.start { [engine, collector, keeper, logbookDays] tick in
            do throws(Refusal) {
                while try engine.store.write(.bulk, { tx throws(Refusal) in try tx.purgeStep() }) {}
                // A little at a time: a stop waits for the round in progress.
                try keeper.takeInUnknown(bytes: 16 << 20)
                if tick % 60 == 0 {
                    let before = engine.clock.now.adding(seconds: -engine.settings.answerMemory)
                    try engine.store.write(.bulk) { tx throws(Refusal) in try tx.forgetAnswers(before: before) }
                    let report = try collector.run(now: engine.clock.now)
                    if report.discarded > 0 || report.erased.files > 0 {
                        engine.log.info(
                            "Collected \(report.discarded) unused files, erased \(report.erased.bytes) bytes.")
                    }
                    let sweep = try keeper.sweep(days: logbookDays)
                    if sweep.deleted > 0 {
                        engine.log.info(
                            "Deleted \(sweep.deleted) adopted logbooks, \(sweep.deletedBytes) bytes: their days are over."
                        )
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
