import Foundation
import MartletDomain
import MartletEngine
import MartletObservability
import MartletSeries
import MartletStorage

/// Many runs with 1,500 metrics each, one point a metric: the shape in which trackers suffocate. Made by one process
/// and asked by another, whose memory is then that of asking.
enum WideRuns {
    static let metrics = 1500
    static let filter = "metrics.`train/metric_7` > 0.5 ORDER BY metrics.`train/metric_9` DESC"

    static func path(_ settings: Settings) -> String { settings.folder + "/wide" }

    static func run(_ settings: Settings, _ report: inout Report) throws {
        try? FileManager.default.removeItem(atPath: path(settings))
        try FileManager.default.createDirectory(atPath: path(settings), withIntermediateDirectories: true)
        let store = try OpenStore(path(settings))
        defer { store.store.close() }
        let names = (0..<metrics).map(Material.name)
        var chance = Chance(3)
        let (seconds, _) = try timed {
            for experiment in 0..<settings.experiments {
                let id = try store.makeExperiment("wide-\(experiment)")
                for run in try store.makeRuns(settings.wideRuns, in: id) {
                    let batch = PointBatch(
                        entries: names.map { name in
                            var points = SeriesPoints()
                            points.append(step: 1, time: Material.start, value: chance.unit())
                            return PointBatch.Entry(name: name, points: points)
                        })
                    try store.append([batch], to: run, inFlight: 1)
                }
                try store.compactAll()
            }
        }
        let count = settings.experiments * settings.wideRuns * metrics
        report.add(
            "wide.bytes", [try store.usedBytes() / Double(count)],
            note:
                "\(settings.experiments) x \(settings.wideRuns) x \(metrics), one point each, made in \(short(seconds)) s"
        )
    }

    static func ask(_ settings: Settings, _ report: inout Report) throws {
        let store = try OpenStore(path(settings))
        defer {
            store.store.close()
            try? FileManager.default.removeItem(atPath: path(settings))
        }
        let engine = Engine(store: store.store, log: .silent)
        let before = residentMegabytes()
        func ask(_ experiments: [String], _ parts: RunView.Parts = []) throws -> Double {
            let (seconds, found) = try timed {
                try SearchAtSize.ask(engine, filter, in: experiments, limit: 100, parts: parts)
            }
            guard found == min(found, 100), found > 0 else {
                throw Complaint("The search over wide runs found nothing.")
            }
            return seconds
        }
        let one = ["wide-0"]
        let cold = try (0..<3).map { _ in
            engine.index.removeAll()
            return try ask(one) * 1000
        }
        report.add("wide.cold_ms", cold)
        report.add("wide.warm_ms", try (0..<20).map { _ in try ask(one) * 1000 })
        engine.index.removeAll()
        report.add("wide.cold_all_s", [try ask([])])
        report.add(
            "wide.page_ms", try (0..<3).map { _ in try ask(one, [.metrics]) * 1000 },
            note: "a page of 100 runs with all 1,500 metrics of each")
        report.add("wide.resident_mb", [residentMegabytes()], note: "\(short(before)) when opened")
    }
}
