import Foundation
import MartletHTTPClient
import Testing

@Suite("The authorities of a system are found where it keeps them") struct SystemAuthoritiesTests {
    @Test("the first file that is there is taken, and none where there is none") func firstIsTaken() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let places = ["debian.crt", "redhat.crt", "suse.pem"].map { folder + "/" + $0 }
        #expect(SystemAuthorities.file(of: places) == nil)
        for place in places.dropFirst().reversed() {
            try Data().write(to: URL(filePath: place))
            #expect(SystemAuthorities.file(of: places) == place)
        }
    }

    @Test("Debian's own place comes first, so that nothing changes there") func debianIsFirst() {
        #expect(SystemAuthorities.places.first == "/etc/ssl/certs/ca-certificates.crt")
    }
}
