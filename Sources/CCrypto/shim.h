#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

// Three calls of Linux that the Artifacts room needs and Swift cannot name: glibc 2.36 has no openat2, it hides the
// others behind _GNU_SOURCE, and syscall() is variadic. They stand here because Artifacts is this header's first user
// and a module map for three numbers would be a room of its own.
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int martlet_openat2(int folder, const char *path, uint64_t flags, uint64_t resolve) {
#ifdef SYS_openat2
    struct { uint64_t flags, mode, resolve; } how = { flags, 0, resolve };
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
#else
    (void)folder, (void)path, (void)flags, (void)resolve;
    errno = ENOSYS;
    return -1;
#endif
}

/// Opens a path that must stay beneath `folder`: no `..` above it, no absolute link, no link of /proc.
static inline int martlet_open_beneath(int folder, const char *path, uint64_t flags) {
    return martlet_openat2(folder, path, flags, 0x08 /* BENEATH */ | 0x02 /* NO_MAGICLINKS */);
}

/// The same without following any link: for what is about to be written or removed.
static inline int martlet_open_without_links(int folder, const char *path, uint64_t flags) {
    return martlet_openat2(
        folder, path, flags, 0x08 /* BENEATH */ | 0x02 /* NO_MAGICLINKS */ | 0x04 /* NO_SYMLINKS */);
}

/// Renames unless the new name is taken (EEXIST); EINVAL or ENOSYS where the file system cannot promise that.
static inline int martlet_rename_new(int from, const char *old_name, int to, const char *new_name) {
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, from, old_name, to, new_name, 1 /* RENAME_NOREPLACE */);
#else
    (void)from, (void)old_name, (void)to, (void)new_name;
    errno = ENOSYS;
    return -1;
#endif
}

/// Asks the kernel to begin writing a range to disk, without waiting for it. A hint: there is nothing to fail.
static inline void martlet_start_writing(int file, int64_t offset, int64_t count) {
#ifdef SYS_sync_file_range
    syscall(SYS_sync_file_range, file, offset, count, 2 /* SYNC_FILE_RANGE_WRITE */);
#else
    (void)file, (void)offset, (void)count;
#endif
}
