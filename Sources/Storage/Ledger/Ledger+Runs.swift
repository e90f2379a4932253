package import MartletDomain
import MartletJSON

/// What someone says when a run begins; everything but the experiment may be left out.
package struct RunDraft: Sendable {
    package var experiment: ExperimentID
    /// Made by the writer, or by us.
    package var id: RunID?
    package var name: String?
    package var parent: RunKey?
    package var status: Status = .running
    package var start: Timestamp?
    package var end: Timestamp?
    package var attributes = RunAttributes()
    package init(experiment: ExperimentID) { self.experiment = experiment }
}

extension Ledger {
    package func createRun(_ draft: RunDraft) throws(StorageError) -> Run {
        var experiment = try activeExperiment(draft.experiment)
        let id = draft.id ?? RunID.make()
        if try tx.isPurged(id) {
            throw StorageError(
                .purged, "The run \(id) was deleted for good; its id is never given again.",
                remedy: "Start a run with a new id.")
        }
        if try tx.run(id) != nil {
            throw StorageError(
                .conflict, "There is already a run \(id).", remedy: "Start a run with a new id.", field: "run_id")
        }
        if let name = draft.name { try checkRunName(name) }
        if let parent = draft.parent, try tx.run(parent) == nil { throw .runNotFound("\(parent)") }
        try check(draft.attributes)

        let number = experiment.nextNumber
        experiment.nextNumber += 1
        try tx.update(experiment)
        let start = draft.start ?? now
        var status = draft.status
        let end = draft.end ?? (status.state.isEnded ? max(now, start) : nil)
        if end != nil, !status.state.isEnded { status = Status(word: "finished") }
        let run = try tx.insert(
            Run(
                key: RunKey(0), id: id, project: experiment.project, experiment: experiment.id, number: number,
                parent: draft.parent, name: draft.name ?? Run.shortID(number), status: status, start: start,
                end: end, seen: now, created: now),
            attributes: draft.attributes)
        try appendState(run, cause: "created")
        note(
            "run.create", .run(run.key, run.id), in: run.project,
            after: [("name", run.name), ("experiment", experiment.name)])
        return run
    }

    /// Another name by which a run is found: what a client that makes its own ids calls it.
    package func addAlias(_ text: String, to key: RunKey, space: String = "") throws(StorageError) {
        try limits.checkKey(text, "run id")
        guard !ReservedNames.runs.contains(text.lowercased()), Run.number(shortID: text) == nil else {
            throw StorageError(
                .invalid, "“\(text)” cannot be the id of a run: it has a meaning of its own.",
                remedy: "Send 32 hex digits, another word, or no id.", field: "id")
        }
        guard try tx.setAlias(text, space: space, run: key) else {
            throw StorageError(
                .conflict, "There is already a run “\(text)”.", remedy: "Start a run with a new id.", field: "id")
        }
    }

    /// A run by its key that may be written to. Deleted runs are refused; `evenDeleted` is for a logbook, which goes on.
    package func writableRun(_ key: RunKey, evenDeleted: Bool = false) throws(StorageError) -> Run {
        guard let run = try tx.run(key) else { throw .runNotFound("\(key)") }
        guard run.life == .active || evenDeleted else {
            throw StorageError(
                .conflict, "The run \(run.id) is deleted.",
                remedy: "Restore it with `martlet runs restore \(run.shortID)` before writing to it.")
        }
        return run
    }

    package struct RunUpdate: Sendable {
        package var name: String?
        package var status: Status?
        package var end: Timestamp?
        package var start: Timestamp?
        package var description: String?
        package var cause = "api"
        /// The end is what the client says, and none when it says none: for clients that keep the two apart.
        package var isEndExact = false
        package init() {}
    }

    package func updateRun(_ key: RunKey, _ update: RunUpdate) throws(StorageError) -> Run {
        var run = try writableRun(key, evenDeleted: update.cause == "logbook")
        let before = run
        if let name = update.name {
            try checkRunName(name)
            run.name = name
        }
        if let start = update.start { run.start = start }
        if let status = update.status {
            run.status = status
            run.seen = now
            if update.isEndExact {
                run.end = update.end ?? run.end
            } else if status.state.isEnded {
                // A clock that was set back does not make a run end before it began.
                run.end = update.end ?? run.end ?? max(now, run.start)
            } else {
                run.end = nil
            }
        } else if let end = update.end {
            run.end = end
        }
        if let description = update.description {
            try setProperty("description", description, of: run)
        }
        guard run != before else { return run }
        try tx.update(run)
        if run.status != before.status { try appendState(run, cause: update.cause) }
        note(
            "run.update", .run(run.key, run.id), in: run.project,
            before: [("name", before.name), ("status", before.status.word)],
            after: [("name", run.name), ("status", run.status.word)])
        return run
    }

    /// Ends a run; ending it again with the same word changes nothing, with another one corrects it.
    package func endRun(
        _ key: RunKey, status: Status?, at end: Timestamp? = nil, cause: String = "api"
    ) throws(StorageError) -> Run {
        let run = try writableRun(key, evenDeleted: cause == "logbook")
        if run.status.state.isEnded, status == nil || status == run.status { return run }
        var update = RunUpdate()
        update.status = status ?? Status(word: "FINISHED")
        update.end = end
        update.cause = cause
        return try updateRun(key, update)
    }

    // MARK: - Params, tags, properties

    /// Params do not change inside an attempt: the same text again is nothing, another one is refused, unless the run
    /// was resumed since or `allowingChange` says so; then both stay in the history.
    package func logParams(
        _ params: [(key: String, value: ParamValue)], to key: RunKey, allowingChange: Bool = false,
        evenDeleted: Bool = false
    ) throws(StorageError) {
        let run = try writableRun(key, evenDeleted: evenDeleted)
        var attributes = try tx.attributes(of: key)
        var logged: [(String, String)] = []
        var replaced: [(String, String)] = []
        for (name, value) in params {
            try limits.checkKey(name, "param")
            try limits.checkText(value.text, limits.paramBytes, "param “\(name)”", setting: "--limit-param-bytes")
            if let old = attributes.params[name] {
                if old.agrees(with: value) { continue }
                let isFree = try mayChange(name, of: run)
                guard allowingChange || isFree else {
                    throw StorageError(
                        .conflict,
                        "The param “\(name)” of run \(run.shortID) is “\(old.text)” and cannot become “\(value.text)”.",
                        remedy:
                            "Params do not change once logged. Log it under another name, or resume the run as a new attempt.",
                        field: name)
                }
                replaced.append((name, old.text))
            }
            attributes.params[name] = value
            logged.append((name, value.text))
            if run.attempt > 1 || allowingChange {
                try tx.append(
                    Item(
                        id: 0, owner: .run(key), kind: "param", key: name, at: now, who: "",
                        data: "{\"attempt\":\(run.attempt)}"))
            }
        }
        guard !logged.isEmpty else { return }
        try limits.check(attributes.params.count, limits.params, "params", setting: "--limit-params")
        try tx.setAttributes(attributes, of: key)
        note(
            "params.log", .run(key, run.id), in: run.project, before: replaced, after: logged, count: logged.count)
    }

    /// In a later attempt a param may change once: the first value that the attempt gives it.
    private func mayChange(_ name: String, of run: Run) throws(StorageError) -> Bool {
        guard run.attempt > 1 else { return false }
        let written = try tx.items(of: .run(run.key), kind: "param", key: name)
        return !written.contains { $0.data == "{\"attempt\":\(run.attempt)}" }
    }

    package func setTags(
        _ tags: [(key: String, value: TagValue)], removing: [String] = [], of key: RunKey, evenDeleted: Bool = false
    ) throws(StorageError) {
        let run = try writableRun(key, evenDeleted: evenDeleted)
        var attributes = try tx.attributes(of: key)
        let before = attributes.tags
        for (name, value) in tags {
            try limits.checkKey(name, "tag")
            if let value {
                try limits.checkText(value, limits.tagBytes, "tag “\(name)”", setting: "--limit-tag-bytes")
            }
            attributes.tags[name] = .some(value)
        }
        for name in removing { attributes.tags[name] = .none }
        guard attributes.tags != before else { return }
        try limits.check(attributes.tags.count, limits.tags, "tags", setting: "--limit-tags")
        try tx.setAttributes(attributes, of: key)
        var old: [(String, String)] = []
        for name in tags.map(\.key) + removing {
            if let value = before[name] { old.append((name, value ?? "")) }
        }
        note(
            "tags.set", .run(key, run.id), in: run.project, before: old,
            after: tags.map { ($0.key, $0.value ?? "") }, count: tags.count + removing.count)
    }

    package func setProperties(
        _ properties: [(key: String, value: String?)], of key: RunKey, evenDeleted: Bool = false
    ) throws(StorageError) {
        let run = try writableRun(key, evenDeleted: evenDeleted)
        var attributes = try tx.attributes(of: key)
        let before = attributes.properties
        for (name, value) in properties { attributes.properties[name] = value }
        try check(attributes.properties)
        guard attributes.properties != before else { return }
        try tx.setAttributes(attributes, of: key)
        note(
            "properties.set", .run(key, run.id), in: run.project,
            before: properties.compactMap { entry in before[entry.key].map { (entry.key, $0) } },
            after: properties.map { ($0.key, $0.value ?? "") })
    }

    // MARK: - Deletion

    /// Takes its children along, unless a client is spoken to that knows runs one by one.
    package func deleteRun(_ key: RunKey, withChildren: Bool = true) throws(StorageError) {
        guard var run = try tx.run(key) else { throw .runNotFound("\(key)") }
        guard run.life != .deleted else { return }
        run.life = .deleted
        try tx.update(run)
        if withChildren { try changeChildren(of: key, from: .active, to: .deletedWithParent) }
        note("run.delete", .run(key, run.id), in: run.project, before: [("name", run.name)])
    }

    package func restoreRun(_ key: RunKey) throws(StorageError) -> Run {
        guard var run = try tx.run(key) else { throw .runNotFound("\(key)") }
        if let experiment = try tx.experiment(run.experiment), experiment.life != .active {
            throw StorageError(
                .conflict, "The run's experiment “\(experiment.name)” is deleted.",
                remedy: "Restore the experiment first: `martlet experiments restore \(experiment.id)`.")
        }
        guard run.life != .active else { return run }
        run.life = .active
        try tx.update(run)
        try changeChildren(of: key, from: .deletedWithParent, to: .active)
        note("run.restore", .run(key, run.id), in: run.project, after: [("name", run.name)])
        return run
    }

    /// Deletes a run for good: its id is never made again, and its rows go in steps of their own.
    package func purgeRun(_ key: RunKey) throws(StorageError) {
        guard let run = try tx.run(key) else { throw .runNotFound("\(key)") }
        for child in try tx.children(of: key) {
            var orphan = child
            orphan.parent = nil
            try tx.update(orphan)
        }
        try tx.setSetting(ConsoleUse.setting(key), nil)
        try tx.bury(run, at: now)
        note("run.purge", .run(key, run.id), in: run.project, before: [("name", run.name)])
    }

    // MARK: - Attempts and forks

    /// Begins the next attempt: what is logged from now on counts over what earlier attempts logged at the same steps.
    package func beginAttempt(
        _ key: RunKey, number: Int? = nil, reason: String = "", fromStep: Int64? = nil, evenDeleted: Bool = false
    ) throws(StorageError) -> Run {
        var run = try writableRun(key, evenDeleted: evenDeleted)
        let next = number ?? run.attempt + 1
        guard next > run.attempt else {
            if number != nil, next == run.attempt { return run }
            throw StorageError(
                .conflict, "Run \(run.shortID) is in attempt \(run.attempt); attempt \(next) is over.",
                remedy: "Begin attempt \(run.attempt + 1).", field: "n")
        }
        run.attempt = next
        run.status = .running
        run.end = nil
        run.seen = now
        try tx.update(run)
        _ = try tx.insertLane(of: key, attempt: next, role: "", rank: 0)
        let from = fromStep.map(String.init) ?? "null"
        try tx.append(
            Item(
                id: 0, owner: .run(key), kind: "attempt", key: "\(next)", at: now, who: "",
                data: "{\"n\":\(next),\"from_step\":\(from),\"reason\":\(quoted(reason))}"))
        try appendState(run, cause: "attempt \(next)")
        note("run.attempt", .run(key, run.id), in: run.project, after: [("attempt", "\(next)"), ("reason", reason)])
        return run
    }

    /// A run that goes on from another one's points up to and including a step.
    package func fork(
        _ key: RunKey, at step: Int64, name: String? = nil, id: RunID? = nil
    ) throws(StorageError) -> Run {
        let source = try writableRun(key)
        var draft = RunDraft(experiment: source.experiment)
        draft.id = id
        draft.name = name
        draft.attributes = try tx.attributes(of: key)
        var run = try createRun(draft)
        run.fork = Run.Fork(run: key, step: step)
        try tx.update(run)
        note(
            "run.fork", .run(run.key, run.id), in: run.project, after: [("from", source.id.text), ("step", "\(step)")])
        return run
    }

    // MARK: - Pieces

    private func changeChildren(of key: RunKey, from: Life, to: Life) throws(StorageError) {
        var waiting = [key]
        var seen: Set<RunKey> = [key]
        while let next = waiting.popLast() {
            for var child in try tx.children(of: next) where child.life == from && !seen.contains(child.key) {
                seen.insert(child.key)
                child.life = to
                try tx.update(child)
                waiting.append(child.key)
            }
        }
    }

    private func setProperty(_ name: String, _ value: String, of run: Run) throws(StorageError) {
        try limits.checkText(value, limits.noteBytes, name, setting: "--limit-note-bytes")
        try setProperties([(name, value)], of: run.key, evenDeleted: true)
    }

    private func checkRunName(_ name: String) throws(StorageError) {
        try checkName(name, "run")
    }

    private func check(_ attributes: RunAttributes) throws(StorageError) {
        for (key, value) in attributes.params.entries {
            try limits.checkKey(key, "param")
            try limits.checkText(value.text, limits.paramBytes, "param “\(key)”", setting: "--limit-param-bytes")
        }
        for (key, value) in attributes.tags.entries {
            try limits.checkKey(key, "tag")
            try limits.checkText(value ?? "", limits.tagBytes, "tag “\(key)”", setting: "--limit-tag-bytes")
        }
        try limits.check(attributes.params.count, limits.params, "params", setting: "--limit-params")
        try limits.check(attributes.tags.count, limits.tags, "tags", setting: "--limit-tags")
        try check(attributes.properties)
    }

    private func check(_ properties: Pairs<String>) throws(StorageError) {
        for (key, value) in properties.entries {
            try limits.checkText(value, limits.noteBytes, key, setting: "--limit-note-bytes")
        }
    }

    func appendState(_ run: Run, cause: String) throws(StorageError) {
        try tx.append(
            Item(
                id: 0, owner: .run(run.key), kind: "state", key: run.status.state.word, at: now, who: "",
                data:
                    "{\"state\":\"\(run.status.state.word)\",\"status\":\(quoted(run.status.word)),\"cause\":\(quoted(cause))}"
            ))
    }
}

/// A text as a JSON string, for the few flat documents that the rules write themselves.
func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(text)
    return writer.text
}
