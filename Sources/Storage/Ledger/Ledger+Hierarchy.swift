package import MartletDomain

/// What someone says when a project is made.
package struct ProjectDraft: Sendable {
    package var title: String
    package var slug: String?
    package var description = ""
    package var team = ""
    package var tags = Pairs<TagValue>()
    package init(title: String, slug: String? = nil) { (self.title, self.slug) = (title, slug) }
}

package struct ExperimentDraft: Sendable {
    package var name: String
    package var project: ProjectID
    package var description = ""
    package var hypothesis = ""
    package var location = ""
    package var tags = Pairs<TagValue>()
    package var extras = Pairs<String>()
    package init(name: String, project: ProjectID = .standard) { (self.name, self.project) = (name, project) }
}

// Projects and experiments: names that are taken stay taken, and what is deleted takes its children along.
extension Ledger {
    package func createProject(_ draft: ProjectDraft) throws(StorageError) -> (project: Project, created: Bool) {
        try checkName(draft.title, "project")
        try check(draft.tags)
        guard let slug = draft.slug ?? Slug.make(from: draft.title) else {
            throw StorageError(
                .invalid, "The project name “\(draft.title)” holds no letter or digit.",
                remedy: "Use a name with letters or digits in it.", field: "name")
        }
        if let existing = try tx.project(slug: slug) {
            guard existing.life == .active else {
                throw StorageError(
                    .conflict, "The project “\(slug)” was deleted and its name stays taken.",
                    remedy: "Restore it with POST /api/v1/projects/\(slug)/restore, or choose another name.")
            }
            return (existing, false)
        }
        let project = try tx.insert(
            Project(
                id: ProjectID(0), slug: slug, title: draft.title, created: now, updated: now,
                description: draft.description, team: draft.team, tags: draft.tags))
        note("project.create", .project(project.id), in: project.id, after: [("name", project.title)])
        return (project, true)
    }

    package func updateProject(
        _ id: ProjectID, title: String? = nil, description: String? = nil, team: String? = nil,
        tags: Pairs<TagValue>? = nil
    ) throws(StorageError) -> Project {
        var project = try activeProject(id)
        let before = project
        if let title {
            try checkName(title, "project")
            project.title = title
        }
        if let description { project.description = description }
        if let team { project.team = team }
        if let tags {
            try check(tags)
            project.tags = tags
        }
        guard project != before else { return project }
        project.updated = now
        try tx.update(project)
        note(
            "project.update", .project(id), in: id, before: [("name", before.title), ("team", before.team)],
            after: [("name", project.title), ("team", project.team)])
        return project
    }

    package func deleteProject(_ id: ProjectID) throws(StorageError) {
        guard id != .standard else {
            throw StorageError(
                .conflict, "The default project cannot be deleted.", remedy: "Delete its experiments instead.")
        }
        var project = try activeProject(id)
        project.life = .deleted
        project.updated = now
        try tx.update(project)
        for var experiment in try tx.experiments(in: id) where experiment.life == .active {
            experiment.life = .deletedWithParent
            try tx.update(experiment)
            try changeRuns(of: experiment.id, from: .active, to: .deletedWithParent)
        }
        note("project.delete", .project(id), in: id, before: [("name", project.title)])
    }

    package func restoreProject(_ id: ProjectID) throws(StorageError) -> Project {
        guard var project = try tx.project(id), try !tx.isPurged(id) else { throw .projectNotFound("\(id)") }
        guard project.life != .active else { return project }
        project.life = .active
        project.updated = now
        try tx.update(project)
        for var experiment in try tx.experiments(in: id) where experiment.life == .deletedWithParent {
            experiment.life = .active
            try tx.update(experiment)
            try changeRuns(of: experiment.id, from: .deletedWithParent, to: .active)
        }
        note("project.restore", .project(id), in: id, after: [("name", project.title)])
        return project
    }

    /// The experiment of this name, made if there is none: an experiment is shared by its name.
    package func createExperiment(
        _ draft: ExperimentDraft, id: ExperimentID? = nil
    ) throws(StorageError) -> (experiment: Experiment, created: Bool) {
        try checkName(draft.name, "experiment")
        guard !ReservedNames.experiments.contains(draft.name.lowercased()) else {
            throw StorageError(
                .invalid, "“\(draft.name)” is a word of the API's addresses and cannot name an experiment.",
                remedy: "Choose another name.", field: "name")
        }
        let project = try activeProject(draft.project)
        try check(draft.tags)
        if let existing = try tx.experiment(named: draft.name, in: project.id) {
            guard existing.life == .active else {
                throw StorageError(
                    .conflict, "The experiment “\(draft.name)” was deleted and its name stays taken.",
                    remedy: "Restore it with `martlet experiments restore \(existing.id)`, or choose another name.",
                    field: "name")
            }
            return (existing, false)
        }
        var experiment = Experiment(
            id: id ?? ExperimentID(-1), project: project.id, name: draft.name, created: now, updated: now,
            location: draft.location, description: draft.description, hypothesis: draft.hypothesis,
            tags: draft.tags, extras: draft.extras)
        if id == nil { experiment = try tx.insert(experiment) } else { try tx.insert(keepingID: experiment) }
        note("experiment.create", .experiment(experiment.id), in: project.id, after: [("name", experiment.name)])
        return (experiment, true)
    }

    package func updateExperiment(
        _ id: ExperimentID, name: String? = nil, description: String? = nil, hypothesis: String? = nil,
        tags: [(key: String, value: TagValue)] = [], removingTags: [String] = [],
        extras: [(key: String, value: String?)] = []
    ) throws(StorageError) -> Experiment {
        var experiment = try activeExperiment(id)
        let before = experiment
        if let name, name != experiment.name {
            try checkName(name, "experiment")
            if try tx.experiment(named: name, in: experiment.project) != nil {
                throw StorageError(
                    .conflict, "There is already an experiment “\(name)” in this project.",
                    remedy: "Choose another name.", field: "name")
            }
            experiment.name = name
        }
        if let description { experiment.description = description }
        if let hypothesis { experiment.hypothesis = hypothesis }
        for (key, value) in tags { experiment.tags[key] = .some(value) }
        for key in removingTags { experiment.tags[key] = .none }
        for (key, value) in extras { experiment.extras[key] = value }
        try check(experiment.tags)
        guard experiment != before else { return experiment }
        experiment.updated = now
        try tx.update(experiment)
        note(
            "experiment.update", .experiment(id), in: experiment.project, before: [("name", before.name)],
            after: [("name", experiment.name)])
        return experiment
    }

    /// Fixes where the artifacts of an experiment lie, for one that was made without saying so.
    package func place(_ id: ExperimentID, at location: String) throws(StorageError) -> Experiment {
        var experiment = try activeExperiment(id)
        experiment.location = location
        try tx.update(experiment)
        return experiment
    }

    package func deleteExperiment(_ id: ExperimentID) throws(StorageError) {
        guard var experiment = try tx.experiment(id) else { throw .experimentNotFound("\(id)") }
        guard experiment.life == .active else { return }
        experiment.life = .deleted
        experiment.updated = now
        try tx.update(experiment)
        try changeRuns(of: id, from: .active, to: .deletedWithParent)
        note("experiment.delete", .experiment(id), in: experiment.project, before: [("name", experiment.name)])
    }

    /// Brings back what went with the experiment; `everything` brings back what was deleted before it too, as MLflow's
    /// clients expect.
    package func restoreExperiment(
        _ id: ExperimentID, everything: Bool = false
    ) throws(StorageError) -> Experiment {
        guard var experiment = try tx.experiment(id), try !tx.isPurged(id) else { throw .experimentNotFound("\(id)") }
        if let project = try tx.project(experiment.project), project.life != .active {
            throw StorageError(
                .conflict, "The experiment's project “\(project.slug)” is deleted.",
                remedy: "Restore the project first.")
        }
        guard experiment.life != .active else { return experiment }
        experiment.life = .active
        experiment.updated = now
        try tx.update(experiment)
        try changeRuns(of: id, from: .deletedWithParent, to: .active)
        if everything { try changeRuns(of: id, from: .deleted, to: .active) }
        note("experiment.restore", .experiment(id), in: experiment.project, after: [("name", experiment.name)])
        return experiment
    }

    // MARK: - Pieces

    package func activeProject(_ id: ProjectID) throws(StorageError) -> Project {
        guard let project = try tx.project(id) else { throw .projectNotFound("\(id)") }
        guard project.life == .active else {
            throw StorageError(
                .conflict, "The project “\(project.slug)” is deleted.", remedy: "Restore it first.")
        }
        return project
    }

    package func activeExperiment(_ id: ExperimentID) throws(StorageError) -> Experiment {
        guard let experiment = try tx.experiment(id) else { throw .experimentNotFound("\(id)") }
        guard experiment.life == .active else {
            throw StorageError(
                .conflict, "The experiment “\(experiment.name)” is deleted.",
                remedy: "Restore it with `martlet experiments restore \(id)`.")
        }
        return experiment
    }

    private func check(_ tags: Pairs<TagValue>) throws(StorageError) {
        for (key, value) in tags.entries {
            try limits.checkKey(key, "tag")
            try limits.checkText(value ?? "", limits.tagBytes, "tag “\(key)”", setting: "--limit-tag-bytes")
        }
        try limits.check(tags.count, limits.tags, "tags", setting: "--limit-tags")
    }

    func checkName(_ name: String, _ what: String) throws(StorageError) {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw StorageError(
                .invalid, "The \(what) has no name.", remedy: "Give it a name.", field: "name")
        }
        try limits.checkText(name, limits.nameBytes, "\(what) name", setting: "--limit-name-bytes")
        guard !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw StorageError(
                .invalid, "The \(what) name holds a control character.",
                remedy: "Use printable characters.", field: "name")
        }
    }

    private func changeRuns(of id: ExperimentID, from: Life, to: Life) throws(StorageError) {
        var after: RunKey?
        while true {
            let page = try tx.runs(in: id, after: after, limit: 1000)
            for var run in page where run.life == from {
                run.life = to
                try tx.update(run)
            }
            guard page.count == 1000, let last = page.last else { return }
            after = last.key
        }
    }
}

package enum ReservedNames {
    /// Words that stand where an experiment's name could in an address.
    package static let experiments: Set<String> = ["compare", "search"]
    package static let runs: Set<String> = ["search", "compare"]
}

/// A name as it may stand in an address.
package enum Slug {
    package static func make(from title: String) -> String? {
        var out = [UInt8]()
        for byte in title.lowercased().utf8 {
            let isLetter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            if isLetter || isDigit || byte >= 0x80 {
                out.append(byte)
            } else if let last = out.last, last != UInt8(ascii: "-") {
                out.append(UInt8(ascii: "-"))
            }
        }
        if out.last == UInt8(ascii: "-") { out.removeLast() }
        return out.isEmpty ? nil : String(decoding: out.prefix(200), as: UTF8.self)
    }
}
