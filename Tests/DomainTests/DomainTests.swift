import MartletDomain
import Testing

@Suite("Times are microseconds in UTC") struct TimestampTests {
    @Test(
        "dates and times are read in every form that the field writes",
        arguments: [
            ("2024-01-15T10:30:00Z", 1_705_314_600_000_000), ("2024-01-15", 1_705_276_800_000_000),
            ("2024-01-15T10:30:00.25Z", 1_705_314_600_250_000), ("2024-01-15 10:30", 1_705_314_600_000_000),
            ("2024-01-15T12:30:00+02:00", 1_705_314_600_000_000), ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("0001-01-01", -62_135_596_800_000_000),
            ("2024-01-15T10:30:00.1234567Z", 1_705_314_600_123_456),
        ] as [(String, Int64)])
    func reads(_ text: String, _ micros: Int64) {
        #expect(Timestamp(iso: text)?.micros == micros)
    }

    @Test(
        "what is no date is refused",
        arguments: [
            "", "2024", "2024-13-01", "2023-02-29", "2024-01-15T25:00Z", "2024-01-15T10:30:00X", "yesterday",
            "2024-01-15T10:30:00.Z",
        ])
    func refuses(_ text: String) {
        #expect(Timestamp(iso: text) == nil)
    }

    @Test(
        "what is written is read back",
        arguments: [0, 1, -1, 1_705_314_600_123_456, -62_135_596_800_000_000, 253_402_300_799_000_000])
    func roundTrip(_ micros: Int64) {
        let time = Timestamp(micros: micros)
        #expect(Timestamp(iso: time.iso) == time)
    }

    @Test("milliseconds are held at the ends of the range and rounded down")
    func millis() {
        #expect(Timestamp(millis: .max).micros == .max)
        #expect(Timestamp(micros: -1).millis == -1)
        #expect(Timestamp(micros: 1999).millis == 1)
        #expect(Timestamp(micros: 1_000_000).iso == "1970-01-01T00:00:01Z")
        #expect(Timestamp(micros: 1_500_000).iso == "1970-01-01T00:00:01.500Z")
    }
}

@Suite("Five vocabularies of status meet in one") struct StatusTests {
    @Test(
        "a word means a state and a verdict, and stays as it was given",
        arguments: [
            ("done", .finished, .ok), ("FINISHED", .finished, .ok), ("overfit", .finished, .bad),
            ("failed", .failed, .bad), ("KILLED", .cancelled, .bad), ("completed", .finished, .ok),
            ("RUNNING", .running, .active), ("scheduled", .queued, .active), ("promising", .finished, .ok),
            ("archived", .archived, .ok),
        ] as [(String, RunState, Verdict)])
    func words(_ word: String, _ state: RunState, _ verdict: Verdict) {
        let status = Status(word: word)
        #expect(status.state == state)
        #expect(status.verdict == verdict)
        #expect(status.word == word)
    }
}

@Suite("Ids and names") struct IdentityTests {
    @Test("a run id is 32 hex digits, with or without dashes, in either case")
    func runID() throws {
        let id = try #require(RunID("0123456789abcdef0123456789ABCDEF"))
        #expect(id.text == "0123456789abcdef0123456789abcdef")
        #expect(RunID("01234567-89ab-cdef-0123-456789abcdef") == id)
        for bad in ["", "0123", "0123456789abcdef0123456789abcdeg", "0123456789abcdef0123456789abcdef0"] {
            #expect(RunID(bad) == nil)
        }
    }

    @Test("short ids are padded to two digits and read back")
    func shortID() {
        #expect(Run.shortID(3) == "run_03")
        #expect(Run.shortID(123) == "run_123")
        #expect(Run.number(shortID: "run_03") == 3)
        #expect(Run.number(shortID: "run_0") == nil)
        #expect(Run.number(shortID: "run_+3") == nil)
        #expect(Run.number(shortID: "ridge") == nil)
    }

    @Test("a goal is guessed from a name, and every spelling of one is read")
    func goals() {
        #expect(Goal.guess(for: "val/loss") == .min)
        #expect(Goal.guess(for: "test_mse") == .min)
        #expect(Goal.guess(for: "accuracy") == .max)
        #expect(Goal.guess(for: "test_r2") == .max)
        #expect(["lr", "train/learning_rate", "grad_norm", "epoch"].allSatisfy { Goal.guess(for: $0) == nil })
        #expect(["max", "maximize", "higher"].allSatisfy { Goal(word: $0) == .max })
        #expect(["min", "Minimize", "lower"].allSatisfy { Goal(word: $0) == .min })
        #expect(Goal(word: "sideways") == nil)
    }

    @Test(
        "globs match as a shell's do",
        arguments: [
            ("*", "anything", true), ("val/*", "val/loss", true), ("val/*", "train/loss", false),
            ("l?ss", "loss", true),
            ("*loss*", "val/loss_total", true), ("", "", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false),
        ])
    func globs(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Glob.matches(pattern, text) == matches)
    }

    @Test("a param's number is what its text spells, and nothing else is a number")
    func numbers() {
        #expect(ParamValue(text: "0.10").number == 0.1)
        #expect(ParamValue(text: "1e-3").number == 0.001)
        for text in ["nan", "inf", "0x10", " 1", "1 ", "", "e5", "1_000", "true"] {
            #expect(ParamValue(text: text).number == nil, "\(text)")
        }
    }

    @Test(
        "pairs keep their order, find their keys and forget what is removed, few or many", arguments: [3, 31, 33, 70])
    func pairs(_ count: Int) {
        var pairs = Pairs<Int>()
        for index in 0..<count { pairs["k\(index)"] = index }
        #expect(pairs.keys == (0..<count).map { "k\($0)" })
        pairs["k1"] = 100
        pairs["k0"] = nil
        #expect(pairs["k0"] == nil)
        #expect(pairs["k1"] == 100)
        #expect(pairs["k\(count - 1)"] == (count == 2 ? 100 : count - 1))
        #expect(pairs.count == count - 1)
    }

    @Test("a higher role includes the lower ones")
    func roles() {
        #expect(Role.admin > .write && Role.write > .read)
        #expect(Role(word: "Admin") == .admin)
        #expect(Role(word: "owner") == nil)
    }
}
