package import MartletDomain
package import MartletJSON

/// Spans of one trace, and what they say of the whole.
package struct SpanBatch: Sendable {
    package var trace: String
    /// Each span as a document, under its id.
    package var spans: [(id: String, document: JSONValue)] = []
    package var start = Timestamp(micros: .max)
    package var end: Timestamp?
    /// What the root span says; nil when it is not among these.
    package var state: Trace.State?
    package var requestPreview: String?
    package var responsePreview: String?
    /// Metadata that is set where the trace has none under that key.
    package var metadata: [(key: String, value: String)] = []
    /// Metadata that are sums: JSON objects of numbers, added up over the batches of a trace.
    package var sums: [(key: String, value: [(name: String, number: JSONValue)])] = []
    package init(trace: String) { self.trace = trace }
}

// Traces. Their writer may tell of a trace before, after or while its spans arrive: whatever the order, the result is one.
extension Ledger {
    /// What its writer says of a whole trace. It is the last word on times, state and metadata; tags that came with spans
    /// and links stay.
    package func logTrace(_ given: Trace) throws(StorageError) -> Trace {
        let experiment = try activeExperiment(given.experiment)
        try Trace.check(id: given.id)
        var trace = given
        (trace.project, trace.isComplete, trace.created, trace.updated) = (experiment.project, true, now, now)
        if let known = try tx.trace(given.id) {
            guard known.experiment == given.experiment else {
                throw StorageError(
                    .conflict, "The trace \(given.id) belongs to the experiment \(known.experiment).",
                    remedy: "Give the trace an id of its own.", field: "trace_id")
            }
            trace.card = known.card
            trace.created = known.created
            trace.spans = known.spans
            (trace.runs, trace.prompts) = (known.runs, known.prompts)
            trace.requestPreview = given.requestPreview ?? known.requestPreview
            trace.responsePreview = given.responsePreview ?? known.responsePreview
            for (key, value) in known.tags.entries where trace.tags[key] == nil { trace.tags[key] = value }
            for (key, value) in known.metadata.entries where trace.metadata[key] == nil { trace.metadata[key] = value }
            let given = Set(trace.assessments.map(\.id))
            trace.assessments = known.assessments.filter { !given.contains($0.id) } + trace.assessments
        }
        try save(&trace)
        note("traces.log", .experiment(trace.experiment), in: trace.project)
        return trace
    }

    /// A trace that goes on: the older way, by which its end is told later.
    package func beginTrace(_ given: Trace) throws(StorageError) -> Trace {
        let experiment = try activeExperiment(given.experiment)
        try Trace.check(id: given.id)
        guard try tx.trace(given.id) == nil else {
            throw StorageError(
                .conflict, "There is already a trace \(given.id).", remedy: "Give the trace an id of its own.",
                field: "trace_id")
        }
        var trace = given
        (trace.project, trace.created, trace.updated) = (experiment.project, now, now)
        try save(&trace)
        note("traces.log", .experiment(trace.experiment), in: trace.project)
        return trace
    }

    package func endTrace(
        _ id: String, at end: Timestamp, _ state: Trace.State, metadata: [(key: String, value: String)],
        tags: [(key: String, value: String)]
    ) throws(StorageError) -> Trace {
        var trace = try writableTrace(id)
        trace.duration = end.millis - trace.start.millis
        trace.state = state
        for (key, value) in metadata { trace.metadata[key] = value }
        for (key, value) in tags { trace.tags[key] = value }
        try save(&trace)
        note("traces.log", .experiment(trace.experiment), in: trace.project)
        return trace
    }

    /// Takes spans; a trace that nobody told of begins with them. A span that is there already is replaced.
    package func logSpans(
        _ batches: [SpanBatch], in experiment: ExperimentID, tags: (Trace) -> [(key: String, value: String)]
    ) throws(StorageError) {
        for batch in batches where !batch.spans.isEmpty {
            var trace: Trace
            if let known = try tx.trace(batch.trace) {
                trace = known
            } else {
                let home = try activeExperiment(experiment)
                try Trace.check(id: batch.trace)
                trace = Trace(
                    id: batch.trace, project: home.project, experiment: experiment, start: batch.start, created: now,
                    updated: now)
            }
            var spans = try tx.spans(of: trace)
            for (id, document) in batch.spans { spans.byID[id] = document }
            let card = spans.asCard(of: trace, at: now)
            guard card.data.utf8.count <= TraceSpans.bytesMax else {
                throw StorageError(
                    .limit,
                    "The spans of \(trace.id) would take \(card.data.utf8.count) bytes; the limit is \(TraceSpans.bytesMax).",
                    remedy: "Trace fewer steps, or keep what is large as artifacts.", field: "spans")
            }
            if card.id == 0 { _ = try tx.insert(card) } else { try tx.update(card) }
            trace.spans = spans.byID.count
            trace.take(batch)
            for (key, value) in tags(trace) where trace.tags[key] == nil { trace.tags[key] = value }
            try save(&trace)
            note(
                "spans.log", .experiment(trace.experiment), in: trace.project, after: [("trace", trace.id)],
                count: batch.spans.count)
        }
    }

    package func updateTrace(
        _ id: String, tags: [(key: String, value: String)] = [], removingTags: [String] = []
    ) throws(StorageError) -> Trace {
        var trace = try writableTrace(id)
        for key in removingTags where trace.tags[key] == nil {
            throw StorageError(
                .notFound, "The trace \(id) has no tag “\(key.prefix(60))”.", remedy: "Look at its tags first.",
                field: "key")
        }
        let before = trace.tags
        for (key, value) in tags { trace.tags[key] = value }
        for key in removingTags { trace.tags[key] = nil }
        guard trace.tags != before else { return trace }
        try save(&trace)
        noteEdit("trace.tags", trace)
        return trace
    }

    /// A trace may be linked before its writer told of it: the link then waits for it.
    package func linkTraces(_ ids: [String], toRun run: String, in project: ProjectID) throws(StorageError) {
        for id in ids {
            guard var trace = try tx.trace(id) else {
                var links = try tx.traceLinks(of: id, in: project)
                guard !links.runs.contains(run) else { continue }
                links.runs.append(run)
                try limits.checkCount(links.runs.count, limits.tags, "runs", of: id)
                let card = links.asCard(of: id, in: project, at: now)
                if card.id == 0 { _ = try tx.insert(card) } else { try tx.update(card) }
                continue
            }
            guard !trace.runs.contains(run) else { continue }
            trace.runs.append(run)
            try save(&trace)
            noteEdit("trace.link", trace)
        }
    }

    package func linkPrompts(_ prompts: [String], toTrace id: String) throws(StorageError) {
        var trace = try writableTrace(id)
        for prompt in prompts where !trace.prompts.contains(prompt) { trace.prompts.append(prompt) }
        try save(&trace)
        noteEdit("trace.link", trace)
    }

    /// Those of the given ids that are traces of the experiment; says how many were deleted.
    package func deleteTraces(_ ids: [String], in experiment: ExperimentID) throws(StorageError) -> Int {
        var deleted = 0
        var project: ProjectID?
        for id in Set(ids) {
            guard let trace = try tx.trace(id), trace.experiment == experiment else { continue }
            let spans = try tx.spans(of: trace)
            if spans.card != 0 { try tx.removeCard(spans.card) }
            try tx.removeCard(trace.card)
            project = trace.project
            deleted += 1
        }
        if let project { note("traces.delete", .experiment(experiment), in: project, count: deleted) }
        return deleted
    }

    // MARK: - Assessments

    /// One that takes the place of another makes that one invalid.
    package func addAssessment(_ given: Assessment, to id: String) throws(StorageError) -> Assessment {
        var trace = try writableTrace(id)
        var assessment = given
        (assessment.created, assessment.updated) = (now, now)
        if !given.overrides.isEmpty {
            guard let place = trace.assessments.firstIndex(where: { $0.id == given.overrides }) else {
                throw .assessmentNotFound(given.overrides, of: id)
            }
            trace.assessments[place].isValid = false
        }
        trace.assessments.append(assessment)
        try save(&trace)
        noteEdit("assessment.create", trace)
        return assessment
    }

    /// Who judged, and which span, stay as they were.
    package func updateAssessment(
        _ id: String, of traceID: String, _ change: (inout Assessment) throws(StorageError) -> Void
    ) throws(StorageError) -> Assessment {
        var trace = try writableTrace(traceID)
        guard let place = trace.assessments.firstIndex(where: { $0.id == id }) else {
            throw .assessmentNotFound(id, of: traceID)
        }
        let before = trace.assessments[place]
        var after = before
        try change(&after)
        (after.id, after.source, after.span, after.created) = (before.id, before.source, before.span, before.created)
        after.updated = max(now, before.updated)
        trace.assessments[place] = after
        try save(&trace)
        noteEdit("assessment.update", trace)
        return after
    }

    /// The one whose place it had taken counts again. One that is not there is gone already.
    package func deleteAssessment(_ id: String, of traceID: String) throws(StorageError) {
        guard var trace = try tx.trace(traceID), let place = trace.assessments.firstIndex(where: { $0.id == id }) else {
            return
        }
        let gone = trace.assessments.remove(at: place)
        if let restored = trace.assessments.firstIndex(where: { $0.id == gone.overrides }) {
            trace.assessments[restored].isValid = true
        }
        try save(&trace)
        noteEdit("assessment.delete", trace)
    }

    // MARK: - Pieces

    private func writableTrace(_ id: String) throws(StorageError) -> Trace {
        guard let trace = try tx.trace(id) else { throw .traceNotFound(id) }
        _ = try activeExperiment(trace.experiment)
        return trace
    }

    private func save(_ trace: inout Trace) throws(StorageError) {
        for (key, value) in trace.tags.entries {
            try limits.checkKey(key, "tag")
            try limits.checkText(value, limits.tagBytes, "tag “\(key)”", setting: "--limit-tag-bytes")
        }
        try limits.checkCount(trace.tags.count, limits.tags, "tags", of: trace.id)
        try limits.checkCount(trace.metadata.count, limits.tags, "metadata", of: trace.id)
        try limits.checkCount(trace.assessments.count, limits.tags, "assessments", of: trace.id)
        trace.updated = max(now, trace.updated)
        let card = trace.asCard
        guard card.data.utf8.count <= Trace.bytesMax else {
            throw StorageError(
                .limit,
                "The trace \(trace.id) would take \(card.data.utf8.count) bytes; the limit is \(Trace.bytesMax).",
                remedy: "Keep what is large in its spans or as artifacts.", field: "trace")
        }
        guard card.id == 0 else { return try tx.update(card) }
        trace.card = try tx.insert(card).id
        let links = try tx.traceLinks(of: trace.id, in: trace.project)
        guard links.card != 0 else { return }
        try tx.removeCard(links.card)
        for run in links.runs where !trace.runs.contains(run) { trace.runs.append(run) }
        try tx.update(trace.asCard)
    }

    private func noteEdit(_ action: String, _ trace: Trace) {
        note(action, .experiment(trace.experiment), in: trace.project, after: [("trace", trace.id)])
    }
}

extension Trace {
    static let bytesMax = 1 << 20

    fileprivate static func check(id: String) throws(StorageError) {
        guard !id.isEmpty, id.utf8.count <= 250, !id.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw StorageError(
                .invalid, "“\(id.prefix(60))” is not the id of a trace.",
                remedy: "Send 1 to 250 characters without blanks.", field: "trace_id")
        }
    }

    /// What spans say of the whole, as far as its writer has not said it.
    fileprivate mutating func take(_ batch: SpanBatch) {
        if !isComplete {
            let last = batch.end.map { max($0, duration == nil ? $0 : end) }
            start = min(start, batch.start)
            if let last { duration = last.millis - start.millis }
        }
        if state == .inProgress || state == .unspecified, let said = batch.state { state = said }
        requestPreview = requestPreview ?? batch.requestPreview
        responsePreview = responsePreview ?? batch.responsePreview
        for (key, value) in batch.metadata where metadata[key] == nil { metadata[key] = value }
        for (key, numbers) in batch.sums where !isComplete || metadata[key] == nil {
            var sum = metadata[key].flatMap { (try? JSONValue(parsing: $0))?.object } ?? JSONObject()
            for (name, number) in numbers { sum[name] = Trace.sum(sum[name], number) }
            var writer = JSONWriter()
            sum.write(to: &writer)
            metadata[key] = writer.text
        }
    }

    private static func sum(_ a: JSONValue?, _ b: JSONValue) -> JSONValue {
        if case .int(let a)? = a, case .int(let b) = b, case (let sum, false) = a.addingReportingOverflow(b) {
            return .int(sum)
        }
        guard let a = a?.double else { return b }
        return .double(a + (b.double ?? 0))
    }
}

extension TraceSpans {
    static let bytesMax = 32 << 20
}

extension StoreReader {
    package func trace(_ id: String) throws(StorageError) -> Trace? {
        guard let card = try cards(Trace.kind, key: id).first else { return nil }
        return try Trace(card)
    }

    package func trace(card id: Int64) throws(StorageError) -> Trace? {
        guard let card = try card(id), card.kind == Trace.kind else { return nil }
        return try Trace(card)
    }

    /// In order of arrival.
    package func traces(in experiment: ExperimentID) throws(StorageError) -> [Trace] {
        var traces: [Trace] = []
        for card in try cards(Trace.kind, in: nil, owner: Card.owner(experiment), after: nil, limit: .max) {
            traces.append(try Trace(card))
        }
        return traces
    }

    func traceLinks(of id: String, in project: ProjectID) throws(StorageError) -> TraceLinks {
        guard let card = try card(TraceLinks.kind, in: project, owner: "", key: id) else { return TraceLinks() }
        return try TraceLinks(card)
    }

    package func spans(of trace: Trace) throws(StorageError) -> TraceSpans {
        let owner = Card.owner(trace.experiment)
        guard let card = try card(TraceSpans.kind, in: trace.project, owner: owner, key: trace.id) else {
            return TraceSpans()
        }
        return try TraceSpans(card)
    }
}

extension StorageError {
    package static func traceNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no trace “\(id.prefix(60))”.", remedy: "Search the experiment's traces.",
            field: "trace_id")
    }

    package static func assessmentNotFound(_ id: String, of trace: String) -> StorageError {
        StorageError(
            .notFound, "The trace \(trace) has no assessment “\(id.prefix(60))”.",
            remedy: "Look at the trace to see its assessments.", field: "assessment_id")
    }
}
