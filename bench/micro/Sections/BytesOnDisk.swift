import MartletSeries
import MartletStorage

/// What a point costs on disk once it is compacted: pages of the file that hold something, all tables included.
enum BytesOnDisk {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        for kind in Kind.allCases {
            let count = min(1_000_000, settings.points)
            try withFolder(settings, "bytes-\(kind.rawValue)") { folder in
                let store = try OpenStore(folder)
                defer { store.store.close() }
                let run = try store.makeRuns(1)[0]
                let empty = try store.usedBytes()
                let points = kind.points(count)
                let batches = stride(from: 0, to: count, by: 1000).map { start in
                    PointBatch(entries: [.init(name: kind.rawValue, points: points[start..<min(start + 1000, count)])])
                }
                try store.append(batches, to: run, inFlight: 64)
                let journal = (try store.usedBytes() - empty) / Double(count)
                try store.compactAll()
                report.add(
                    "bytes.\(kind.rawValue)", [(try store.usedBytes() - empty) / Double(count)],
                    note: "\(short(journal)) while in the journal")
            }
        }
        try mixed(settings, &report)
        try shortSeries(settings, &report)
    }

    /// A run as it is in life: 50 metrics of all kinds, side by side.
    private static func mixed(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "bytes-mix") { folder in
            let store = try OpenStore(folder)
            defer { store.store.close() }
            let shape = Material.Shape(keys: 50, pointsOfKey: 20)
            let count = min(1_000_000, settings.points) / shape.count
            let run = try store.makeRuns(1)[0]
            let empty = try store.usedBytes()
            try store.append(Material.batches(shape, count: count), to: run, inFlight: 64)
            try store.compactAll()
            report.add("bytes.mix", [(try store.usedBytes() - empty) / Double(count * shape.count)])
        }
    }

    /// The normal case of a tracker: 1,500 names with a handful of points each, the file's own weight included.
    private static func shortSeries(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "bytes-short") { folder in
            let store = try OpenStore(folder)
            defer { store.store.close() }
            let shape = Material.Shape(keys: 1500, pointsOfKey: 1)
            let runs = try store.makeRuns(20)
            let batches = Material.batches(shape, count: 10)
            for run in runs { try store.append(batches, to: run, inFlight: 64) }
            try store.compactAll()
            report.add(
                "bytes.short_series", [try store.usedBytes() / Double(runs.count * batches.count * shape.count)],
                note: "\(runs.count) runs of 1,500 series with 10 points")
        }
    }
}
