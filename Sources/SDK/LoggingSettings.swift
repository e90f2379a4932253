/// Limits within which runs are logged. The first run on a store decides for all of this process on that store.
public struct LoggingSettings: Sendable {
    /// What may wait in memory for a store that is slow or away. Beyond it values of metrics are dropped, counted, and
    /// the gap is recorded with the run; params, tags and states are kept up to twice as much.
    public var memoryBytesMax = 64 << 20
    /// How long `finish()` waits for a run to be on disk. A store that is away is not waited for.
    public var finishSeconds = 30.0
    /// How long a program that ends waits for what was logged. What is left then goes into a file.
    public var exitSeconds = 10.0
    /// How often what has gathered is handed on.
    public var batchSeconds = 0.2
    /// The folder in whose `logbooks/unsent` lines wait while their server is away; nil is the one that the `martlet`
    /// command would take.
    public var unsentStore: String?
    /// Where sentences about problems go; nil is standard error, unless `MARTLET_QUIET` is set.
    public var notice: (@Sendable (String) -> Void)?

    public init() {}
}

/// What became of a run's values by the time that was given.
public struct Delivery: Sendable, Equatable {
    /// Whether all that was logged is on disk.
    public var isComplete: Bool
    /// What still waits: calls that logged something, and files.
    public var waiting: Int
    /// What was dropped because a limit was reached or the store refused it.
    public var dropped: Int
    /// What is in the way, or went wrong last.
    public var problem: String?
}
