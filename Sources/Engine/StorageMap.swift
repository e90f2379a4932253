import MartletArtifacts
package import MartletDomain
package import MartletStorage
import Synchronization

/// Where a store's bytes are, in a tree: projects, their experiments, their runs. Kept for a while, because to count
/// takes seconds in a large store and a person who looks goes up and down in it.
package struct StorageMap: Sendable {
    package struct Part: Sendable {
        package var bytes = RunBytes()
        package var runs = 0
        /// Of a project: files that none of its runs has.
        package var unowned: Int64 = 0

        package init(bytes: RunBytes = RunBytes(), runs: Int = 0, unowned: Int64 = 0) {
            (self.bytes, self.runs, self.unowned) = (bytes, runs, unowned)
        }

        package var total: Int64 { bytes.total + unowned }

        mutating func add(_ other: Part) {
            bytes += other.bytes
            runs += other.runs
            unowned += other.unowned
        }
    }

    package var projects: [ProjectID: Part] = [:]
    package var experiments: [ExperimentID: Part] = [:]
    /// What is in no run: indexes, names, the audit trail, users, free pages.
    package var shared: Int64 = 0
    package var unclaimed: Int64 = 0
    /// Logbooks and whatever else lies in the store's folder.
    package var beside: Int64 = 0
    package var at: Timestamp
    package var seconds: Double
    fileprivate var runs: [StoreUsage.OfRun] = []
    /// Where an experiment's runs are in `runs`.
    fileprivate var ranges: [ExperimentID: Range<Int>] = [:]

    package var total: Int64 {
        projects.values.reduce(0) { $0 + $1.total } + shared + unclaimed + beside
    }

    /// The runs of an experiment, the largest first.
    package func runs(in experiment: ExperimentID) -> [StoreUsage.OfRun] {
        (ranges[experiment].map { runs[$0] } ?? []).sorted {
            ($1.bytes.total, $0.run) < ($0.bytes.total, $1.run)
        }
    }
}

extension Engine {
    /// How long a map is shown before it is made anew.
    package static let storageMapSeconds = 60.0

    /// The newest map, at most a minute old; counted anew where that is asked for. Those who ask while one is made wait
    /// for it.
    package func storageMap(isFresh: Bool = false) throws(Refusal) -> StorageMap {
        let result = storage.withLock { kept -> Result<StorageMap, Refusal> in
            if let kept, !isFresh, clock.now.micros - kept.at.micros < Int64(Engine.storageMapSeconds * 1e6) {
                return .success(kept)
            }
            do throws(Refusal) {
                let fresh = try countBytes()
                kept = fresh
                return .success(fresh)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func countBytes() throws(Refusal) -> StorageMap {
        let start = clock.monotonic
        let (usage, homes) = try read { (reader: any StoreReader) throws(Refusal) in
            (
                try reader.usage(),
                Dictionary(uniqueKeysWithValues: try reader.experiments(in: nil).map { ($0.id, $0.project) })
            )
        }
        var map = StorageMap(at: clock.now, seconds: 0)
        map.shared = max(0, usage.database - usage.inDatabase)
        map.unclaimed = usage.unclaimed
        // The database is counted by its rows, files by what the store knows of them: of a folder of many thousand
        // files only the rest is looked at.
        if store.about.kind != "memory" {
            map.beside = try DiskUsage(of: store.about.location, except: StorageMap.counted).bytes
        }
        for (place, one) in usage.runs.enumerated() {
            map.experiments[one.experiment, default: .init()].add(.init(bytes: one.bytes, runs: 1))
            let begin = map.ranges[one.experiment]?.lowerBound ?? place
            map.ranges[one.experiment] = begin..<place + 1
        }
        for (experiment, part) in map.experiments {
            if let project = homes[experiment] { map.projects[project, default: .init()].add(part) }
        }
        for (project, bytes) in usage.projects { map.projects[project, default: .init()].unowned += bytes }
        map.runs = usage.runs
        map.seconds = Double(clock.monotonic - start) / 1e6
        return map
    }
}

extension StorageMap {
    fileprivate static let counted: Set<String> = [
        "artifacts", "martlet.db", "martlet.db-wal", "martlet.db-shm",
    ]
}
