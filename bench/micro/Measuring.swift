import Foundation

/// What a section found: for each figure its samples, one a round.
struct Report {
    private struct Figure: Encodable {
        var id: String
        var samples: [Double]
        var note: String?
    }
    private var figures: [Figure] = []

    mutating func add(_ id: String, _ samples: [Double], note: String? = nil) {
        figures.append(Figure(id: id, samples: samples, note: note))
    }

    /// Round by round one variant over another, which is what survives a noisy machine.
    mutating func add(_ id: String, ratio above: [Double], over below: [Double], note: String? = nil) {
        add(id, zip(above, below).map { $0 / $1 }, note: note)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(figures), as: UTF8.self)
    }
}

func median(_ samples: [Double]) -> Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

func percentile(_ samples: [Double], _ share: Double) -> Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return .nan }
    return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
}

/// A number with as many digits as mean something.
func short(_ value: Double) -> String {
    value.magnitude >= 100 ? String(format: "%.0f", value) : String(format: "%.3g", value)
}

private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func wallSeconds() -> Double { seconds(CLOCK_MONOTONIC) }
/// Of all threads of this process: what work beside it on the machine disturbs least.
func cpuSeconds() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

func timed<T>(_ body: () throws -> T) rethrows -> (seconds: Double, value: T) {
    let start = wallSeconds()
    let value = try body()
    return (wallSeconds() - start, value)
}

/// The resident memory of this process in MB.
func residentMegabytes() -> Double {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? .nan
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6
}

/// An empty folder that is removed with what is in it after the body.
func withFolder<T>(_ settings: Settings, _ name: String, _ body: (String) throws -> T) throws -> T {
    let path = settings.folder + "/" + name
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// Chance that is the same on every machine and in every round.
struct Chance: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
