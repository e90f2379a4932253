package import MartletDomain

// Deletion for good. A run leaves a grave; an experiment and a project leave an empty row that nobody can find, so that
// their ids are never given again, while their names are free from then on. What was
// written beside them (notes, definitions, named artifacts) goes with them.
extension Ledger {
    /// Deletes an experiment for good, with every run of it, whatever their life.
    package func purgeExperiment(_ id: ExperimentID) throws(StorageError) {
        guard id != .standard else {
            throw StorageError(
                .conflict, "The default experiment cannot be deleted for good.", remedy: "Delete its runs instead.")
        }
        guard var experiment = try tx.experiment(id), try !tx.isPurged(id) else { throw .experimentNotFound("\(id)") }
        var after: RunKey?
        while true {
            let page = try tx.runs(in: id, after: after, limit: 500)
            for run in page { try purgeRun(run.key) }
            guard page.count == 500, let last = page.last else { break }
            after = last.key
        }
        note("experiment.purge", .experiment(id), in: experiment.project, before: [("name", experiment.name)])
        experiment = Experiment(
            id: id, project: experiment.project, name: Purged.name(id.raw), life: .deleted,
            created: experiment.created, updated: now, nextNumber: experiment.nextNumber)
        try tx.update(experiment)
        try tx.removeCards(in: experiment.project, owner: Card.owner(id))
        try tx.bury(.experiment(id))
        try tx.setSetting(Purged.setting(id), now.iso)
    }

    /// Deletes a project for good, with all that is in it.
    package func purgeProject(_ id: ProjectID) throws(StorageError) {
        guard id != .standard else {
            throw StorageError(
                .conflict, "The default project cannot be deleted.", remedy: "Delete its experiments instead.")
        }
        guard var project = try tx.project(id), try !tx.isPurged(id) else { throw .projectNotFound("\(id)") }
        for experiment in try tx.experiments(in: id) where try !tx.isPurged(experiment.id) {
            try purgeExperiment(experiment.id)
        }
        note("project.purge", .project(id), in: id, before: [("name", project.title)])
        project = Project(
            id: id, slug: Purged.name(id.raw), title: Purged.name(id.raw), life: .deleted, created: project.created,
            updated: now)
        try tx.update(project)
        try tx.removeCards(in: id, owner: nil)
        try tx.bury(.project(id))
        try tx.setSetting(Purged.setting(id), now.iso)
    }
}

/// How an empty row is known, and what it is called so that its old name is free.
enum Purged {
    static func name(_ id: Int64) -> String { ":purged-\(id)" }
    static func setting(_ id: ExperimentID) -> String { "purged/experiment/\(id)" }
    static func setting(_ id: ProjectID) -> String { "purged/project/\(id)" }
}

extension StoreReader {
    package func isPurged(_ id: ExperimentID) throws(StorageError) -> Bool {
        try setting(Purged.setting(id)) != nil
    }

    package func isPurged(_ id: ProjectID) throws(StorageError) -> Bool { try setting(Purged.setting(id)) != nil }
}
