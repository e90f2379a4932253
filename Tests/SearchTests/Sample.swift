import MartletSearch

/// A run as a test writes it: its values by the names that a filter uses.
struct Sample: SearchDocument {
    var values: [Field: SearchValue] = [:]

    init(_ id: String = "a", _ values: [Field: SearchValue] = [:]) {
        self.values = values
        self.values[.attribute(.id)] = .text(id)
    }

    func value(of field: Field) -> SearchValue { values[field] ?? .missing }

    var id: String { if case .text(let id) = value(of: .attribute(.id)) { id } else { "" } }
}

/// 2025-06-15 12:00 UTC, the `now` of every test.
let noon: Int64 = 1_749_988_800_000_000

let tests = EvaluationContext(now: noon) { field, word in
    switch field.name {
    case .attribute(.state), .attribute(.status):
        ["done": "finished", "completed": "finished", "FINISHED": "finished", "finished": "finished"][word] ?? word
    case .attribute(.id): word == "run_01" ? "a" : word
    default: word
    }
}

func finds(_ filter: String, _ document: Sample) throws -> Bool {
    try Query.parse(filter).filter.matches(document, context: tests)
}

func problem(_ text: String, names: KnownNames = .none) -> SearchError? {
    do {
        _ = try Query.parse(text, names: names)
        return nil
    } catch {
        return error
    }
}

/// A small seeded generator (SplitMix64), so that a failure can be run again.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func pick<T>(_ from: [T]) -> T { from[Int.random(in: 0..<from.count, using: &self)] }
}
