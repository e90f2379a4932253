import MartletDomain
import MartletStorage

/// From journal to chunks: how many points a second of one core, and how long writers wait for an install.
enum Compaction {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let shape = Material.Shape(keys: 50, pointsOfKey: 20)
        let count = max(1, settings.points / shape.count / 4)
        let batches = Material.batches(shape, count: count)
        var (perCore, perSecond): ([Double], [Double]) = ([], [])
        for round in 0..<min(settings.rounds, 3) {
            try withFolder(settings, "compaction-\(round)") { folder in
                let store = try OpenStore(folder)
                defer { store.store.close() }
                try store.append(batches, to: try store.makeRuns(1)[0], inFlight: 64)
                let cpu = cpuSeconds()
                let wall = try timed { try store.compactAll() }.seconds
                perCore.append(Double(count * shape.count) / (cpuSeconds() - cpu) / 1e6)
                perSecond.append(Double(count * shape.count) / wall / 1e6)
            }
        }
        report.add(
            "compaction.speed", perCore,
            note:
                "\(short(Double(count * shape.count) / 1e6)) M points; by the wall clock \(short(median(perSecond))) M points/s"
        )
        try installs(settings, &report)
    }

    /// Rounds of 400 journal rows, as a live store has them, while the lock is watched from outside.
    private static func installs(_ settings: Settings, _ report: inout Report) throws {
        let shape = Material.Shape(keys: 50, pointsOfKey: 20)
        try withFolder(settings, "installs") { folder in
            let store = try OpenStore(folder)
            defer { store.store.close() }
            let run = try store.makeRuns(1)[0]
            var holds: [Double] = []
            for round in 0..<max(10, settings.rounds * 4) {
                try store.append(Material.batches(shape, count: 400, from: round * 400), to: run, inFlight: 64)
                let watch = try LockWatch(folder + "/write.lock")
                watch.start()
                try store.compactAll()
                holds += watch.stop()
            }
            let millis = holds.map { $0 * 1000 }
            let note =
                "\(millis.count) holds seen of at least \(LockWatch.pauseMicros) µs; longest \(short(millis.max() ?? 0)) ms"
            report.add("compaction.hold_p50", [median(millis)], note: note)
            report.add("compaction.hold_p99", [percentile(millis, 0.99)])
        }
    }
}
