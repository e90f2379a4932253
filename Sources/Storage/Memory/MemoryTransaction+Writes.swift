import MartletDomain
import MartletSeries

extension MemoryTransaction {
    private func touched(_ key: RunKey) { state.runRevisions[key] = state.revision }

    func insert(_ project: Project) -> Project {
        var kept = project
        kept.id = ProjectID((state.projects.keys.map(\.raw).max() ?? 0) + 1)
        update(kept)
        return kept
    }

    func update(_ project: Project) {
        state.projects[project.id] = project
        state.projectRevisions[project.id] = state.revision
    }

    func insert(_ experiment: Experiment) -> Experiment {
        var kept = experiment
        let own = state.experiments.keys.filter { $0 < .foreign }
        kept.id = ExperimentID((own.map(\.raw).max() ?? -1) + 1)
        update(kept)
        return kept
    }

    func insert(keepingID experiment: Experiment) { update(experiment) }

    func update(_ experiment: Experiment) {
        state.experiments[experiment.id] = experiment
        state.experimentRevisions[experiment.id] = state.revision
    }

    func insert(_ run: Run, attributes: RunAttributes) -> Run {
        var kept = run
        // Keys of purged runs are not given again either.
        kept.key = RunKey((state.runRevisions.keys.map(\.raw).max() ?? 0) + 1)
        state.runs[kept.key] = kept
        state.runIDs[kept.id] = kept.key
        setAttributes(attributes, of: kept.key)
        return kept
    }

    func update(_ run: Run) {
        state.runs[run.key] = run
        touched(run.key)
    }

    func setAttributes(_ attributes: RunAttributes, of run: RunKey) {
        state.see(attributes.params.keys)
        state.see(attributes.tags.keys)
        state.see(attributes.properties.keys)
        state.documents[run, default: .init()].attributes = RunAttributes(
            params: state.inOrderOfSight(attributes.params), tags: state.inOrderOfSight(attributes.tags),
            properties: state.inOrderOfSight(attributes.properties))
        touched(run)
    }

    func setSummary(_ summary: Pairs<SummaryValue>, of run: RunKey) {
        state.see(summary.keys)
        state.documents[run, default: .init()].summary = state.inOrderOfSight(summary)
        touched(run)
    }

    func touch(_ run: RunKey) { touched(run) }

    func setAlias(_ text: String, space: String, run: RunKey) -> Bool {
        let key = MemoryState.AliasKey(space: space, text: text)
        if let taken = state.aliases[key] { return taken == run }
        state.aliases[key] = run
        touched(run)
        return true
    }

    func insertLane(of run: RunKey, attempt: Int, role: String, rank: Int) -> Lane {
        let lane = Lane(id: LaneID(state.nextLane), attempt: attempt, role: role, rank: rank)
        state.nextLane += 1
        state.lanes[run, default: []].append(lane)
        return lane
    }

    func append(_ points: PreparedPoints, to run: RunKey, at: Timestamp) {
        state.see(points.batch.names)
        for entry in points.batch.entries where entry.points.count > 0 {
            let key = MemoryState.SeriesKey(run: run, name: entry.name, lane: entry.lane)
            state.points[key, default: SeriesPoints()].append(entry.points)
        }
        state.sequence += 1
        state.arrivals.append((state.sequence, .init(run: run, at: at, batch: points.batch)))
    }

    func seriesCount(of run: RunKey, with names: [String]) -> Int {
        Set(state.points.keys.filter { $0.run == run }.map(\.name)).union(names).count
    }

    func deletePoints(of run: RunKey, _ name: String, in range: PointRange) {
        for key in state.points.keys where key.run == run && key.name == name {
            guard let points = state.points[key] else { continue }
            let rest = points.points.filter { $0.step < range.from || $0.step > range.to }
            state.points[key] = rest.isEmpty ? nil : SeriesPoints(rest)
        }
        touched(run)
    }

    func richKind(of run: RunKey, key: String) -> String? { state.rich[run]?.first { $0.key == key }?.kind }

    func append(_ rich: [RichPoint], to run: RunKey) {
        state.rich[run, default: []] += rich
        touched(run)
    }

    func deleteRich(of run: RunKey, key: String, from: Int64, to: Int64) {
        state.rich[run]?.removeAll { $0.key == key && from <= $0.step && $0.step <= to }
        touched(run)
    }

    func append(_ console: [ConsoleChunk], to run: RunKey) {
        for var chunk in console {
            chunk.number = (state.console[run]?.last?.number ?? 0) + 1
            state.console[run, default: []].append(chunk)
        }
        touched(run)
    }

    @discardableResult func append(_ item: Item) -> Item {
        var kept = item
        kept.id = state.nextItem
        state.nextItem += 1
        state.items.append(kept)
        if case .run(let key) = kept.owner { touched(key) }
        return kept
    }

    func insert(_ artifact: Artifact) -> Artifact {
        var kept = artifact
        kept.id = state.nextArtifact
        state.nextArtifact += 1
        state.artifacts.append(kept)
        touched(kept.run)
        return kept
    }

    func update(_ artifact: Artifact) {
        guard let place = state.artifacts.firstIndex(where: { $0.id == artifact.id }) else { return }
        state.artifacts[place] = artifact
        touched(artifact.run)
    }

    func put(_ blob: Blob) { state.blobs[blob.digest] = blob }
    func removeBlob(_ digest: Digest) { state.blobs[digest] = nil }
    func insert(_ version: NamedVersion, in project: ProjectID) {
        state.named[.init(project: project, name: version.name), default: []].append(version)
    }
    func setNamedAlias(_ alias: String, of name: String, version: Int?, in project: ProjectID) {
        state.namedAliases[.init(project: project, name: name), default: [:]][alias] = version
    }
    func put(_ writer: LogbookWriter) { state.writers[writer.id] = writer }

    func bury(_ run: Run, at: Timestamp) {
        state.graves.insert(run.id)
        state.runs[run.key] = nil
        state.runIDs[run.id] = nil
        touched(run.key)
        state.documents[run.key] = nil
        state.lanes[run.key] = nil
        state.points = state.points.filter { $0.key.run != run.key }
        state.rich[run.key] = nil
        state.console[run.key] = nil
        state.artifacts.removeAll { $0.run == run.key }
        state.items.removeAll { $0.owner == .run(run.key) }
        state.aliases = state.aliases.filter { $0.value != run.key }
        state.arrivals.removeAll { $0.arrival.run == run.key }
    }

    func bury(_ owner: Item.Owner) {
        state.items.removeAll { $0.owner == owner }
        guard case .project(let id) = owner else { return }
        state.named = state.named.filter { $0.key.project != id }
        state.namedAliases = state.namedAliases.filter { $0.key.project != id }
    }

    func purgeStep() -> Bool { false }

    func put(_ user: User) { state.users[user.name] = user }
    func put(_ token: AccessToken) { state.tokens[token.id] = token }
    func appendAudit(_ entry: AuditEntry) {
        var kept = entry
        kept.number = Int64(state.audit.count + 1)
        state.audit.append(kept)
    }
    func remember(_ answer: RememberedAnswer, for key: IdempotencyKey) { state.answers[key] = answer }
    func forgetAnswers(before: Timestamp) { state.answers = state.answers.filter { $0.value.at >= before } }
    func setSetting(_ name: String, _ value: String?) { state.settings[name] = value }
}
