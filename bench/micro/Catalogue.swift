/// Runs with 20 params, 20 metrics and 5 tags, each cell a function of run and key: the same in every store.
struct Catalogue {
    var runs: Int
    let paramNames = (0..<20).map { "p\($0)" }
    let metricNames = (0..<20).map { "m\($0)" }
    let tagNames = (0..<5).map { "t\($0)" }

    private func chance(_ key: Int, _ run: Int) -> UInt64 {
        var chance = Chance(UInt64(key) << 32 | UInt64(run))
        return chance.next()
    }

    /// `p0` differs in every run, the others have ten values.
    func param(_ key: Int, _ run: Int) -> String {
        let chance = chance(key, run)
        return key == 0 ? "s3://bucket/" + String(chance, radix: 16) : String(chance % 10)
    }

    func metric(_ key: Int, _ run: Int) -> Double { Double(chance(100 + key, run) >> 11) * 0x1p-53 }
    func tag(_ key: Int, _ run: Int) -> String { "v\(chance(200 + key, run) % 1000)" }
    /// In microseconds: one run a minute.
    func start(_ run: Int) -> Int64 { Material.start + Int64(run) * 60_000_000 }
}
