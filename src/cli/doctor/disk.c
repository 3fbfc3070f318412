/* disk: checks that the folder of the store is there, is ours, is on a disk that keeps its data,
 * and has room. Measures how long a sync takes, since each "accepted" waits for one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/doctor/doctor.h"
#include "daemon/options.h"

enum { SYNCS = 50, SLOW_US = 20000, MIB = 1 << 20, LOW_MIB = 1024, LEAST_MIB = 100 };

/* The store's folder; "" when the store is not a file. */
static void store_folder(const struct doctor *d, char out[1024])
{
    char url[1024];
    struct str scheme, path;
    out[0] = '\0';
    if (config_store_url(d->config, url, sizeof url) != OK ||
        !str_cut(str_of(url), ':', &scheme, &path) || !str_eq(scheme, STR("sqlite")))
        return;
    const char *slash = strrchr(path.p, '/');
    struct str dir = slash ? str_of_bytes(path.p, (size_t)(slash - path.p)) : STR(".");
    if (str_copy(dir.n ? dir : STR("/"), out, 1024) != OK)
        out[0] = '\0';
}

static void look_at_room(struct doctor *d, const char *dir)
{
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return;
    unsigned long long mib = (unsigned long long)v.f_bavail * v.f_frsize / MIB;
    if (mib < LEAST_MIB || (v.f_files && v.f_favail == 0))
        doctor_say(d, FINDING_FAIL, "disk", "%s has %llu MiB free: a full disk accepts nothing",
                   dir, mib);
    else if (mib < LOW_MIB)
        doctor_say(d, FINDING_WARN, "disk", "%s has %llu MiB free: an event takes about 1 KiB", dir,
                   mib);
    else
        doctor_say(d, FINDING_OK, "disk", "%s has %llu MiB free", dir, mib);
}

static void look_at_kind(struct doctor *d, const char *dir)
{
    struct statfs s;
    if (statfs(dir, &s) != 0)
        return;
    if (s.f_type == TMPFS_MAGIC || s.f_type == RAMFS_MAGIC)
        doctor_say(d, FINDING_FAIL, "filesystem",
                   "%s is memory: everything is gone with the power; put data_dir on a disk", dir);
    else if (s.f_type == NFS_SUPER_MAGIC || s.f_type == SMB2_SUPER_MAGIC)
        doctor_say(
            d, FINDING_FAIL, "filesystem",
            "%s is a network file system, on which SQLite's log is not safe: use a local disk",
            dir);
    else if (s.f_type == OVERLAYFS_SUPER_MAGIC)
        doctor_say(d, FINDING_WARN, "filesystem",
                   "%s is a container's own layer, gone with the container: mount a volume", dir);
    else
        doctor_say(d, FINDING_OK, "filesystem", "%s is on a disk", dir);
}

static int compare_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void look_at_syncs(struct doctor *d, const char *dir)
{
    char path[1100], block[4096] = {0};
    int64_t us[SYNCS];
    snprintf(path, sizeof path, "%s/.doctor-XXXXXX", dir);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        doctor_say(d, FINDING_FAIL, "data_dir",
                   "%s: %s: the daemon's user must be able to write it", dir, strerror(errno));
        return;
    }
    unlink(path);
    size_t n = 0;
    for (; n < SYNCS; n++) {
        int64_t from = clock_mono_us();
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
            break;
        us[n] = clock_mono_us() - from;
    }
    close(fd);
    if (n < SYNCS) {
        doctor_say(d, FINDING_FAIL, "sync", "%s: %s", dir, strerror(errno));
        return;
    }
    qsort(us, SYNCS, sizeof us[0], compare_size);
    double median = (double)us[SYNCS / 2] / 1000, worst = (double)us[SYNCS - 1] / 1000;
    if (us[SYNCS / 2] > SLOW_US)
        doctor_say(d, FINDING_WARN, "sync",
                   "%.1f ms (median of %d, worst %.1f): each call waits for two of them", median,
                   SYNCS, worst);
    else
        doctor_say(d, FINDING_OK, "sync", "%.2f ms (median of %d, worst %.1f)", median, SYNCS,
                   worst);
}

void doctor_disk(struct doctor *d)
{
    char dir[1024], parent[1024];
    struct stat st;
    store_folder(d, dir);
    if (!dir[0])
        return;
    if (stat(dir, &st) != 0) { /* the daemon makes it: check its parent */
        snprintf(parent, sizeof parent, "%s", dir);
        char *slash = strrchr(parent, '/');
        if (slash)
            *(slash == parent ? slash + 1 : slash) = '\0';
        if (!slash || access(parent, W_OK) != 0) {
            doctor_say(d, FINDING_FAIL, "data_dir", "%s: %s, and %s cannot be written", dir,
                       strerror(errno), slash ? parent : ".");
            return;
        }
        doctor_say(d, FINDING_OK, "data_dir", "%s is made at the first start", dir);
        memmove(dir, parent, sizeof dir);
    } else if (st.st_mode & 077) {
        doctor_say(d, FINDING_WARN, "data_dir",
                   "%s can be read by others (mode %o): chmod 700, it holds secrets", dir,
                   (unsigned)st.st_mode & 0777u);
    } else {
        doctor_say(d, FINDING_OK, "data_dir", "%s is the daemon's alone", dir);
    }
    look_at_kind(d, dir);
    look_at_room(d, dir);
    look_at_syncs(d, dir);
}
