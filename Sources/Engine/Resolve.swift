package import MartletDomain
package import MartletStorage

// People name things in many ways. One rule everywhere an id is accepted, first match wins: full id, short id, alias,
// exact name, unique prefix of an id; `id:x` and `name:x` force one reading. What destroys needs an exact name of the
// run itself: its id, short id or alias.
package enum ReferenceStrictness: Sendable { case any, exact }

extension StoreReader {
    package func resolveProject(_ text: String) throws(Refusal) -> Project {
        let (form, rest) = forced(text)
        if form != .name, let number = Int64(rest), let project = try project(ProjectID(number)) {
            if project.life == .active { return project }
            if try !isPurged(project.id) { return project }
        }
        if form != .id {
            if let project = try project(slug: rest) { return project }
            let byTitle = try projects().filter { $0.title == rest }
            if byTitle.count == 1 { return byTitle[0] }
            if byTitle.count > 1 { throw ambiguous("project", rest, byTitle.map(\.slug)) }
        }
        let known = try projects().filter { $0.life == .active }.map(\.slug)
        throw .projectNotFound(text, near: Nearness.nearest(to: rest, among: known))
    }

    /// By id, or by name in a project (the default one when none is said, else wherever the name is unique).
    package func resolveExperiment(_ text: String, in project: ProjectID? = nil) throws(Refusal) -> Experiment {
        let (form, rest) = forced(text)
        if form != .name, let number = Int64(rest), let found = try experiment(ExperimentID(number)),
            project == nil || found.project == project
        {
            if found.life == .active { return found }
            if try isPurged(found.id) {
                throw Refusal(
                    .notFound, "The experiment \(number) was deleted for good.", remedy: "Its id is never given again.")
            }
            return found
        }
        if form != .id {
            if let found = try experiment(named: rest, in: project ?? .standard) { return found }
            if project == nil {
                let found = try experiments(in: nil).filter { $0.name == rest }
                if found.count == 1 { return found[0] }
                if found.count > 1 { throw ambiguous("experiment", rest, found.map { "\($0.id)" }) }
            }
        }
        let names = try experiments(in: project).filter { $0.life == .active }.map(\.name)
        throw .experimentNotFound(text, near: Nearness.nearest(to: rest, among: names))
    }

    package func resolveRun(
        _ text: String, in experiment: ExperimentID? = nil, _ strictness: ReferenceStrictness = .any
    ) throws(Refusal) -> Run {
        let (form, rest) = forced(text)
        if form != .name, let id = RunID(rest) {
            if let found = try run(id), experiment == nil || found.experiment == experiment { return found }
            if try isPurged(id) {
                throw Refusal(
                    .notFound, "The run \(id) was deleted for good.", remedy: "Its id is never given again.")
            }
        }
        if form == nil {
            if let number = Run.number(shortID: rest) {
                if let experiment {
                    if let found = try run(number: number, in: experiment) { return found }
                } else {
                    let found = try runs(number: number, limit: 6)
                    if found.count == 1 { return found[0] }
                    if found.count > 1 { throw ambiguous("run", rest, found.map { "\($0.id)" }) }
                }
            }
            for space in ["wandb", "import", "sync", ""] {
                if let key = try alias(rest, space: space), let found = try run(key) { return found }
            }
        }
        guard strictness == .any else {
            throw .runNotFound(
                text,
                remedy: "Name it by its id or short id; names and prefixes are not enough to change or delete a run.",
                near: try nearRuns(rest, in: experiment))
        }
        if form != .id {
            let found = try runs(named: rest, in: experiment, limit: 6)
            if found.count == 1 { return found[0] }
            if found.count > 1 { throw ambiguous("run", rest, found.map { "\($0.id)" }) }
        }
        if form != .name, rest.utf8.count >= 6, rest.utf8.count < 32 {
            let found = try runs(idPrefix: rest, limit: 6).filter { experiment == nil || $0.experiment == experiment }
            if found.count == 1 { return found[0] }
            if found.count > 1 { throw ambiguous("run", rest, found.map { "\($0.id)" }) }
        }
        throw .runNotFound(text, near: try nearRuns(rest, in: experiment))
    }

    private func forced(_ text: String) -> (ReferenceForm?, String) {
        if text.hasPrefix("id:") { return (.id, String(text.dropFirst(3))) }
        if text.hasPrefix("name:") { return (.name, String(text.dropFirst(5))) }
        return (nil, text)
    }

    private func nearRuns(_ text: String, in experiment: ExperimentID?) throws(Refusal) -> [String] {
        var near: [String] = []
        for length in stride(from: min(text.utf8.count, 8), through: 3, by: -1) where near.isEmpty {
            near = try runs(idPrefix: String(text.prefix(length)), limit: 3).map(\.id.text)
        }
        guard near.isEmpty else { return near }
        // Without an experiment only the newest ones are looked through: a mistyped name must not cost a scan.
        var homes: [ExperimentID] = []
        if let experiment {
            homes = [experiment]
        } else {
            homes = try experiments(in: nil).filter { $0.life == .active }.suffix(20).map(\.id)
        }
        var names: [String] = []
        for home in homes {
            for run in try runs(in: home, after: nil, limit: 500) {
                names.append(run.name)
                if experiment != nil { names.append(run.shortID) }
            }
        }
        return Nearness.nearest(to: text, among: names)
    }

    private func ambiguous(_ what: String, _ text: String, _ candidates: [String]) -> Refusal {
        Refusal(
            .ambiguous, "“\(text)” could be \(candidates.count) or more of the \(what)s.",
            remedy: "Use one of: \(candidates.prefix(5).joined(separator: ", ")).", candidates: candidates)
    }
}

extension Refusal {
    static func projectNotFound(_ text: String, near: [String]) -> Refusal {
        notFound("project", text, remedy: "List the projects with GET /api/v1/projects.", near: near)
    }

    static func experimentNotFound(_ text: String, near: [String]) -> Refusal {
        notFound("experiment", text, remedy: "List the experiments with `martlet experiments list`.", near: near)
    }

    static func runNotFound(
        _ text: String,
        remedy: String =
            "List an experiment's runs with `martlet runs list`; a deleted run comes back with `martlet runs restore`.",
        near: [String]
    ) -> Refusal {
        notFound("run", text, remedy: remedy, near: near)
    }

    private static func notFound(_ what: String, _ text: String, remedy: String, near: [String]) -> Refusal {
        let hint = near.isEmpty ? "" : " Did you mean \(near.prefix(3).map { "“\($0)”" }.joined(separator: ", "))?"
        return Refusal(
            .notFound, "There is no \(what) “\(text.prefix(100))”.\(hint)", remedy: remedy, candidates: near)
    }
}

/// Which known names are close to one that is not known.
package enum Nearness {
    package static func nearest(to text: String, among names: [String], limit: Int = 3) -> [String] {
        let wanted = Array(text.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= 100 else { return [] }
        var scored: [(name: String, distance: Int)] = []
        for name in Set(names) {
            let other = Array(name.lowercased().utf8)
            if other == wanted {
                scored.append((name, 0))
            } else if other.starts(with: wanted) || wanted.starts(with: other) {
                scored.append((name, 1))
            } else if abs(other.count - wanted.count) <= 3 {
                let distance = edits(wanted, other)
                if distance <= max(1, wanted.count / 3) { scored.append((name, distance)) }
            }
        }
        return scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
    }

    /// Insertions, deletions, changes and swaps of neighbours (Damerau's distance, restricted), O(n·m).
    private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...max(1, a.count) where i <= a.count {
            var row = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...max(1, b.count) where j <= b.count {
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}

/// The reading of an id that its writer forced.
private enum ReferenceForm { case id, name }
