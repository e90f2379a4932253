import MartletDomain
import MartletStorage

extension SQLiteView {
    // MARK: Projects and experiments

    func project(_ id: ProjectID) throws(StorageError) -> Project? {
        try connection.first("SELECT \(Project.columns) FROM project WHERE id = ?", id, row: Project.init)
    }

    func project(slug: String) throws(StorageError) -> Project? {
        try connection.first("SELECT \(Project.columns) FROM project WHERE slug = ?", slug, row: Project.init)
    }

    func projects() throws(StorageError) -> [Project] {
        try connection.all("SELECT \(Project.columns) FROM project ORDER BY id", row: Project.init)
    }

    func experiment(_ id: ExperimentID) throws(StorageError) -> Experiment? {
        try connection.first("SELECT \(Experiment.columns) FROM experiment WHERE id = ?", id, row: Experiment.init)
    }

    func experiment(named name: String, in project: ProjectID) throws(StorageError) -> Experiment? {
        try connection.first(
            "SELECT \(Experiment.columns) FROM experiment WHERE project = ? AND name = ?", project, name,
            row: Experiment.init)
    }

    func experiments(in project: ProjectID?) throws(StorageError) -> [Experiment] {
        guard let project else {
            return try connection.all("SELECT \(Experiment.columns) FROM experiment ORDER BY id", row: Experiment.init)
        }
        return try connection.all(
            "SELECT \(Experiment.columns) FROM experiment WHERE project = ? ORDER BY id", project, row: Experiment.init)
    }

    // MARK: Runs

    func run(_ key: RunKey) throws(StorageError) -> Run? {
        try connection.first("SELECT \(Run.columns) FROM run WHERE id = ?", key, row: Run.init)
    }

    func run(_ id: RunID) throws(StorageError) -> Run? {
        try connection.first("SELECT \(Run.columns) FROM run WHERE uuid = ?", id, row: Run.init)
    }

    func run(number: Int, in experiment: ExperimentID) throws(StorageError) -> Run? {
        try connection.first(
            "SELECT \(Run.columns) FROM run WHERE exp = ? AND no = ?", experiment, number, row: Run.init)
    }

    func runs(_ keys: [RunKey]) throws(StorageError) -> [Run] {
        try connection.with("SELECT \(Run.columns) FROM run WHERE id = ?") { (statement) throws(StorageError) in
            var found: [Run] = []
            found.reserveCapacity(keys.count)
            for key in keys {
                try statement.bind(key.raw, at: 1)
                if try statement.step() { found.append(try Run(statement)) }
                statement.reset()
            }
            return found
        }
    }

    func runs(in experiment: ExperimentID, after: RunKey?, limit: Int) throws(StorageError) -> [Run] {
        try connection.all(
            "SELECT \(Run.columns) FROM run INDEXED BY run_exp WHERE exp = ? AND id > ? ORDER BY id LIMIT ?",
            experiment, after ?? RunKey(.min), limit, row: Run.init)
    }

    func runs(named name: String, in experiment: ExperimentID?, limit: Int) throws(StorageError) -> [Run] {
        guard let experiment else {
            return try connection.all(
                "SELECT \(Run.columns) FROM run WHERE title = ? ORDER BY id LIMIT ?", name, limit, row: Run.init)
        }
        return try connection.all(
            "SELECT \(Run.columns) FROM run WHERE title = ? AND +exp = ? ORDER BY id LIMIT ?", name, experiment, limit,
            row: Run.init)
    }

    func runs(number: Int, limit: Int) throws(StorageError) -> [Run] {
        try connection.all(
            "SELECT \(Run.columns) FROM run WHERE no = ? ORDER BY id LIMIT ?", number, limit, row: Run.init)
    }

    func runs(idPrefix: String, limit: Int) throws(StorageError) -> [Run] {
        let missing = 32 - idPrefix.utf8.count
        guard missing >= 0, !idPrefix.utf8.contains(UInt8(ascii: "-")),
            let low = RunID(idPrefix + String(repeating: "0", count: missing)),
            let high = RunID(idPrefix + String(repeating: "f", count: missing))
        else { return [] }
        return try connection.all(
            "SELECT \(Run.columns) FROM run WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?", low, high, limit,
            row: Run.init)
    }

    func children(of parent: RunKey) throws(StorageError) -> [Run] {
        try connection.all(
            "SELECT \(Run.columns) FROM run WHERE parent = ? ORDER BY id", parent, row: Run.init)
    }

    func runsInProgress(limit: Int) throws(StorageError) -> [Run] {
        try connection.all(
            "SELECT \(Run.columns) FROM run WHERE state = 1 ORDER BY seen_us, id LIMIT ?", limit, row: Run.init)
    }

    func runCounts(in experiment: ExperimentID) throws(StorageError) -> [RunState: Int] {
        var counts: [RunState: Int] = [:]
        try connection.each(
            "SELECT state, count(*) FROM run WHERE exp = ? AND life = 0 GROUP BY state", experiment
        ) { (row) throws(StorageError) in
            counts[try row.small(0, "state")] = Int(row.int(1))
        }
        return counts
    }

    // MARK: Names of a run

    func alias(_ text: String, space: String) throws(StorageError) -> RunKey? {
        try connection.integer("SELECT run FROM alias WHERE space = ? AND text = ?", space, text).map(RunKey.init)
    }

    func aliases(of run: RunKey) throws(StorageError) -> [(space: String, text: String)] {
        try connection.all("SELECT space, text FROM alias WHERE run = ? ORDER BY space, text", run) {
            ($0.text(0), $0.text(1))
        }
    }

    func isPurged(_ id: RunID) throws(StorageError) -> Bool {
        try connection.integer("SELECT 1 FROM grave WHERE uuid = ?", id) != nil
    }

    func lanes(of run: RunKey) throws(StorageError) -> [Lane] {
        guard try hasRun(run) else { return [] }
        return try connection.all("SELECT id, attempt, role, rank FROM lane WHERE run = ? ORDER BY id", run) {
            Lane(id: LaneID($0.int(0)), attempt: Int($0.int(1)), role: $0.text(2), rank: Int($0.int(3)))
        }
    }
}
