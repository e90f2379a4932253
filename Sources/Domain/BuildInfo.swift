/// What this build is.
package enum BuildInfo {
    package static let version = "0.1.0"
    /// The commit is not part of the build: two builds of one source are the same bytes.
    package static let commit = ""
}
