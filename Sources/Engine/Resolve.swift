package import MartletDomain
package import MartletStorage

// People name things in many ways. One rule everywhere an id is accepted, first match wins: full id, short id, alias,
// exact name, unique prefix of an id; `id:x` and `name:x` force one reading. What destroys needs an exact name of the
// run itself: its id, short id or alias.
package enum ReferenceStrictness: Sendable { case any, exact }

//
// A name leads first to what its caller may read, and only that is ever suggested. What the caller may not read is found
// only where nothing else is meant, and the check of rights that follows refuses it.
extension StoreReader {
    package func resolveProject(_ text: String, for caller: Caller) throws(Refusal) -> Project {
        let (form, rest) = forced(text)
        if form != .name, let number = Int64(rest), let project = try project(ProjectID(number)) {
            if project.life == .active { return project }
            if try !isPurged(project.id) { return project }
        }
        if form != .id {
            if let project = try project(slug: rest) { return project }
            let byTitle = try projects().filter { $0.title == rest }
            if let found = try one("project", rest, byTitle, \.id, caller, { $0.slug }) { return found }
        }
        let known = try projects().filter { $0.life == .active && caller.may(.read, on: $0.id) }.map(\.slug)
        throw .projectNotFound(text, near: Nearness.nearest(to: rest, among: known))
    }

    /// By id, or by name in a project (the default one when none is said, else wherever the name is unique).
    package func resolveExperiment(
        _ text: String, in project: ProjectID? = nil, for caller: Caller
    ) throws(Refusal) -> Experiment {
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
            let home = project ?? .standard
            if project != nil || caller.may(.read, on: home), let found = try experiment(named: rest, in: home) {
                return found
            }
            if project == nil {
                let found = try experiments(in: nil).filter { $0.name == rest }
                if let found = try one("experiment", rest, found, \.project, caller, { "\($0.id)" }) { return found }
            }
        }
        let names = try experiments(in: project).filter { $0.life == .active && caller.may(.read, on: $0.project) }
        throw .experimentNotFound(text, near: Nearness.nearest(to: rest, among: names.map(\.name)))
    }

    package func resolveRun(
        _ text: String, in experiment: ExperimentID? = nil, _ strictness: ReferenceStrictness = .any, for caller: Caller
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
                    let found = try among(caller) { home throws(Refusal) in
                        guard let home else { return try runs(number: number, limit: 6) }
                        return try run(number: number, in: home).map { [$0] } ?? []
                    }
                    if let found = try one("run", rest, found, \.project, caller, { "\($0.id)" }) { return found }
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
                near: try nearRuns(rest, in: experiment, caller))
        }
        if form != .id {
            let found =
                if let experiment { try runs(named: rest, in: experiment, limit: 6) } else {
                    try among(caller) { home throws(Refusal) in try runs(named: rest, in: home, limit: 6) }
                }
            if let found = try one("run", rest, found, \.project, caller, { "\($0.id)" }) { return found }
        }
        if form != .name, rest.utf8.count >= 6, rest.utf8.count < 32 {
            // Six digits have hardly a second run; what cannot be read must not crowd out what can.
            let found = try runs(idPrefix: rest, limit: 1000).filter {
                experiment == nil || $0.experiment == experiment
            }
            if let found = try one("run", rest, found, \.project, caller, { "\($0.id)" }) { return found }
        }
        throw .runNotFound(text, near: try nearRuns(rest, in: experiment, caller))
    }

    /// The one that is meant: among those that the caller may read, else any, which the caller is then refused. Nil when
    /// there is none.
    private func one<T>(
        _ what: String, _ text: String, _ found: [T], _ project: (T) -> ProjectID, _ caller: Caller,
        _ name: (T) -> String
    ) throws(Refusal) -> T? {
        let readable = found.filter { caller.may(.read, on: project($0)) }
        if readable.isEmpty { return found.first }
        if readable.count == 1 { return readable[0] }
        throw ambiguous(what, text, readable.prefix(6).map(name))
    }

    /// Runs everywhere. Who reads everything asks at once; who does not asks experiment by experiment, since a page of
    /// what may not be read would hide the rest. When nothing is there to read, whatever there is.
    private func among(
        _ caller: Caller, _ find: (ExperimentID?) throws(Refusal) -> [Run]
    ) throws(Refusal) -> [Run] {
        if caller.role == nil {
            var found: [Run] = []
            for project in caller.grants.keys.sorted() where caller.may(.read, on: project) {
                for experiment in try experiments(in: project) where found.count < 6 {
                    found += try find(experiment.id)
                }
            }
            if !found.isEmpty { return found }
        }
        return try find(nil)
    }

    private func forced(_ text: String) -> (ReferenceForm?, String) {
        if text.hasPrefix("id:") { return (.id, String(text.dropFirst(3))) }
        if text.hasPrefix("name:") { return (.name, String(text.dropFirst(5))) }
        return (nil, text)
    }

    private func nearRuns(
        _ text: String, in experiment: ExperimentID?, _ caller: Caller
    ) throws(Refusal) -> [String] {
        var near: [String] = []
        for length in stride(from: min(text.utf8.count, 8), through: 3, by: -1) where near.isEmpty {
            let found = try runs(idPrefix: String(text.prefix(length)), limit: caller.role == nil ? 1000 : 3)
            near = found.filter { caller.may(.read, on: $0.project) }.prefix(3).map(\.id.text)
        }
        guard near.isEmpty else { return near }
        // Without an experiment only the newest ones are looked through: a mistyped name must not cost a scan.
        var homes: [ExperimentID] = []
        if let experiment {
            let home = try self.experiment(experiment)
            homes = home.map { caller.may(.read, on: $0.project) } ?? false ? [experiment] : []
        } else {
            homes = try experiments(in: nil).filter { $0.life == .active && caller.may(.read, on: $0.project) }
                .suffix(20).map(\.id)
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
