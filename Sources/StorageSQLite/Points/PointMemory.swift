/// What a process remembers about a store's points between transactions: estimates and caches, nothing to rely on.
final class PointMemory: Sendable {
    let gauge = JournalGauge()
    let seriesNames = SeriesNames()
    let compactor = Compactor()
}

extension SQLiteView {
    var shared: PointMemory { names.points }
}
