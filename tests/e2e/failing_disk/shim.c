/* A disk that fails as it is told to: preloaded into the program, it answers for some of the C library's calls.
 *
 * $FAULTS names a file that is read anew at each of these calls. Each line is a fault: what is asked (sync, read, write), how the
 * file's path ends, the error (as errno has it), and after how many milliseconds it is told. With error 0 the call is only late.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int ends(const char *path, const char *end) {
    size_t length = strlen(path), wanted = strlen(end);
    return length >= wanted && strcmp(path + length - wanted, end) == 0;
}

/* Whether the call fails; errno says how. */
static int fails(const char *asked, int fd) {
    char link[64], path[4096], rules[4096], what[16], end[256];
    const char *name = getenv("FAULTS");
    int error, millis, read_bytes, faults;
    ssize_t length;
    if (name == NULL) return 0;
    faults = open(name, O_RDONLY | O_CLOEXEC);
    if (faults < 0) return 0;
    read_bytes = (int)NEXT(read)(faults, rules, sizeof rules - 1);
    close(faults);
    if (read_bytes <= 0) return 0;
    rules[read_bytes] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    for (char *rest, *line = strtok_r(rules, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "%15s %255s %d %d", what, end, &error, &millis) != 4) continue;
        if (strcmp(what, asked) != 0 || !ends(path, end)) continue;
        struct timespec pause = { millis / 1000, (millis % 1000) * 1000000L };
        nanosleep(&pause, NULL);
        errno = error;
        return error != 0;
    }
    return 0;
}

int fsync(int fd) { return fails("sync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails("sync", fd) ? -1 : NEXT(fdatasync)(fd); }
ssize_t read(int fd, void *to, size_t n) { return fails("read", fd) ? -1 : NEXT(read)(fd, to, n); }
ssize_t write(int fd, const void *from, size_t n) { return fails("write", fd) ? -1 : NEXT(write)(fd, from, n); }
ssize_t pread64(int fd, void *to, size_t n, off64_t at) { return fails("read", fd) ? -1 : NEXT(pread64)(fd, to, n, at); }
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
    return fails("write", fd) ? -1 : NEXT(pwrite64)(fd, from, n, at);
}
ssize_t pread(int fd, void *to, size_t n, off_t at) { return fails("read", fd) ? -1 : NEXT(pread)(fd, to, n, at); }
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    return fails("write", fd) ? -1 : NEXT(pwrite)(fd, from, n, at);
}
