/* Loaded before libc (LD_PRELOAD) into the release binary: fails the n-th call of a kind with an
 * errno of the test's choice. The test steers and reads it through a shared file, one slot a kind,
 * at any time (faults.mjs). errno 0 for a write: only half of it is done, which is no error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE, SYNC, TRUNCATE, SOCKET, CONNECT, MALLOC, KINDS };

struct slot { /* as faults.mjs writes it: 32 bytes */
    _Atomic uint32_t seen, at, times, error, hits, unused;
    _Atomic int64_t hit_at_ms; /* wall, of the first */
};
static struct slot *slots;

__attribute__((constructor)) static void load(void)
{
    const char *name = getenv("FAULTS_FILE");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, KINDS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        slots = p;
}

static bool is_due(enum kind kind)
{
    if (!slots)
        return false;
    struct slot *s = &slots[kind];
    uint32_t seen = ++s->seen, at = s->at;
    if (at == 0 || seen < at || seen >= at + s->times)
        return false;
    if (s->hits++ == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        s->hit_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    }
    errno = (int)s->error;
    return true;
}

#define NEXT(type, name, ...)                                                                      \
    static type (*next)(__VA_ARGS__);                                                              \
    if (!next)                                                                                     \
    *(void **)&next = dlsym(RTLD_NEXT, name)

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (!is_due(WRITE))
        return next(fd, bytes, n, at);
    return errno ? -1 : next(fd, bytes, n > 1 ? n / 2 : n, at);
}

int fsync(int fd)
{
    NEXT(int, "fsync", int);
    return is_due(SYNC) ? -1 : next(fd);
}

int fdatasync(int fd)
{
    NEXT(int, "fdatasync", int);
    return is_due(SYNC) ? -1 : next(fd);
}

int ftruncate64(int fd, off64_t n)
{
    NEXT(int, "ftruncate64", int, off64_t);
    return is_due(TRUNCATE) ? -1 : next(fd, n);
}

int socket(int domain, int type, int protocol)
{
    NEXT(int, "socket", int, int, int);
    return is_due(SOCKET) ? -1 : next(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    NEXT(int, "connect", int, const struct sockaddr *, socklen_t);
    return is_due(CONNECT) ? -1 : next(fd, to, n);
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t k, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t to, size_t n);

void *malloc(size_t n)
{
    return is_due(MALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t k, size_t n)
{
    return is_due(MALLOC) ? NULL : __libc_calloc(k, n);
}

void *realloc(void *p, size_t n)
{
    return is_due(MALLOC) ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t to, size_t n)
{
    return is_due(MALLOC) ? NULL : __libc_memalign(to, n);
}

int posix_memalign(void **ret, size_t to, size_t n)
{
    *ret = is_due(MALLOC) ? NULL : __libc_memalign(to, n);
    return *ret ? 0 : ENOMEM;
}
