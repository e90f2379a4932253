/// What every run has without being asked, under its canonical name.
package enum Attribute: String, Hashable, Sendable, CaseIterable {
    case id, name, state, status, user, started, ended, created, updated, duration, notes, archived, life
    case shortID = "short_id"
    case artifactCount = "artifact_count"
    case gitCommit = "git_commit"
    case gitBranch = "git_branch"

    package var kind: FieldKind {
        switch self {
        case .id: .identity
        case .shortID, .name, .user, .notes, .gitCommit, .gitBranch: .text
        case .state, .status, .life: .word
        case .started, .ended, .created, .updated: .time
        case .duration: .duration
        case .archived: .truth
        case .artifactCount: .number
        }
    }

    /// Other spellings that clients use; names are read in any case.
    private static let aliases: [String: Attribute] = [
        "run_id": .id, "run_name": .name, "run": .id, "title": .name, "run name": .name, "user_id": .user,
        "owner": .user,
        "start_time": .started, "start": .started, "started_at": .started,
        "end_time": .ended, "end": .ended, "ended_at": .ended, "finished_at": .ended,
        "created_at": .created, "updated_at": .updated, "modified": .updated,
        "description": .notes, "note": .notes, "lifecycle_stage": .life, "artifacts": .artifactCount,
        "commit": .gitCommit, "branch": .gitBranch,
    ]

    /// Names of a relation's field that stand alone: `experiment = 'ridge'` asks for the experiment's name.
    private static let shortcuts: [String: (Field.Relation, Attribute)] = [
        "experiment": (.experiment, .name), "experiment_name": (.experiment, .name),
        "experiment_id": (.experiment, .id),
        "project": (.project, .name), "project_name": (.project, .name), "project_id": (.project, .id),
        "parent": (.parent, .id), "parent_id": (.parent, .id), "parent_run_id": (.parent, .id),
    ]

    init?(spelled word: String) {
        let word = word.lowercased()
        guard let found = Attribute(rawValue: word) ?? Attribute.aliases[word] else { return nil }
        self = found
    }

    /// The field that a name without a prefix stands for.
    static func field(spelled word: String) -> Field? {
        if let attribute = Attribute(spelled: word) { return .attribute(attribute) }
        guard let (relation, attribute) = shortcuts[word.lowercased()] else { return nil }
        return Field(.attribute(attribute), of: relation)
    }

    /// Experiments and projects have fewer attributes than runs.
    func exists(on relation: Field.Relation) -> Bool {
        switch relation {
        case .run, .parent: true
        case .experiment, .project:
            switch self {
            case .id, .name, .user, .created, .updated, .notes, .archived, .life: true
            default: false
            }
        }
    }

    /// What is not a canonical name but is read, for suggestions.
    static let otherSpellings: [String] = (Array(aliases.keys) + Array(shortcuts.keys)).sorted()
}
