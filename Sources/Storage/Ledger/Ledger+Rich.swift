package import MartletDomain

extension Ledger {
    /// Removes the rich points of a key between two steps, both included.
    package func deleteRich(
        of run: RunKey, key: String, from: Int64 = .min, to: Int64 = .max
    ) throws(StorageError) {
        let owner = try writableRun(run)
        guard try tx.richKind(of: run, key: key) != nil else {
            throw StorageError(
                .notFound, "Run \(owner.shortID) has no rich points under “\(key)”.",
                remedy: "Check the key; keys are told apart by case.", field: "key")
        }
        try tx.deleteRich(of: run, key: key, from: from, to: to)
        try tx.touch(run)
        note(
            "rich.delete", .run(run, owner.id), in: owner.project,
            before: [("key", key), ("from", "\(from)"), ("to", "\(to)")])
    }
}
