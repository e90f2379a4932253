import MartletArtifacts
import MartletDomain
import Testing

@Suite("When a blob may go") struct CollectionRulesTests {
    let digest = SHA256.digest(of: "abc")

    func verdict(
        _ state: Blob.State?, seen: Double = 0, modified: Double? = 0, referenced: Bool = false, logbook: Double? = nil,
        at hours: Double
    ) -> CollectionRules.Verdict {
        CollectionRules().verdict(
            CollectionRules.Facts(
                row: state.map { Blob(digest: digest, size: 3, state: $0, seen: someDay.adding(hours: seen)) },
                modified: modified.map { someDay.adding(hours: $0) }, isReferenced: referenced,
                oldestOpenLogbook: logbook.map { someDay.adding(hours: $0) }, now: someDay.adding(hours: hours)))
    }

    @Test("a live blob is kept for a day after its last use, told by row or file, then gets notice")
    func live() {
        #expect(verdict(.live, at: 23.9) == .keep)
        #expect(verdict(.live, at: 24) == .mark)
        #expect(verdict(.live, seen: 0, modified: 5, at: 28) == .keep)
        #expect(verdict(.live, seen: 5, modified: 0, at: 28) == .keep)
        #expect(verdict(.live, seen: 5, modified: 0, at: 29) == .mark)
        #expect(verdict(.live, modified: nil, at: 24) == .mark)
        #expect(verdict(.live, referenced: true, at: 1000) == .keep)
    }

    @Test("a logbook that began before the last use may name it; one that began after cannot")
    func logbooks() {
        #expect(verdict(.live, logbook: -1, at: 1000) == .keep)
        #expect(verdict(.live, logbook: 0, at: 1000) == .keep)
        #expect(verdict(.live, logbook: 1, at: 1000) == .mark)
        #expect(verdict(nil, logbook: -1, at: 1000) == .keep)
        #expect(verdict(.dying, seen: 30, modified: 0, logbook: -1, at: 1000) == .keep)
        #expect(verdict(.dying, seen: 30, modified: 0, logbook: 1, at: 1000) == .discard)
    }

    @Test("a dying blob goes an hour after the notice, unless it was named or used since")
    func dying() {
        #expect(verdict(.dying, seen: 30, at: 30.9) == .keep)
        #expect(verdict(.dying, seen: 30, at: 31) == .discard)
        #expect(verdict(.dying, seen: 30, modified: nil, at: 31) == .discard)
        #expect(verdict(.dying, seen: 30, modified: 30.5, at: 31) == .revive)
        #expect(verdict(.dying, seen: 30, referenced: true, at: 31) == .revive)
    }

    @Test("a file without a row is treated as one that nobody refers to, or gets its row")
    func unknown() {
        #expect(verdict(nil, at: 23) == .keep)
        #expect(verdict(nil, at: 24) == .mark)
        #expect(verdict(nil, referenced: true, at: 1) == .revive)
        #expect(verdict(nil, modified: nil, at: 1000) == .keep)
    }

    @Test("a clock that goes back a year takes nothing away")
    func clockBack() {
        #expect(verdict(.live, at: -8760) == .keep)
        #expect(verdict(.dying, seen: 30, at: -8760) == .keep)
        #expect(verdict(nil, at: -8760) == .keep)
    }
}
