package import MartletDomain
package import MartletStorage

/// What a project's page says of what is in it.
package struct ProjectView: Sendable {
    package var project: Project
    package var experiments: Int
    package var runs: Int
    package var lastActivity: Timestamp
}

/// Which of the living and the deleted a list shows.
package enum LifeFilter: String, Sendable, CaseIterable {
    case active, deleted, all

    package func includes(_ life: Life) -> Bool {
        switch self {
        case .active: life == .active
        case .deleted: life != .active
        case .all: true
        }
    }
}

extension StoreReader {
    /// Counts are of what is not deleted. Every change writes the audit trail, so its newest entry is the last activity;
    /// nothing has to be searched for it.
    package func view(of project: Project) throws(Refusal) -> ProjectView {
        var view = ProjectView(project: project, experiments: 0, runs: 0, lastActivity: project.updated)
        for experiment in try experiments(in: project.id) where experiment.life == .active {
            view.experiments += 1
            view.runs += try runCounts(in: experiment.id).values.reduce(0, +)
        }
        if let entry = try audit(project.id, before: nil, limit: 1).first {
            view.lastActivity = max(view.lastActivity, entry.at)
        }
        return view
    }

    /// The projects that a list shows, in order of id.
    package func projects(_ life: LifeFilter) throws(Refusal) -> [Project] {
        var shown: [Project] = []
        for project in try projects() where life.includes(project.life) {
            if project.life == .active {
                shown.append(project)
            } else if try !isPurged(project.id) {
                shown.append(project)
            }
        }
        return shown
    }

    package func experiments(in project: ProjectID?, _ life: LifeFilter) throws(Refusal) -> [Experiment] {
        var shown: [Experiment] = []
        for experiment in try experiments(in: project) where life.includes(experiment.life) {
            if experiment.life == .active {
                shown.append(experiment)
            } else if try !isPurged(experiment.id) {
                shown.append(experiment)
            }
        }
        return shown
    }
}

/// `team` has the tag with any value, `team=vision` with this one.
package struct TagFilter: Sendable {
    private let text: String
    package init(_ text: String) { self.text = text }

    package func matches(_ tags: Pairs<TagValue>) -> Bool {
        if tags[text] != nil { return true }
        guard let equals = text.firstIndex(of: "=") else { return false }
        guard case .some(let value) = tags[String(text[..<equals])] else { return false }
        return (value ?? "") == text[text.index(after: equals)...]
    }
}
