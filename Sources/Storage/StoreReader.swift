package import MartletDomain
package import MartletSeries

/// Questions to one consistent view of a store. A reader is lent inside a closure and must not leave it.
///
/// A thing that is not there is nil or an empty list; an error means that the store could not answer.
package protocol StoreReader {
    // Projects and experiments
    func project(_ id: ProjectID) throws(StorageError) -> Project?
    func project(slug: String) throws(StorageError) -> Project?
    func projects() throws(StorageError) -> [Project]
    func experiment(_ id: ExperimentID) throws(StorageError) -> Experiment?
    func experiment(named name: String, in project: ProjectID) throws(StorageError) -> Experiment?
    /// In order of id, of one project or of all.
    func experiments(in project: ProjectID?) throws(StorageError) -> [Experiment]

    // Runs
    func run(_ key: RunKey) throws(StorageError) -> Run?
    func run(_ id: RunID) throws(StorageError) -> Run?
    func run(number: Int, in experiment: ExperimentID) throws(StorageError) -> Run?
    func runs(_ keys: [RunKey]) throws(StorageError) -> [Run]
    /// Every run of an experiment whatever its life, in order of key, after `after`.
    func runs(in experiment: ExperimentID, after: RunKey?, limit: Int) throws(StorageError) -> [Run]
    func runs(named name: String, in experiment: ExperimentID?, limit: Int) throws(StorageError) -> [Run]
    func runs(number: Int, limit: Int) throws(StorageError) -> [Run]
    /// Runs whose id begins with these hex digits.
    func runs(idPrefix: String, limit: Int) throws(StorageError) -> [Run]
    func children(of parent: RunKey) throws(StorageError) -> [Run]
    /// Runs in state `running`, least lately seen first.
    func runsInProgress(limit: Int) throws(StorageError) -> [Run]
    func runCounts(in experiment: ExperimentID) throws(StorageError) -> [RunState: Int]
    func attributes(of run: RunKey) throws(StorageError) -> RunAttributes
    func summary(of run: RunKey) throws(StorageError) -> Pairs<SummaryValue>
    /// Both documents of many runs at once: one answer for each, empty where a run has none.
    func documents(of runs: [RunKey]) throws(StorageError) -> [RunDocuments]
    func alias(_ text: String, space: String) throws(StorageError) -> RunKey?
    func aliases(of run: RunKey) throws(StorageError) -> [(space: String, text: String)]
    func isPurged(_ id: RunID) throws(StorageError) -> Bool

    // Points
    func lanes(of run: RunKey) throws(StorageError) -> [Lane]
    /// Every series of a run, or the named ones, in order of name, then lane.
    func series(of run: RunKey, named: [String]?) throws(StorageError) -> [SeriesState]
    /// The same of many runs in one pass: what a search index is built from, and a page of runs. The closure is called
    /// once for each of them, in any order, with its place among them; with an empty list where a run has no such series.
    func eachSeries(
        of runs: [RunKey], named: [String]?, _ body: (Int, [SeriesState]) throws(StorageError) -> Void
    ) throws(StorageError)
    /// In order of step, then of arrival; exact duplicates (step, time, value bits) once.
    func points(_ run: RunKey, _ name: String, _ lane: LaneID, in range: PointRange) throws(StorageError)
        -> SeriesPoints
    /// The same points in `count` buckets along an axis. `from` and `to` nil mean the series' own ends. Near a bucket's
    /// edge points may be counted in its neighbour by up to 128 points where a bucket holds 256 or more; each
    /// bucket says its real range and its exact count.
    func buckets(
        _ run: RunKey, _ name: String, _ lane: LaneID, axis: Buckets.Axis, from: Int64?, to: Int64?, count: Int
    ) throws(StorageError) -> [Bucket]
    func rich(_ run: RunKey, key: String?, from: Int64, to: Int64, limit: Int) throws(StorageError) -> [RichPoint]
    /// In order of arrival, of one stream or of all: after a piece's number come those that were printed later.
    func console(_ run: RunKey, stream: String?, after: Int64, limit: Int) throws(StorageError) -> [ConsoleChunk]
    func consoleStreams(of run: RunKey) throws(StorageError) -> [String]

    // What is written beside runs
    func items(of owner: Item.Owner, kind: String?, key: String?) throws(StorageError) -> [Item]
    /// Those of some runs that have items of one of these kinds.
    func runs(among runs: [RunKey], withItems kinds: [String]) throws(StorageError) -> Set<RunKey>
    func artifacts(of run: RunKey) throws(StorageError) -> [Artifact]
    /// The newest at a path that is not deleted.
    func artifact(of run: RunKey, path: String) throws(StorageError) -> Artifact?
    /// Artifacts of any run that are not deleted and hold these bytes.
    func artifacts(holding digest: Digest, limit: Int) throws(StorageError) -> [Artifact]
    func blob(_ digest: Digest) throws(StorageError) -> Blob?
    func blobs(after: Digest?, limit: Int) throws(StorageError) -> [Blob]
    func isReferenced(_ digest: Digest) throws(StorageError) -> Bool
    func namedVersions(of name: String, in project: ProjectID) throws(StorageError) -> [NamedVersion]
    func namedArtifacts(in project: ProjectID) throws(StorageError) -> [String]
    func namedAliases(of name: String, in project: ProjectID) throws(StorageError) -> [String: Int]
    func writer(_ id: String) throws(StorageError) -> LogbookWriter?

    // Cards, in order of id
    func card(_ kind: String, in project: ProjectID, owner: String, key: String) throws(StorageError) -> Card?
    func card(_ id: Int64) throws(StorageError) -> Card?
    /// Of one project and one owner, or of all.
    func cards(
        _ kind: String, in project: ProjectID?, owner: String?, after: Int64?, limit: Int
    ) throws(StorageError) -> [Card]
    /// Whatever their project and owner.
    func cards(_ kind: String, key: String) throws(StorageError) -> [Card]
    /// Those written after a cursor's revision. One that was removed is not told of: then `cardCount` is smaller than
    /// what a follower holds.
    func cards(_ kind: String, owner: String?, changedAfter revision: Int64) throws(StorageError) -> [Card]
    func cardCount(_ kind: String, owner: String?) throws(StorageError) -> Int
    /// Of one project, whoever owns them, in order of the bytes of their keys, from a key on.
    func cards(_ kind: String, in project: ProjectID, fromKey: String, limit: Int) throws(StorageError) -> [Card]

    // Access and accountability
    func user(_ name: String) throws(StorageError) -> User?
    func users() throws(StorageError) -> [User]
    func token(hash: Digest) throws(StorageError) -> AccessToken?
    func tokens(of user: String?) throws(StorageError) -> [AccessToken]
    /// Newest first, below a number.
    func audit(_ project: ProjectID?, before: Int64?, limit: Int) throws(StorageError) -> [AuditEntry]
    func remembered(_ key: IdempotencyKey) throws(StorageError) -> RememberedAnswer?
    /// Free-form settings of the store, by name.
    func setting(_ name: String) throws(StorageError) -> String?

    // The whole
    func cursor() throws(StorageError) -> ChangeCursor
    func changes(since cursor: ChangeCursor, limit: Int) throws(StorageError) -> ChangeSet
    func sizes() throws(StorageError) -> StoreSizes
    /// Where the bytes are, run by run: one pass over the tables, which takes seconds in a large store.
    func usage() throws(StorageError) -> StoreUsage
}

/// The documents of a run.
package struct RunDocuments: Equatable, Sendable {
    package var attributes: RunAttributes
    package var summary: Pairs<SummaryValue>
    package init(attributes: RunAttributes = .init(), summary: Pairs<SummaryValue> = .init()) {
        (self.attributes, self.summary) = (attributes, summary)
    }
}

/// What a client sent to have a request counted once.
package struct IdempotencyKey: Hashable, Sendable {
    package var project: ProjectID
    package var caller: String
    package var route: String
    package var key: String
    package init(project: ProjectID, caller: String, route: String, key: String) {
        (self.project, self.caller, self.route, self.key) = (project, caller, route, key)
    }
}

/// The first answer to a request, and a digest of its body to tell a repeat from a different request.
package struct RememberedAnswer: Equatable, Sendable {
    package var body: Digest
    package var status: Int
    package var answer: [UInt8]
    package var at: Timestamp
    package init(body: Digest, status: Int, answer: [UInt8], at: Timestamp) {
        (self.body, self.status, self.answer, self.at) = (body, status, answer, at)
    }
}
