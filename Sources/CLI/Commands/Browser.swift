import Glibc

/// Shows an address in the person's browser, where there is one; says nothing where there is none, since the address
/// has been printed.
func openBrowser(_ address: String) {
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("xdg-open"), strdup(address), nil]
    defer { for argument in arguments { free(argument) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
        posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
    }
    var child = pid_t()
    _ = posix_spawnp(&child, "xdg-open", &actions, nil, &arguments, environ)
}
