package import MartletDomain

/// What a store throws is what everyone throws.
package typealias StorageError = Refusal
