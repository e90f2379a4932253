package import MartletDomain
package import MartletStorage

/// What the store remembers of a logbook that was put away: a setting, by the archive's place beneath `done`.
package struct AdoptedLogbook: Equatable, Sendable {
    /// Its number among all adoptions of this store. What was proved whole says up to which number, so that no clock
    /// decides whether a backup came later.
    package var number: Int64
    /// Of the archive. One of another size is not what was put away.
    package var bytes: Int64
    package var at: Timestamp

    package init(number: Int64, bytes: Int64, at: Timestamp) {
        (self.number, self.bytes, self.at) = (number, bytes, at)
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let number = Int64(parts[0]), let bytes = Int64(parts[1]),
            let at = Timestamp(iso: parts[2])
        else { return nil }
        self.init(number: number, bytes: bytes, at: at)
    }

    var text: String { "\(number) \(bytes) \(at)" }

    /// Why an archive is kept.
    package enum Reason: String, CaseIterable, Sendable {
        /// The database is a copy that is rebuilt from it.
        case source
        /// It is younger than archives are kept for.
        case age
        /// No backup was verified, and no fsck clean, since it was adopted.
        case proof
        /// This database does not know it: an older one was put in its place. Its lines are taken in again.
        case unknown
        /// It is not what was put away.
        case changed
        /// Somebody holds it.
        case locked
    }

    /// What is asked of an archive before it goes.
    package struct Rule: Equatable, Sendable {
        package var days: Int
        /// Adoptions up to this number are in a verified backup, or in a store that an fsck found clean.
        package var proved: Int64
        package var now: Timestamp

        package init(days: Int, proved: Int64, now: Timestamp) {
            (self.days, self.proved, self.now) = (days, proved, now)
        }

        /// Nil when the archive may go.
        package func reason(toKeep book: AdoptedLogbook?, bytes: Int64) -> Reason? {
            guard let book else { return .unknown }
            if bytes != book.bytes { return .changed }
            // A clock that was set back makes the age negative: then it is kept for longer.
            if now.micros - book.at.micros < Int64(days) * 86_400_000_000 { return .age }
            return book.number > proved ? .proof : nil
        }
    }
}

/// What proves a store whole.
package enum StoreProof: String, CaseIterable, Sendable {
    case backup, fsck
    fileprivate var setting: String { "proof/\(rawValue)" }
}

extension StoreReader {
    /// How many logbooks were put away so far; asked before a proof begins.
    package func adoptions() throws(StorageError) -> Int64 {
        try setting(LogbookSetting.count).flatMap { Int64($0) } ?? 0
    }

    func adoptedLogbook(_ place: String) throws(StorageError) -> AdoptedLogbook? {
        try setting(LogbookSetting.book(place)).flatMap { AdoptedLogbook($0) }
    }

    /// Up to which adoption the store was proved whole, whatever proved it.
    func provedAdoptions() throws(StorageError) -> Int64 {
        var proved: Int64 = 0
        for proof in StoreProof.allCases {
            let number = try setting(proof.setting)?.split(separator: " ").first.flatMap { Int64($0) }
            proved = max(proved, number ?? 0)
        }
        return proved
    }

    /// For how many days archives are kept, as the last server that opened the store was told.
    package func logbookDays() throws(StorageError) -> Int {
        try setting(LogbookSetting.days).flatMap { Int($0) } ?? LogbookKeeper.daysStandard
    }
}

extension StoreTransaction {
    func adopted(_ place: String, bytes: Int64, at: Timestamp) throws(StorageError) {
        let number = try adoptions() + 1
        try setSetting(LogbookSetting.count, "\(number)")
        try setSetting(LogbookSetting.book(place), AdoptedLogbook(number: number, bytes: bytes, at: at).text)
    }

    func forgetAdopted(_ place: String) throws(StorageError) { try setSetting(LogbookSetting.book(place), nil) }

    func setLogbookDays(_ days: Int) throws(StorageError) { try setSetting(LogbookSetting.days, "\(days)") }

    func proved(by proof: StoreProof, adoptions: Int64, at: Timestamp) throws(StorageError) {
        try setSetting(proof.setting, "\(adoptions) \(at)")
    }
}

private enum LogbookSetting {
    static let count = "logbooks/adopted"
    static let days = "logbooks/days"
    static func book(_ place: String) -> String { "logbook/" + place }
}

extension Engine {
    /// Remembers that a store was found whole as it was when it had so many adoptions.
    package func remember(_ proof: StoreProof, adoptions: Int64) throws(Refusal) {
        let now = clock.now
        try store.write { tx throws(Refusal) in try tx.proved(by: proof, adoptions: adoptions, at: now) }
    }
}
