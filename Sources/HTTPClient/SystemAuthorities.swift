import Glibc

/// Where systems keep the authorities that they trust, as one file. Debian's curl knows Debian's place alone and fails
/// where that is missing, and a packed binary takes this curl along to other systems.
package enum SystemAuthorities {
    package static let places = [
        "/etc/ssl/certs/ca-certificates.crt",  // Debian and its relatives, Arch, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt",  // Red Hat and its relatives
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same, newer
        "/etc/ssl/ca-bundle.pem",  // SUSE
    ]

    /// The first that is there; nil leaves it to curl.
    package static func file(of places: [String] = SystemAuthorities.places) -> String? {
        places.first { access($0, R_OK) == 0 }
    }
}
