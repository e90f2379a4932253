// What a disk holds when the power is cut, for tests: preloaded into a process, it keeps a copy of each file under
// $POWERCUT_FOLDER as it was at its last fsync, in $POWERCUT_DISK. A synced file is there under its name, as ext4 does
// it; a rename or removal counts once its folder was synced. The process itself sees the files as always.
//
// The folder `content` has a file for each inode, and `names` a line for each thing that became durable:
// `+ <inode> <path>` or `= <folder>` followed by one `  <inode> <name>` for each entry and a line `.`.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// One write, so that a kill leaves a whole entry or none.
static void note(const char *disk, const char *text, size_t length)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/names", disk);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) abort();
    if (write(file, text, length) != (ssize_t)length) abort();
    close(file);
}

static void keep_file(const char *disk, const char *path, const struct stat *facts)
{
    static unsigned long number;
    char draft[PATH_MAX], final[PATH_MAX], text[PATH_MAX + 32], buffer[1 << 16];
    snprintf(draft, sizeof draft, "%s/content/draft-%d-%lu", disk, getpid(), number++);
    snprintf(final, sizeof final, "%s/content/%lu", disk, (unsigned long)facts->st_ino);
    int from = open(path, O_RDONLY | O_CLOEXEC), to = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (from < 0 || to < 0) abort();
    for (ssize_t count; (count = read(from, buffer, sizeof buffer)) > 0;)
        if (write(to, buffer, count) != count) abort();
    close(from);
    close(to);
    if (rename(draft, final) != 0) abort();
    int length = snprintf(text, sizeof text, "+ %lu %s\n", (unsigned long)facts->st_ino, path);
    note(disk, text, length);
}

static void keep_folder(const char *disk, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    DIR *folder = opendir(path);
    if (!out || !folder) abort();
    fprintf(out, "= %s\n", path);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_type == DT_REG) fprintf(out, "  %lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
    fprintf(out, ".\n");
    fclose(out);
    closedir(folder);
    note(disk, text, length);
    free(text);
}

static int synced(int descriptor)
{
    const char *root = getenv("POWERCUT_FOLDER"), *disk = getenv("POWERCUT_DISK");
    char link[64], path[PATH_MAX];
    struct stat facts;
    if (!root || !disk || fstat(descriptor, &facts) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, root, strlen(root)) != 0 || strstr(path, " (deleted)")) return 0;
    int saved = errno;
    // A disk takes its time, so a kill often finds what was written and not synced yet.
    usleep(4000);
    pthread_mutex_lock(&lock);
    if (S_ISDIR(facts.st_mode)) keep_folder(disk, path);
    else if (S_ISREG(facts.st_mode)) keep_file(disk, path, &facts);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return 0;
}

int fsync(int descriptor) { return synced(descriptor); }
int fdatasync(int descriptor) { return synced(descriptor); }
