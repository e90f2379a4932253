#pragma once
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/statfs.h>

/// sqlite3_db_config is variadic, which Swift cannot import.
static inline int martlet_sqlite3_db_config_flag(sqlite3 *db, int option, int on) {
    return sqlite3_db_config(db, option, on, (int *)0);
}

/// SQLITE_TRANSIENT and SQLITE_STATIC are casts, which Swift cannot import.
static inline int martlet_sqlite3_bind_blob_static(sqlite3_stmt *s, int i, const void *p, sqlite3_uint64 n) {
    return sqlite3_bind_blob64(s, i, p, n, SQLITE_STATIC);
}
static inline int martlet_sqlite3_bind_blob_copy(sqlite3_stmt *s, int i, const void *p, sqlite3_uint64 n) {
    return sqlite3_bind_blob64(s, i, p, n, SQLITE_TRANSIENT);
}
static inline int martlet_sqlite3_bind_text_copy(sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, p, n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// The kind of file system under a path, 0 when it cannot be told. Swift's Glibc module does not have <sys/statfs.h>.
static inline unsigned int martlet_file_system_magic(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (unsigned int)facts.f_type : 0;
}

/// Names the calling thread, for whoever looks at a process that hangs. prctl is variadic.
static inline void martlet_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
