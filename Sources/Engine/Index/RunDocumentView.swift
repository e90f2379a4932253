package import MartletDomain
import MartletJSON
package import MartletSearch
import MartletSeries
package import MartletStorage

/// A run as a filter sees it, read field by field from the store: what a search means where no column answers it, and
/// the reference that the index is held against.
package struct RunDocumentView: SearchDocument {
    /// What was read already, and what went wrong: a document cannot throw, so whoever asked it looks here afterwards.
    private final class Memory {
        var attributes: RunAttributes?
        var parent: RunDocumentView??
        var home: (experiment: Experiment?, project: Project?)?
        var trouble: Refusal?
    }

    package let run: Run
    private let reader: any StoreReader
    private let now: Timestamp
    private let memory = Memory()

    package init(_ run: Run, _ reader: any StoreReader, now: Timestamp) {
        (self.run, self.reader, self.now) = (run, reader, now)
    }

    /// Throws what the store threw while values were read.
    package func check() throws(Refusal) {
        if let trouble = memory.trouble { throw trouble }
        if case .some(.some(let parent)) = memory.parent { try parent.check() }
    }

    package func value(of field: Field) -> SearchValue {
        do throws(Refusal) {
            switch field.relation {
            case .run: return try own(field.name)
            case .parent: return try parent()?.value(of: Field(field.name)) ?? .missing
            case .experiment:
                return try home().experiment.map { HomeDocument.value(of: field.name, in: $0) } ?? .missing
            case .project: return try home().project.map { HomeDocument.value(of: field.name, in: $0) } ?? .missing
            }
        } catch {
            memory.trouble = memory.trouble ?? error
            return .missing
        }
    }

    private func own(_ name: Field.Name) throws(Refusal) -> SearchValue {
        switch name {
        case .attribute(let attribute): return try value(of: attribute)
        case .param(let key): return SearchValue(param: try attributes().params[key])
        case .tag(let key): return SearchValue(tag: try attributes().tags[key])
        case .metric(let key, .at(let step)):
            let points = try reader.curve(of: run, key, in: PointRange(from: step, to: step))
            return Latest.of(points).map { .number($0.value) } ?? .missing
        case .metric(let key, let part):
            return SearchValue(number: part.number(of: try reader.metrics(of: run, named: [key]).first))
        case .other: return .missing
        case .dataset(let part): return try DatasetFacts.values(of: part, run.key, reader)
        }
    }

    private func value(of attribute: Attribute) throws(Refusal) -> SearchValue {
        switch attribute {
        case .id: .text(run.id.text)
        case .shortID: .text(run.shortID)
        case .name: .text(run.name)
        case .state: .text(run.status.state.word)
        case .status: .text(run.status.word)
        case .user: SearchValue(text: try attributes().properties["user"])
        case .gitCommit: SearchValue(text: try attributes().properties["git_commit"])
        case .gitBranch: SearchValue(text: try attributes().gitBranch)
        case .started: .time(run.start.micros)
        case .ended: run.end.map { .time($0.micros) } ?? .missing
        case .created: .time(run.created.micros)
        case .updated: .time(run.seen.micros)
        case .duration:
            .number(
                RunTimes.duration(
                    start: run.start.micros, end: run.end?.micros, seen: run.seen.micros, state: run.status.state,
                    now: now.micros))
        case .notes: try notes()
        case .archived: .text(run.status.state == .archived ? "true" : "false")
        case .life: .text(LifeWords.word(run.life))
        case .artifactCount: .number(Double(Set(try liveArtifacts().map(\.path)).count))
        }
    }

    private func attributes() throws(Refusal) -> RunAttributes {
        if let known = memory.attributes { return known }
        let read = try reader.attributes(of: run.key)
        memory.attributes = read
        return read
    }

    private func parent() throws(Refusal) -> RunDocumentView? {
        if let known = memory.parent { return known }
        var found: RunDocumentView?
        if let key = run.parent, let above = try reader.run(key) { found = RunDocumentView(above, reader, now: now) }
        memory.parent = .some(found)
        return found
    }

    private func home() throws(Refusal) -> (experiment: Experiment?, project: Project?) {
        if let known = memory.home { return known }
        let read = (try reader.experiment(run.experiment), try reader.project(run.project))
        memory.home = read
        return read
    }

    private func liveArtifacts() throws(Refusal) -> [Artifact] {
        try reader.artifacts(of: run.key).filter { $0.life == .active }
    }

    /// The description, then each note as it last stood.
    private func notes() throws(Refusal) -> SearchValue {
        var texts: [SearchValue] = []
        if let description = try attributes().properties["description"], !description.isEmpty {
            texts.append(.text(description))
        }
        var latest = Pairs<String>()
        for item in try reader.items(of: .run(run.key), kind: "note", key: nil) { latest[item.key] = item.data }
        for (_, data) in latest.entries {
            if let text = (try? JSONValue(parsing: data))?["text"]?.string { texts.append(.text(text)) }
        }
        return texts.isEmpty ? .missing : .several(texts)
    }
}

/// An experiment or a project as a filter sees it: the same for every run in it.
enum HomeDocument {
    static func value(of name: Field.Name, in experiment: Experiment) -> SearchValue {
        guard case .attribute(let attribute) = name else { return .missing }
        return switch attribute {
        case .id: .text("\(experiment.id)")
        case .name: .text(experiment.name)
        case .created: .time(experiment.created.micros)
        case .updated: .time(experiment.updated.micros)
        case .notes: experiment.description.isEmpty ? .missing : .text(experiment.description)
        case .archived: .text("false")
        case .life: .text(LifeWords.word(experiment.life))
        default: .missing
        }
    }

    static func value(of name: Field.Name, in project: Project) -> SearchValue {
        guard case .attribute(let attribute) = name else { return .missing }
        return switch attribute {
        case .id: .text("\(project.id)")
        case .name: .text(project.title)
        case .created: .time(project.created.micros)
        case .updated: .time(project.updated.micros)
        case .notes: project.description.isEmpty ? .missing : .text(project.description)
        case .archived: .text("false")
        case .life: .text(LifeWords.word(project.life))
        default: .missing
        }
    }
}

extension RunAttributes {
    /// A commit is a property of a run; the branch is a tag, as our SDK and MLflow's clients set it.
    var gitBranch: String? { (tags["git.branch"] ?? tags["mlflow.source.git.branch"]) ?? nil }
}

enum LifeWords {
    static func word(_ life: Life) -> String { life == .active ? "active" : "deleted" }
}

enum RunTimes {
    /// In seconds. A run that goes on has lasted until now; one that ended without saying when, until it was last heard.
    static func duration(start: Int64, end: Int64?, seen: Int64, state: RunState, now: Int64) -> Double {
        let until = end ?? (state.isEnded ? seen : now)
        return Double(until.subtractingReportingOverflow(start).partialValue) / 1e6
    }
}

/// The datasets of a run: items of kind `dataset`, or the fact of that name, each an object or a list of objects with
/// name, version, digest and context. Of one key the latest counts.
enum DatasetFacts {
    static func values(
        of part: DatasetPart, _ run: RunKey, _ reader: any StoreReader
    ) throws(Refusal) -> SearchValue {
        var latest = Pairs<String>()
        for item in try reader.items(of: .run(run), kind: "dataset", key: nil) { latest["d " + item.key] = item.data }
        for item in try reader.items(of: .run(run), kind: "fact", key: "dataset") { latest["f"] = item.data }
        var found: [SearchValue] = []
        for (_, data) in latest.entries {
            guard let json = try? JSONValue(parsing: data) else { continue }
            for element in json.array ?? [json] {
                guard let text = element[part.rawValue].flatMap(text(of:)) else { continue }
                found.append(part == .version ? SearchValue(typed: text) : .text(text))
            }
        }
        return found.isEmpty ? .missing : .several(found)
    }

    private static func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        default: nil
        }
    }
}

extension SearchValue {
    init(text: String?) { self = text.map { .text($0) } ?? .missing }
    init(number: Double?) { self = number.map { .number($0) } ?? .missing }
    init(typed text: String) { self = .typedText(text, NumberText.parse(text)) }
    init(param: ParamValue?) { self = param.map { SearchValue(typed: $0.text) } ?? .missing }

    /// Nil twice over: no such tag, or a tag that is only a word.
    init(tag: TagValue?) {
        switch tag {
        case .some(.some(let text)): self = SearchValue(typed: text)
        case .some(.none): self = .flag
        case .none: self = .missing
        }
    }
}

extension MetricPart {
    /// What this part of a metric is as a number. A metric that only has a summary value is that value in every part but
    /// the count of its points.
    func number(of series: SeriesState?, summary: SummaryValue?) -> Double? {
        guard let series else {
            guard let summary else { return nil }
            return self == .count ? 0 : summary.value
        }
        return switch self {
        case .latest: summary?.value ?? series.last.value
        case .count: Double(series.count)
        case .min: series.minimum ?? .nan
        case .max: series.maximum ?? .nan
        case .mean: series.mean ?? .nan
        case .first: series.first.value
        case .at: nil
        }
    }

    func number(of metric: MetricState?) -> Double? {
        metric.flatMap { number(of: $0.series, summary: $0.summary) }
    }
}
