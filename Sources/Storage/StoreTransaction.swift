package import MartletDomain

/// The verbs of a change. Everything is visible to the reads of the same transaction at once, and to everyone else
/// after the commit. `Ledger` holds the rules; these only write.
package protocol StoreTransaction: StoreReader {
    // Ids are given by the store: the id inside the value is ignored by `insert…`, and the value comes back with it.
    func insert(_ project: Project) throws(StorageError) -> Project
    func update(_ project: Project) throws(StorageError)
    func insert(_ experiment: Experiment) throws(StorageError) -> Experiment
    /// One that brings its id from elsewhere; the caller has seen that it is free.
    func insert(keepingID experiment: Experiment) throws(StorageError)
    func update(_ experiment: Experiment) throws(StorageError)
    func insert(_ run: Run, attributes: RunAttributes) throws(StorageError) -> Run
    func update(_ run: Run) throws(StorageError)
    func setAttributes(_ attributes: RunAttributes, of run: RunKey) throws(StorageError)
    func setSummary(_ summary: Pairs<SummaryValue>, of run: RunKey) throws(StorageError)
    /// Marks a run as changed for everyone who follows, when only something beside it was written.
    func touch(_ run: RunKey) throws(StorageError)
    /// False when the text already names a run in that space.
    func setAlias(_ text: String, space: String, run: RunKey) throws(StorageError) -> Bool

    func insertLane(of run: RunKey, attempt: Int, role: String, rank: Int) throws(StorageError) -> Lane
    /// Appends to the journal. Points of one series may come in any order of steps.
    func append(_ points: PreparedPoints, to run: RunKey, at: Timestamp) throws(StorageError)
    /// How many names of series a run would have with these, for the limit.
    func seriesCount(of run: RunKey, with names: [String]) throws(StorageError) -> Int
    /// Removes the points of a series in a range of steps, in every lane; whole when the range is all.
    func deletePoints(of run: RunKey, _ name: String, in range: PointRange) throws(StorageError)
    /// The kind that a key's rich points have, nil when it has none yet.
    func richKind(of run: RunKey, key: String) throws(StorageError) -> String?
    func append(_ rich: [RichPoint], to run: RunKey) throws(StorageError)
    func deleteRich(of run: RunKey, key: String, from: Int64, to: Int64) throws(StorageError)
    /// Numbers continue over all streams of the run, in order of arrival; the number inside the chunk is ignored.
    func append(_ console: [ConsoleChunk], to run: RunKey) throws(StorageError)

    /// The item's id is given by the store.
    @discardableResult func append(_ item: Item) throws(StorageError) -> Item
    func insert(_ artifact: Artifact) throws(StorageError) -> Artifact
    func update(_ artifact: Artifact) throws(StorageError)
    func put(_ blob: Blob) throws(StorageError)
    func removeBlob(_ digest: Digest) throws(StorageError)
    func insert(_ version: NamedVersion, in project: ProjectID) throws(StorageError)
    func setNamedAlias(_ alias: String, of name: String, version: Int?, in project: ProjectID) throws(StorageError)
    func put(_ writer: LogbookWriter) throws(StorageError)

    /// A key that another card of the same kind, project and owner has is a conflict, here and in `update`.
    func insert(_ card: Card) throws(StorageError) -> Card
    /// Replaces all of it but its id: a new key is a new name.
    func update(_ card: Card) throws(StorageError)
    func removeCard(_ id: Int64) throws(StorageError)
    /// Every card of a project, whatever its kind, or those of one owner in it.
    func removeCards(in project: ProjectID, owner: String?) throws(StorageError)

    /// Writes the grave and hides the run; its rows go in later transactions (`purgeStep`).
    func bury(_ run: Run, at: Timestamp) throws(StorageError)
    /// Takes what was written beside a project or experiment out of sight (items, and a project's named artifacts); its
    /// rows go in later transactions.
    func bury(_ owner: Item.Owner) throws(StorageError)
    /// Removes at most about 2 MiB of what was buried; true when there is more.
    func purgeStep() throws(StorageError) -> Bool

    func put(_ user: User) throws(StorageError)
    func put(_ token: AccessToken) throws(StorageError)
    func appendAudit(_ entry: AuditEntry) throws(StorageError)
    func remember(_ answer: RememberedAnswer, for key: IdempotencyKey) throws(StorageError)
    /// Forgets answers older than this.
    func forgetAnswers(before: Timestamp) throws(StorageError)
    func setSetting(_ name: String, _ value: String?) throws(StorageError)
}
