package import MartletDomain

/// What a store throws is what everyone throws.
package typealias StorageError = Refusal

extension StorageError {
    /// What every store says of a second card with one name; `Ledger` says it in the words of what the card is.
    package static func cardTaken(_ card: Card) -> StorageError {
        StorageError(
            .conflict, "There is already a \(card.kind) “\(card.key)” here.", remedy: "Choose another name.",
            field: "name")
    }
}
