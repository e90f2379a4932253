import MartletDomain
import MartletStorage

/// A store that was never compacted, ten million points in its journal: what opening and the first look then cost.
enum FullJournal {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "journal") { folder in
            let shape = Material.Shape(keys: 50, pointsOfKey: 20)
            let first = try OpenStore(folder)
            let run = try first.makeRuns(1)[0]
            let count = max(1, settings.points / shape.count)
            for start in stride(from: 0, to: count, by: 1000) {
                let batches = Material.batches(shape, count: min(1000, count - start), from: start)
                try first.append(batches, to: run, inFlight: 64)
            }
            first.store.close()
            var (opens, latests): ([Double], [Double]) = ([], [])
            for _ in 0..<settings.rounds {
                let (opening, store) = try timed { try OpenStore(folder) }
                defer { store.store.close() }
                opens.append(opening * 1000)
                let (seconds, states) = try timed {
                    try store.store.read { (reader) throws(StorageError) in try reader.series(of: run, named: nil) }
                }
                let points = states.reduce(0) { $0 + $1.count }
                guard points == count * shape.count else {
                    throw Complaint("\(points) points are known of the journal's.")
                }
                latests.append(seconds)
            }
            report.add("journal.open_ms", opens, note: "\(short(Double(count * shape.count) / 1e6)) M points")
            report.add("journal.latest_s", latests)
        }
    }
}
