/* sqlite_lock: holds flock on PATH.lock, which ends with its process however that ends. */
#include "store/sqlite/sqlite_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static void make_folder(const char *path)
{
    char dir[1024];
    if (str_copy(str_of(path), dir, sizeof dir) != OK)
        return;
    for (char *p = dir + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(dir, 0700); /* the open reports any real fault */
            *p = '/';
        }
}

enum err sqlite_lock(const char *path, int *ret_fd, char *why, size_t cap)
{
    char name[1280];
    snprintf(name, sizeof name, "%s.lock", path);
    make_folder(path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, cap, "%s: %s", name, strerror(errno));
        return ERR_STORE;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, cap, "%s: another hookswitch uses this store", path);
        close(fd);
        return ERR_EXISTS;
    }
    *ret_fd = fd;
    return OK;
}
