import MartletAPIMLflow
import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage
import MartletThreads

/// What a store needs done now and then: purged runs' rows go, old answers are forgotten, unused bytes are collected,
/// adopted logbooks go when their days are over, runs that went silent are told to be lost.
final class Housekeeping: Sendable {
    private let engine: Engine
    private let blobs: any BlobStore
    private let staging: PartStaging
    private let artifacts: ArtifactSettings
    private let worker = BackgroundThread()

    private let collector: Collector
    private let keeper: LogbookKeeper
    private let logbookDays: Int
    private let silence: LogbookSilence

    init(
        engine: Engine, blobs: any BlobStore, staging: PartStaging, artifacts: ArtifactSettings, logbooks: String,
        logbookDays: Int
    ) {
        (self.engine, self.blobs, self.staging, self.artifacts) = (engine, blobs, staging, artifacts)
        self.logbookDays = logbookDays
        silence = LogbookSilence(engine: engine)
        keeper = LogbookKeeper(folder: logbooks, engine: engine)
        collector = Collector(blobs: blobs, records: StoreBlobRecords(store: engine.store, logbooks: logbooks))
    }

    func start() {
        worker.start { [engine, collector, keeper, logbookDays, staging, artifacts, silence] tick in
            if tick == 0 {
                // Here and not before the first answer: the operator's folders may be large.
                let count = artifacts.sweepUnfinished(now: engine.clock.now)
                if count > 0 { engine.log.info("Removed \(count) uploads that never ended.") }
            }
            do throws(Refusal) {
                while try engine.store.write(.bulk, { tx throws(Refusal) in try tx.purgeStep() }) {}
                try silence.look()
                // A little at a time: a stop waits for the round in progress.
                try keeper.takeInUnknown(bytes: 16 << 20)
                if tick % 60 == 0 {
                    staging.sweep(now: engine.clock.now)
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
