import MartletDomain
import MartletJSON
import MartletSearch
import MartletStorage

/// A filter of a search of traces. Conditions on spans must all hold for one span; the others hold for the trace.
struct TraceQuery {
    private enum Subject {
        case start, duration, end, state, id, request
        case tag(String), metadata(String), run, prompt(String)
        case assessment(Assessment.Kind, name: String), issue
    }

    private enum SpanPart { case name, type, status, content, attribute(String) }

    private struct Condition {
        var subject: Subject
        /// Nil for a prompt: its name is all there is to compare.
        var check: CompiledPredicate?
        var comparator: Clause.Operator
        var wanted = ""
    }

    private var conditions: [Condition] = []
    private var spanConditions: [(part: SpanPart, check: CompiledPredicate)] = []

    var looksAtSpans: Bool { !spanConditions.isEmpty }

    // MARK: - Reading

    /// Every word stands for itself here: `entity` of a clause says nothing, `writtenEntity` all.
    private static let entities: [String: Clause.Entity] = [
        "tag": .tag, "tags": .tag, "attribute": .attribute, "attributes": .attribute, "trace": .attribute,
        "request_metadata": .attribute, "metadata": .attribute, "span": .attribute, "feedback": .attribute,
        "expectation": .attribute, "issue": .attribute,
    ]
    private static let tagOperators = Clause.textOperators.union(Clause.nullOperators).union([.rlike])
    private static let textOperators = Clause.textOperators.union(Clause.listOperators).union([.rlike])

    init(_ filter: String) throws(Refusal) {
        for clause in try ClauseParser.clauses(filter, entities: TraceQuery.entities) { try read(clause) }
    }

    private mutating func read(_ clause: Clause) throws(Refusal) {
        switch clause.writtenEntity {
        case "tag", "tags": try readTag(clause.key, clause)
        case "request_metadata", "metadata": try readMetadata(clause.key, clause)
        case "span": try readSpan(clause)
        case "feedback": try readAssessment(.feedback, clause)
        case "expectation": try readAssessment(.expectation, clause)
        case "issue":
            guard clause.key == "id" else {
                throw .mlflow("Invalid issue attribute '\(clause.key)'. Supported attributes: id")
            }
            try require([.equal], clause, "issue.\(clause.key) comparator")
            try add(.issue, clause)
        default: try readAttribute(clause)
        }
    }

    private mutating func readAttribute(_ clause: Clause) throws(Refusal) {
        switch clause.key {
        case "timestamp", "timestamp_ms": try addNumber(.start, clause)
        case "execution_time", "execution_time_ms": try addNumber(.duration, clause)
        case "end_time", "end_time_ms": try addNumber(.end, clause)
        case "status": try addText(.state, clause)
        case "request_id": try addText(.id, clause)
        case "client_request_id": try addText(.request, clause)
        case "name": try readTag(TraceKeys.name, clause)
        case "run_id": try readMetadata(TraceKeys.run, clause)
        case "prompt": try readPrompt(clause)
        case "text": try readSpanPart(.content, clause)
        default:
            throw .mlflow(
                "Invalid attribute key '\(clause.key)' specified. Valid keys are '{'request_id', 'timestamp', 'timestamp_ms', 'execution_time', 'execution_time_ms', 'end_time', 'end_time_ms', 'status', 'client_request_id', 'name', 'run_id', 'prompt', 'text'}'"
            )
        }
    }

    private mutating func addNumber(_ subject: Subject, _ clause: Clause) throws(Refusal) {
        try require(Clause.numberOperators, clause, "Invalid comparator")
        let condition = try clause.numberCondition("numeric attribute: \(clause.key)")
        try add(subject, clause, Predicate(.metric(clause.key), condition))
    }

    private mutating func addText(_ subject: Subject, _ clause: Clause) throws(Refusal) {
        try require(TraceQuery.textOperators, clause, "Invalid comparator")
        try add(subject, clause)
    }

    private mutating func readTag(_ key: String, _ clause: Clause) throws(Refusal) {
        try require(TraceQuery.tagOperators, clause, "Invalid comparator")
        try add(.tag(key), clause)
    }

    private mutating func readMetadata(_ key: String, _ clause: Clause) throws(Refusal) {
        try require(TraceQuery.tagOperators, clause, "Invalid comparator")
        // A trace belongs to the run that it was made in, and to those that it was linked to.
        try add(key == TraceKeys.run && clause.comparator == .equal ? .run : .metadata(key), clause)
    }

    private mutating func readPrompt(_ clause: Clause) throws(Refusal) {
        guard clause.comparator == .equal else {
            throw .mlflow(
                "Invalid comparator '\(clause.comparator.rawValue)' for prompts filter. Only '=' is supported with format: prompt = \"name/version\""
            )
        }
        guard case .text(let prompt, _) = clause.value, prompt.filter({ $0 == "/" }).count == 1 else {
            var found = ""
            if case .text(let text, _) = clause.value { found = text }
            throw .mlflow(
                "Invalid prompts filter value '\(found)'. Expected format: prompt = \"name/version\"")
        }
        conditions.append(Condition(subject: .prompt(prompt), check: nil, comparator: .equal))
    }

    private mutating func readAssessment(_ kind: Assessment.Kind, _ clause: Clause) throws(Refusal) {
        try require(TraceQuery.tagOperators, clause, "assessment.\(clause.key) comparator")
        try add(.assessment(kind, name: clause.key), clause)
    }

    private mutating func readSpan(_ clause: Clause) throws(Refusal) {
        switch clause.key {
        case "name": try readSpanPart(.name, clause)
        case "type": try readSpanPart(.type, clause)
        case "status": try readSpanPart(.status, clause)
        case "content": try readSpanPart(.content, clause)
        default:
            guard clause.key.hasPrefix("attributes."), clause.key.utf8.count > 11 else {
                throw .mlflow(
                    "Invalid span attribute '\(clause.key)'. Supported attributes: name, status, type, attributes.<attribute_name>."
                )
            }
            try readSpanPart(.attribute(String(clause.key.dropFirst(11))), clause)
        }
    }

    private mutating func readSpanPart(_ part: SpanPart, _ clause: Clause) throws(Refusal) {
        var allowed = TraceQuery.textOperators
        if case .content = part { allowed = [.like, .ilike] }
        try require(allowed, clause, "span.\(clause.key == "text" ? "content" : clause.key) comparator")
        spanConditions.append((part, try TraceQuery.compiled(try TraceQuery.text(clause))))
    }

    private func require(_ allowed: Set<Clause.Operator>, _ clause: Clause, _ what: String) throws(Refusal) {
        guard !allowed.contains(clause.comparator) else { return }
        let valid = allowed.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        throw .mlflow("\(what) '\(clause.comparator.rawValue)' not one of '{\(valid)}'")
    }

    private mutating func add(_ subject: Subject, _ clause: Clause, _ predicate: Predicate? = nil) throws(Refusal) {
        var condition = Condition(subject: subject, check: nil, comparator: clause.comparator)
        if case .text(let text, _) = clause.value { condition.wanted = text }
        if let predicate {
            condition.check = try TraceQuery.compiled(predicate)
        } else {
            condition.check = try TraceQuery.compiled(try TraceQuery.text(clause))
        }
        conditions.append(condition)
    }

    /// The field says only that texts are compared.
    private static func text(_ clause: Clause) throws(Refusal) -> Predicate {
        Predicate(.attribute(.name), try clause.textCondition())
    }

    private static func compiled(_ predicate: Predicate) throws(Refusal) -> CompiledPredicate {
        do throws(SearchError) {
            return try CompiledPredicate(predicate, in: EvaluationContext(now: 0))
        } catch {
            throw .mlflow(error.description)
        }
    }

    // MARK: - Asking

    /// Those of the traces that the filter takes. Spans are asked for only where the filter looks at them, and last.
    func select(
        _ traces: [Trace], spans: (Trace) throws(Refusal) -> [JSONValue]
    ) throws(Refusal) -> [Trace] {
        let sessions = conditions.map { sessionsCovered(by: $0, traces) }
        var found: [Trace] = []
        for trace in traces {
            var holds = true
            for (index, condition) in conditions.enumerated() where holds {
                holds = try traceHolds(trace, condition, sessions[index])
            }
            guard holds else { continue }
            if looksAtSpans {
                var isThere = false
                for span in try spans(trace) where !isThere { isThere = try spanHolds(SpanView(span)) }
                guard isThere else { continue }
            }
            found.append(trace)
        }
        return found
    }

    private func traceHolds(
        _ trace: Trace, _ condition: Condition, _ sessions: Set<String>
    ) throws(Refusal) -> Bool {
        func test(_ value: SearchValue) throws(Refusal) -> Bool { try TraceQuery.test(condition.check, value) }
        func text(_ text: String?) -> SearchValue { text.map { .text($0) } ?? .missing }
        switch condition.subject {
        case .start: return try test(.number(Double(trace.start.millis)))
        case .duration: return try test(trace.duration.map { .number(Double($0)) } ?? .missing)
        case .end: return try test(.number(Double(trace.end.millis)))
        case .state: return try test(.text(trace.state.rawValue))
        case .id: return try test(.text(trace.id))
        case .request: return try test(text(trace.clientRequest))
        case .tag(let key): return try test(text(trace.tags[key]))
        case .metadata(let key): return try test(text(trace.shownMetadata.first { $0.key == key }?.value))
        case .run: return trace.metadata[TraceKeys.run] == condition.wanted || trace.runs.contains(condition.wanted)
        case .prompt(let prompt): return trace.prompts.contains(prompt)
        case .issue: return trace.assessments.contains { $0.kind == .issue && $0.name == condition.wanted }
        case .assessment(let kind, let name):
            let isHere =
                trace.metadata[TraceKeys.session].map(sessions.contains) ?? false
                || trace.assessments.contains { $0.kind == kind && $0.name == name && matches($0, condition) }
            return condition.comparator == .isNull ? !isHere : isHere
        }
    }

    private func spanHolds(_ span: SpanView) throws(Refusal) -> Bool {
        for (part, check) in spanConditions {
            let value: SearchValue
            switch part {
            case .name: value = .text(span.name)
            case .type: value = .text(span.type)
            case .status: value = .text(span.status)
            case .content: value = .text(span.text)
            case .attribute(let key): value = span.attribute(key).map { .text($0.string ?? $0.text) } ?? .missing
            }
            if try !TraceQuery.test(check, value) { return false }
        }
        return true
    }

    private static func test(_ check: CompiledPredicate?, _ value: SearchValue) throws(Refusal) -> Bool {
        guard let check else { return false }
        do throws(SearchError) {
            return try check.test(value)
        } catch {
            throw .mlflow(error.description)
        }
    }

    // MARK: - Assessments

    /// A judgement with a session in its metadata is one of every trace of that session.
    private func sessionsCovered(by condition: Condition, _ traces: [Trace]) -> Set<String> {
        guard case .assessment(let kind, let name) = condition.subject else { return [] }
        var sessions: Set<String> = []
        for trace in traces {
            guard let session = trace.metadata[TraceKeys.session] else { continue }
            let covers = trace.assessments.contains {
                $0.kind == kind && $0.name == name && $0.metadata[TraceKeys.session] != nil && matches($0, condition)
            }
            if covers { sessions.insert(session) }
        }
        return sessions
    }

    /// Truth and numbers are compared by how JSON writes them, texts by what they say.
    private func matches(_ one: Assessment, _ condition: Condition) -> Bool {
        guard one.isValid else { return false }
        if Clause.nullOperators.contains(condition.comparator) { return true }
        let text = (try? JSONValue(parsing: one.value))?.string ?? one.value
        return (try? condition.check?.test(.text(text))) ?? false
    }
}
