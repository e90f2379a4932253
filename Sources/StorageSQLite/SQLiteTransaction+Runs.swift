import MartletDomain
import MartletStorage

extension SQLiteTransaction {
    // MARK: Projects and experiments

    func insert(_ project: Project) throws(StorageError) -> Project {
        try connection.run(
            "INSERT INTO project(slug, title, life, created_us, updated_us, doc, rev) VALUES (?, ?, ?, ?, ?, ?, ?)",
            project.slug, project.title, project.life.rawValue, project.created, project.updated, project.document,
            try revision())
        var kept = project
        kept.id = ProjectID(connection.lastInsertID)
        return kept
    }

    func update(_ project: Project) throws(StorageError) {
        try connection.run(
            """
            UPDATE project SET slug = ?, title = ?, life = ?, created_us = ?, updated_us = ?, doc = ?, rev = ?
            WHERE id = ?
            """, project.slug, project.title, project.life.rawValue, project.created, project.updated,
            project.document, try revision(), project.id)
    }

    func insert(_ experiment: Experiment) throws(StorageError) -> Experiment {
        var kept = experiment
        // Not SQLite's own count, which a number brought from elsewhere would drag along for good.
        kept.id =
            try connection.first(
                "SELECT coalesce(max(id), -1) + 1 FROM experiment WHERE id < ?", ExperimentID.foreign
            ) { ExperimentID($0.int(0)) } ?? .standard
        try insert(keepingID: kept)
        return kept
    }

    func insert(keepingID experiment: Experiment) throws(StorageError) {
        try connection.run(
            """
            INSERT INTO experiment(id, project, name, next_no, life, created_us, updated_us, location, doc, rev)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, experiment.id, experiment.project, experiment.name, experiment.nextNumber, experiment.life.rawValue,
            experiment.created, experiment.updated, experiment.location, experiment.document, try revision())
    }

    func update(_ experiment: Experiment) throws(StorageError) {
        try connection.run(
            """
            UPDATE experiment SET project = ?, name = ?, next_no = ?, life = ?, created_us = ?, updated_us = ?,
            location = ?, doc = ?, rev = ? WHERE id = ?
            """, experiment.project, experiment.name, experiment.nextNumber, experiment.life.rawValue,
            experiment.created, experiment.updated, experiment.location, experiment.document, try revision(),
            experiment.id)
    }

    // MARK: Runs

    func insert(_ run: Run, attributes: RunAttributes) throws(StorageError) -> Run {
        try connection.run(
            """
            INSERT INTO run(uuid, project, exp, no, parent, attempt, title, state, status, life, start_us, end_us,
            seen_us, created_us, fork_run, fork_step, rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, run.id, run.project, run.experiment, run.number, run.parent, run.attempt, run.name,
            run.status.state.rawValue, run.status.word, run.life.rawValue, run.start, run.end, run.seen, run.created,
            run.fork?.run, run.fork?.step, try revision())
        var kept = run
        kept.key = RunKey(connection.lastInsertID)
        try write(attributes, of: kept.key)
        return kept
    }

    func update(_ run: Run) throws(StorageError) {
        try connection.run(
            """
            UPDATE run SET uuid = ?, project = ?, exp = ?, no = ?, parent = ?, attempt = ?, title = ?, state = ?,
            status = ?, life = ?, start_us = ?, end_us = ?, seen_us = ?, created_us = ?, fork_run = ?, fork_step = ?,
            rev = ? WHERE id = ?
            """, run.id, run.project, run.experiment, run.number, run.parent, run.attempt, run.name,
            run.status.state.rawValue, run.status.word, run.life.rawValue, run.start, run.end, run.seen, run.created,
            run.fork?.run, run.fork?.step, try revision(), run.key)
    }

    func setAttributes(_ attributes: RunAttributes, of run: RunKey) throws(StorageError) {
        try write(attributes, of: run)
        try touch(run)
    }

    func setSummary(_ summary: Pairs<SummaryValue>, of run: RunKey) throws(StorageError) {
        try write(RunDocument.encode(try numbered(summary)), as: .summary, of: run)
        try touch(run)
    }

    private func write(_ attributes: RunAttributes, of run: RunKey) throws(StorageError) {
        let numbered = RunDocument.Attributes(
            params: try numbered(attributes.params), tags: try numbered(attributes.tags),
            properties: try numbered(attributes.properties))
        try write(RunDocument.encode(numbered), as: .attributes, of: run)
    }

    /// Keys as ids, ascending: the order in which the store first saw them.
    private func numbered<Value>(_ pairs: Pairs<Value>) throws(StorageError) -> RunDocument.Column<Value> {
        var column: RunDocument.Column<Value> = []
        column.reserveCapacity(pairs.count)
        for (key, value) in pairs.entries { column.append((try intern(key), value)) }
        return column.sorted { $0.id < $1.id }
    }

    private func write(_ document: [UInt8], as kind: RunDocument.Kind, of run: RunKey) throws(StorageError) {
        try connection.run(
            "INSERT INTO run_doc(id, data) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET data = excluded.data",
            RunDocument.id(kind, of: run), blob: document)
    }

    func setAlias(_ text: String, space: String, run: RunKey) throws(StorageError) -> Bool {
        if let taken = try alias(text, space: space) { return taken == run }
        try connection.run("INSERT INTO alias(space, text, run) VALUES (?, ?, ?)", space, text, run)
        try touch(run)
        return true
    }

    func insertLane(of run: RunKey, attempt: Int, role: String, rank: Int) throws(StorageError) -> Lane {
        try connection.run(
            "INSERT INTO lane(run, attempt, role, rank) VALUES (?, ?, ?, ?)", run, attempt, role, rank)
        return Lane(id: LaneID(connection.lastInsertID), attempt: attempt, role: role, rank: rank)
    }

    /// The row goes at once, with what is small and found by other ways than the run; the rest is out of everyone's
    /// sight from here on, and `purgeStep` removes it bit by bit.
    func bury(_ run: Run, at: Timestamp) throws(StorageError) {
        try connection.run(
            """
            INSERT INTO grave(uuid, run, at_us, purged, rev) VALUES (?, ?, ?, 0, ?)
            ON CONFLICT(uuid) DO NOTHING
            """, run.id, run.key, at, try revision())
        try connection.run("DELETE FROM run WHERE id = ?", run.key)
        try connection.run("DELETE FROM alias WHERE run = ?", run.key)
        let documents = RunDocument.id(.attributes, of: run.key)
        try connection.run("DELETE FROM run_doc WHERE id BETWEEN ? AND ?", documents, documents + 3)
    }
}
