import Foundation
import MartletDomain
import MartletStorage
import Synchronization

/// Single points, each producer waiting until its point is on disk: how much one fsync carries.
enum Producers {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "producers") { folder in
            let store = try OpenStore(folder)
            defer { store.store.close() }
            let runs = try store.makeRuns(64)
            let batches = Material.batches(.single, count: 256)
            _ = try rate(1, store, runs, batches, seconds: 0.2)
            var (one, many): ([Double], [Double]) = ([], [])
            for _ in 0..<settings.rounds {
                one.append(try rate(1, store, runs, batches, seconds: 0.7))
                many.append(try rate(64, store, runs, batches, seconds: 0.7))
            }
            report.add(
                "ingest.producers", ratio: many, over: one,
                note: "batches/s: 1 producer \(short(median(one))), 64 producers \(short(median(many)))")
        }
    }

    private static func rate(
        _ count: Int, _ store: OpenStore, _ runs: [RunKey], _ batches: [PointBatch], seconds: Double
    ) throws -> Double {
        let written = Atomic(0)
        let refusal = Mutex<StorageError?>(nil)
        let end = wallSeconds() + seconds
        let start = wallSeconds()
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            let thread = Thread {
                defer { group.leave() }
                var done = 0
                while wallSeconds() < end {
                    let prepared = store.store.prepare(batches[done % batches.count])
                    let run = runs[number]
                    do throws(StorageError) {
                        try store.store.write { (tx) throws(StorageError) in
                            try tx.append(prepared, to: run, at: Timestamp(micros: Material.start))
                        }
                    } catch {
                        refusal.withLock { $0 = error }
                        return
                    }
                    done += 1
                }
                written.add(done, ordering: .relaxed)
            }
            thread.start()
        }
        group.wait()
        if let error = refusal.withLock({ $0 }) { throw error }
        return Double(written.load(ordering: .relaxed)) / (wallSeconds() - start)
    }
}
